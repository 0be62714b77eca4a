"""Surfaces of SVI smiles fitted to quotes by Gauss-Newton steps; the noise is what the fit leaves of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray, IntArray
from ..conditioning import lower_root, triangular_inverse
from .essvi import SHAPE, Prior
from .families import Family
from .fitted_quotes import Places, Quotes

_LEAST = 1e-5  # noise of ln vol
_DEGREES = 3.0  # how sure the noise is before the quotes are seen
_WORSE = 2.0  # noise over what is typical: not worth it
_STEPS, _HELD, _LONGEST = 12, 2, 1.0  # the noise stays for some; a or ln eta move by so much at most
_STEPS_OF_OWN, _FARTHEST_STEP = 20, 1.0  # of smiles of their own; each number moves by so much at most
_ENOUGH = 4  # steps, after which a fit that leaves too much is given up
_STILL, _NEAR = 1e-2, 0.05  # of a and ln eta: found, or near enough to look at the noise
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

    def at_own_deviations(self, rows: IntArray, x: FloatArray) -> FloatArray:
        """[F, n] mean of ln vols, as `Prior.at_own_deviations`."""
        return self.prior.at_own_deviations(self.prior.point(self.e), rows, x)

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
    usual = np.maximum(prior.family.small * typical, _LEAST)
    e, left = start.copy(), np.arange(len(start))
    noise = usual.copy() if before is None else np.maximum(before, usual)
    own, asked, turns = prior, quotes, prior.turns(quotes.at)
    for step in range(_STEPS_OF_OWN if prior.family.raw_svi else _STEPS):
        found = _Linear.at(own, asked, e[left], noise[left], turns)
        move, size, free, gain = found.step()
        e[left] += move
        looked = (size <= _NEAR) | (step >= _HELD)
        now, after = noise[left], found.noise_after(move, free, noise[left], usual[left])
        noise[left] = np.where(looked, after, now)
        given_up = (after > _WORSE * typical[left]) & (step >= _ENOUGH)
        still = ((size < _STILL) | (gain < _FOUND)) & (np.abs(np.log(after / now)) < _SAME)
        done = looked & (given_up | still)
        if done.all():
            break
        if done.any():
            left = left[~done]
            own, asked = prior.some(left), quotes.of(left)
            turns = own.turns(asked.at)
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
    def at(
        cls, prior: Prior, quotes: Quotes, e: FloatArray, noise: FloatArray, turns: FloatArray | None = None
    ) -> _Linear:
        value, by_e = prior.linear(prior.point(e), quotes.at, turns)
        inverse = quotes.weight / ((noise**2)[:, None] * quotes.at.noise)
        precision = (by_e.swapaxes(1, 2) * inverse[:, None]) @ by_e
        index = np.arange(e.shape[1])
        precision[:, index, index] += 1.0
        return cls(prior.family, e, quotes.values - value, inverse, by_e, precision)

    def step(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """By which e is to move [F, p], how far a or ln eta wanted to [F], what the fit leaves free [F], and
        the gain of log density that was wanted [F].

        Of smiles of their own how far any number wanted to, over what it may: none of theirs is of all.
        """
        root = triangular_inverse(lower_root(self.precision))
        right = ((self.inverse * self.left)[:, None] @ self.by_e)[:, 0] - self.e
        wanted = ((root @ right[..., None]).swapaxes(1, 2) @ root)[:, 0]
        size = np.abs(wanted[:, [0, 2]] * SHAPE[[0, 2], 1]).max(1)
        if self.family.raw_svi:
            size = np.maximum(size, np.abs(wanted).max(1) / _FARTHEST_STEP)
        used = self.e.shape[1] - np.einsum("fij,fij->f", root, root)
        short = np.minimum(1.0, _LONGEST / np.maximum(size, _STILL))
        gain = 0.5 * (right * wanted).sum(1)
        return wanted * short[:, None], size, (self.inverse > 0).sum(1) - used, gain

    def noise_after(
        self, move: FloatArray, free: FloatArray, noise: FloatArray, usual: FloatArray
    ) -> FloatArray:
        """[F] that explains what is left of the quotes once e moved, ten times as large or small at most."""
        left = self.left - (self.by_e @ move[..., None])[..., 0]
        squares = (left**2 * self.inverse).sum(1) * noise**2 + _DEGREES * usual**2
        after = np.sqrt(squares / (np.maximum(free, 0.0) + _DEGREES))
        return np.asarray(np.maximum(np.clip(after, 0.1 * noise, 10.0 * noise), _LEAST))
