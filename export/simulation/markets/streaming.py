"""Endless batches of simulated surfaces as a desk sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import BoolArray, FloatArray

from .grids import (
    GRIDS,
    Truth,
    call_deltas,
    delta_set,
    draw_years,
    listed_ladder,
    moneyness_at_deltas,
    moneyness_grid,
)
from .masks import MASKS, hide
from .mixtures import draw_mixtures, draw_pegs
from .pool import TABLED, draw_tabulated, load
from .quoting import quote
from .sabr import draw_sabr
from .ssvi import draw_essvi, draw_events, draw_ssvi

_Draw = Callable[[np.random.Generator, int], Truth]

_DIRECT: dict[str, _Draw] = {
    "ssvi": draw_ssvi,
    "essvi": draw_essvi,
    "events": draw_events,
    "sabr": draw_sabr,
    "mixture": draw_mixtures,
    "peg": draw_pegs,
}
FAMILIES = (*_DIRECT, *TABLED)
_FAR, _MOST = 7.0, 8.0  # deviations, vol: no quotes beyond
_AT_NO_STRIKE = 15.0, np.log(50.0)  # deviations of the ATM vol, ln(K/F): as deltas near Lee's bound
_FEWEST = 10  # listed cells of a surface
_MOST_CELLS = 300  # of a grid


@dataclass(frozen=True, eq=False)
class Batch:
    """n surfaces of one family on grids of one shape; arrays are [n, T, K] but for years [n, T].

    vols: the truth. moneyness: ln(K/F). deltas: N(d1) at the truth. listed: False pads ragged chains.
    mid, bid, ask: quotes, NaN where there is none. shown: quotes that the mask leaves; `mid[shown]` is the
    input. hidden: quotes that the mask takes away; their `vols` (or `mid`) are the target.
    masks: [n] names. `truth.vols(years [n, T], moneyness [n, T, K])` is the truth anywhere else.
    """

    family: str
    grid: str
    truth: Truth
    years: FloatArray
    moneyness: FloatArray
    deltas: FloatArray
    vols: FloatArray
    listed: BoolArray
    mid: FloatArray
    bid: FloatArray
    ask: FloatArray
    shown: BoolArray
    hidden: BoolArray
    masks: NDArray[np.str_]


def stream(
    seed: int,
    *,
    families: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    size: int = 64,
    pool: Path | None = None,
) -> Iterator[Batch]:
    """Batches of `size` surfaces without end; the same arguments give the same batches.

    families: names of FAMILIES (default all); exclude: names left out.
    pool: the folder of the TABLED families; without it the default is the other ones.

    Raises ValueError (unknown name, nothing left), FileNotFoundError (a family that the pool lacks).
    """
    everything = FAMILIES if pool is not None else tuple(_DIRECT)
    names = [name for name in (families or everything) if name not in exclude]
    unknown = [name for name in (*names, *exclude) if name not in FAMILIES]
    if unknown or not names:
        raise ValueError(f"families have {unknown or 'nothing'}; expected {', '.join(FAMILIES)}")
    rng = np.random.default_rng(seed)
    while True:
        name = names[rng.integers(len(names))]
        yield draw_batch(rng, name, str(rng.choice(list(GRIDS))), size, pool)


def draw_batch(
    rng: np.random.Generator,
    family: str,
    grid: str,
    size: int,
    pool: Path | None = None,
) -> Batch:
    """One batch of a family on a kind of grid; each surface under one of MASKS. See `stream`."""
    truth = draw_truth(rng, family, size, pool)
    years, moneyness, listed = _axes(rng, truth, grid)
    vols = truth.vols(years, moneyness)
    root = np.sqrt(years)[..., None]
    deviations, strikes = _AT_NO_STRIKE
    at_money = truth.vols(years, np.zeros_like(moneyness[..., :1]))
    farthest = np.minimum(np.minimum(_FAR * vols, deviations * at_money) * root, strikes)
    listed = listed & (vols < _MOST) & (np.abs(moneyness) < farthest)
    rows = _usable(rng, listed)
    truth, years, moneyness, listed, vols = (
        rows_of(v, rows) for v in (truth, years, moneyness, listed, vols)
    )
    vols = np.where(np.isfinite(vols), vols, truth.level[:, None, None])
    deltas = call_deltas(years, moneyness, vols)
    quotes = quote(rng, vols, deltas, listed)
    quoted = np.isfinite(quotes.mid)
    kinds = rng.choice(list(MASKS), size)
    hidden = np.zeros(vols.shape, bool)
    for kind in np.unique(kinds):
        rows = kinds == kind
        hidden[rows] = hide(rng, kind, quoted[rows], deltas[rows])
    return Batch(
        family=family,
        grid=grid,
        truth=truth,
        years=years,
        moneyness=moneyness,
        deltas=deltas,
        vols=vols,
        listed=listed,
        mid=quotes.mid,
        bid=quotes.bid,
        ask=quotes.ask,
        shown=quoted & ~hidden,
        hidden=hidden,
        masks=kinds,
    )


def _usable(rng: np.random.Generator, listed: BoolArray) -> NDArray[np.int64]:
    """Rows of the batch, where one without ten listed cells (vols beyond any quote) gives way to another."""
    good = np.flatnonzero(listed.sum(axis=(1, 2)) >= _FEWEST)
    if not len(good):
        raise RuntimeError("no surface of the batch has a quote; expected a larger batch")
    rows = np.arange(len(listed))
    bad = np.setdiff1d(rows, good)
    rows[bad] = rng.choice(good, len(bad))
    return rows


def rows_of(value: Any, rows: NDArray[np.int64]) -> Any:
    """Some of n surfaces: of an array its rows, of a truth those of everything in it."""
    if not is_dataclass(value):
        return value[rows]
    return replace(value, **{f.name: rows_of(getattr(value, f.name), rows) for f in fields(value)})  # type: ignore[type-var]


def draw_truth(rng: np.random.Generator, family: str, size: int, pool: Path | None = None) -> Truth:
    """`size` surfaces of a family as functions."""
    if family in _DIRECT:
        return _DIRECT[family](rng, size)
    if pool is None:
        raise ValueError(f"{family} needs a pool; expected the folder of build_pool")
    return draw_tabulated(rng, size, load(pool, family))


def _axes(rng: np.random.Generator, truth: Truth, grid: str) -> tuple[FloatArray, FloatArray, BoolArray]:
    """years [n, T], ln(K/F) [n, T, K], and where there is a cell."""
    expiries = int(rng.integers(4, 16))
    years = draw_years(rng, truth, expiries, listed=grid == "listed")
    if grid == "deltas":
        moneyness = moneyness_at_deltas(truth, years, delta_set(rng))
        return years, moneyness, np.ones(moneyness.shape, bool)
    drawn = rng.integers(5, 14) if grid == "moneyness" else rng.integers(8, 41)
    strikes = min(int(drawn), _MOST_CELLS // expiries)
    if grid == "moneyness":
        moneyness = moneyness_grid(rng, truth, years, strikes)
        return years, moneyness, np.ones(moneyness.shape, bool)
    return years, *listed_ladder(rng, truth, years, strikes)
