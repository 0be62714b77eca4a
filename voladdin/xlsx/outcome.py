"""What became of a formula, as the runner reports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..cells import Cells
from ..errors import InputError, VoladdinError
from .contents import Formula
from .in_calc import refused_by_calc
from .sheet import ERROR_VALUES

_WARNINGS = 2  # of a formula


@dataclass(frozen=True)
class Outcome:
    """What became of one formula; `status` is "ok", "skipped" (cell as it was) or the error value shown."""

    cell: str
    formula: str
    status: str
    message: str
    reference: str = ""


def failed(formula: Formula, error: VoladdinError, status: str) -> Outcome:
    """Of a formula without its value."""
    return Outcome(formula.name, formula.text, status, str(error), error.reference)


def outcome_of(
    formula: Formula, result: Cells, errors: Sequence[VoladdinError], warned: Sequence[str]
) -> Outcome:
    """Of a VOL formula with a result, which may show an error value.

    errors: those of the VOL functions in it; a formula may have caught them. warned: what they assumed.
    """
    wrong = next((c for row in result for c in row if isinstance(c, str) and c in ERROR_VALUES), "")
    if wrong and errors:
        return failed(formula, errors[0], wrong)
    if wrong and len(result) * len(result[0]) == 1:
        said = formula.prepared.problems if formula.prepared else []
        return failed(formula, InputError("; ".join(said) or f"the formula gives {wrong}"), wrong)
    notes = [f"{len(result)} x {len(result[0])}", f"caught: {errors[0]}" if errors else ""]
    notes += [_cut(formula, result), *warned[:_WARNINGS], refused_by_calc(formula.text)]
    if len(warned) > _WARNINGS:
        notes.append(f"and {len(warned) - _WARNINGS} more warnings")
    return Outcome(formula.name, formula.text, "ok", "; ".join(filter(None, notes)))


def _cut(formula: Formula, result: Cells) -> str:
    """What an array formula's own range leaves out."""
    box = formula.box
    rows, columns = box.bottom - box.top + 1, box.right - box.left + 1
    if not formula.fixed or (rows >= len(result) and columns >= len(result[0])):
        return ""
    shown = f"{min(rows, len(result))} x {min(columns, len(result[0]))}"
    return f"only {shown} of it have room in the formula's range"
