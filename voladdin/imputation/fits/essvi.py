"""SSVI surfaces whose smiles may drift with the expiry, and what their parameters may be.

At expiry i of total ATM variance theta_i = T_i exp(2 l_i), with y = c_i k / sqrt(theta_i) and k = ln(K/F),

    vol² = exp(2 l_i) (1 + rho_i y + sqrt(y² + 2 rho_i y + 1)) / 2
    artanh rho_i = a + b q_i + d_i,   ln c_i = ln eta + beta ln theta_i - (1/2 + beta) ln(1 + theta_i) + e_i

(Gatheral and Jacquier 2014; gamma there is 1/2 - beta; Hendriks and Martini 2019 let rho move with theta).
q = (ln T + 1) / 2. The l_i are a process in ln T, d_i and e_i too, small ones: without them the surface is
SSVI. With two numbers more an expiry, s_i and f_i, and less in common, smiles are raw SVI's (`svi.py`). All
parameters have a Gaussian prior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ..._typing import FloatArray, IntArray
from ..conditioning import lower_root
from ..processes.bending import of_own, of_strikes
from ..processes.covariance import matern32, matern52
from ..processes.moments import median_of
from . import svi
from .families import Family
from .fitted_quotes import Places, Quotes

SHAPE = np.array([[-0.2, 0.8], [0.0, 0.3], [0.0, 0.6], [0.1, 0.15]])  # mean and std of a, b, ln eta, beta
_LEVELS = ((0.3, 2.0), (0.1, 0.3))  # std and length in ln T of what the ATM vols do about their mean
_LEVEL_STD, _ROUGH = 1.0, 0.03  # std of the mean level, and of each l_i on its own
_DRIFT_LENGTH = 2.0
_MOST, _FLATTEST = 0.95, 1e-4  # |rho| and c² of a start
_EDGE = 0.9999  # |rho|, beyond which rounding leaves wings no variance
_LARGEST, _STEEPEST, _FARTHEST = 50.0, 20.0, 100.0  # k / sqrt(theta), ln c, ln theta: no more than these
_LEAST = 1e-5  # square of what is told of a start


@dataclass(frozen=True)
class Prior:
    """Of F surfaces with R expiries at ln T `t` [R]; parameters are [4 + (1 + n) R]: a, b, ln eta, beta, l
    and the family's n that drift.

    mean: [F, 4 + (1 + n) R]; levels [R, R], drifts [R, D]: roots of the covariances of l and of what drifts;
    of SSVI, where this is 0, D is 0 too. A point is told by p = 4 + R + n D standard normals.
    """

    family: Family
    t: FloatArray
    mean: FloatArray
    levels: FloatArray
    drifts: FloatArray

    @classmethod
    def of(cls, t: FloatArray, level: FloatArray, family: Family) -> Prior:
        """level: [F] the mean ln ATM vol."""
        levels, drifts = _roots(t.tobytes(), family)
        mean = np.zeros((len(level), 4 + (1 + family.drifting) * len(t)))
        mean[:, :4], mean[:, 4 : 4 + len(t)] = SHAPE[:, 0], level[:, None]
        return cls(family, t, mean, levels, drifts)

    def some(self, fits: IntArray) -> Prior:
        """Some surfaces'."""
        return replace(self, mean=self.mean[fits])

    def started(self, other: Prior, e: FloatArray) -> FloatArray:
        """[F, p] of the point that e [F, p'] tells of another family, of no more numbers that drift."""
        start, last = np.zeros((len(e), self.size)), 4 + len(self.t)
        start[:, :last] = e[:, :last]
        if other.family.drift:
            turn, drift = np.linalg.solve(self.drifts, other.drifts), other._drifting(e)
            self._drifting(start)[:, : drift.shape[1]] = drift @ turn.T
        return start

    @property
    def size(self) -> int:
        """p."""
        return 4 + len(self.t) + self.family.drifting * int(self.drifts.shape[1])

    def _drifting(self, e: FloatArray) -> FloatArray:
        """View [F, n, D] of the parts of e [F, p] that drift."""
        return e[:, 4 + len(self.t) :].reshape(len(e), self.family.drifting, self.drifts.shape[1])

    def point(self, e: FloatArray) -> FloatArray:
        """Parameters that lie e [F, p] standard normals from the mean."""
        point, last = self.mean.copy(), 4 + len(self.t)
        point[:, :4] += SHAPE[:, 1] * e[:, :4]
        point[:, 4:last] += e[:, 4:last] @ self.levels.T
        point[:, last:] += (self._drifting(e) @ self.drifts.T).reshape(len(e), -1)
        return point

    def near(self, levels: FloatArray, quotes: Quotes) -> FloatArray:
        """e [F, p] of ATM log-vols [F, R] and the smile that all quotes of a surface would share.

        With v = (vol / ATM vol)² and x = k / sqrt(theta), SSVI is v² - v = rho c v x + c² (1 - rho²) x² / 4:
        least squares, linear in two numbers.
        """
        at, log_theta = quotes.at, np.clip(2.0 * levels + self.t, -_FARTHEST, _FARTHEST)
        ratio = np.exp(np.clip(2.0 * (quotes.values - at.expand(levels)), -_STEEPEST, _STEEPEST))
        x = np.clip(at.k * at.expand(np.exp(-0.5 * log_theta)), -_LARGEST, _LARGEST) * quotes.weight
        columns = np.stack([x, x * x / ratio], axis=1)
        square = columns @ columns.swapaxes(1, 2) + _LEAST * np.eye(2)
        lean, wide = np.linalg.solve(square, columns @ (ratio - 1.0)[..., None])[..., 0].T
        c = np.sqrt(np.clip(4.0 * np.maximum(wide, 0.0) + lean**2, _FLATTEST, 1.0 / _FLATTEST))
        beta, e = SHAPE[3, 0], np.zeros((len(c), self.size))
        middle = median_of(np.where(quotes.weight > 0, at.expand(log_theta), np.nan))
        eta = np.log(c) - beta * middle + (0.5 + beta) * np.log1p(np.exp(middle))
        leant = np.arctanh(np.clip(lean / c, -_MOST, _MOST))
        shape = np.stack([leant, np.zeros(len(c)), eta, np.full(len(c), beta)], axis=1)
        e[:, :4] = (shape - SHAPE[:, 0]) / SHAPE[:, 1]
        own = slice(4, 4 + levels.shape[1])
        e[:, own] = np.linalg.solve(self.levels, (levels - self.mean[:, own]).T).T
        return e

    def smiles(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """ln theta, rho and c [F, R] of each expiry."""
        a, b, eta, beta = point[:, :4].T[..., None]
        level, bent, curved = self._of_expiries(point)[:3]
        log_theta = (2.0 * level + self.t).clip(-_FARTHEST, _FARTHEST)
        rho = np.tanh(a + b * (0.5 * (self.t + 1.0)) + bent).clip(-_EDGE, _EDGE)
        steep = eta + beta * log_theta - (0.5 + beta) * np.log1p(np.exp(log_theta)) + curved
        return log_theta, rho, np.exp(steep.clip(-_STEEPEST, _STEEPEST))

    def _of_expiries(self, point: FloatArray) -> FloatArray:
        """[1 + n, F, R] l, and what drifts."""
        return point[:, 4:].reshape(len(point), 1 + self.family.drifting, -1).swapaxes(0, 1)

    def at_own_deviations(self, point: FloatArray, rows: IntArray, x: FloatArray) -> FloatArray:
        """ln vol [F, n] in expiries `rows` [n] at x [F, n], ln(K/F) in deviations of the vol itself."""
        _, rho, c = (each[:, rows] for each in self.smiles(point))
        level, _, _, *free = (each[:, rows] for each in self._of_expiries(point))
        value = svi.of_own(rho, c * x, *free) if free else of_own(rho, c * x)[0]
        return np.asarray(level + value)

    def turns(self, at: Places) -> FloatArray:
        """[n, p] or [F, n, p] what each e turns of the smile's number that it tells of, at places."""
        shape = np.broadcast_to(SHAPE[:, 1], (*at.rows.shape, 4))
        drifts = [self.drifts[at.rows]] * self.family.drifting
        return np.concatenate([shape, self.levels[at.rows], *drifts], axis=-1)

    @cached_property
    def _told(self) -> IntArray:
        """[p] which of the smile's numbers each e tells of."""
        return np.repeat(
            np.arange(5 + self.family.drifting),
            [1, 1, 1, 1, len(self.t), *[self.drifts.shape[1]] * self.family.drifting],
        )

    def linear(
        self, point: FloatArray, at: Places, turns: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """ln vol [F, n] at points, and its derivatives [F, n, p] by e; turns: of these places, if known."""
        log_theta, rho, c = self.smiles(point)
        beta, level, rho = point[:, 3:4], point[:, 4 : 4 + len(self.t)], at.expand(rho)
        q, theta = 0.5 * (self.t[at.rows] + 1.0), np.exp(log_theta)
        x = np.clip(at.k * at.expand(np.exp(-0.5 * log_theta)), -_LARGEST, _LARGEST)
        y = at.expand(c) * x
        free = [at.expand(each) for each in self._of_expiries(point)[3:]]
        value, by_y, by_rho, *by_free = svi.of_strikes(rho, y, *free) if free else of_strikes(rho, y)
        turned, scaled = by_rho * (1.0 - rho**2), by_y * y
        rise = 2.0 * (beta - (0.5 + beta) * theta / (1.0 + theta)) - 1.0
        shape = turned, turned * q, scaled, scaled * at.expand(log_theta - np.log1p(theta))
        parts = np.stack([*shape, 1.0 + scaled * at.expand(rise), turned, scaled, *by_free], axis=-1)
        by_e = parts.take(self._told, axis=-1)
        by_e *= self.turns(at) if turns is None else turns
        return at.expand(level) + value, by_e


@lru_cache(maxsize=64)
def _roots(tenors: bytes, family: Family) -> tuple[FloatArray, FloatArray]:
    """Of the covariances of l and of what drifts, at ln T `tenors`; kept, as surfaces share these."""
    t = np.frombuffer(tenors)
    gap, own = np.abs(t[:, None] - t), np.eye(len(t))
    levels = _LEVEL_STD**2 + sum(std**2 * matern32(gap / length) for std, length in _LEVELS)
    drifts = np.zeros((len(t), 0))
    if family.drift:
        drifts = family.drift * lower_root(matern52(gap / _DRIFT_LENGTH) + family.rough * own)
    return lower_root(levels + _ROUGH**2 * own), drifts
