"""`voladdin impute`, `grid`, `check` and `repair`: a grid of a .csv or .xlsx file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..xlsx.tables import format_grid, format_table, read_cells, write_cells

if TYPE_CHECKING:
    from ..cells import Cells


def add(commands: Any) -> None:
    """The commands, for argparse's `commands`."""
    _add_impute(commands)
    _add_grid(commands)
    check = _grid_command(commands, "check", "name the static arbitrage of a grid of a .csv or .xlsx file")
    check.epilog = "The exit status is 1 where there is arbitrage."
    check.set_defaults(command=_check)

    repair = _grid_command(commands, "repair", "the nearest grid without static arbitrage")
    repair.add_argument("--keep-features", action="store_true", help="keep level, skew, curvature and term")
    repair.set_defaults(command=_repair)


def _add_impute(commands: Any) -> None:
    impute = _grid_command(commands, "impute", "fill a grid of a .csv or .xlsx file")
    impute.add_argument("--prior", help="an earlier full grid with the same labels, .csv or .xlsx")
    impute.add_argument("--prior-age", type=float, default=1.0, help="its age in days (default: 1)")
    impute.add_argument("--model", type=bundle_named, default="fx", help="model bundle (default: fx)")
    wanted = impute.add_mutually_exclusive_group()
    for name in ("mean", "std", "low", "high", "zscore"):
        wanted.add_argument(f"--{name}", dest="wanted", action="store_const", const=name, default="fill")
    impute.set_defaults(command=_impute)


def _add_grid(commands: Any) -> None:
    grid = commands.add_parser(
        "grid", help="a list of listed options, .csv or .xlsx, as a grid of implied vols"
    )
    grid.add_argument("options", help="the list: headings expiry, strike, call/put, bid, ask")
    grid.add_argument("--range", help="such as Sheet1!A1:F9, in an .xlsx file")
    grid.add_argument("--valuation", help="the date that expiry dates count from, such as 2026-01-31")
    grid.add_argument("--rate", type=float, help="continuously compounded; by put-call parity unless told")
    grid.add_argument("--exercise", choices=("european", "american"), help="european unless told")
    grid.add_argument("--underlying", type=float, help="its price, for American options")
    grid.add_argument("--settlement", choices=("pm", "am"), help="when the last day ends (default: pm)")
    grid.add_argument("--clock", choices=("calendar", "business"), help="days over 365, or weekdays over 252")
    outputs = ("grid", "bid", "ask", "deltas", "std", "forwards", "report", "quality")
    grid.add_argument("--wanted", choices=outputs, default="grid")
    grid.add_argument("--tenors", help="of deltas and std, such as 1W,1M,1Y")
    grid.add_argument("--strikes", help="of deltas and std, such as 25P,ATM,25C")
    grid.add_argument("--model", type=bundle_named, help="model bundle of deltas and std (default: fx)")
    grid.add_argument("-o", "--output", help="write a .csv or .xlsx instead of printing")
    grid.set_defaults(command=_grid)


def _grid_command(commands: Any, name: str, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_)
    parser.add_argument("grid", help="the grid, .csv or .xlsx (its first sheet)")
    parser.add_argument("--range", help="such as Sheet1!A1:F9, in the .xlsx files given")
    parser.add_argument("--units", choices=["percent", "decimal", "bp"], help="where the grid cannot tell")
    parser.add_argument("-o", "--output", help="write a .csv or .xlsx instead of printing")
    return parser


def bundle_named(text: str) -> str | Path:
    """The name of a bundle, or its folder where it is written as one."""
    return Path(text) if set(text) & set("/\\") else text


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
    axes = [None if line is None else [line.split(",")] for line in (options.tenors, options.strikes)]
    market = [options.valuation, None, options.rate, options.exercise, options.underlying]
    cells = evaluate(
        "VOLGRID", [listed, options.wanted, *market, *axes, options.model, options.settlement, options.clock]
    )
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


def _give(options: argparse.Namespace, grid: Cells, cells: Cells, *, vols: bool) -> None:
    """To the output, or printed, decimal vols in percent."""
    from ..cells import find_matrix, find_quotes, parse

    if options.output is not None:
        _write(options.output, cells)
        return
    if find_matrix(grid) is not None:
        print(format_table(cells))
        return
    quotes = find_quotes(grid)
    read = parse(grid if quotes is None else cells, units=options.units)
    print(format_grid(cells, percent=vols and read.unit == 1.0, read=read))


def _write(output: str, cells: Cells) -> None:
    write_cells(output, cells)
    print(f"written: {output}")
