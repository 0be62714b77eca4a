"""The command line: `voladdin COMMAND`; `voladdin -h` lists them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, UnavailableError, VoladdinError
from ..xlsx.tables import format_grid, format_table, read_cells, write_cells

if TYPE_CHECKING:
    from ..cells import Cells

EXTRAS = ("train", "bench")
HOSTS = ("libreoffice", "excel")
BUILDS = ("excel",)  # hosts whose add-in is a file of its own
BENCHES = {  # name: its module
    "impute": "export.bench.imputation.impute",
    "guard": "export.bench.imputation.guard",
    "ablation": "export.bench.imputation.ablation",
    "markets": "export.bench.markets.run",
    "calc": "export.bench.calc.recalculation",
    "repair": "export.bench.repair.repair",
    "generate": "export.bench.generation.generate",
    "fuzz": "export.bench.fuzz",
}
_ELSEWHERE = {
    "serve": "server.run",
    "train": "export.imputation.train",
}  # commands with a main(argv) of their own


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, or 2 after an error, which goes to stderr as one line.

    It is 1 where `run` wrote the book and a formula did not get its value, where `check` found arbitrage, and
    where `scenarios` had a row without a surface.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given and given[0] in _ELSEWHERE:
            return _elsewhere(_ELSEWHERE[given[0]], given[0], given[1:])
        if given[:1] == ["bench"] and len(given) > 1 and not given[1].startswith("-"):
            return _elsewhere(_bench(given[1]), "bench", given[2:])
        options = _parser().parse_args(given)
        return int(options.command(options) or 0)
    except VoladdinError as error:
        print(f"voladdin: {' '.join(str(error).split())} ({error.reference})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voladdin", description="Fills implied-volatility surfaces in workbooks and files."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="evaluate the VOL… formulas of an .xlsx without a spreadsheet program",
        epilog=(
            "The exit status is 0 where every formula got its value; 1 where some did not (the book is "
            "written, the table says which and why); 2 where nothing is written (the reason is on stderr)."
        ),
    )
    run.add_argument("book", help="the workbook, .xlsx or .xlsm")
    run.add_argument("-o", "--output", help="the filled workbook (default: BOOK-filled beside it)")
    run.set_defaults(command=_run)

    impute = _grid_command(commands, "impute", "fill a grid of a .csv or .xlsx file")
    impute.add_argument("--prior", help="an earlier full grid with the same labels, .csv or .xlsx")
    impute.add_argument("--prior-age", type=float, default=1.0, help="its age in days (default: 1)")
    impute.add_argument("--model", default="fx", help="model bundle (default: fx)")
    wanted = impute.add_mutually_exclusive_group()
    for name in ("mean", "std", "low", "high", "zscore"):
        wanted.add_argument(f"--{name}", dest="wanted", action="store_const", const=name, default="fill")
    impute.set_defaults(command=_impute)

    grid = commands.add_parser(
        "grid", help="a list of listed options, .csv or .xlsx, as a grid of implied vols"
    )
    grid.add_argument("options", help="the list: headings expiry, strike, call/put, bid, ask")
    grid.add_argument("--range", help="such as Sheet1!A1:F9, in an .xlsx file")
    grid.add_argument("--valuation", help="the date that expiry dates count from, such as 2026-01-31")
    grid.add_argument("--rate", type=float, help="continuously compounded; by put-call parity unless told")
    grid.add_argument("--wanted", choices=("grid", "bid", "ask", "forwards", "report"), default="grid")
    grid.add_argument("-o", "--output", help="write a .csv or .xlsx instead of printing")
    grid.set_defaults(command=_grid)

    check = _grid_command(commands, "check", "name the static arbitrage of a grid of a .csv or .xlsx file")
    check.epilog = "The exit status is 1 where there is arbitrage."
    check.set_defaults(command=_check)

    repair = _grid_command(commands, "repair", "the nearest grid without static arbitrage")
    repair.add_argument("--keep-features", action="store_true", help="keep level, skew, curvature and term")
    repair.set_defaults(command=_repair)

    scenarios = _generator_command(
        commands, "scenarios", "a table of features becomes a workbook with a surface a row"
    )
    scenarios.add_argument("spec", help="columns level, skew, curv, term; also name, scenario; .csv or .xlsx")
    scenarios.add_argument("--range", help="such as Sheet1!A1:F9, in an .xlsx spec")
    scenarios.add_argument("--long", action="store_true", help="one long table, .csv or .xlsx")
    scenarios.epilog = "The exit status is 1 where a row has no surface; the others are written."
    scenarios.set_defaults(command=_scenarios)

    sample = _generator_command(commands, "sample", "random surfaces as the model was trained on")
    sample.add_argument("--count", type=int, default=100, help="how many (default: 100)")
    sample.add_argument("--seed", type=int, default=0, help="the same seed, the same surfaces (default: 0)")
    sample.add_argument("--trained", action="store_true", help="on the trained 28 x 28 grid")
    sample.set_defaults(command=_sample)

    for name, help_ in (("install", "add voladdin to a host"), ("uninstall", "remove it from a host")):
        host = commands.add_parser(name, help=help_)
        host.add_argument("host", choices=HOSTS)
        host.set_defaults(command=_install, action=name)

    build = commands.add_parser("build", help="write a host's add-in file, on any system")
    build.add_argument("host", choices=BUILDS)
    build.add_argument("-o", "--output", default="voladdin.xlam", help="a .xlam, or its VBA alone as .bas")
    build.set_defaults(command=_build)

    info = commands.add_parser("info", help="version, models, server, functions")
    info.add_argument(
        "topic", nargs="?", default="", help="what VOLINFO takes: version, models, functions, …"
    )
    info.set_defaults(command=_info)

    commands.add_parser("serve", help="run the local server", add_help=False)
    commands.add_parser("train", help="make a model bundle from history", add_help=False)
    bench = commands.add_parser("bench", help=f"benchmark tables: voladdin bench {' | '.join(BENCHES)}")
    bench.add_argument("name", choices=BENCHES)
    return parser


def _grid_command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_)
    parser.add_argument("grid", help="the grid, .csv or .xlsx (its first sheet)")
    parser.add_argument("--range", help="such as Sheet1!A1:F9, in the .xlsx files given")
    parser.add_argument("--units", choices=["percent", "decimal"], help="where the grid cannot tell")
    parser.add_argument("-o", "--output", help="write a .csv or .xlsx instead of printing")
    return parser


def _generator_command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_)
    parser.add_argument("-o", "--output", required=True, help="the file to write")
    parser.add_argument("--tenors", type=_line, help="such as 1M,3M,6M (default: 1M to 7M)")
    parser.add_argument("--moneyness", type=_line, help="ln(K/F), as in --moneyness=-0.1,0,0.1")
    parser.add_argument("--model", default="equity", help="model bundle (default: equity)")
    return parser


def _line(text: str) -> Cells:
    return [[cell.strip() for cell in text.split(",")]]


def _elsewhere(module: str, command: str, argv: list[str]) -> int:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"{command} needs the module {error.name}; expected pip install 'voladdin[{command}]'"
            if command in EXTRAS
            else f"{command} needs the module {error.name}; expected an installed voladdin"
        ) from None
    return int(found.main(argv) or 0)


def _bench(name: str) -> str:
    if name not in BENCHES:
        raise InputError(f"bench is {name!r}; expected one of {', '.join(BENCHES)}")
    return BENCHES[name]


def _run(options: argparse.Namespace) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the server's; read when numpy is imported
    from ..xlsx.runner import run

    book = Path(options.book)
    output = options.output or book.with_name(f"{book.stem}-filled{book.suffix}")
    report = run(book, output, _shown_progress() if sys.stderr.isatty() else None)
    if not report.outcomes:
        print("no VOL… formula found")
    rows: Cells = [[o.cell, o.status, o.message, o.reference] for o in report.outcomes]
    if rows:
        print(format_table([["cell", "status", "result", "reference"], *rows]))
    if report.recalculated:
        print(f"{report.recalculated} other formulas evaluated")
    if report.others:
        print(f"{report.others} other formulas keep the values that were stored with them")
    print(f"written: {report.output}")
    return int(report.failed)


def _shown_progress() -> Callable[[int, int], None]:
    """A line on the terminal that counts formulas, from a second on; it wipes itself."""
    began = shown = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if done == total and shown > began:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        elif done < total and now - shown > 1:
            shown = now
            print(f"\r{done} of {total} formulas", end="", file=sys.stderr, flush=True)

    return progress


def _impute(options: argparse.Namespace) -> None:
    from ..worksheet.registry import evaluate

    grid = read_cells(options.grid, options.range)
    prior = None if options.prior is None else read_cells(options.prior, options.range)
    arguments: list[Any] = [grid, options.wanted, prior, None, None, options.model]
    cells = evaluate("VOLIMPUTE", [*arguments, options.units, None, options.prior_age])
    _give(options, grid, cells, vols=options.wanted != "zscore")


def _grid(options: argparse.Namespace) -> None:
    from ..worksheet.registry import evaluate

    listed = read_cells(options.options, options.range)
    cells = evaluate("VOLGRID", [listed, options.wanted, options.valuation, None, options.rate])
    if options.output is not None:
        _write(options.output, cells)
    else:
        print(format_table(cells))


def _check(options: argparse.Namespace) -> int:
    from ..worksheet.registry import evaluate

    grid = read_cells(options.grid, options.range)
    report = evaluate("VOLCHECK", [grid, "report", None, None, options.units])
    if options.output is not None:
        _write(options.output, report)
    else:
        print(format_table(report) if len(report) > 1 else "no static arbitrage")
    return int(len(report) > 1)


def _repair(options: argparse.Namespace) -> None:
    from ..worksheet.registry import evaluate

    grid = read_cells(options.grid, options.range)
    rest: list[Any] = [None, None, options.units, None, None, None, None, options.keep_features]
    repaired, report = (evaluate("VOLREPAIR", [grid, output, *rest]) for output in ("repaired", "report"))
    _give(options, grid, repaired, vols=True)
    print(format_table(report))


def _scenarios(options: argparse.Namespace) -> int:
    from ..commands import scenarios
    from ..worksheet.generate import sheet_axes

    axes = sheet_axes(options.tenors, options.moneyness)
    spec = read_cells(options.spec, options.range)
    made, bad = scenarios.scenarios(spec, axes, options.model, progress=True)
    for row in bad:
        what = " ".join(str(row.error).split())
        print(f"voladdin: row {row.number} of the spec: {what} ({row.error.reference})", file=sys.stderr)
    if made and options.long:
        write_cells(options.output, scenarios.long_table(made, axes))
    elif made:
        scenarios.write_book(options.output, scenarios.book(made, axes))
    count = f"{len(made)} scenario{'s'[: len(made) - 1]}"
    print(f"written: {options.output}, {count}" if made else "no scenario: nothing is written")
    return int(bool(bad) or not made)


def _sample(options: argparse.Namespace) -> None:
    from ..commands.scenarios import write_samples
    from ..generation import sample
    from ..worksheet.generate import sheet_axes

    axes = sheet_axes(options.tenors, options.moneyness, model=options.model if options.trained else None)
    made = sample(
        options.count, options.seed, tenors=axes.tenors, moneyness=axes.moneyness, model=options.model
    )
    write_samples(options.output, made, axes)
    print(f"written: {options.output}, {len(made)} surface{'s'[: len(made) - 1]}")


def _give(options: argparse.Namespace, grid: Cells, cells: Cells, *, vols: bool) -> None:
    """To the output, or printed with its vols in percent."""
    from ..cells import parse

    if options.output is not None:
        _write(options.output, cells)
        return
    read = parse(grid, units=options.units)
    print(format_grid(cells, percent=vols and not read.percent, read=read))


def _write(output: str, cells: Cells) -> None:
    write_cells(output, cells)
    print(f"written: {output}")


def _install(options: argparse.Namespace) -> int:
    host = importlib.import_module(f"voladdin.hosts.{options.host}")
    print(getattr(host, options.action)() or f"{options.host}: {options.action}ed")
    return 0


def _build(options: argparse.Namespace) -> None:
    host = importlib.import_module(f"voladdin.hosts.{options.host}")
    print(f"written: {host.build(options.output)}")


def _info(options: argparse.Namespace) -> int:
    from ..worksheet.registry import evaluate

    print(format_table(evaluate("VOLINFO", [options.topic])))
    return 0
