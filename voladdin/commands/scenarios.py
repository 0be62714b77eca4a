"""A table of features becomes a workbook, a sheet a scenario, or one long table; random surfaces a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..cells import Cell, Cells, Label, address, is_missing, read_number
from ..errors import InputError, VoladdinError
from ..feature_map import NAMES
from ..generation import Generation, generate_on
from ..generation.market_words import WORDS
from ..worksheet.generate import OPEN, block, corner
from ..worksheet.target_axes import TargetAxes
from ..worksheet.wording import tenor_named
from ..xlsx.tables import write_cells

INDEX = "Scenarios"
LONG = ("scenario", "tenor", "moneyness", "vol")
_INDEX_HEADER = ("scenario", "in the trained hull", "moved to be free of arbitrage, bp")
_OF_KIND = {"moneyness": "moneyness", "deltas": "delta", "strikes": "strike"}
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_NAME = 31
_BAR = 30

Item = TypeVar("Item")


@dataclass(frozen=True)
class Row:
    """One row of the spec. number: of its line, from 1. sheet: its name as a sheet has it.

    features: NaN where left open. words: "paper" or "market", at a tenor.
    """

    number: int
    sheet: str
    features: tuple[float, ...]
    scenario: float
    words: str = "paper"
    tenor: str | float | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """A row and its surface."""

    row: Row
    surface: Generation

    @property
    def values(self) -> list[Cell]:
        """Name, the four numbers, also those left open, and scenario."""
        return [self.row.sheet, *self.surface.features[0].tolist(), self.row.scenario]

    @property
    def names(self) -> tuple[str, ...]:
        """Those of `values`, but for the scenario."""
        return ("name", *(WORDS if self.row.words == "market" else NAMES))


@dataclass(frozen=True)
class Bad:
    """A row that has no surface, and why."""

    number: int
    error: VoladdinError


def scenarios(
    spec: Cells,
    axes: TargetAxes,
    model: str | Path | None = None,
    *,
    progress: bool = False,
    name: str = "spec",
    first: int = 2,
) -> tuple[list[Made], list[Bad]]:
    """A surface a row of the spec, and the rows that have none; blank rows are left out.

    spec: a header with any of level, skew, curv, term, or of atm, rr, bf, term, the market's words at a tenor
    (a column, or the grid's nearest to 1M), and, if wanted, name and scenario; in any order. A blank is open:
    its mean, or in another scenario than 0 a draw, given the others. Features are decimals. Rows without a
    name are called "scenario N", N counting from 1. name: of the spec, and first: where its first row below
    the header is, for messages.

    Raises InputError where there is no header, or it has no feature, repeats or has something else.
    """
    if not spec:
        raise InputError(f"the {name} is empty; expected columns level, skew, curv and term")
    columns = _columns(spec[0], name)
    made: list[Made] = []
    bad: list[Bad] = []
    taken = {INDEX.lower(): "the list of scenarios", "history": "a sheet that Excel keeps for itself"}
    rows = [(n, cells) for n, cells in enumerate(spec[1:], start=first) if not all(map(is_missing, cells))]
    for count, (number, cells) in enumerate(bar(rows) if progress else rows, start=1):
        try:
            row = _row(number, count, cells, columns, name)
            if row.sheet.lower() in taken:
                who = taken[row.sheet.lower()]
                raise InputError(f"name {row.sheet!r} is that of {who}; expected another one")
            made.append(Made(row, _surface(row, axes, model)))
            taken[row.sheet.lower()] = f"row {number}"
        except VoladdinError as error:
            bad.append(Bad(number, error))
    return made, bad


def _surface(row: Row, axes: TargetAxes, model: str | Path | None) -> Generation:
    given, numbers = np.array([row.features]), np.array([row.scenario])
    return generate_on(axes.surface, given, numbers, words=row.words, tenor=row.tenor, model=model)


def words_of_spec(spec: Cells) -> str:
    """Whose words a spec's header has: "market" where one is atm, rr or bf."""
    header = {str(cell).strip().lower() for cell in (spec[0] if spec else [])}
    return "market" if header & set(WORDS[:3]) else "paper"


def _columns(header: Sequence[Cell], spec: str) -> dict[str, int]:
    """Column of each name. Raises InputError."""
    found: dict[str, int] = {}
    names = WORDS if words_of_spec([list(header)]) == "market" else NAMES
    allowed = ("name", *names, "scenario", *(("tenor",) if names == WORDS else ()))
    for column, cell in enumerate(header):
        name = str(cell).strip().lower() if not is_missing(cell) else None
        if name is None:
            continue
        if name not in allowed or name in found:
            what = "twice" if name in found else "no column of a scenario"
            raise InputError(
                f"cell {address(0, column)} of the {spec} is {cell!r}, {what}; expected {', '.join(allowed)}"
            )
        found[name] = column
    if not set(names) & set(found):
        raise InputError(
            f"the {spec} has no column of a feature; expected any of {', '.join(NAMES)}, or of "
            f"{', '.join(WORDS)}"
        )
    return found


def _row(number: int, count: int, cells: Sequence[Cell], columns: dict[str, int], spec: str) -> Row:
    def value(name: str) -> float:
        column = columns.get(name)
        label = Label(None if column is None else cells[column], number - 1, column or 0, spec)
        if is_missing(label.cell) or label.cell == OPEN:
            return 0.0 if name == "scenario" else np.nan
        read = None if isinstance(label.cell, bool) else read_number(label.cell)
        if read is None:
            raise InputError(f"{label}; expected a number, the {name}")
        return read.fraction

    name = cells[columns["name"]] if "name" in columns else None
    named = f"scenario {count}" if is_missing(name) else f"{name:g}" if isinstance(name, float) else str(name)
    market = bool(set(columns) & set(WORDS[:3]))
    given = tuple(map(value, WORDS if market else NAMES))
    if np.isnan(given).all():
        raise InputError(f"row {number} of the {spec} has no feature; expected at least one number")
    tenor = tenor_named(cells[columns["tenor"]]) if "tenor" in columns else None
    return Row(number, sheet_name(named), given, value("scenario"), "market" if market else "paper", tenor)


def sheet_name(name: str) -> str:
    """A name as a sheet may have it: at most 31 characters, none of []:*?/\\, no apostrophe at the ends."""
    cleaned = _NOT_IN_SHEET_NAMES.sub("_", name.strip())[:_LONGEST_NAME].strip("' ")
    return cleaned or "_"


def sheets_of(made: Sequence[Made], axes: TargetAxes) -> dict[str, Cells]:
    """The cells of each sheet: the list of scenarios, then one sheet each."""
    sheets: dict[str, Cells] = {INDEX: [[*made[0].names, *_INDEX_HEADER]]}
    for one in made:
        surface = one.surface
        sheets[INDEX].append([*one.values, bool(surface.in_hull[0]), float(surface.moved[0])])
        sheets[one.row.sheet] = block_of(one, axes)
    return sheets


def block_of(made: Made, axes: TargetAxes) -> Cells:
    """One surface with its headers, its features in the corner."""
    return block(
        made.surface, 0, axes, corner(np.array([*made.row.features, made.row.scenario]), made.row.words)
    )


def long_table(made: Sequence[Made], axes: TargetAxes) -> Cells:
    """One row a cell of each surface, headed by the names and `LONG`."""
    rows: Cells = [[*made[0].names, LONG[0], LONG[1], _OF_KIND[axes.kind], LONG[3]]]
    for one in made:
        for label, line in zip(axes.tenor_labels, one.surface.vols[0].tolist(), strict=True):
            rows += [
                [*one.values, label, m, vol] for m, vol in zip(axes.moneyness.tolist(), line, strict=True)
            ]
    return rows


def wide_table(made: Generation, axes: TargetAxes) -> Cells:
    """One row a surface: its features, its latent, and a column a cell such as 1M|m=-0.1."""
    latent = [f"z{i + 1}" for i in range(made.latent.shape[1])]
    names = [f"{tenor}|{m}" for tenor in axes.tenor_labels for m in axes.moneyness_labels]
    numbers = np.hstack([made.features, made.latent, made.vols.reshape(len(made), -1)])
    header: Cells = [[*NAMES, *latent, *names]]
    return header + [list(row) for row in numbers.tolist()]


def write_samples(path: str, made: Generation, axes: TargetAxes) -> None:
    """As .csv or .xlsx (`wide_table`), or .npz with vols, tenors, moneyness, features and latent.

    Raises InputError where the file is none of these, or cannot be written.
    """
    if Path(path).suffix.lower() != ".npz":
        write_cells(path, wide_table(made, axes))
        return
    arrays = {name: getattr(made, name) for name in ("vols", "tenors", "moneyness", "features", "latent")}
    try:
        np.savez_compressed(path, **arrays)
    except OSError as error:
        raise InputError(f"output {path} cannot be written: {error.strerror}") from None


def write_book(path: str, sheets: dict[str, Cells]) -> None:
    """An .xlsx with these sheets, vols shown in percent. Raises InputError."""
    from openpyxl import Workbook

    if Path(path).suffix.lower() != ".xlsx":
        raise InputError(f"output is {path!r}; expected an .xlsx file, or --long for a .csv")
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, cells in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in cells:
            sheet.append(row)
        _tidy(sheet, percent=name != INDEX)
    try:
        workbook.save(path)
    except OSError as error:
        raise InputError(f"output {path} cannot be written: {error.strerror}") from None


def _tidy(sheet: Any, *, percent: bool) -> None:
    """Vols in percent, and text that begins with = as text."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
            elif percent and cell.row > 1 and cell.column > 1:
                cell.number_format = "0.00%"


def bar(items: Sequence[Item]) -> Iterator[Item]:
    """The items, with a bar on the terminal where stderr is one."""
    shown = sys.stderr.isatty() and len(items) > 0
    for done, item in enumerate(items):
        if shown:
            filled = _BAR * done // len(items)
            print(f"\r[{'#' * filled:<{_BAR}}] {done}/{len(items)}", end="", file=sys.stderr, flush=True)
        yield item
    if shown:
        print(f"\r[{'#' * _BAR}] {len(items)}/{len(items)}", file=sys.stderr)
