"""Surfaces of SVI smiles fitted to quotes by Gauss-Newton steps; the noise is what the fit leaves of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray
from ..conditioning import inverse_root
from .essvi import SHAPE, Prior
from .families import Family
from .fitted_quotes import Places, Quotes
from .linearised import Linearised

_LEAST = 1e-5  # noise of ln vol
_DEGREES = 3.0  # how sure the noise is before the quotes are seen
_WORSE = 2.0  # noise over what is typical: not worth it
_STEPS, _HELD, _LONGEST = 12, 2, 1.0  # the noise stays for some; a or ln eta move by so much at most
_OWN_STEPS, _FARTHEST_STEP = 7, 1.0  # of smiles of their own: each number moves by so much at most
_ENOUGH = 4  # steps, after which a fit that leaves too much is given up
_STILL, _NEAR = 1e-2, 0.05  # of a and ln eta: found, or near enough to look at the noise
_OF_ALL = SHAPE[:3:2, 1]  # stds of a and ln eta
_FOUND, _SAME = 0.02, 0.05  # log density still to be gained, and change of the log noise: found too


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
    def of(cls, prior: Prior, e: FloatArray, noise: FloatArray, quotes: Quotes, members: FloatArray) -> Fits:
        """Of parameters that are found; members: of the quotes."""
        about = prior.linear(e, quotes.at)
        root = inverse_root(_Linear.of(prior, e, noise, about.sums(quotes, members)).precision)
        left, inverse = quotes.values - about.value, quotes.trust / (noise**2)[:, None]
        free = np.maximum(1.0 - about.spread(root) * inverse, _LEAST)
        variance = (noise**2)[:, None] * quotes.at.noise
        misfit = (inverse * left**2).sum(1) + (e**2).sum(1)
        sizes = np.log(np.where(inverse > 0, inverse, 1.0)).sum(1)
        log = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(1) + 0.5 * (sizes - misfit)
        return cls(prior, e, root, noise, left / free, variance / free, np.asarray(log))

    def at_own_deviations(self, rows: IntArray, x: FloatArray) -> FloatArray:
        """[F, n] mean of ln vols, as `Prior.at_own_deviations`."""
        return self.prior.at_own_deviations(self.e, rows, x)

    def linear(self, at: Places) -> Linearised:
        """Ln vols about the mean."""
        return self.prior.linear(self.e, at)

    def spread(self, about: Linearised) -> FloatArray:
        """Variance [F, n] of ln vols quoted at cells that are `linear`."""
        return np.asarray(about.spread(self.root) + (self.noise**2)[:, None] * about.at.noise)


def fitted(
    prior: Prior, start: FloatArray, quotes: Quotes, typical: FloatArray, before: FloatArray | None = None
) -> Fits:
    """To the quotes of F surfaces. start: e [F, p]. typical: [F], what the others leave of each quote.

    before: [F], the noise of the fit that smiles of their own start from, which tells how far that is off.
    """
    usual = np.maximum(prior.family.small * typical, _LEAST)
    e, left = start.copy(), np.arange(len(start))
    noise = usual.copy() if before is None else np.maximum(before, usual)
    all_members = quotes.at.members(len(prior.t))
    own, asked, members = prior, quotes, all_members
    for step in range(_OWN_STEPS if prior.family.raw_svi else _STEPS):
        now, here = noise[left], e[left]
        sums = own.linear(here, asked.at).sums(asked, members)
        move, size, gain, after = _Linear.of(own, here, now, sums).step(asked.count, usual[left])
        e[left] = here + move
        looked = (size <= _NEAR) | (step >= _HELD)
        noise[left] = np.where(looked, after, now)
        given_up = (after > _WORSE * typical[left]) & (step >= _ENOUGH)
        still = ((size < _STILL) | (gain < _FOUND)) & (np.abs(np.log(after / now)) < _SAME)
        done = looked & (given_up | still)
        if done.all():
            break
        if done.any():
            left = left[~done]
            own, asked = prior.some(left), quotes.of(left)
            members = asked.at.members(len(prior.t))
    return Fits.of(prior, e, noise, quotes, all_members)


@dataclass(frozen=True)
class _Linear:
    """Linear least squares about a point e [F, p], given the noise [F].

    squares: [F] of what is left of the quotes, over the noise's variance; right: [F, p] half the slope of the
    log density by e, but for that of the squares of e; precision: [F, p, p] of e.
    """

    family: Family
    e: FloatArray
    noise: FloatArray
    squares: FloatArray
    right: FloatArray
    precision: FloatArray

    @classmethod
    def of(cls, prior: Prior, e: FloatArray, noise: FloatArray, sums: FloatArray) -> _Linear:
        """sums: `Linearised.sums`."""
        over, (fits, size) = noise**-2.0, e.shape
        turns = prior.turns.reshape(-1, size)
        turned = (sums[..., :-1, :-1] @ prior.turns).reshape(fits, -1, size)
        turned *= over[:, None, None]
        precision = turns.T @ turned
        precision.reshape(fits, -1)[:, :: size + 1] += 1.0
        right = (sums[..., :-1, -1].reshape(fits, -1) @ turns) * over[:, None]
        return cls(prior.family, e, noise, sums[..., -1, -1].sum(1) * over, right, precision)

    def step(
        self, count: IntArray, usual: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """By which e is to move [F, p], how far a or ln eta wanted to [F], the gain of log density that was
        wanted [F], and the noise after [F], of `count` [F] quotes and that is usual [F].

        Of smiles of their own how far any number wanted to, over what it may: none of theirs is of all.
        """
        root, slope = inverse_root(self.precision), self.right - self.e
        wanted = ((root @ slope[..., None]).swapaxes(1, 2) @ root)[:, 0]
        size = np.abs(wanted[:, :3:2] * _OF_ALL).max(1)
        if self.family.raw_svi:
            size = np.maximum(size, np.abs(wanted).max(1) / _FARTHEST_STEP)
        short = np.minimum(1.0, _LONGEST / np.maximum(size, _STILL))[:, None]
        move = wanted * short
        squares = self.squares - (move * (2.0 * self.right - short * slope + move)).sum(1)
        free = count - self.e.shape[1] + np.einsum("fij,fij->f", root, root)
        return move, size, 0.5 * (slope * wanted).sum(1), self._noise(squares, free, usual)

    def _noise(self, squares: FloatArray, free: FloatArray, usual: FloatArray) -> FloatArray:
        """[F] that explains these squares of what is left, of which so many are free, ten times as large or
        small at most.
        """
        sum_of_squares = np.maximum(squares, 0.0) * self.noise**2 + _DEGREES * usual**2
        after = np.sqrt(sum_of_squares / (np.maximum(free, 0.0) + _DEGREES))
        after = np.minimum(np.maximum(after, 0.1 * self.noise), 10.0 * self.noise)
        return np.asarray(np.maximum(after, _LEAST))
