"""Random grids of normal vols, and a linear program that knows nothing of hulls: is there a martingale?

Of each tenor the program has the probabilities of S - F being at each strike, and what lies beyond all of
them as a first moment alone: mass that vanishes infinitely far out. Between tenors it has the joint
probabilities, under which the mean stays. The least distance s at which such a martingale prices every call
within s of its quote is 0 if and only if there is no static arbitrage.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from voladdin._typing import FloatArray
from voladdin.arbitrage.check import check
from voladdin.options.bachelier import normal_call_price
from voladdin.surface import Surface

SURE = 1e-6  # of a median total vol: gains above are arbitrage to both, below 1e-8 to neither
NONE = 1e-8


class Verdicts(NamedTuple):
    """Of one grid: the largest gain of `check` and the program's distance, in median total vols."""

    gain: float
    distance: float

    @property
    def same(self) -> bool:
        """Whether both find arbitrage, or neither does."""
        return (self.gain > SURE / 10) == (self.distance > SURE / 100)

    @property
    def close(self) -> bool:
        """Whether a gain is so small that the program's own tolerance decides."""
        return NONE < self.gain < SURE


def random_grid(rng: np.random.Generator) -> Surface:
    """Strikes and forwards of either sign, smiles of an even shape; four in five are disturbed."""
    listed = [0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0]
    tenors = np.sort(rng.choice(listed, rng.integers(2, 5), replace=False))
    forwards = np.cumsum(rng.normal(0.005, 0.01, len(tenors)))
    count, level = int(rng.integers(3, 7)), rng.uniform(0.003, 0.012)
    offsets = np.sort(rng.choice(np.arange(-8, 9), count, replace=False)) * 0.3 * level
    middle = forwards[:, None] if rng.uniform() < 0.5 else np.median(forwards)
    strikes = middle + offsets
    smile = 1.0 + rng.uniform(0, 0.15) * (offsets / level) ** 2 / (1 + np.abs(offsets / level))
    vols = level * np.broadcast_to(smile, (len(tenors), count)) * (1 + 0.02 * np.log1p(tenors))[:, None]
    if rng.uniform() < 0.8:
        vols = vols * np.exp(rng.normal(0, np.exp(rng.uniform(np.log(1e-3), np.log(0.3))), vols.shape))
    vols = np.where(rng.uniform(size=vols.shape) < 0.15, np.nan, vols)
    vols[0, 0] = level
    return Surface(vols, tenors, strikes=strikes, forwards=forwards, vol_type="normal")


def verdicts(surface: Surface) -> Verdicts:
    """Of `check` and of the program."""
    root = np.sqrt(surface.tenors)[:, None]
    unit = float(np.nanmedian(surface.vols * root))
    found = check(surface)
    gain = max((violation.size / unit for violation in found.violations), default=0.0)
    calls = normal_call_price(surface.distances / unit, surface.vols * root / unit)
    return Verdicts(gain, martingale_distance(surface.distances / unit, calls))


def martingale_distance(k: FloatArray, calls: FloatArray) -> float:
    """The least s, see above. k: [T, K] distances; calls: [T, K] prices, NaN where there is none."""
    program = _Martingale(k, calls)
    found = linprog(
        program.cost,
        A_ub=csr_matrix(program.below),
        b_ub=program.most,
        A_eq=csr_matrix(program.equal),
        b_eq=program.value,
        bounds=(0, None),
        method="highs",
    )
    return float(found.fun)


class _Martingale:
    """Variables: s; then for each tenor probabilities [S] and the moments beyond, right and left; then for
    each step joint probabilities [S, S] and each place's moments beyond, right [S] and left [S]."""

    def __init__(self, k: FloatArray, calls: FloatArray) -> None:
        self._places = np.unique(np.round(k[np.isfinite(calls)], 12))
        size, tenors = len(self._places), len(k)
        self._size, self._step, self._tenors = size, size * (size + 2), tenors
        self._width = 1 + tenors * (size + 2) + (tenors - 1) * self._step
        self._equal: list[tuple[FloatArray, float]] = []
        self._below: list[tuple[FloatArray, float]] = []
        for tenor in range(tenors):
            self._marginal(tenor, k[tenor], calls[tenor])
        for step in range(tenors - 1):
            self._kernel(step)
        self.cost = np.eye(self._width)[0]
        self.equal, self.value = (
            np.array([row for row, _ in self._equal]),
            np.array([v for _, v in self._equal]),
        )
        self.below, self.most = (
            np.array([row for row, _ in self._below]),
            np.array([v for _, v in self._below]),
        )

    def _at(self, tenor: int) -> int:
        return 1 + tenor * (self._size + 2)

    def _marginal(self, tenor: int, k: FloatArray, calls: FloatArray) -> None:
        first, places = self._at(tenor), self._places
        own = slice(first, first + self._size)
        total, mean = np.zeros(self._width), np.zeros(self._width)
        total[own], mean[own] = 1.0, places
        mean[first + self._size], mean[first + self._size + 1] = 1.0, -1.0
        self._equal += [(total, 1.0), (mean, 0.0)]
        for strike, price in zip(k, calls, strict=True):
            if np.isfinite(price):
                row = np.zeros(self._width)
                row[own], row[first + self._size] = np.maximum(places - strike, 0.0), 1.0
                for sign in (1.0, -1.0):
                    one = sign * row
                    one[0] = -1.0
                    self._below.append((one, sign * price))

    def _kernel(self, step: int) -> None:
        size, before, after = self._size, self._at(step), self._at(step + 1)
        first = 1 + self._tenors * (size + 2) + step * self._step
        right, left = first + size * size, first + size * size + size
        for i in range(size):
            rows = slice(first + i * size, first + (i + 1) * size)
            out, mean, into = (np.zeros(self._width) for _ in range(3))
            out[rows], out[before + i] = 1.0, -1.0
            mean[rows], mean[right + i], mean[left + i] = self._places - self._places[i], 1.0, -1.0
            into[first + i : first + size * size : size], into[after + i] = 1.0, -1.0
            self._equal += [(out, 0.0), (mean, 0.0), (into, 0.0)]
        for place, start in ((size, right), (size + 1, left)):
            beyond = np.zeros(self._width)
            beyond[start : start + size], beyond[before + place], beyond[after + place] = 1.0, 1.0, -1.0
            self._equal.append((beyond, 0.0))
