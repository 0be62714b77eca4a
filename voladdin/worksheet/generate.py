"""VOLGENERATE: a surface with headers that has exactly the features asked for, or one a row of features."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import conventions
from .._typing import FloatArray
from ..bundles.generator import load
from ..cells import (
    Cell,
    Cells,
    Label,
    address,
    is_blank,
    labels_of,
    read_date,
    read_number,
    shown,
    tenor_axis,
)
from ..errors import InputError, LabelError
from ..feature_map import NAMES
from ..generation import Generation, generate
from ..generation.axes import SHEET_MONEYNESS, SHEET_TENORS
from ..generation.generating import refuse_level
from .arguments import model_name, warn
from .signature import Argument, Function

DEFAULT_MODEL = "equity"
_EXPECTED = {
    "level": "a vol such as 0.20",
    "skew": "a number such as -0.1",
    "curv": "a number such as 0.3",
    "term": "a number such as 0.02",
    "scenario": "a whole number such as 0, 1 or 2",
}


class Axes(NamedTuple):
    """Labels as the sheet shows them, and their years and ln(K/F)."""

    tenor_labels: list[Cell]
    tenors: FloatArray
    moneyness_labels: list[str]
    moneyness: FloatArray


def sheet_axes(tenors: Cells | None, moneyness: Cells | None, model: str | Path | None = None) -> Axes:
    """Axes of the arguments, or the sheet's own: 1M to 7M by m = -0.25 to 0.25, or a model's nodes.

    Raises LabelError naming a cell, InputError where one is no line.
    """
    nodes = None if model is None else load(model)
    own: tuple[Cells, Cells] = ([list(SHEET_TENORS)], [list(SHEET_MONEYNESS)])
    if nodes is not None:
        own = ([nodes.tenors.tolist()], [nodes.moneyness.tolist()])
    tenor_cells, moneyness_cells = (
        own[0] if tenors is None else tenors,
        own[1] if moneyness is None else moneyness,
    )
    tenor_line, line = _line(tenor_cells, "tenors"), _line(moneyness_cells, "moneyness")
    for label in tenor_line:
        if read_date(label.cell) is not None:
            raise LabelError(f"{label}, a date; expected a tenor such as 1M, or a number of years")
    years = tenor_axis(tenor_line, None)
    values = np.array([_moneyness(label) for label in line])
    return Axes([label.cell for label in tenor_line], years, [moneyness_label(m) for m in values], values)


def moneyness_label(m: float) -> str:
    """Such as "m=-0.1": a header that is read back as this very number."""
    return f"m={np.format_float_positional(m, trim='-')}"


def block(made: Generation, index: int, axes: Axes, corner: str = "") -> Cells:
    """One surface with its headers."""
    rows: Cells = [[corner, *axes.moneyness_labels]]
    vols = made.vols[index].tolist()
    return rows + [[label, *row] for label, row in zip(axes.tenor_labels, vols, strict=True)]


def remarks(made: Generation) -> list[str]:
    """What a user should know of the surfaces: outside the trained hull, repaired."""
    outside, repaired = np.flatnonzero(~made.in_hull), np.flatnonzero(made.repaired)
    found = []
    if len(outside):
        found.append(
            f"{_which(outside, made)} outside the features that the model was trained on; "
            'VOLINFO("hull") shows them'
        )
    if len(repaired):
        found.append(
            f"{_which(repaired, made)} moved by up to {made.moved.max():.3g} bp to be free of arbitrage, "
            "features kept"
        )
    return found


def _which(places: np.ndarray, made: Generation) -> str:
    if len(made) == 1:
        return "features"
    return f"surfaces {', '.join(str(i + 1) for i in places[:5])}{', …' if len(places) > 5 else ''}"


def _line(cells: Cells, name: str) -> list[Label]:
    if min(len(cells), len(cells[0])) > 1:
        raise InputError(f"{name} has {len(cells)} x {len(cells[0])} cells; expected one row or column")
    return [label for row in labels_of(cells, name) for label in row]


def _moneyness(label: Label) -> float:
    """A number is ln(K/F); text such as m=-0.1 or K/F=0.95."""
    number = read_number(label.cell)
    if number is not None and not number.percent:
        return number.value
    found = conventions.parse_strike(label.cell)
    if found is None or found[0] != "moneyness":
        raise LabelError(f"{label}; expected ln(K/F) such as -0.1, m=-0.1 or K/F=0.95")
    return found[1]


def _inputs(named: dict[str, Cells | None]) -> FloatArray:
    """[n, 5] level, skew, curv, term and scenario, each one cell or a line of n. Raises InputError."""
    lines = {name: [] if cells is None else _line(cells, name) for name, cells in named.items()}
    size = max(map(len, lines.values()))
    lengths = {name: len(line) for name, line in lines.items() if len(line) not in (0, 1, size)}
    if lengths:
        name, length = next(iter(lengths.items()))
        raise InputError(f"{name} has {length} cells; expected 1 or {size}, as the longest of the features")
    kept = [i for i in range(size) if size == 1 or not _blank_row(lines, i)]
    if not kept:
        raise InputError(f"the {size} rows of features are blank; expected numbers in at least one")
    columns = [[_number(name, line, i) for i in kept] for name, line in lines.items()]
    return np.array(columns, dtype=float).T


def _blank_row(lines: dict[str, list[Label]], row: int) -> bool:
    return all(is_blank(line[row].cell) for line in lines.values() if len(line) > 1)


def _number(name: str, line: list[Label], row: int) -> float:
    if not line or (name == "scenario" and is_blank(line[-1 if len(line) == 1 else row].cell)):
        return 0.0
    label = line[0] if len(line) == 1 else line[row]
    number = None if isinstance(label.cell, bool) else read_number(label.cell)
    if number is None or not np.isfinite(number.fraction):
        where = f"{name} is {shown(label.cell)}" if len(line) == 1 else str(label)
        raise InputError(f"{where}; expected {_EXPECTED[name]}")
    if name == "level":
        refuse_level(
            number.fraction, name if len(line) == 1 else f"{name}, cell {address(label.row, label.column)},"
        )
    return number.fraction


def _volgenerate(
    level: Cells,
    skew: Cells,
    curv: Cells,
    term: Cells,
    scenario: Cells | None,
    tenors: Cells | None,
    moneyness: Cells | None,
    model: Cell,
) -> Cells:
    values = (level, skew, curv, term, scenario)
    rows = _inputs(dict(zip(_EXPECTED, values, strict=True)))
    axes = sheet_axes(tenors, moneyness)
    made = generate(
        *rows[:, :4].T,
        scenario=rows[:, 4].tolist(),
        tenors=axes.tenors,
        moneyness=axes.moneyness,
        model=model_name(model, DEFAULT_MODEL),
    )
    for remark in remarks(made):
        warn(remark)
    if len(made) == 1:
        return block(made, 0, axes)
    blocks = [block(made, index, axes, corner(row)) for index, row in enumerate(rows)]
    blank: Cells = [[""] * (1 + len(axes.moneyness))]
    return [row for i, part in enumerate(blocks) for row in (blank if i else []) + part]


def corner(row: FloatArray) -> str:
    """The features of a block in words, which a corner cell may hold."""
    words = ", ".join(f"{name} {value:.10g}" for name, value in zip(NAMES, row.tolist(), strict=False))
    return f"{words}, scenario {row[4]:g}" if len(row) > 4 and row[4] else words


def _feature(name: str, help_: str) -> Argument:
    return Argument(
        name, f"{help_}; a column of them gives one surface each, stacked", "range", optional=False
    )


VOLGENERATE = Function(
    "VOLGENERATE",
    "A surface of implied vols with exactly this level, skew, curvature and term structure.",
    (
        _feature("level", "vol at the money, short end, as a decimal: 0.20"),
        _feature("skew", "its slope in ln(K/F), such as -0.1"),
        _feature("curv", "its second derivative in ln(K/F), such as 0.3"),
        _feature("term", "its slope a year, such as 0.02"),
        Argument(
            "scenario",
            "0, the mean of what the features leave open, unless told; 1, 2, … are draws of it",
            "range",
            zero=True,
        ),
        Argument("tenors", "such as 1M, 3M, 6M or years; 1M to 7M unless told", "range"),
        Argument(
            "moneyness", "ln(K/F), such as -0.1 or m=-0.1; -0.25 to 0.25 unless told", "range", zero=True
        ),
        Argument("model", 'model bundle, "equity" unless told; VOLINFO("models") lists them', "value"),
    ),
    "=VOLGENERATE(0.2, -0.1, 0.3, 0.02)",
    _volgenerate,
    model=DEFAULT_MODEL,
)
