"""What a repair did, in words."""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...feature_map import NAMES, features
from ...surface import Surface
from ..trades import TradeWords

_NAMED = 5
_MOVED = 1e-10  # of a feature, to be worth a word


def message(
    before: Surface, change: FloatArray, method: str, fixed: BoolArray, outside: BoolArray, notes: list[str]
) -> str:
    """Such as "3 of 40 vols moved, by 12 bp at most (the 1M K/F=0.97 call), 0.8 bp on average"."""
    size = np.where(np.isfinite(change), np.abs(change), 0.0)
    moved, quoted = int((size > 0).sum()), int(before.observed.sum())
    most = divmod(int(size.argmax()), size.shape[1])
    parts = [
        f"{moved} of {quoted} vols moved, by {size.max():.3g} bp at most "
        f"({named(before, [most])}), {size.sum() / quoted:.3g} bp on average",
        _HOW[method],
    ]
    if fixed.any():
        parts.append(f"{int(fixed.sum())} fixed quote{'s'[: int(fixed.sum()) - 1]} kept")
    if outside.any():
        left = [(row, column) for row, column in np.argwhere(outside).tolist()]
        parts.append(f"{len(left)} left bid and ask: {named(before, left)}")
    return "; ".join(parts + notes)


def feature_moves(before: Surface, after: Surface) -> str:
    """Such as "moved: level by +0.00012, curv by -0.34"."""
    change = features(after).values - features(before).values
    moves = [f"{name} by {move:+.2g}" for name, move in zip(NAMES, change, strict=True) if abs(move) > _MOVED]
    return f"moved: {', '.join(moves)}" if moves else "no feature moved"


_HOW = {
    "features": "level, skew, curvature and term structure kept",
    "latent": "another latent of the generator, features kept",
    "prices": "linear program in prices",
    "vols": "linear programs in vols along each delta",
    "envelope": "lower hulls",
    "normal": "linear program in prices of normal vols",
}


def named(surface: Surface, cells: list[tuple[int, int]]) -> str:
    """The first few cells as trades name them."""
    some = cells[:_NAMED]
    words = TradeWords(surface, some)
    called = [words.call(i) for i in range(len(some))]
    return ", ".join(called) + (f" and {len(cells) - _NAMED} more" if len(cells) > _NAMED else "")
