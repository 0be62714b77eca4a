"""What is hidden, as a desk's sheets have it. True is hidden; every surface keeps a quote.

10%, 30%, 60%, 90%   of the quotes, at random
expiry    one whole expiry (a middle one where there are three)
wings     the outer quarter on both sides, each of half the expiries
three     all but three random quotes an expiry
atm       all but the quote nearest the money of each expiry
liquid    what is further out than 0.5 to 2 deviations, and of what is nearer nothing, or all strikes but
          every second or third; of the long expiries the next of these, to every fourth

Holes that nothing is trained under, which tell whether what is learned is of markets or of masks:

money      what is between 40 and 60 delta
puts       all calls but those within 5 delta of the money: puts are shown
calls      all puts but those: calls are shown
outer      what is between 20 and 80 delta: the far wings are shown
alternate  every second expiry
ends       all expiries but the first and the last
short      the longer half of the expiries
long       the shorter half of them
one        all but one random quote an expiry
six        all but six random quotes
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
    mask = MASKS.get(kind) or UNSEEN_MASKS[kind]
    hidden = mask(rng, quoted, deltas) & quoted
    empty = ~(quoted & ~hidden).any(axis=(1, 2))
    if empty.any():
        best = np.where(quoted, -np.abs(deltas - 0.5), -np.inf).reshape(len(quoted), -1).argmax(axis=1)
        hidden.reshape(len(quoted), -1)[np.flatnonzero(empty), best[empty]] = False
    return hidden


def _ranks(rng: np.random.Generator, quoted: BoolArray) -> NDArray[np.intp]:
    """[n, T, K] random ranks of all quotes; cells without one come last."""
    score = np.where(quoted, rng.random(quoted.shape), 2.0).reshape(len(quoted), -1)
    return score.argsort(axis=1).argsort(axis=1).reshape(quoted.shape)


def _share(rate: float) -> _Hide:
    def random(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
        number = np.maximum(np.round(rate * quoted.sum(axis=(1, 2))), 1)
        return np.asarray(_ranks(rng, quoted) < number[:, None, None])

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


def _of_each(count: int) -> _Hide:
    """All but so many random quotes of each expiry."""

    def of_each(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
        score = np.where(quoted, rng.random(quoted.shape), 2.0)
        return np.asarray(score.argsort(axis=2).argsort(axis=2) >= count)

    return of_each


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
    "three": _of_each(3),
    "atm": _atm,
    "liquid": _liquid,
}


def _between(low: float, high: float) -> _Hide:
    def between(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
        return np.asarray((deltas > low) & (deltas < high))

    return between


def _expiries(chosen: Callable[[NDArray[np.intp], NDArray[np.intp]], BoolArray]) -> _Hide:
    """chosen: of each expiry's place [n, T] among those that have quotes, and how many [n, 1] there are."""

    def expiries(rng: np.random.Generator, quoted: BoolArray, deltas: FloatArray) -> BoolArray:
        there = quoted.any(axis=2)
        gone = chosen(there.cumsum(1) - 1, there.sum(1, keepdims=True))
        return np.asarray(quoted & gone[..., None])

    return expiries


UNSEEN_MASKS: dict[str, _Hide] = {
    "money": _between(0.4, 0.6),
    "puts": _between(-np.inf, 0.45),
    "calls": _between(0.55, np.inf),
    "outer": _between(0.2, 0.8),
    "alternate": _expiries(lambda place, count: place % 2 == 1),
    "ends": _expiries(lambda place, count: (place > 0) & (place < count - 1)),
    "short": _expiries(lambda place, count: place >= (count + 1) // 2),
    "long": _expiries(lambda place, count: place < count // 2),
    "one": _of_each(1),
    "six": lambda rng, quoted, deltas: np.asarray(_ranks(rng, quoted) >= 6),
}
