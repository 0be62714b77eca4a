"""`voladdin scenarios` and `sample`: surfaces of a generator."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ..xlsx.tables import read_cells, write_cells
from .grid_files import bundle_named

if TYPE_CHECKING:
    from ..cells import Cells


_SPEC = "level, skew, curv, term, or atm, rr, bf, term, tenor; also name, scenario; a blank is left open"


def add(commands: Any) -> None:
    """The commands, for argparse's `commands`."""
    scenarios = _generator_command(
        commands, "scenarios", "a table of features becomes a workbook with a surface a row"
    )
    scenarios.add_argument("spec", help=f"columns {_SPEC}; .csv or .xlsx")
    scenarios.add_argument("--forwards", type=_line, help="one a tenor, or one, where strikes are K=…")
    scenarios.add_argument("--range", help="such as Sheet1!A1:F9, in an .xlsx spec")
    scenarios.add_argument("--long", action="store_true", help="one long table, .csv or .xlsx")
    scenarios.epilog = "The exit status is 1 where a row has no surface; the others are written."
    scenarios.set_defaults(command=_scenarios)

    sample = _generator_command(commands, "sample", "random surfaces as the model was trained on")
    sample.add_argument("--count", type=int, default=100, help="how many (default: 100)")
    sample.add_argument("--seed", type=int, default=0, help="the same seed, the same surfaces (default: 0)")
    sample.add_argument("--trained", action="store_true", help="on the trained 28 x 28 grid")
    sample.set_defaults(command=_sample)


def _generator_command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_)
    parser.add_argument("-o", "--output", required=True, help="the file to write")
    parser.add_argument("--tenors", type=_line, help="such as 1M,3M,6M (default: 1M to 7M)")
    parser.add_argument(
        "--moneyness",
        "--strikes",
        type=_line,
        help="ln(K/F), as in --moneyness=-0.1,0,0.1; or 25P,ATM,25C; K=1.1",
    )
    parser.add_argument("--model", type=bundle_named, help="bundle (default: equity, else markets)")
    return parser


def _line(text: str) -> Cells:
    return [[cell.strip() for cell in text.split(",")]]


def _scenarios(options: argparse.Namespace) -> int:
    from ..commands import scenarios
    from ..worksheet.target_axes import sheet_axes

    spec = read_cells(options.spec, options.range)
    axes = sheet_axes(
        options.tenors, options.moneyness, forwards=options.forwards, words=scenarios.words_of_spec(spec)
    )
    made, bad = scenarios.scenarios(spec, axes, options.model, progress=True)
    for row in bad:
        what = " ".join(str(row.error).split())
        print(f"voladdin: row {row.number} of the spec: {what} ({row.error.reference})", file=sys.stderr)
    if made and options.long:
        write_cells(options.output, scenarios.long_table(made, axes))
    elif made:
        scenarios.write_book(options.output, scenarios.sheets_of(made, axes))
    count = f"{len(made)} scenario{'s'[: len(made) - 1]}"
    print(f"written: {options.output}, {count}" if made else "no scenario: nothing is written")
    return int(bool(bad) or not made)


def _sample(options: argparse.Namespace) -> None:
    from ..commands.scenarios import write_samples
    from ..generation import sample
    from ..worksheet.target_axes import sheet_axes

    model = options.model or "equity"
    axes = sheet_axes(options.tenors, options.moneyness, model=model if options.trained else None)
    made = sample(options.count, options.seed, tenors=axes.tenors, moneyness=axes.moneyness, model=model)
    write_samples(options.output, made, axes)
    print(f"written: {options.output}, {len(made)} surface{'s'[: len(made) - 1]}")
