"""What happened to an answer, in words: they follow the names of the models."""

from __future__ import annotations

from .._typing import FloatArray
from ..surface import MAX_VOL
from .guard import Guarded
from .posterior import Posterior


def fallback_notes(answer: Posterior, batch: int) -> list[str]:
    """Where a history's deep model did not answer."""
    count = int(answer.unexplained.sum())
    where = _on(count, batch)
    return [f"Gaussian fallback{where}: the quotes are improbable under the model"] if count else []


def guard_notes(guarded: Guarded, mean: FloatArray) -> list[str]:
    """What the guard did, in words."""
    batch, notes = len(mean), []
    cells = guarded.vols != mean
    if cells.any():
        where = _on(int(cells.any((1, 2)).sum()), batch)
        count, they = int(cells.sum()), "they add" if cells.sum() > 1 else "it adds"
        notes.append(f"{count} filled cell{'s'[: count - 1]} moved{where} so that {they} no arbitrage")
    if guarded.disputed.any():
        where = _on(int(guarded.disputed.any((1, 2)).sum()), batch)
        notes.append(f"the quotes themselves can be arbitraged{where}")
    if guarded.failed.any():
        where = _on(int(guarded.failed.sum()), batch)
        notes.append(f"some filled cells still add arbitrage{where}: no vol up to {MAX_VOL:g} does not")
    return notes


def _on(count: int, batch: int) -> str:
    return "" if batch == 1 else f" on {count} of {batch} surfaces"
