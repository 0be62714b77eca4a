"""Surfaces on any axes with some of four numbers given: the rest drawn, or its mean, given these.

A smoothed bootstrap: training surfaces weigh as a Gaussian kernel in the numbers that are given says, as wide
as leaves an effective 40 of them; a draw is one of them with its code smoothed by its posterior, decoded.
What the kernel leaves is made exact in log vols, along their regression on the given numbers, by Newton's
method. Of the draws of a scenario the first without arbitrage counts; where there is none, the
nearest surface without arbitrage that has the same four. The mean gives way to the likeliest training surface
only where Newton's method does not lead from it to the given numbers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from .. import bundles
from .._typing import BoolArray, FloatArray
from ..arbitrage.verdicts import arbitrage_free
from ..bundles.any_axes import SurfaceGenerator
from ..errors import InfeasibleError, LabelError
from ..labels import tenor_label
from ..surface import MAX_VOL, Surface
from . import latents
from .decoded import on_axes
from .kernel import kernel_weights
from .wording import Wording

EXACT, _CLOSE = 1e-10, 1e-14
_STEPS, _LARGEST_STEP = 60, 0.7  # of Newton's method; of ln vol, in one step
_ATTEMPTS = 16
_SLOW = 384  # training surfaces where each costs a fit of its own
_LEAST_VOL = 1e-4
_FURTHEST = 0.5  # of a vol: a repair that moves one further leaves no surface of this world
_STREAM = 1 << 41
_MARGIN = 1.1  # factor on the trained tenors within which others are accepted


@dataclass(frozen=True, eq=False)
class ConditionalDraw:
    """vols: [T, K], free of arbitrage. values: [4], those given to 1e-10. moved: in bp, by a repair."""

    vols: FloatArray
    values: FloatArray
    moved: float


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Training surfaces on given axes: logs [S, N] and the four numbers [S, 4]."""

    model: SurfaceGenerator
    wording: Wording
    logs: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, model: SurfaceGenerator, wording: Wording) -> Ensemble:
        """The model's, of which some where the numbers are not linear."""
        most = len(model.examples) if wording.weights is not None else _SLOW
        vols = np.clip(on_axes(model, model.examples[:most], wording.axes), _LEAST_VOL, MAX_VOL)
        return cls(model, wording, np.log(vols).reshape(len(vols), -1), wording.of_many(vols))

    def drawn(self, given: FloatArray, scenario: int) -> ConditionalDraw:
        """One surface; given: [4], NaN where left open; scenario 0 is the mean. Raises InfeasibleError."""
        known = np.isfinite(given)
        weight, _ = kernel_weights(self.values, given, known)
        starts = self._central(weight) if scenario == 0 else self._starts(weight, scenario)
        axes, first = self.wording.axes, None
        for start in starts.reshape(-1, *axes.shape):
            vols = self._exact(start, given, known)
            if vols is None:
                continue
            if arbitrage_free(axes, vols[None])[0]:
                return ConditionalDraw(vols, self._values(vols, given, known), 0.0)
            first = vols if first is None else first
            if scenario == 0:
                break
        if first is None:
            raise InfeasibleError(f"no surface was found with {self._in_words(given)}; {self._within()}")
        return self._repaired(first, given, known)

    def _central(self, weight: FloatArray) -> FloatArray:
        """The mean, and the likeliest training surfaces for where nothing leads from it to what is given."""
        likeliest = np.argsort(-weight, kind="stable")[: _ATTEMPTS - 1]
        return np.asarray(np.exp(np.concatenate([(weight @ self.logs)[None], self.logs[likeliest]])))

    def _starts(self, weight: FloatArray, scenario: int) -> FloatArray:
        a = self.model.arrays
        size = a["codes"].shape[1]
        u = latents.uniforms(_STREAM, scenario, (_ATTEMPTS, 1 + size))
        chosen = np.minimum(np.searchsorted(np.cumsum(weight), u[:, 0]), len(weight) - 1)
        z = a["codes"][chosen] + a["spread"][chosen] * scipy.special.ndtri(u[:, 1:])
        return np.clip(on_axes(self.model, self.model.logs(z), self.wording.axes), _LEAST_VOL, MAX_VOL)

    @functools.cached_property
    def _along(self) -> FloatArray:
        """[N, 4] covariances of log vols with the four numbers, in the numbers' deviations."""
        scaled = (self.values - self.values.mean(0)) / self.values.std(0)
        return np.asarray((self.logs - self.logs.mean(0)).T @ scaled / len(scaled))

    @functools.cached_property
    def _between(self) -> FloatArray:
        """[4, 4] correlations of the four numbers."""
        return np.atleast_2d(np.corrcoef(self.values.T))

    def _exact(self, vols: FloatArray, given: FloatArray, known: BoolArray) -> FloatArray | None:
        """[T, K] vols with the given numbers, or None where Newton's method does not lead there."""
        if not known.any():
            return vols
        inner = self._between[np.ix_(known, known)] + 1e-6 * np.eye(int(known.sum()))
        along = self._along[:, known] @ np.linalg.inv(inner) / self.values[:, known].std(0)
        best, nearest = None, EXACT
        for _ in range(_STEPS):
            values, weights = self.wording.at(vols)
            left = (given - values)[known]
            off = float(np.abs(left).max())
            if off < nearest:
                best, nearest = vols, off
            if off <= _CLOSE or (best is not None and off > nearest):
                break
            slope = weights[known] @ (vols.reshape(-1, 1) * along)
            step = along @ np.linalg.lstsq(slope, left, rcond=None)[0]
            step *= min(1.0, _LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
            vols = np.clip(vols * np.exp(step).reshape(vols.shape), _LEAST_VOL, MAX_VOL)
        return best

    def _repaired(self, vols: FloatArray, given: FloatArray, known: BoolArray) -> ConditionalDraw:
        said = self._in_words(given)
        try:
            kept = self.wording.repaired(vols)
        except InfeasibleError as error:
            raise InfeasibleError(f"no surface without arbitrage was found with {said}: {error}") from None
        values = self.wording.at(kept)[0]
        far = float(np.abs(kept / vols - 1).max())
        off = float(np.abs(values - given)[known].max(initial=0.0))
        if off > EXACT or far > _FURTHEST or not arbitrage_free(self.wording.axes, kept[None])[0]:
            raise InfeasibleError(f"no surface without arbitrage was found with {said}; {self._within()}")
        return ConditionalDraw(kept, self._values(kept, given, known), float(1e4 * np.abs(kept - vols).max()))

    def _values(self, vols: FloatArray, given: FloatArray, known: BoolArray) -> FloatArray:
        return np.where(known, given, self.wording.at(vols)[0])

    def _in_words(self, given: FloatArray) -> str:
        pairs = zip(self.wording.names, given.tolist(), strict=True)
        return ", ".join(f"{name} {value:.4g}" for name, value in pairs if np.isfinite(value))

    def _within(self) -> str:
        low, high = np.quantile(self.values, [0.01, 0.99], axis=0)
        spans = zip(self.wording.names, low.tolist(), high.tolist(), strict=True)
        return "trained: " + ", ".join(f"{name} {a:.3g} to {b:.3g}" for name, a, b in spans)


def ensemble(
    axes: Surface, words: str = "paper", tenor: str | float | None = None, model: str | Path = "markets"
) -> Ensemble:
    """A model's training surfaces on the axes of a surface, whose vols do not count.

    words: "paper" or "market", at `tenor`. Raises InputError (axes that cannot tell a word), BundleError.
    """
    found = bundles.load(model, SurfaceGenerator)
    _refuse_tenors(axes.tenors, found.arrays["tenors"])
    deltas, m = (None if axis is None else axis.tobytes() for axis in (axes.deltas, axes.log_moneyness))
    key = _Key(axes.tenors.tobytes(), deltas, m, axes, found)
    return _ensemble(key, words, tenor)


def _refuse_tenors(tenors: FloatArray, trained: FloatArray) -> None:
    low, high = float(trained[0]) / _MARGIN, float(trained[-1]) * _MARGIN
    beyond = np.flatnonzero((tenors < low) | (tenors > high))
    if len(beyond):
        raise LabelError(
            f"tenors: {tenor_label(float(tenors[beyond[0]]))} is beyond what the model was trained on, "
            f"{tenor_label(float(trained[0]))} to {tenor_label(float(trained[-1]))}"
        )


@dataclass(frozen=True)
class _Key:
    """Equal where tenors and strikes are, whatever the surface."""

    tenors: bytes
    deltas: bytes | None
    moneyness: bytes | None
    axes: Surface
    model: SurfaceGenerator

    def __hash__(self) -> int:
        return hash((self.tenors, self.deltas, self.moneyness, self.model.digest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and hash(self) == hash(other)


@functools.lru_cache(maxsize=16)
def _ensemble(key: _Key, words: str, tenor: str | float | None) -> Ensemble:
    return Ensemble.of(key.model, Wording.of(key.axes, words, tenor))
