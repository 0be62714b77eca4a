"""SSVI surfaces whose smiles may drift with the expiry, fitted to quotes by Gauss-Newton steps.

At expiry i of total ATM variance theta_i = T_i exp(2 l_i), with y = c_i k / sqrt(theta_i) and k = ln(K/F),

    vol² = exp(2 l_i) (1 + rho_i y + sqrt(y² + 2 rho_i y + 1)) / 2
    artanh rho_i = a + b q_i + d_i,   ln c_i = ln eta + beta ln theta_i - (1/2 + beta) ln(1 + theta_i) + e_i

(Gatheral and Jacquier 2014; gamma there is 1/2 - beta; Hendriks and Martini 2019 let rho move with theta).
q = (ln T + 1) / 2. The l_i are a process in ln T, d_i and e_i too, small ones: without them the surface is
SSVI. With two numbers more an expiry, s_i and f_i, and less in common, smiles are raw SVI's (`svi.py`). All
parameters have a Gaussian prior; the noise of the quotes is what the fit leaves of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..._typing import FloatArray, IntArray
from ..conditioning import lower_root, triangular_inverse
from ..processes.bending import of_own, of_strikes
from ..processes.covariance import matern32, matern52
from ..processes.moments import median_of
from . import svi
from .families import Family
from .fitted_quotes import Places, Quotes

_SHAPE = np.array([[-0.2, 0.8], [0.0, 0.3], [0.0, 0.6], [0.1, 0.15]])  # mean and std of a, b, ln eta, beta
_LEVELS = ((0.3, 2.0), (0.1, 0.3))  # std and length in ln T of what the ATM vols do about their mean
_LEVEL_STD, _ROUGH = 1.0, 0.03  # std of the mean level, and of each l_i on its own
_DRIFT_LENGTH = 2.0
_MOST, _FLATTEST = 0.95, 1e-4  # |rho| and c² of a start
_EDGE = 0.9999  # |rho|, beyond which rounding leaves wings no variance
_LARGEST, _STEEPEST, _FARTHEST = 50.0, 20.0, 100.0  # k / sqrt(theta), ln c, ln theta: no more than these
_LEAST = 1e-5  # noise of ln vol
_DEGREES = 3.0  # how sure the noise is before the quotes are seen
_WORSE = 2.0  # noise over what is typical: not worth it
_STEPS, _HELD, _LONGEST = 12, 2, 1.0  # the noise stays for some; a or ln eta move by so much at most
_STEPS_OF_OWN, _FARTHEST_STEP = 20, 1.0  # of smiles of their own; each number moves by so much at most
_ENOUGH = 4  # steps, after which a fit that leaves too much is given up
_STILL, _NEAR = 1e-2, 0.05  # of a and ln eta: found, or near enough to look at the noise


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
        gap, own = np.abs(t[:, None] - t), np.eye(len(t))
        levels = _LEVEL_STD**2 + sum(std**2 * matern32(gap / length) for std, length in _LEVELS)
        drifts = np.zeros((len(t), 0))
        if family.drift:
            drifts = family.drift * lower_root(matern52(gap / _DRIFT_LENGTH) + family.rough * own)
        mean = np.zeros((len(level), 4 + (1 + family.drifting) * len(t)))
        mean[:, :4], mean[:, 4 : 4 + len(t)] = _SHAPE[:, 0], level[:, None]
        return cls(family, t, mean, lower_root(levels + _ROUGH**2 * own), drifts)

    def some(self, fits: IntArray) -> Prior:
        """Some surfaces'."""
        return replace(self, mean=self.mean[fits])

    def started(self, other: Prior, e: FloatArray) -> FloatArray:
        """[F, p] of the point that e [F, p'] tells of another family, of no more numbers that drift."""
        start, last = np.zeros((len(e), self.size)), 4 + len(self.t)
        start[:, :last] = e[:, :last]
        if other.family.drift:
            turn, before = np.linalg.solve(self.drifts, other.drifts), self._drifting(start)
            for part, out in zip(other._drifting(e), before, strict=False):
                out[:] = part @ turn.T
        return start

    @property
    def size(self) -> int:
        """p."""
        return 4 + len(self.t) + self.family.drifting * int(self.drifts.shape[1])

    def _drifting(self, e: FloatArray) -> list[FloatArray]:
        """Views [..., D] of the parts of e [..., p] that drift."""
        return np.split(e[..., 4 + len(self.t) :], self.family.drifting, axis=-1)

    def point(self, e: FloatArray) -> FloatArray:
        """Parameters that lie e [F, p] standard normals from the mean."""
        last = 4 + len(self.t)
        drifts = (part @ self.drifts.T for part in self._drifting(e))
        moved = (_SHAPE[:, 1] * e[:, :4], e[:, 4:last] @ self.levels.T, *drifts)
        return np.asarray(self.mean + np.concatenate(moved, axis=1))

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
        beta, e = _SHAPE[3, 0], np.zeros((len(c), self.size))
        middle = median_of(np.where(quotes.weight > 0, at.expand(log_theta), np.nan))
        eta = np.log(c) - beta * middle + (0.5 + beta) * np.log1p(np.exp(middle))
        leant = np.arctanh(np.clip(lean / c, -_MOST, _MOST))
        shape = np.stack([leant, np.zeros(len(c)), eta, np.full(len(c), beta)], axis=1)
        e[:, :4] = (shape - _SHAPE[:, 0]) / _SHAPE[:, 1]
        own = slice(4, 4 + levels.shape[1])
        e[:, own] = np.linalg.solve(self.levels, (levels - self.mean[:, own]).T).T
        return e

    def smiles(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """ln theta, rho and c [F, R] of each expiry."""
        a, b, eta, beta = point[:, :4].T[..., None]
        level, bent, curved = self._of_expiries(point)[:3]
        log_theta = np.clip(2.0 * level + self.t, -_FARTHEST, _FARTHEST)
        rho = np.clip(np.tanh(a + b * (0.5 * (self.t + 1.0)) + bent), -_EDGE, _EDGE)
        steep = eta + beta * log_theta - (0.5 + beta) * np.log1p(np.exp(log_theta)) + curved
        return log_theta, rho, np.exp(np.clip(steep, -_STEEPEST, _STEEPEST))

    def _of_expiries(self, point: FloatArray) -> FloatArray:
        """[1 + n, F, R] l, and what drifts."""
        return np.moveaxis(point[:, 4:].reshape(len(point), 1 + self.family.drifting, -1), 1, 0)

    def own(self, point: FloatArray, rows: IntArray, x: FloatArray) -> FloatArray:
        """ln vol [F, n] in expiries `rows` [n] at x [F, n], ln(K/F) in deviations of the vol itself."""
        _, rho, c = (each[:, rows] for each in self.smiles(point))
        level, _, _, *free = (each[:, rows] for each in self._of_expiries(point))
        value = svi.of_own(rho, c * x, *free) if free else of_own(rho, c * x)[0]
        return np.asarray(level + value)

    def linear(self, point: FloatArray, at: Places) -> tuple[FloatArray, FloatArray]:
        """ln vol [F, n] at points, and its derivatives [F, n, p] by e."""
        log_theta, rho, c = self.smiles(point)
        beta, level, rho = point[:, 3:4], point[:, 4 : 4 + len(self.t)], at.expand(rho)
        q, theta = 0.5 * (self.t[at.rows] + 1.0), np.exp(log_theta)
        x = np.clip(at.k * at.expand(np.exp(-0.5 * log_theta)), -_LARGEST, _LARGEST)
        y = at.expand(c) * x
        free = [at.expand(each) for each in self._of_expiries(point)[3:]]
        value, by_y, by_rho, *by_free = svi.of_strikes(rho, y, *free) if free else of_strikes(rho, y)
        turned, scaled = by_rho * (1.0 - rho**2), by_y * y
        rise = 2.0 * (beta - (0.5 + beta) * theta / (1.0 + theta)) - 1.0
        last = 4 + len(self.t)
        by_e = np.empty((*value.shape, self.size))
        shape = (turned, turned * q, scaled, scaled * at.expand(log_theta - np.log1p(theta)))
        for number, (part, std) in enumerate(zip(shape, _SHAPE[:, 1], strict=True)):
            by_e[..., number] = part * std
        risen = 1.0 + scaled * at.expand(rise)
        np.multiply(risen[..., None], self.levels[at.rows], out=by_e[..., 4:last])
        for part, out in zip((turned, scaled, *by_free), self._drifting(by_e), strict=True):
            np.multiply(part[..., None], self.drifts[at.rows], out=out)
        return at.expand(level) + value, by_e


@dataclass(frozen=True)
class Fits:
    """The likeliest parameters of F surfaces given n quotes each, e [F, p] as the prior has them.

    root: [F, p, p] the inverse root of e's precision there; noise: [F] std of ln vol of a quote at the money;
    residual, variance: [F, n] of each quote given the others; log: [F], the evidence, but for a constant.
    """

    prior: Prior
    e: FloatArray
    root: FloatArray
    noise: FloatArray
    residual: FloatArray
    variance: FloatArray
    log: FloatArray

    @classmethod
    def of(cls, prior: Prior, e: FloatArray, noise: FloatArray, quotes: Quotes) -> Fits:
        """Of parameters that are found."""
        now = _Linear.at(prior, quotes, e, noise)
        root = triangular_inverse(lower_root(now.precision))
        free = np.maximum(1.0 - ((now.by_e @ root.swapaxes(1, 2)) ** 2).sum(-1) * now.inverse, _LEAST)
        variance = (noise**2)[:, None] * quotes.at.noise
        misfit = (now.inverse * now.left**2).sum(1) + (e**2).sum(1)
        sizes = np.log(np.where(now.inverse > 0, now.inverse, 1.0)).sum(1)
        log = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(1) + 0.5 * (sizes - misfit)
        return cls(prior, e, root, noise, now.left / free, variance / free, np.asarray(log))

    def own(self, rows: IntArray, x: FloatArray) -> FloatArray:
        """[F, n] mean of ln vols, as `Prior.own`."""
        return self.prior.own(self.prior.point(self.e), rows, x)

    def linear(self, at: Places) -> tuple[FloatArray, FloatArray]:
        """Mean [F, n] of ln vols, and its derivatives [F, n, p] by e."""
        return self.prior.linear(self.prior.point(self.e), at)

    def spread(self, by_e: FloatArray, at: Places) -> FloatArray:
        """Variance [F, n] of ln vols quoted at cells, of derivatives [F, n, p] there."""
        return np.asarray(
            ((by_e @ self.root.swapaxes(1, 2)) ** 2).sum(-1) + (self.noise**2)[:, None] * at.noise
        )


def fitted(
    prior: Prior, start: FloatArray, quotes: Quotes, typical: FloatArray, before: FloatArray | None = None
) -> Fits:
    """To the quotes of F surfaces. start: e [F, p]. typical: [F], what the others leave of each quote.

    before: [F], the noise of the fit that smiles of their own start from, which tells how far that is off.
    """
    usual, most = (
        np.maximum(prior.family.small * typical, _LEAST),
        _STEPS_OF_OWN if prior.family.own else _STEPS,
    )
    e, left = start.copy(), np.arange(len(start))
    noise = usual.copy() if before is None else np.maximum(before, usual)
    for step in range(most):
        found = _Linear.at(prior.some(left), quotes.of(left), e[left], noise[left])
        move, size, free = found.step()
        e[left] += move
        looked = (size <= _NEAR) | (step >= _HELD)
        before, after = noise[left], found.noise_after(move, free, noise[left], usual[left])
        noise[left] = np.where(looked, after, before)
        given_up = (after > _WORSE * typical[left]) & (step >= _ENOUGH)
        still = (size < _STILL) & (np.abs(np.log(after / before)) < _NEAR)
        left = left[~(looked & (given_up | still))]
        if not len(left):
            break
    return Fits.of(prior, e, noise, quotes)


@dataclass(frozen=True)
class _Linear:
    """Linear least squares about a point e [F, p]. left, inverse: [F, n] of the quotes, and one over their
    variance, 0 where there is none; by_e: [F, n, p]; precision: [F, p, p] of e.
    """

    family: Family
    e: FloatArray
    left: FloatArray
    inverse: FloatArray
    by_e: FloatArray
    precision: FloatArray

    @classmethod
    def at(cls, prior: Prior, quotes: Quotes, e: FloatArray, noise: FloatArray) -> _Linear:
        value, by_e = prior.linear(prior.point(e), quotes.at)
        inverse = quotes.weight / ((noise**2)[:, None] * quotes.at.noise)
        precision = (by_e.swapaxes(1, 2) * inverse[:, None]) @ by_e
        index = np.arange(e.shape[1])
        precision[:, index, index] += 1.0
        return cls(prior.family, e, quotes.values - value, inverse, by_e, precision)

    def step(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """By which e is to move [F, p], how far a or ln eta wanted to [F], what the fit leaves free [F].

        Of smiles of their own how far any number wanted to, over what it may: none of theirs is of all.
        """
        root = triangular_inverse(lower_root(self.precision))
        right = ((self.inverse * self.left)[:, None] @ self.by_e)[:, 0] - self.e
        wanted = ((root @ right[..., None]).swapaxes(1, 2) @ root)[:, 0]
        size = np.abs(wanted[:, [0, 2]] * _SHAPE[[0, 2], 1]).max(1)
        if self.family.own:
            size = np.maximum(size, np.abs(wanted).max(1) / _FARTHEST_STEP)
        used = self.e.shape[1] - np.einsum("fij,fij->f", root, root)
        short = np.minimum(1.0, _LONGEST / np.maximum(size, _STILL))
        return wanted * short[:, None], size, (self.inverse > 0).sum(1) - used

    def noise_after(
        self, move: FloatArray, free: FloatArray, noise: FloatArray, usual: FloatArray
    ) -> FloatArray:
        """[F] that explains what is left of the quotes once e moved, ten times as large or small at most."""
        left = self.left - (self.by_e @ move[..., None])[..., 0]
        squares = (left**2 * self.inverse).sum(1) * noise**2 + _DEGREES * usual**2
        after = np.sqrt(squares / (np.maximum(free, 0.0) + _DEGREES))
        return np.asarray(np.maximum(np.clip(after, 0.1 * noise, 10.0 * noise), _LEAST))
