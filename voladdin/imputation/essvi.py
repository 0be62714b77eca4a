"""SSVI surfaces whose parameters may drift with the expiry, fitted to quotes by Gauss-Newton steps.

At expiry i of total ATM variance theta_i = T_i exp(2 l_i), with y = c_i k / sqrt(theta_i) and k = ln(K/F),

    vol² = exp(2 l_i) (1 + rho_i y + sqrt(y² + 2 rho_i y + 1)) / 2
    artanh rho_i = a + b q_i + d_i,   ln c_i = ln eta + beta ln theta_i - (1/2 + beta) ln(1 + theta_i) + e_i

(Gatheral and Jacquier 2014; gamma there is 1/2 - beta; Hendriks and Martini 2019 let rho move with theta).
q = (ln T + 1) / 2. The l_i are a process in ln T, d_i and e_i too, small ones: without them the surface is
SSVI. All parameters have a Gaussian prior; the noise of the quotes is what the fit leaves of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """Cells of F surfaces on the same tenors: rows [n] of expiries, ln(K/F) [F, n] and u [n] or [F, n],
    moneyness in deviations of the ATM vol.
    """

    rows: IntArray
    k: FloatArray
    u: FloatArray

    @property
    def noise(self) -> FloatArray:
        """[F, n] or [n] how a quote's variance grows with u."""
        return 1.0 + _WING * self.u * self.u


@dataclass(frozen=True)
class Quotes:
    """Ln vols `values` [F, n] at places; weight: [F, n], 0 where there is none."""

    at: Places
    values: FloatArray
    weight: FloatArray

    def of(self, fits: IntArray) -> Quotes:
        """Some surfaces'."""
        return Quotes(replace(self.at, k=self.at.k[fits]), self.values[fits], self.weight[fits])


@dataclass(frozen=True)
class Prior:
    """Of F surfaces with R expiries at ln T `t` [R]; parameters are [4 + 3 R]: a, b, ln eta, beta, l, d, e.

    mean: [F, 4 + 3 R]; levels [R, R], drifts [F, R, R]: roots of the covariances of l and of d and e.
    """

    t: FloatArray
    mean: FloatArray
    levels: FloatArray
    drifts: FloatArray

    @classmethod
    def of(cls, t: FloatArray, level: FloatArray, drift: FloatArray) -> Prior:
        """level: [F] the mean ln ATM vol. drift: [F] the std of d and e."""
        gap, own = np.abs(t[:, None] - t), np.eye(len(t))
        levels = _LEVEL_STD**2 + sum(std**2 * matern32(gap / length) for std, length in _LEVELS)
        drifts = matern52(gap / _DRIFT_LENGTH) + _DRIFT_ROUGH * own
        mean = np.zeros((len(level), 4 + 3 * len(t)))
        mean[:, :4], mean[:, 4 : 4 + len(t)] = _SHAPE[:, 0], level[:, None]
        return cls(t, mean, _root(levels + _ROUGH**2 * own), drift[:, None, None] * _root(drifts))

    def some(self, fits: IntArray) -> Prior:
        """Some surfaces'."""
        return Prior(self.t, self.mean[fits], self.levels, self.drifts[fits])

    def point(self, e: FloatArray) -> FloatArray:
        """Parameters that lie e [F, 4 + 3 R] standard normals from the mean."""
        levels, bent, curved = np.moveaxis(e[:, 4:].reshape(len(e), 3, -1), 1, 0)
        drifts = ((self.drifts @ part[..., None])[..., 0] for part in (bent, curved))
        moved = (_SHAPE[:, 1] * e[:, :4], levels @ self.levels.T, *drifts)
        return np.asarray(self.mean + np.concatenate(moved, axis=1))

    def near(self, levels: FloatArray, quotes: Quotes) -> FloatArray:
        """e [F, 4 + 3 R] of ATM log-vols [F, R] and the smile that all quotes of a surface would share.

        With v = (vol / ATM vol)² and x = k / sqrt(theta), SSVI is v² - v = rho c v x + c² (1 - rho²) x² / 4:
        least squares, linear in two numbers.
        """
        log_theta, rows = np.clip(2.0 * levels + self.t, -_FARTHEST, _FARTHEST), quotes.at.rows
        ratio = np.exp(np.clip(2.0 * (quotes.values - levels[:, rows]), -_STEEPEST, _STEEPEST))
        x = np.clip(quotes.at.k * np.exp(-0.5 * log_theta[:, rows]), -_LARGEST, _LARGEST) * quotes.weight
        columns = np.stack([x, x * x / ratio], axis=1)
        square = columns @ columns.swapaxes(1, 2) + _LEAST * np.eye(2)
        lean, wide = np.linalg.solve(square, columns @ (ratio - 1.0)[..., None])[..., 0].T
        c = np.sqrt(np.clip(4.0 * np.maximum(wide, 0.0) + lean**2, _FLATTEST, 1.0 / _FLATTEST))
        beta, e = _SHAPE[3, 0], np.zeros(self.mean.shape)
        middle = np.nanmedian(np.where(quotes.weight > 0, log_theta[:, rows], np.nan), axis=1)
        eta = np.log(c) - beta * middle + (0.5 + beta) * np.log1p(np.exp(middle))
        leant = np.arctanh(np.clip(lean / c, -_MOST, _MOST))
        shape = np.stack([leant, np.zeros(len(c)), eta, np.full(len(c), beta)], axis=1)
        e[:, :4] = (shape - _SHAPE[:, 0]) / _SHAPE[:, 1]
        own = slice(4, 4 + levels.shape[1])
        e[:, own] = np.linalg.solve(self.levels, (levels - self.mean[:, own]).T).T
        return e

    def linear(self, point: FloatArray, at: Places) -> tuple[FloatArray, FloatArray]:
        """ln vol [F, n] at points, and its derivatives [F, n, 4 + 3 R] by e."""
        a, b, eta, beta = point[:, :4].T[..., None]
        level, bent, curved = np.moveaxis(point[:, 4:].reshape(len(point), 3, -1), 1, 0)
        q, log_theta = 0.5 * (self.t + 1.0), np.clip(2.0 * level + self.t, -_FARTHEST, _FARTHEST)
        theta, i = np.exp(log_theta), at.rows
        rho = np.tanh(a + b * q + bent)
        steep = np.clip(
            eta + beta * log_theta - (0.5 + beta) * np.log1p(theta) + curved, -_STEEPEST, _STEEPEST
        )
        x = np.clip(at.k * np.exp(-0.5 * log_theta)[:, i], -_LARGEST, _LARGEST)
        y = np.exp(steep)[:, i] * x
        value, by_y, by_rho = of_strikes(rho[:, i], y)
        turned, scaled = by_rho * (1.0 - rho**2)[:, i], by_y * y
        rise = 2.0 * (beta - (0.5 + beta) * theta / (1.0 + theta)) - 1.0
        by_e = np.empty((*value.shape, point.shape[1]))
        shape = (turned, turned * q[i], scaled, scaled * (log_theta - np.log1p(theta))[:, i])
        for number, (part, std) in enumerate(zip(shape, _SHAPE[:, 1], strict=True)):
            by_e[..., number] = part * std
        of_level, of_bent, of_curved = np.split(by_e[..., 4:], 3, axis=-1)
        np.multiply((1.0 + scaled * rise[:, i])[..., None], self.levels[i], out=of_level)
        np.multiply(turned[..., None], self.drifts[:, i], out=of_bent)
        np.multiply(scaled[..., None], self.drifts[:, i], out=of_curved)
        return level[:, i] + value, by_e


@dataclass(frozen=True)
class Fits:
    """The likeliest parameters of F surfaces given n quotes each. root: [F, p, p] the inverse root of what
    e's precision is there; noise: [F] std of ln vol of a quote at the money; residual, variance: [F, n] of
    each quote given the others. good: [F], leaving no more noise than the others do of each quote.
    """

    prior: Prior
    point: FloatArray
    root: FloatArray
    noise: FloatArray
    residual: FloatArray
    variance: FloatArray
    good: BoolArray

    def mean(self, at: Places) -> FloatArray:
        """[F, n] of ln vols at cells."""
        return self.prior.linear(self.point, at)[0]

    def ask(self, at: Places) -> tuple[FloatArray, FloatArray]:
        """Mean and variance [F, n] of ln vols quoted at cells."""
        mean, by_e = self.prior.linear(self.point, at)
        spread = ((by_e @ self.root.swapaxes(1, 2)) ** 2).sum(-1)
        return mean, spread + (self.noise**2)[:, None] * at.noise


def fitted(prior: Prior, start: FloatArray, quotes: Quotes, typical: FloatArray, small: FloatArray) -> Fits:
    """To the quotes of F surfaces. start: e [F, 4 + 3 R]. typical: [F], what the others leave of each quote.

    small: [F], the noise over that before the quotes are seen.
    """
    usual = np.maximum(small * typical, _LEAST)
    e, noise, left = start.copy(), usual.copy(), np.arange(len(start))
    for step in range(_STEPS):
        now, seen = prior.some(left), quotes.of(left)
        found = _Step.of(now, seen, e[left], noise[left])
        move = found.wanted * np.minimum(1.0, _LONGEST / np.maximum(found.size, _STILL))[:, None]
        e[left] += move
        looked = (found.size <= _NEAR) | (step >= _HELD)
        before, after = noise[left], found.noise_after(move, usual[left])
        noise[left] = np.where(looked, after, before)
        given_up = (after > _WORSE * typical[left]) & (step >= _ENOUGH)
        still = (found.size < _STILL) & (np.abs(np.log(after / before)) < _NEAR)
        left = left[~(looked & (given_up | still))]
        if not len(left):
            break
    last = _Step.of(prior, quotes, e, noise)
    free = np.maximum(last.free, _LEAST)
    good = noise <= _WORSE * typical
    return Fits(prior, prior.point(e), last.root, noise, last.left / free, last.variance / free, good)


@dataclass(frozen=True)
class _Step:
    """Linear least squares about a point. wanted: [F, p], by which e is to move; size: [F] of a or ln eta in
    that; root: as of `Fits`; by_e: [F, n, p]; left: [F, n] of the quotes; free: [F, n], what of each quote's
    residual the others leave; variance: [F, n], of quotes, inverse: that, 0 where there is none.
    """

    wanted: FloatArray
    size: FloatArray
    root: FloatArray
    by_e: FloatArray
    left: FloatArray
    free: FloatArray
    variance: FloatArray
    inverse: FloatArray
    noise: FloatArray

    @classmethod
    def of(cls, prior: Prior, quotes: Quotes, e: FloatArray, noise: FloatArray) -> _Step:
        value, by_e = prior.linear(prior.point(e), quotes.at)
        left, variance = quotes.values - value, (noise**2)[:, None] * quotes.at.noise
        inverse, turned = quotes.weight / variance, by_e.swapaxes(1, 2)
        precision = (turned * inverse[:, None]) @ by_e
        index = np.arange(e.shape[1])
        precision[:, index, index] += 1.0
        root = np.asarray(np.linalg.inv(_root(precision)), dtype=float)
        right = (turned @ (inverse * left)[..., None])[..., 0] - e
        wanted = (root.swapaxes(1, 2) @ (root @ right[..., None]))[..., 0]
        size = np.abs(wanted[:, [0, 2]] * _SHAPE[[0, 2], 1]).max(1)
        free = 1.0 - ((by_e @ root.swapaxes(1, 2)) ** 2).sum(-1) * inverse
        return cls(wanted, size, root, by_e, left, free, variance, inverse, noise)

    def noise_after(self, move: FloatArray, usual: FloatArray) -> FloatArray:
        """[F] that explains what is left of the quotes once e moved, ten times as large or small at most."""
        left = self.left - (self.by_e @ move[..., None])[..., 0]
        squares = (left**2 * self.inverse).sum(1) * self.noise**2 + _DEGREES * usual**2
        free = (self.free * (self.inverse > 0)).sum(1)
        noise = np.sqrt(squares / (np.maximum(free, 0.0) + _DEGREES))
        return np.asarray(np.maximum(np.clip(noise, 0.1 * self.noise, 10.0 * self.noise), _LEAST))


def _root(covariance: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.cholesky(covariance), dtype=float)
