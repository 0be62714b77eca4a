"""What happened to an answer, in words: they follow the names of the models."""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray
from ..arbitrage.tolerances import LEAST_VOL
from ..surface import MAX_VOL
from .history.posterior import Posterior
from .model import Imputer
from .no_arbitrage.guard import Guarded
from .weighing import UNIVERSAL, Shares

PARAMETRIC = "SVI"


def words(
    loaded: Imputer,
    mean: FloatArray,
    shares: Shares,
    answer: Posterior,
    guarded: Guarded | None,
    missing: BoolArray,
) -> str:
    """Of B surfaces: the models that answered, and what else happened.

    mean, missing: [B, T, K]; guarded: None where nothing was.
    """
    name, notes = _named(loaded, shares, missing.reshape(len(mean), -1)), _fallback_notes(answer, len(mean))
    if guarded is not None:
        notes += _guard_notes(guarded, mean)
    return f"{name} ({'; '.join(notes)})" if notes else name


def _named(loaded: Imputer, shares: Shares, missing: BoolArray) -> str:
    """With their mean weights in the filled cells, in percent that add up."""
    where = missing if missing.any() else np.ones_like(missing)
    history, parametric = (float(share[where].mean()) for share in (shares.history, shares.parametric))
    of_history, of_processes = round(100.0 * history), round(100.0 * (1.0 - parametric))
    parts = of_history, of_processes - of_history, 100 - of_processes
    names = loaded.card["name"], UNIVERSAL, PARAMETRIC
    told = [f"{name} {part}%" for name, part in zip(names, parts, strict=True) if part > 0]
    return ", ".join(told) if len(told) > 1 else told[0].rsplit(" ", 1)[0]


def _fallback_notes(answer: Posterior, batch: int) -> list[str]:
    """Where a history's deep model did not answer."""
    count = int(answer.unexplained.sum())
    where = _on(count, batch)
    return [f"Gaussian fallback{where}: the quotes are improbable under the model"] if count else []


def _guard_notes(guarded: Guarded, mean: FloatArray) -> list[str]:
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
        notes.append(
            f"some filled cells still add arbitrage{where}: no vol of {LEAST_VOL:g} to {MAX_VOL:g} does not"
        )
    return notes


def _on(count: int, batch: int) -> str:
    return "" if batch == 1 else f" on {count} of {batch} surfaces"
