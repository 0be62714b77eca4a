"""What is hidden, as a desk's sheets have it. True is hidden; every surface keeps a quote.

10%, 30%, 60%, 90%   of the quotes, at random
expiry    one whole expiry (a middle one where there are three)
wings     the outer quarter on both sides, each of half the expiries
three     all but three random quotes an expiry
atm       all but the quote nearest the money of each expiry
liquid    what is further out than 0.5 to 2 deviations, and of what is nearer nothing, or all strikes but
          every second or third; of the long expiries the next of these, to every fourth
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from voladdin._typing import BoolArray, FloatArray

_Hide = Callable[[np.random.Generator, BoolArray, FloatArray], BoolArray]


def hide(rng: np.random.Generator, kind: str, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    """[n, T, K] hidden cells of one kind; quoted [n, T, K], deltas [n, T, K] forward call deltas.

    Cells without a quote are never hidden. Raises KeyError (unknown kind).
    """
    hidden = MASKS[kind](rng, quoted, deltas) & quoted
    empty = ~(quoted & ~hidden).any(axis=(1, 2))
    if empty.any():
        best = np.where(quoted, -np.abs(deltas - 0.5), -np.inf).reshape(len(quoted), -1).argmax(axis=1)
        hidden.reshape(len(quoted), -1)[np.flatnonzero(empty), best[empty]] = False
    return hidden


def _share(rate: float) -> _Hide:
    def random(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
        score = np.where(quoted, rng.random(quoted.shape), 2.0).reshape(len(quoted), -1)
        rank = score.argsort(axis=1).argsort(axis=1).reshape(quoted.shape)
        number = np.maximum(np.round(rate * quoted.sum(axis=(1, 2))), 1)
        return np.asarray(rank < number[:, None, None])

    return random


def _rows(rng: np.random.Generator, quoted: BoolArray) -> NDArray[np.intp]:
    """[n, T] random ranks of the expiries that have quotes; those that have none come last."""
    score = np.where(quoted.any(axis=2), rng.random(quoted.shape[:2]), 2.0)
    return score.argsort(axis=1).argsort(axis=1)


def _expiry(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    score = np.where(quoted.any(axis=2), rng.random(quoted.shape[:2]), -1.0)
    if quoted.shape[1] > 2:
        score[:, [0, -1]] -= 1.0
    chosen = score.argmax(axis=1)
    return np.broadcast_to((np.arange(quoted.shape[1]) == chosen[:, None])[..., None], quoted.shape).copy()


def _wings(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    half = np.maximum(quoted.any(axis=2).sum(axis=1, keepdims=True) // 2, 1)
    left, right = (_rows(rng, quoted) < half for _ in range(2))
    place = (np.cumsum(quoted, axis=2) - 0.5) / np.maximum(quoted.sum(axis=2, keepdims=True), 1)
    return np.asarray((left[..., None] & (place < 0.25)) | (right[..., None] & (place > 0.75)))


def _three(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    score = np.where(quoted, rng.random(quoted.shape), 2.0)
    return np.asarray(score.argsort(axis=2).argsort(axis=2) >= 3)


def _atm(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    distance = np.where(quoted, np.abs(deltas - 0.5), np.inf)
    return np.asarray(np.arange(quoted.shape[2]) != distance.argmin(axis=2)[..., None])


def _liquid(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
    count, expiries, strikes = quoted.shape
    distance = np.abs(ndtri(np.clip(deltas, 1e-9, 1 - 1e-9)))
    reach = rng.uniform(0.5, 2.0, (count, 1, 1))
    every = rng.integers(1, 4, (count, 1, 1)) + (np.arange(expiries)[:, None] > 0.6 * expiries)
    return np.asarray((distance > reach) | (np.arange(strikes) % every != 0))


MASKS: dict[str, _Hide] = {
    "10%": _share(0.1),
    "30%": _share(0.3),
    "60%": _share(0.6),
    "90%": _share(0.9),
    "expiry": _expiry,
    "wings": _wings,
    "three": _three,
    "atm": _atm,
    "liquid": _liquid,
}
