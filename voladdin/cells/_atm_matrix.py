"""An ATM matrix of swaptions in cells: tenors in both headers, expiries down and swap tenors across."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from .._typing import FloatArray
from ..errors import InputError, UnitsError
from ..surface import MAX_WITH_HEADERS
from ._layout import header_kinds, kind_of
from ._tenor_line import tenor_axis
from ._values import Cells, Label, address, is_blank, is_missing, labels_of, read_date, read_number, rectangle

_TITLES = 6  # lines that may stand above


@dataclass(frozen=True, eq=False)
class AtmMatrix:
    """vols: [E, T] as written, 84% as 0.84, NaN where missing. expiries: [E] years; tenors: [T] those of the
    swaps. raw: the cells; rows, columns: those that hold the vols. warnings: what was read as missing."""

    vols: FloatArray
    expiries: FloatArray
    tenors: FloatArray
    raw: Cells
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    warnings: tuple[str, ...]

    def name(self, row: int, column: int) -> str:
        """Such as "cell B4 of the range"."""
        return f"cell {address(self.rows[row], self.columns[column])} of the range"

    def render(self, values: FloatArray) -> Cells:
        """Values [E, T], in the unit of `vols`, in the cells they came from; NaN blank."""
        cells = [list(row) for row in self.raw]
        for i, line in zip(self.rows, values.tolist(), strict=True):
            for j, value in zip(self.columns, line, strict=True):
                cells[i][j] = value if np.isfinite(value) else ""
        return cells


def find_matrix(values: Cells, valuation: date | None = None) -> AtmMatrix | None:
    """The ATM matrix in a range, or None where not both headers hold labels of tenors.

    valuation: of expiry dates; the corner's unless told. Raises InputError or LabelError naming a cell.
    """
    raw = rectangle(values, "range", MAX_WITH_HEADERS)
    if not any(kind_of(cell) == "tenor" for row in raw[:_TITLES] for cell in row[1:]):
        return None
    every = labels_of(raw)
    labels = next((every[i:] for i in range(min(len(every) - 1, _TITLES)) if _is_matrix(every[i:])), None)
    return None if labels is None else _read(raw, labels, valuation or read_date(labels[0][0].cell))


def _read(raw: Cells, labels: list[list[Label]], today: date | None) -> AtmMatrix:
    down = [row for row in labels[1:] if not is_blank(row[0].cell)]
    across = [label for label in labels[0][1:] if not is_blank(label.cell)]
    warnings: list[str] = []
    vols = np.array([[_vol(row[label.column], warnings) for label in across] for row in down])
    if not np.isfinite(vols).any():
        raise InputError("the ATM matrix holds no vol; expected at least one")
    _refuse_mixed([row[label.column] for row in down for label in across])
    return AtmMatrix(
        vols,
        tenor_axis([row[0] for row in down], today),
        tenor_axis(across, None),
        raw,
        tuple(row[0].row for row in down),
        tuple(label.column for label in across),
        tuple(warnings),
    )


def _is_matrix(labels: list[list[Label]]) -> bool:
    """Whether tenors stand in the first row and in the first column, beside a corner that is none."""
    corner = labels[0][0].cell
    if kind_of(corner) in ("tenor", "number") and read_date(corner) is None:
        return False
    return len(labels[0]) > 1 and header_kinds(labels) == ["tenor", "tenor"]


def _refuse_mixed(body: list[Label]) -> None:
    """Raises UnitsError where some vols end in % and others do not: 0.84% beside 84 may be either."""
    quoted = [(label, number) for label in body if (number := read_number(label.cell)) is not None]
    plain = next((label for label, number in quoted if not number.percent), None)
    percent = next((label for label, number in quoted if number.percent), None)
    if plain is not None and percent is not None:
        raise UnitsError(f"{plain} and {percent} differ in unit; expected one unit in the ATM matrix")


def _vol(label: Label, warnings: list[str]) -> float:
    number = None if isinstance(label.cell, bool) else read_number(label.cell)
    if number is not None and 0 < number.value < np.inf:
        return number.fraction
    if not is_missing(label.cell):
        place = f"cell {address(label.row, label.column)} of the range"
        warnings.append(f"{place} is {label.cell!r}, no vol above 0: read as missing")
    return np.nan
