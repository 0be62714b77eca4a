"""What a model says of cells: means, spreads, and what the quotes say of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..._typing import FloatArray, IntArray
from .evidence import WeighedCandidates


@dataclass(frozen=True)
class Moments:
    """Log-vols of N cells, or of S surfaces' [S, N]: mean, std, zscore, left_out (NaN where none is quoted).

    left_out: standard deviation of each quote given the others. foreign: the weight of other kinds of market.
    expiries: how well those that are left out are foretold (`left_out.py`), of every cell of a surface.
    """

    mean: FloatArray
    std: FloatArray
    zscore: FloatArray
    left_out: FloatArray
    foreign: FloatArray
    expiries: FloatArray

    @classmethod
    def stack(cls, each: Sequence[Moments]) -> Moments:
        """Of surfaces one by one, or as many at a time as each says."""
        parts = ([getattr(one, part.name) for one in each] for part in fields(Moments))
        return cls(*map(np.stack, parts))

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """Of all the surfaces of several batches, in order."""
        each = ([getattr(one, part.name) for one in parts] for part in fields(Moments))
        return cls(*map(np.concatenate, each))

    def of(self, surfaces: IntArray) -> Moments:
        """Some surfaces'."""
        return Moments(*(getattr(self, part.name)[surfaces] for part in fields(Moments)))

    def scaled(self, factor: float) -> Moments:
        """Of cells times a factor; its z-scores stay."""
        sizes = {name: factor * getattr(self, name) for name in ("mean", "std", "left_out")}
        return replace(self, **sizes)


@dataclass(frozen=True)
class Answer(Moments):
    """given: the quotes `used` [n], whose log-vols are taken about `centre`; of S surfaces [S, n] and [S]."""

    given: WeighedCandidates
    used: IntArray
    centre: FloatArray

    @property
    def only(self) -> Answer:
        """The one surface's of a batch of one."""
        parts: dict[str, Any] = {part.name: getattr(self, part.name)[0] for part in fields(Moments)}
        return Answer(**parts, given=self.given.of(0), used=self.used[0], centre=self.centre[0])


def median_of(values: FloatArray) -> FloatArray:
    """[B] of what is quoted in values [B, n]; NaN where nothing is."""
    ordered, count, rows = np.sort(values, axis=1), np.isfinite(values).sum(1), np.arange(len(values))
    return np.asarray(0.5 * (ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, count // 2]))


def assembled(
    values: FloatArray,
    used: IntArray,
    rest: IntArray,
    moments: tuple[FloatArray, FloatArray],
    given: WeighedCandidates,
    centre: FloatArray,
    expiries: FloatArray,
) -> Answer:
    """All cells [..., N]: the quotes `used`, and the mean, about their centre, and variance of the `rest`."""
    whole, std, zscore = values.copy(), np.zeros_like(values), np.full_like(values, np.nan)
    left_out, (residual, spread) = zscore.copy(), given.left_out
    np.put_along_axis(whole, rest, moments[0] + centre[..., None], -1)
    np.put_along_axis(std, rest, np.sqrt(moments[1]), -1)
    np.put_along_axis(left_out, used, np.sqrt(spread), -1)
    np.put_along_axis(zscore, used, residual / np.sqrt(spread), -1)
    foreign, errors = (np.broadcast_to(one[..., None], values.shape) for one in (given.foreign, expiries))
    return Answer(whole, std, zscore, left_out, foreign, errors, given, used, centre)
