"""The axes a generated surface is to have: tenors by ln(K/F), deltas or strikes, as the sheet writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import conventions
from .._typing import FloatArray
from ..bundles.generator import load
from ..cells import Cell, Cells, Label, read_date, read_number, tenor_axis
from ..errors import InputError, LabelError
from ..generation.axes import SHEET_DELTA_TENORS, SHEET_DELTAS, SHEET_MONEYNESS, SHEET_TENORS
from ..surface import Surface
from .lines import line_of

_KINDS = {"delta": "deltas", "moneyness": "moneyness", "strike": "strikes"}
_FURTHEST = 3.0  # of ln(K/F): beyond, a number is another thing
_BEYOND = 0.33  # of ln(K/F): so far out an axis goes both ways


class TargetAxes(NamedTuple):
    """Labels as the sheet shows them; years, and ln(K/F), forward call deltas or strikes; forwards [T].

    kind: "moneyness", "deltas" or "strikes", what `moneyness` holds.
    """

    tenor_labels: list[Cell]
    tenors: FloatArray
    moneyness_labels: list[str]
    moneyness: FloatArray
    kind: str = "moneyness"
    forwards: FloatArray | None = None

    @property
    def surface(self) -> Surface:
        """Without vols. Raises LabelError (an axis that is not monotone)."""
        none = np.full((len(self.tenors), len(self.moneyness)), np.nan)
        given: dict[str, Any] = {self.kind: self.moneyness}
        return Surface(none, self.tenors, forwards=self.forwards, **given)


def sheet_axes(
    tenors: Cells | None,
    moneyness: Cells | None,
    model: str | Path | None = None,
    forwards: Cells | None = None,
    words: str = "paper",
) -> TargetAxes:
    """Axes of the arguments, or the sheet's own: 1M to 7M by m = -0.25 to 0.25, or a model's nodes.

    In the market's words 1W to 5Y by 10P to 10C.

    Raises LabelError naming a cell, InputError where one is no line.
    """
    own: tuple[Cells, Cells] = ([list(SHEET_TENORS)], [list(SHEET_MONEYNESS)])
    if words == "market":
        own = ([list(SHEET_DELTA_TENORS)], [list(SHEET_DELTAS)])
    if model is not None:
        nodes = load(model)
        own = ([nodes.tenors.tolist()], [nodes.moneyness.tolist()])
    tenor_cells, moneyness_cells = (
        own[0] if tenors is None else tenors,
        own[1] if moneyness is None else moneyness,
    )
    tenor_line, line = line_of("tenors", tenor_cells), line_of("moneyness", moneyness_cells)
    for label in tenor_line:
        if read_date(label.cell) is not None:
            raise LabelError(f"{label}, a date; expected a tenor such as 1M, or a number of years")
    years = tenor_axis(tenor_line, None)
    kind, values, shown = _strikes(line)
    return TargetAxes(
        [label.cell for label in tenor_line], years, shown, values, kind, _forwards(forwards, kind, years)
    )


def moneyness_label(m: float) -> str:
    """Such as "m=-0.1": a header that is read back as this very number."""
    return f"m={np.format_float_positional(m, trim='-')}"


def _strikes(line: list[Label]) -> tuple[str, FloatArray, list[str]]:
    """The kind of a line of strikes, its values and headers. Raises LabelError."""
    read = [_strike(label) for label in line]
    kinds = list(dict.fromkeys(kind for kind, _ in read))
    if len(kinds) > 1:
        other = next(label for label, (kind, _) in zip(line, read, strict=True) if kind != kinds[0])
        raise LabelError(f"{other}, beside {kinds[0]}; expected one kind of strike")
    values = np.array([value for _, value in read])
    if kinds == ["moneyness"]:
        _refuse_unclear(line, values)
        return "moneyness", values, [moneyness_label(m) for m in values.tolist()]
    return kinds[0], values, [str(label.cell).strip() for label in line]


def _refuse_unclear(line: list[Label], values: FloatArray) -> None:
    """Raises LabelError for bare numbers that may be K/F or deltas as well."""
    bare = all(read_number(label.cell) is not None for label in line)
    if bare and values.min() > 0 and values.max() > _BEYOND:
        raise LabelError(
            f"{line[int(values.argmax())]}, and none of them is 0 or less: may be ln(K/F), K/F or a delta; "
            "expected m=0.1, K/F=1.1 or 25C"
        )


def _strike(label: Label) -> tuple[str, float]:
    """A number is ln(K/F); text such as m=-0.1, K/F=0.95, 25P, ATM or K=1.085."""
    number = read_number(label.cell)
    found = ("moneyness", number.value) if number is not None and not number.percent else None
    if found is None and isinstance(label.cell, str):
        found = conventions.parse_strike(label.cell)
    if found is None or (found[0] == "moneyness" and abs(found[1]) > _FURTHEST):
        raise LabelError(
            f"{label}; expected ln(K/F) such as -0.1, m=-0.1 or K/F=0.95, a delta such as 25P, or K=1.085"
        )
    return _KINDS[found[0]], found[1]


def _forwards(cells: Cells | None, kind: str, years: FloatArray) -> FloatArray | None:
    if kind != "strikes":
        return None
    if cells is None:
        raise InputError("forwards are missing; expected one a tenor, or one for all, where strikes are K=…")
    line = line_of("forwards", cells)
    numbers = [read_number(label.cell) for label in line]
    for label, number in zip(line, numbers, strict=True):
        if number is None or not number.value > 0:
            raise InputError(f"{label}; expected a forward above 0")
    if len(line) not in (1, len(years)):
        raise InputError(f"forwards has {len(line)} cells; expected 1 or {len(years)}, one a tenor")
    return np.broadcast_to(np.array([n.value for n in numbers if n is not None]), years.shape).copy()
