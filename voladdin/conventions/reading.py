"""How the quotes of many tenors are to be read: conventions, discount factors of spot deltas, forwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from .pairs import ButterflyKind, Convention, convention


@dataclass(frozen=True, eq=False)
class Quoting:
    """rules: a convention a tenor. discounts: [T] of spot deltas, 1 of forward deltas or where the foreign
    rate is not known. forwards: [T], None where not known."""

    rules: tuple[Convention, ...]
    discounts: FloatArray
    forwards: FloatArray | None


def quoting(
    years: FloatArray,
    pair: str | Convention | Sequence[Convention],
    butterfly: ButterflyKind,
    *,
    spot: float | None,
    forwards: ArrayLike | None,
    domestic_rates: ArrayLike | None,
    foreign_rates: ArrayLike | None,
) -> Quoting:
    """Of tenors [T] years; the arguments are those of `smile_from_quotes`. Raises as that does."""
    discounts, ahead = _market(years, spot, forwards, domestic_rates, foreign_rates)
    rules = _rules(years, pair, butterfly)
    spot_delta = np.array([rule.delta == "spot" for rule in rules], dtype=bool)
    return Quoting(rules, np.where(spot_delta, discounts, 1.0), ahead)


def _rules(
    years: FloatArray, pair: str | Convention | Sequence[Convention], butterfly: ButterflyKind
) -> tuple[Convention, ...]:
    if butterfly not in ("broker", "smile"):
        raise InputError(f'butterfly is {butterfly!r}; expected "broker" or "smile"')
    if isinstance(pair, Convention):
        return (pair,) * len(years)
    if isinstance(pair, list | tuple):
        if len(pair) != len(years):
            raise InputError(f"pair has {len(pair)} conventions; expected {len(years)}, one a tenor")
        return tuple(pair)
    return tuple(convention(str(pair), tenor, butterfly) for tenor in years)


def column(name: str, values: ArrayLike, count: int) -> FloatArray:
    """[count] numbers or NaN, of one for each tenor or one for all. Raises InputError."""
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers or NaN: {error}") from None
    if numbers.shape not in ((), (count,)):
        raise InputError(f"{name} has shape {numbers.shape}; expected one number for each of {count} tenors")
    if np.isinf(numbers).any():
        raise InputError(f"{name} has an infinite value; expected numbers or NaN")
    return np.broadcast_to(numbers, (count,)).copy()


def _market(
    years: FloatArray,
    spot: float | None,
    forwards: ArrayLike | None,
    domestic_rates: ArrayLike | None,
    foreign_rates: ArrayLike | None,
) -> tuple[FloatArray, FloatArray | None]:
    """[T] base-currency discount factors (1 where unknown) and [T] forwards, or None where unknown."""
    known = {
        "spot": spot,
        "forwards": forwards,
        "domestic_rates": domestic_rates,
        "foreign_rates": foreign_rates,
    }
    given = {name: column(name, value, len(years)) for name, value in known.items() if value is not None}
    for name in ("spot", "forwards"):
        if name in given and not (given[name] > 0).all():
            raise InputError(f"{name} is {known[name]}; expected positive numbers")
    if {"spot", "domestic_rates", "foreign_rates"} <= given.keys() and "forwards" not in given:
        carry = (given["domestic_rates"] - given["foreign_rates"]) * years
        given["forwards"] = given["spot"] * np.exp(carry)
    discounts = np.ones_like(years)
    if "foreign_rates" in given:
        discounts = np.exp(-given["foreign_rates"] * years)
    elif {"spot", "forwards", "domestic_rates"} <= given.keys():
        discounts = given["forwards"] / given["spot"] * np.exp(-given["domestic_rates"] * years)
    if not np.isfinite(discounts).all():
        raise InputError(
            "domestic_rates or foreign_rates has a missing value; expected one rate for each tenor"
        )
    return discounts, given.get("forwards")
