"""SSVI surfaces whose parameters may drift with the expiry, fitted to quotes by Gauss-Newton steps.

At expiry i of total ATM variance theta_i = T_i exp(2 l_i), with y = c_i k / sqrt(theta_i) and k = ln(K/F),

    vol² = exp(2 l_i) (1 + rho_i y + sqrt(y² + 2 rho_i y + 1)) / 2
    artanh rho_i = a + b q_i + d_i,   ln c_i = ln eta + beta ln theta_i - (1/2 + beta) ln(1 + theta_i) + e_i

(Gatheral and Jacquier 2014; gamma there is 1/2 - beta; Hendriks and Martini 2019 let rho move with theta).
q = (ln T + 1) / 2. The l_i are a process in ln T, d_i and e_i too, small ones: without them the surface is
SSVI. All parameters have a Gaussian prior; the noise of the quotes is what the fit leaves of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from .bending import of_strikes
from .covariance import matern32, matern52

_SHAPE = np.array([[-0.2, 0.8], [0.0, 0.3], [0.0, 0.6], [0.1, 0.15]])  # mean and std of a, b, ln eta, beta
_LEVELS = ((0.3, 2.0), (0.1, 0.3))  # std and length in ln T of what the ATM vols do about their mean
_LEVEL_STD, _ROUGH = 1.0, 0.03  # std of the mean level, and of each l_i on its own
_DRIFT_LENGTH, _DRIFT_ROUGH = 2.0, 0.02
_MOST, _FLATTEST = 0.95, 1e-4  # |rho| and c² of a start
_LARGEST, _STEEPEST, _FARTHEST = 50.0, 20.0, 100.0  # k / sqrt(theta), ln c, ln theta: no more than these
_WING = 0.1  # growth of the noise's variance with u²
_LEAST = 1e-5  # noise of ln vol
_DEGREES = 3.0  # how sure the noise is before the quotes are seen
_WORSE = 2.0  # noise over what is typical: not worth it
_STEPS, _HELD, _LONGEST = 12, 2, 1.0  # the noise stays for some; a or ln eta move by so much at most
_ENOUGH = 4  # steps, after which a fit that leaves too much is given up
_STILL, _NEAR = 1e-3, 0.05  # of a and ln eta: found, or near enough to look at the noise


@dataclass(frozen=True)
class Places:
    """Cells: rows [n] of expiries, ln(K/F) [n] and u [n], moneyness in deviations of the ATM vol."""

    rows: IntArray
    k: FloatArray
    u: FloatArray

    def __getitem__(self, chosen: IntArray | BoolArray) -> Places:
        return Places(self.rows[chosen], self.k[chosen], self.u[chosen])


@dataclass(frozen=True)
class Prior:
    """Of R expiries at ln T `t` [R]; parameters are [4 + 3 R]: a, b, ln eta, beta, l, d, e.

    mean: [4 + 3 R]; levels, drifts: [R, R], roots of the covariances of l and of d and e.
    """

    t: FloatArray
    mean: FloatArray
    levels: FloatArray
    drifts: FloatArray

    @classmethod
    def of(cls, t: FloatArray, level: float, drift: float) -> Prior:
        """level: the mean ln ATM vol. drift: the std of d and e."""
        gap, own = np.abs(t[:, None] - t), np.eye(len(t))
        levels = _LEVEL_STD**2 + sum(std**2 * matern32(gap / length) for std, length in _LEVELS)
        drifts = matern52(gap / _DRIFT_LENGTH) + _DRIFT_ROUGH * own
        mean = np.concatenate([_SHAPE[:, 0], np.full(len(t), level), np.zeros(2 * len(t))])
        return cls(t, mean, _root(levels + _ROUGH**2 * own), drift * _root(drifts))

    def point(self, e: FloatArray) -> FloatArray:
        """Parameters that lie e [4 + 3 R] standard normals from the mean."""
        levels, bent, curved = e[4:].reshape(3, -1)
        moved = (_SHAPE[:, 1] * e[:4], self.levels @ levels, self.drifts @ bent, self.drifts @ curved)
        return np.asarray(self.mean + np.concatenate(moved))

    def near(self, levels: FloatArray, quotes: Places, values: FloatArray) -> FloatArray:
        """e [4 + 3 R] of ATM log-vols [R] and the smile that all quotes of ln vol `values` [n] would share.

        With v = (vol / ATM vol)² and x = k / sqrt(theta), SSVI is v² - v = rho c v x + c² (1 - rho²) x² / 4:
        least squares, linear in two numbers.
        """
        log_theta = 2.0 * levels + self.t
        ratio = np.exp(np.clip(2.0 * (values - levels[quotes.rows]), -_STEEPEST, _STEEPEST))
        x = np.clip(quotes.k * np.exp(-0.5 * log_theta[quotes.rows]), -_LARGEST, _LARGEST)
        columns = np.stack([ratio * x, x * x]) / ratio
        square = columns @ columns.T + _LEAST * np.eye(2)
        lean, wide = np.linalg.solve(square, columns @ (ratio - 1.0))
        c = np.sqrt(np.clip(4.0 * max(wide, 0.0) + lean**2, _FLATTEST, 1.0 / _FLATTEST))
        middle, beta = float(np.median(log_theta[quotes.rows])), _SHAPE[3, 0]
        eta = np.log(c) - beta * middle + (0.5 + beta) * np.log1p(np.exp(middle))
        shape = np.array([np.arctanh(np.clip(lean / c, -_MOST, _MOST)), 0.0, eta, beta])
        e = np.zeros(len(self.mean))
        e[:4] = (shape - _SHAPE[:, 0]) / _SHAPE[:, 1]
        e[4 : 4 + len(levels)] = np.linalg.solve(self.levels, levels - self.mean[4 : 4 + len(levels)])
        return e

    def linear(self, point: FloatArray, at: Places) -> tuple[FloatArray, FloatArray]:
        """ln vol [n] at a point, and its derivatives [n, 4 + 3 R] by e."""
        (a, b, eta, beta), (level, bent, curved) = point[:4], point[4:].reshape(3, -1)
        q, log_theta = 0.5 * (self.t + 1.0), np.clip(2.0 * level + self.t, -_FARTHEST, _FARTHEST)
        theta = np.exp(log_theta)
        rho = np.tanh(a + b * q + bent)
        steep = np.clip(
            eta + beta * log_theta - (0.5 + beta) * np.log1p(theta) + curved, -_STEEPEST, _STEEPEST
        )
        i = at.rows
        x = np.clip(at.k * np.exp(-0.5 * log_theta[i]), -_LARGEST, _LARGEST)
        y = np.exp(steep[i]) * x
        value, by_y, by_rho = of_strikes(rho[i], y)
        turned, scaled = by_rho * (1.0 - rho[i] ** 2), by_y * y
        rise = 2.0 * (beta - (0.5 + beta) * theta / (1.0 + theta)) - 1.0
        shape = np.stack([turned, turned * q[i], scaled, scaled * (log_theta - np.log1p(theta))[i]], axis=1)
        raised = (1.0 + scaled * rise[i])[:, None] * self.levels[i]
        drifts = self.drifts[i]
        columns = [shape * _SHAPE[:, 1], raised, turned[:, None] * drifts, scaled[:, None] * drifts]
        return level[i] + value, np.concatenate(columns, axis=1)


@dataclass(frozen=True)
class Fit:
    """The likeliest parameters given n quotes. root: the inverse root [p, p] of what e's precision is there;
    noise: std of ln vol of a quote at the money; residual, variance: [n] of each quote given the others.
    """

    prior: Prior
    point: FloatArray
    root: FloatArray
    noise: float
    residual: FloatArray
    variance: FloatArray

    def ask(self, at: Places) -> tuple[FloatArray, FloatArray]:
        """Mean and variance [n] of ln vols quoted at cells."""
        mean, by_e = self.prior.linear(self.point, at)
        return mean, ((by_e @ self.root.T) ** 2).sum(1) + self.noise**2 * (1.0 + _WING * at.u**2)


def fitted(
    prior: Prior, start: FloatArray, quotes: Places, values: FloatArray, typical: float, small: float
) -> Fit | None:
    """To ln vols `values` [n]; None where that leaves more noise than the others do of each quote, `typical`.

    start: e [4 + 3 R]. small: the noise over that before the quotes are seen.
    """
    e, noise = start, small * typical
    for step in range(_STEPS):
        value, by_e = prior.linear(prior.point(e), quotes)
        found = _Step.of(by_e, values - value, e, noise, quotes.u)
        move = found.wanted * min(1.0, _LONGEST / max(found.size, _STILL))
        e = e + move
        if step < _HELD and found.size > _NEAR:
            continue
        before, noise = noise, found.noise_after(values - value - by_e @ move, small * typical)
        if noise > _WORSE * typical and step >= _ENOUGH:
            return None
        if found.size < _STILL and abs(np.log(noise / before)) < _NEAR:
            break
    if noise > _WORSE * typical:
        return None
    point = prior.point(e)
    value, by_e = prior.linear(point, quotes)
    last = _Step.of(by_e, values - value, e, noise, quotes.u)
    free = np.maximum(last.free, _LEAST)
    return Fit(prior, point, last.root, noise, (values - value) / free, last.variance / free)


@dataclass(frozen=True)
class _Step:
    """Linear least squares about a point. wanted: [p], by which e is to move; size: of a or ln eta in that;
    root: as of `Fit`; free: [n], what of each quote's residual the others leave; variance: [n], of quotes.
    """

    wanted: FloatArray
    size: float
    root: FloatArray
    free: FloatArray
    variance: FloatArray
    noise: float

    @classmethod
    def of(cls, by_e: FloatArray, left: FloatArray, e: FloatArray, noise: float, u: FloatArray) -> _Step:
        variance = noise**2 * (1.0 + _WING * u * u)
        scaled = by_e / variance[:, None]
        precision = scaled.T @ by_e
        precision[np.diag_indices(len(e))] += 1.0
        root = np.asarray(np.linalg.inv(_root(precision)), dtype=float)
        wanted = root.T @ (root @ (scaled.T @ left - e))
        size = float(np.abs(wanted[[0, 2]] * _SHAPE[[0, 2], 1]).max())
        free = 1.0 - ((by_e @ root.T) ** 2).sum(1) / variance
        return cls(wanted, size, root, free, variance, noise)

    def noise_after(self, left: FloatArray, usual: float) -> float:
        """That explains what is left [n] of the quotes, ten times as large or small at most."""
        squares = float((left**2 / self.variance).sum()) * self.noise**2 + _DEGREES * usual**2
        noise = np.sqrt(squares / (max(float(self.free.sum()), 0.0) + _DEGREES))
        return max(float(np.clip(noise, 0.1 * self.noise, 10.0 * self.noise)), _LEAST)


def _root(covariance: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.cholesky(covariance), dtype=float)
