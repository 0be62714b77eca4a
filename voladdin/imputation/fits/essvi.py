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
from functools import lru_cache

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ..conditioning import lower_root
from ..processes.bending import of_own, of_strikes
from ..processes.covariance import matern32, matern52
from ..processes.moments import median_of
from . import svi
from .families import Family
from .fitted_quotes import Places, Quotes
from .linearised import Linearised

SHAPE = np.array([[-0.2, 0.8], [0.0, 0.3], [0.0, 0.6], [0.1, 0.15]])  # mean and std of a, b, ln eta, beta
_LEVELS = ((0.3, 2.0), (0.1, 0.3))  # std and length in ln T of what the ATM vols do about their mean
_LEVEL_STD, _ROUGH = 1.0, 0.03  # std of the mean level, and of each l_i on its own
_DRIFT_LENGTH = 2.0
_MOST, _FLATTEST = 0.95, 1e-4  # |rho| and c² of a start
_EDGE = 0.9999  # |rho|, beyond which rounding leaves wings no variance
_LARGEST, _STEEPEST, _FARTHEST = 50.0, 20.0, 100.0  # k / sqrt(theta), ln c, ln theta: no more than these
_MOST_BENT = 6.25  # c² (1 + |rho|)
_LEAST = 1e-5  # square of what is told of a start


@dataclass(frozen=True)
class Prior:
    """Of F surfaces with R expiries at ln T `t` [R]; parameters are a, b, ln eta, beta, l and the
    family's n that drift.

    levels [R, R], drifts [R, D]: roots of the covariances of l and of what drifts; of SSVI, where this is 0,
    D is 0 too. A point is told by p = 4 + R + n D standard normals. mean [F, R, 4 + f], turns [R, 4 + f, p]:
    where `numbers` are of a point told by zeros, and what each normal turns of them.
    """

    family: Family
    t: FloatArray
    mean: FloatArray
    levels: FloatArray
    drifts: FloatArray
    turns: FloatArray

    @classmethod
    def of(cls, t: FloatArray, level: FloatArray, family: Family) -> Prior:
        """level: [F] the mean ln ATM vol."""
        levels, drifts, turns = _roots(t.tobytes(), family)
        mean = np.zeros((len(level), *turns.shape[:2]))
        mean[..., 0], mean[..., 1] = level[:, None], SHAPE[0, 0] + SHAPE[1, 0] * _place(t)
        mean[..., 2:4] = SHAPE[2:, 0]
        return cls(family, t, mean, levels, drifts, turns)

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
        e[:, own] = np.linalg.solve(self.levels, (levels - self.mean[..., 0]).T).T
        return e

    def numbers(self, e: FloatArray) -> FloatArray:
        """[4 + f, F, R] ln ATM vol, artanh rho, ln eta + e_i, beta and raw SVI's two, of points e [F, p]."""
        turned = e @ self.turns.reshape(-1, e.shape[1]).T
        return (self.mean + turned.reshape(len(e), *self.turns.shape[:2])).transpose(2, 0, 1)

    def _smiles(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """ln theta, ln(theta / (1 + theta)), rho and c [F, R] of each expiry."""
        level, leant, steep, beta = numbers[:4]
        log_theta = np.minimum(np.maximum(2.0 * level + self.t, -_FARTHEST), _FARTHEST)
        of_odds = log_theta - np.log1p(np.exp(log_theta))
        rho = np.minimum(np.maximum(np.tanh(leant), -_EDGE), _EDGE)
        steep = steep + (0.5 + beta) * of_odds - 0.5 * log_theta
        return log_theta, of_odds, rho, np.exp(np.minimum(np.maximum(steep, -_STEEPEST), _STEEPEST))

    def too_bent(self, e: FloatArray) -> BoolArray:
        """[F] whether some smile of points e [F, p] has c² (1 + |rho|) far above 4: up to there those of
        short expiries have no butterflies (Gatheral and Jacquier 2014, theorem 4.2), and smiles that markets
        quote keep to it, whether they need to or not. Not asked of raw SVI.
        """
        rho, c = self._smiles(self.numbers(e))[2:]
        return np.asarray((c * c * (1.0 + np.abs(rho)) > _MOST_BENT).any(1) & (not self.family.raw_svi))

    def at_own_deviations(self, e: FloatArray, rows: IntArray, x: FloatArray) -> FloatArray:
        """ln vol [F, n] in expiries `rows` [n] at x [F, n], ln(K/F) in deviations of the vol itself."""
        numbers = self.numbers(e)
        rho, c = (each[:, rows] for each in self._smiles(numbers)[2:])
        free = [each[:, rows] for each in numbers[4:]]
        value = svi.of_own(rho, c * x, *free) if free else of_own(rho, c * x)[0]
        return np.asarray(numbers[0][:, rows] + value)

    def linear(self, e: FloatArray, at: Places) -> Linearised:
        """About points e [F, p], of cells."""
        numbers = self.numbers(e)
        level, beta, free = numbers[0], numbers[3], numbers[4:]
        log_theta, of_odds, rho, c = self._smiles(numbers)
        rise = (2.0 * beta - 1.0) - (1.0 + 2.0 * beta) * np.exp(of_odds)
        each = [level, np.exp(-0.5 * log_theta), of_odds, rise, 1.0 - rho * rho, rho, c]
        each += svi.of_money(rho, *free) if len(free) else ()
        level, shrunk, of_odds, rise, open_, rho, c, *of_money = at.expand(np.array(each))
        y = c * np.minimum(np.maximum(at.k * shrunk, -_LARGEST), _LARGEST)
        value, by_y, by_rho, *rest = svi.of_smiles(rho, y, *of_money) if of_money else of_strikes(rho, y)
        scaled = by_y * y
        by_number = 1.0 + scaled * rise, by_rho * open_, scaled, scaled * of_odds, *rest
        return Linearised(at, level + value, by_number, self.turns)


@lru_cache(maxsize=64)
def _roots(tenors: bytes, family: Family) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of the covariances of l and of what drifts, at ln T `tenors`, and `Prior.turns`; kept, as surfaces
    share these.
    """
    t = np.frombuffer(tenors)
    gap, own = np.abs(t[:, None] - t), np.eye(len(t))
    levels = _LEVEL_STD**2 + sum(std**2 * matern32(gap / length) for std, length in _LEVELS)
    levels, drifts = lower_root(levels + _ROUGH**2 * own), np.zeros((len(t), 0))
    if family.drift:
        drifts = family.drift * lower_root(matern52(gap / _DRIFT_LENGTH) + family.rough * own)
    return levels, drifts, _turns(t, levels, drifts, family.drifting)


def _turns(t: FloatArray, levels: FloatArray, drifts: FloatArray, drifting: int) -> FloatArray:
    """[R, 4 + f, p] as `Prior` has them."""
    last, width = 4 + len(t), drifts.shape[1]
    turns = np.zeros((len(t), 2 + drifting, last + drifting * width))
    turns[:, 0, 4:last] = levels
    turns[:, 1, 0], turns[:, 1, 1] = SHAPE[0, 1], SHAPE[1, 1] * _place(t)
    turns[:, 2, 2], turns[:, 3, 3] = SHAPE[2:, 1]
    for number, told in enumerate([1, 2, *range(4, 2 + drifting)]):
        first = last + number * width
        turns[:, told, first : first + width] = drifts
    return turns


def _place(t: FloatArray) -> FloatArray:
    """q."""
    return 0.5 * (t + 1.0)
