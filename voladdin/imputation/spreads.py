"""How much wider or narrower spreads are than the candidates say: what the surface's own quotes tell.

The errors of quotes that are left out are those of the bands too: one at a time, of cells in expiries that
are quoted; an expiry at a time, of cells in those that are not (`left_out.py`). What the candidates say of
smiles ends where the quotes end: spreads grow beyond them. How much each counts is learned on held-out
simulated surfaces, with the priors. Few quotes of smiles that are like a candidate's narrow its spreads more
on real surfaces than on simulated ones, from which the candidates come: how much wider they are then was
fitted on one half of a pool of real surfaces, and holds on the other.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..surface import Surface
from .answers import points_of
from .model import UniversalBundle
from .processes.moments import Moments

COVERED, REACH = 0.9, 1.6449
_HALF = 0.5  # of u beyond the outermost quote: where the spread has half the growth that it has far out
_ENOUGH = 120.0  # quotes whose errors count half
_WITHIN = 0.25, 8.0  # of quotes' errors over what their spreads say
_FEW, _FASTER = 14.0, 0.35  # quotes, and the power, of what their number adds to spreads
_OF_SMILES = 0.3  # sum of squares of u about its mean within expiries with which half of that is added


def stretch_of(loaded: UniversalBundle, axes: Surface, cells: FloatArray, alone: Moments) -> FloatArray:
    """[B, n] factor on the spread of cells of B surfaces, 1 where one has no quotes.

    cells: log-vols [B, T, K], NaN where missing; alone: what these say.
    """
    flat = cells.reshape(len(cells), -1)
    factor, some = np.ones_like(flat), np.flatnonzero(np.isfinite(flat).any(1))
    if len(some):
        known, numbers = flat[some], loaded.arrays["level_surface_stretch"]
        u = points_of(axes, known[0]).u if axes.deltas is not None else _each(axes, known)
        rows = np.repeat(np.arange(cells.shape[1]), cells.shape[2])
        parts = _parts(u, rows, known, alone.zscore[some], alone.expiries[some])
        log = sum(number * part for number, part in zip(numbers, parts, strict=True))
        factor[some] = np.exp(log) * of_few(u, rows, np.isfinite(known))[:, None]
    return factor


def of_few(u: FloatArray, rows: IntArray, quoted: BoolArray) -> FloatArray:
    """[B] factor on spreads where few quotes tell something of smiles: 1 of many, and of one an expiry.

    u: [N] or [B, N]; rows: [N], expiries; quoted: [B, N], some in each.
    """
    seen = np.where(quoted, u, 0.0)
    count, total = _of_expiries(rows, (np.add, quoted.astype(float)), (np.add, seen))
    width = np.maximum((seen**2).sum(1) - (total**2 / np.maximum(count, 1.0)).sum(1), 0.0)
    grown = _FASTER * np.log1p((_FEW / quoted.sum(1)) ** 2)
    return np.asarray(np.exp(grown * width / (width + _OF_SMILES)))


def _each(axes: Surface, cells: FloatArray) -> FloatArray:
    return np.stack([points_of(axes, one).u for one in cells])


def regressors(
    u: FloatArray, rows: IntArray, values: FloatArray, zscore: FloatArray, expiries: FloatArray
) -> FloatArray:
    """[B, N, 5] what the log of `stretch_of` is linear in, but for `of_few`: one and the log error of quotes,
    less of it beyond their expiry's quotes, in expiries that are quoted; one and that of expiries, elsewhere;
    how far outside all quotes.

    u: [N] or [B, N]; rows: [N], expiries; values, zscore and expiries: [B, N], as `Moments` has them.
    """
    return np.stack(np.broadcast_arrays(*_parts(u, rows, values, zscore, expiries)), axis=-1)


def _parts(
    u: FloatArray, rows: IntArray, values: FloatArray, zscore: FloatArray, expiries: FloatArray
) -> tuple[FloatArray, ...]:
    """Those numbers, [B, N] each or what broadcasts to that."""
    quoted = np.isfinite(values)
    low, high = _range_of_expiry(np.broadcast_to(u, quoted.shape), rows, quoted)
    empty, within = np.asarray(low > high, dtype=float), 1.0 - _growth(np.maximum(low - u, u - high))
    single = _error_of_quotes(zscore, quoted)[:, None]
    return 1.0 - empty, (1.0 - empty) * within * single, empty, empty * expiries, outside(u, quoted)


def _error_of_quotes(zscore: FloatArray, quoted: BoolArray) -> FloatArray:
    """[B] log of the band's quantile of quotes' errors, over what their spreads say; shrunk, of few."""
    count = quoted.sum(1)
    ordered = np.sort(np.where(quoted, np.abs(zscore), np.inf), axis=1)
    place = np.rint(COVERED * (count - 1)).astype(int)
    ratio = ordered[np.arange(len(ordered)), place] / REACH
    return np.asarray(np.log(np.clip(ratio, *_WITHIN)) * count / (count + _ENOUGH))


def outside(u: FloatArray, quoted: BoolArray) -> FloatArray:
    """[..., N], 0 within the range of the quotes' u and towards 1 far beyond it; quoted: some of [..., N]."""
    low = np.where(quoted, u, np.inf).min(-1, keepdims=True)
    high = np.where(quoted, u, -np.inf).max(-1, keepdims=True)
    return _growth(np.maximum(low - u, u - high))


def _growth(away: FloatArray) -> FloatArray:
    """Of a distance beyond quotes, infinite or negative too: from 0 to 1."""
    beyond = np.minimum(np.maximum(away, 0.0), 1e9)
    return np.asarray(beyond / (beyond + _HALF))


def _range_of_expiry(u: FloatArray, rows: IntArray, quoted: BoolArray) -> tuple[FloatArray, FloatArray]:
    """[B, N] lowest and highest quoted u of each cell's expiry; infinite, the wrong way round, of none."""
    below, above = np.where(quoted, u, np.inf), np.where(quoted, u, -np.inf)
    low, high = _of_expiries(rows, (np.minimum, below), (np.maximum, above))
    return low[:, rows], high[:, rows]


def _of_expiries(rows: IntArray, *each: tuple[np.ufunc, FloatArray]) -> list[FloatArray]:
    """[B, R] the sums, least or most of numbers [B, N] of each of R expiries, all of which have cells."""
    order, first = _one_after_another(np.asarray(rows, np.intp).tobytes())
    return [over.reduceat(numbers.take(order, axis=1), first, axis=1) for over, numbers in each]


@lru_cache(maxsize=8)
def _one_after_another(rows: bytes) -> tuple[IntArray, IntArray]:
    """[N] cells expiry by expiry, and [R] where each begins; kept, as surfaces share their axes."""
    expiry = np.frombuffer(rows, np.intp)
    order = np.argsort(expiry, kind="stable")
    return order, np.flatnonzero(np.diff(expiry[order], prepend=-1))
