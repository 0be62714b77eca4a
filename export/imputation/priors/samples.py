"""Quotes of surfaces, and cells hidden from them, at scattered points: what the priors are trained on.

Simulated markets of every family (`export.simulation.markets`), each disturbed by a smooth random field,
because no market is exactly any model; and days of a history, on its own grid. Changes are the history's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from export.history import Days
from export.simulation.markets import MASKS, Batch, hide, stream
from voladdin._typing import BoolArray, FloatArray
from voladdin.imputation.processes import coordinates
from voladdin.imputation.processes.points import Points

SHARE_OF_HISTORY = 0.12
MOST_QUOTES, MOST_HIDDEN = 72, 24
_ALIKE, _ALIKE_WHOLE = 32, 4  # surfaces of a family and a kind of grid one after another
_T, _X = np.linspace(-6.0, 2.5, 18), np.linspace(-6.5, 4.5, 23)  # of the disturbance: ln T, deviations
_DISTURBED = 0.85  # share of surfaces
_AMPLITUDES = (5e-4, 4e-2)


@dataclass(frozen=True)
class Sample:
    """Points t = ln T, u and values y [N], of which `count` are quoted; log-vols, about the median quote, but
    of whole samples as they are.

    own: u is in deviations of each point's own vol, as on a delta axis.
    """

    t: FloatArray
    u: FloatArray
    y: FloatArray
    count: int
    own: bool = True

    @property
    def points(self) -> Points:
        """Where its values lie."""
        tenors, rows = np.unique(self.t, return_inverse=True)
        return Points(tenors, rows, self.u, self.own)


def samples(
    seed: int,
    *,
    exclude: Sequence[str] = (),
    pool: Path | None = None,
    history: Days | None = None,
    whole: bool = False,
) -> Iterator[Sample]:
    """Endless, reproducible; exclude: families left out. Without a history, simulated markets alone.

    whole: all that is quoted and hidden, not at most `MOST_QUOTES` and `MOST_HIDDEN`.
    """
    rng = np.random.default_rng(seed)
    size = _ALIKE_WHOLE if whole else _ALIKE
    batches = stream(seed, exclude=exclude, pool=pool, size=size)
    while True:
        if history is not None and rng.random() < SHARE_OF_HISTORY:
            drawn = _days(rng, history, size)
        else:
            drawn = _surfaces(rng, next(batches))
        yield from drawn if whole else (_few(one, centred=True) for one in drawn)


def changes(seed: int, history: Days) -> Iterator[Sample]:
    """Daily log changes at random scales, not centred."""
    rng = np.random.default_rng(seed)
    first, later = history.steps()
    moves = np.log(history.vols[later] / history.vols[first])
    while True:
        move = moves[rng.integers(len(moves))] * np.exp(0.5 * rng.standard_normal())
        if (found := _on_grid(rng, history, move)) is not None:
            yield _few(found, centred=False)


def _days(rng: np.random.Generator, history: Days, count: int) -> Iterator[Sample]:
    for row in rng.integers(len(history), size=count):
        if (found := _on_grid(rng, history, np.log(history.vols[row]))) is not None:
            yield found


def _on_grid(rng: np.random.Generator, history: Days, y: FloatArray) -> Sample | None:
    """None where the mask leaves nothing to hide."""
    deltas = np.broadcast_to(history.deltas, (1, *y.shape))
    hidden = hide(rng, str(rng.choice(list(MASKS))), np.isfinite(y)[None], deltas)[0].ravel()
    shown = np.isfinite(y).ravel() & ~hidden
    if not hidden.any() or not shown.any():
        return None
    at = coordinates.from_deltas(history.tenors, history.deltas)
    return _sample(rng, at.t, at.u, y.ravel(), shown, hidden)


def _surfaces(rng: np.random.Generator, batch: Batch) -> Iterator[Sample]:
    for i in range(len(batch.years)):
        t = np.log(batch.years[i])
        y = np.log(batch.mid[i]) + _disturbance(rng, batch, i)
        shown, hidden = batch.shown[i] & np.isfinite(y), batch.hidden[i] & np.isfinite(y)
        if not shown.any() or not hidden.any():
            continue
        flat = np.repeat(t, y.shape[1])
        own = batch.grid == "deltas"
        if own:
            u = coordinates.compressed(-ndtri(np.clip(batch.deltas[i].ravel(), 1e-9, 1 - 1e-9)))
        else:
            quoted, m = shown.ravel(), batch.moneyness[i].ravel()
            atm = coordinates.atm_term(flat[quoted], m[quoted], y.ravel()[quoted], flat)
            u = coordinates.standardised(m, atm, flat)
        yield _sample(rng, flat, u, y.ravel(), shown.ravel(), hidden.ravel(), own=own)


def _sample(
    rng: np.random.Generator,
    t: FloatArray,
    u: FloatArray,
    y: FloatArray,
    shown: BoolArray,
    hidden: BoolArray,
    *,
    own: bool = True,
) -> Sample:
    quotes, rest = (rng.permutation(np.flatnonzero(some)) for some in (shown, hidden))
    at = np.concatenate([quotes, rest])
    return Sample(t[at], u[at], y[at], len(quotes), own)


def _few(sample: Sample, *, centred: bool) -> Sample:
    count = min(sample.count, MOST_QUOTES)
    kept = np.append(np.arange(count), np.arange(sample.count, len(sample.t))[:MOST_HIDDEN])
    y = sample.y[kept]
    return Sample(sample.t[kept], sample.u[kept], y - centred * np.median(y[:count]), count, sample.own)


def _disturbance(rng: np.random.Generator, batch: Batch, i: int) -> FloatArray:
    """[T, K] of log-vol: a Gaussian field of random lengths, larger in the wings, and none on some."""
    if rng.random() > _DISTURBED:
        return np.zeros(batch.vols[i].shape)
    width, length = np.exp(rng.uniform(np.log([0.5, 0.08]), np.log([3.0, 4.0])))
    roots = []
    for nodes, scale in ((_T, length), (_X, width)):
        gap = np.abs(nodes[:, None] - nodes) / scale
        roots.append(np.linalg.cholesky(np.exp(-gap) * (1.0 + gap) + 1e-8 * np.eye(len(nodes))))
    field = roots[0] @ rng.standard_normal((len(_T), len(_X))) @ roots[1].T * (1.0 + 0.25 * np.abs(_X))
    field *= np.exp(rng.uniform(*np.log(_AMPLITUDES)))
    level = np.array([np.interp(0.0, m, v) for m, v in zip(*_ordered(batch, i), strict=True)])
    x = batch.moneyness[i] / (level * np.sqrt(batch.years[i]))[:, None]
    rows = np.stack([np.interp(np.log(batch.years[i]), _T, column) for column in field.T], axis=1)
    return np.stack([np.interp(at, _X, row) for at, row in zip(x, rows, strict=True)])


def _ordered(batch: Batch, i: int) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(batch.moneyness[i], axis=1)
    return tuple(np.take_along_axis(a[i], order, axis=1) for a in (batch.moneyness, batch.vols))  # type: ignore[return-value]
