"""Which cells are hidden: the same seeded masks for every method. True is missing.

Random masks hide 10, 30, 50, 70 or 90% of the cells. The structured holes are a desk's:

tenor     one whole tenor, drawn for each surface
wings     both 10-delta cells (the outermost delta on each side) of half the tenors, drawn for each surface
sides     every cell but ATM of half the tenors, drawn for each surface
atm       everything but ATM (the delta nearest to 0.5) of every tenor
atm+rr    everything but ATM and the two 25-delta cells of every tenor
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import BoolArray

from .data import DeltaAxes

Hole = Callable[[DeltaAxes, np.random.Generator], BoolArray]

RATES = (10, 30, 50, 70, 90)


def random_masks(rate: int, count: int, axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """[count, T, K] with exactly round(rate% of the cells) hidden, always at least one and never all."""
    cells = int(np.prod(axes.shape))
    hidden = min(max(round(cells * rate / 100), 1), cells - 1)
    ranks = rng.random((count, cells)).argsort(axis=1).argsort(axis=1)
    return (ranks < hidden).reshape(count, *axes.shape)


def _nearest(axes: DeltaAxes, delta: float) -> int:
    return int(np.abs(axes.deltas - delta).argmin())


def _half(axes: DeltaAxes, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(len(axes.tenors))[: max(len(axes.tenors) // 2, 1)]


def tenor_hole(axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """One whole tenor."""
    mask = np.zeros(axes.shape, bool)
    mask[rng.integers(len(axes.tenors))] = True
    return mask


def wings_hole(axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """The outermost delta on each side, of half the tenors."""
    mask = np.zeros(axes.shape, bool)
    mask[np.ix_(_half(axes, rng), [axes.deltas.argmin(), axes.deltas.argmax()])] = True
    return mask


def sides_hole(axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """Everything but ATM, of half the tenors."""
    mask = np.zeros(axes.shape, bool)
    mask[_half(axes, rng)] = True
    mask[:, _nearest(axes, 0.5)] = False
    return mask


def atm_hole(axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """Everything but ATM."""
    mask = np.ones(axes.shape, bool)
    mask[:, _nearest(axes, 0.5)] = False
    return mask


def atm_rr_hole(axes: DeltaAxes, rng: np.random.Generator) -> BoolArray:
    """Everything but ATM and both 25-delta cells, which an ATM and one risk reversal with its fly give."""
    mask = np.ones(axes.shape, bool)
    mask[:, [_nearest(axes, delta) for delta in (0.25, 0.5, 0.75)]] = False
    return mask


HOLES: dict[str, Hole] = {
    "tenor": tenor_hole,
    "wings": wings_hole,
    "sides": sides_hole,
    "atm": atm_hole,
    "atm+rr": atm_rr_hole,
}


def all_masks(count: int, axes: DeltaAxes, seed: int = 0) -> dict[str, BoolArray]:
    """Every mask by name ("10%" to "90%", then the holes), each [count, T, K].

    Each name has its own generator, so the masks of one do not depend on which others are asked for.
    """
    kinds: dict[str, Hole | int] = {f"{rate}%": rate for rate in RATES} | HOLES
    masks = {}
    for (name, kind), seeds in zip(
        kinds.items(), np.random.SeedSequence(seed).spawn(len(kinds)), strict=True
    ):
        rng = np.random.default_rng(seeds)
        if isinstance(kind, int):
            masks[name] = random_masks(kind, count, axes, rng)
        else:
            masks[name] = np.stack([kind(axes, rng) for _ in range(count)])
    return masks
