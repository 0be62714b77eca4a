"""Market quotes of many tenors to smiles and to a surface on the delta axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._typing import FloatArray
from ..errors import InfeasibleError, InputError, UnitsError
from ..labels.tenors import parse_tenor, tenor_label
from .pairs import ButterflyKind, Convention, convention
from .smile import Quotes, Smile, fit

if TYPE_CHECKING:
    from ..surface import Surface  # surface itself imports this package

Tenors = Sequence[str | float | date] | FloatArray

STANDARD_DELTAS = (0.9, 0.75, 0.5, 0.25, 0.1)
PERCENT_ABOVE = 2.0  # a median vol above this is in percent points


def smile_from_quotes(
    tenors: Tenors,
    atm: ArrayLike,
    rr25: ArrayLike,
    bf25: ArrayLike,
    rr10: ArrayLike | None = None,
    bf10: ArrayLike | None = None,
    *,
    pair: str | Convention = "EURUSD",
    spot: float | None = None,
    forwards: ArrayLike | None = None,
    domestic_rates: ArrayLike | None = None,
    foreign_rates: ArrayLike | None = None,
    butterfly: ButterflyKind = "broker",
) -> Smile:
    """Smiles through full quotes of T tenors: five strikes each, or three without the 10-delta quotes.

    tenors: [T] years or labels. atm, rr25, bf25, rr10, bf10: [T] decimal vols, none missing; risk reversals
        are call vol less put vol.
    pair: "EURUSD" for the market's convention, or a `Convention` for all tenors.
    spot, forwards, domestic_rates, foreign_rates: [T] or one number; rates are continuously compounded, 0.02
        is 2%. Spot deltas need the foreign rate, given or implied by the other three; without it they are
        read as forward deltas.
    butterfly: "broker" (market strangle) or "smile" (mean wing vol less ATM); a `Convention` says itself.

    Raises InputError or UnitsError for the arguments, LabelError for a tenor or pair, InfeasibleError where
    no smile has these quotes. Source: Clark (2011), section 3.6; see `smile` for the interpolation.
    """
    names = ["atm", "rr25", "bf25"] + ([] if rr10 is None and bf10 is None else ["rr10", "bf10"])
    years, columns = _columns(tenors, atm, rr25, bf25, rr10, bf10)
    for name in names:
        _require_all(name, columns[name], years)
    discounts, known_forwards = _market(years, spot, forwards, domestic_rates, foreign_rates)
    wings = ("25", "10") if len(names) > 3 else ("25",)
    quotes = _quotes(years, columns, wings, _conventions(pair, years, butterfly), discounts)
    return replace(_fit(quotes), forwards=known_forwards)


def surface_from_quotes(
    tenors: Tenors,
    atm: ArrayLike,
    rr25: ArrayLike,
    bf25: ArrayLike,
    rr10: ArrayLike | None = None,
    bf10: ArrayLike | None = None,
    *,
    pair: str | Convention = "EURUSD",
    spot: float | None = None,
    forwards: ArrayLike | None = None,
    domestic_rates: ArrayLike | None = None,
    foreign_rates: ArrayLike | None = None,
    butterfly: ButterflyKind = "broker",
) -> Surface:
    """The surface [T, 5] of market quotes at forward call deltas 0.9, 0.75, 0.5, 0.25, 0.1.

    Arguments as for `smile_from_quotes`, but any quote may be NaN: without its risk reversal and butterfly
    the cells of a wing are NaN, without ATM the whole tenor is. 0 is a quote, except for ATM. A tenor with
    ATM alone has it at delta 0.5. Vols at the standard deltas come from the solved smile; where the quotes'
    own strikes are at these deltas (forward, unadjusted), they are the smile's vols themselves.

    Raises InputError or UnitsError for the arguments, LabelError for a tenor or pair, InfeasibleError where
    no smile has these quotes.
    """
    from ..surface import Surface  # surface itself imports this package

    years, columns = _columns(tenors, atm, rr25, bf25, rr10, bf10)
    discounts, known_forwards = _market(years, spot, forwards, domestic_rates, foreign_rates)
    rules = _conventions(pair, years, butterfly)
    vols = np.full((len(years), len(STANDARD_DELTAS)), np.nan)
    for wings, rows in _patterns(columns):
        chosen = tuple(rule for rule, row in zip(rules, rows, strict=True) if row)
        picked = {name: values[rows] for name, values in columns.items()}
        smile = _fit(_quotes(years[rows], picked, wings, chosen, discounts[rows]))
        quoted = np.array([delta == 0.5 or _wing(delta) in wings for delta in STANDARD_DELTAS])
        vols[np.ix_(rows, quoted)] = _at_deltas(smile, np.array(STANDARD_DELTAS)[quoted])
    return Surface(vols, years, deltas=STANDARD_DELTAS, forwards=known_forwards)


def _at_deltas(smile: Smile, deltas: FloatArray) -> FloatArray:
    vols = smile.vol_at_delta(deltas)
    for row, column in np.argwhere(~np.isfinite(vols)):
        raise InfeasibleError(
            f"the smile at {tenor_label(smile.tenors[row])} has no forward call delta {deltas[column]:g}; "
            "expected a smile whose call delta falls with strike"
        )
    return vols


def _wing(delta: float) -> str:
    return f"{100 * min(delta, 1 - delta):.0f}"


def _patterns(columns: dict[str, FloatArray]) -> list[tuple[tuple[str, ...], NDArray[np.bool_]]]:
    """Which wings are quoted, with the rows [T] where exactly these are."""
    quoted = {wing: np.isfinite(columns["rr" + wing] + columns["bf" + wing]) for wing in ("25", "10")}
    found: list[tuple[tuple[str, ...], NDArray[np.bool_]]] = []
    patterns: tuple[tuple[str, ...], ...] = (("25", "10"), ("25",), ("10",), ())
    for wings in patterns:
        rows = np.isfinite(columns["atm"])
        for wing, there in quoted.items():
            rows &= there if wing in wings else ~there
        if rows.any():
            found.append((wings, rows))
    return found


def _columns(
    tenors: Tenors,
    atm: ArrayLike,
    rr25: ArrayLike,
    bf25: ArrayLike,
    rr10: ArrayLike | None,
    bf10: ArrayLike | None,
) -> tuple[FloatArray, dict[str, FloatArray]]:
    years = np.array([parse_tenor(tenor) for tenor in tenors], dtype=float)
    given = {"atm": atm, "rr25": rr25, "bf25": bf25, "rr10": rr10, "bf10": bf10}
    columns = {name: _column(name, np.nan if v is None else v, len(years)) for name, v in given.items()}
    for label, vol in zip(tenors, columns["atm"], strict=True):
        if vol <= 0:
            raise InputError(f"atm at {label} is {vol:g}; expected a vol above 0, or NaN where it is missing")
    quoted = columns["atm"][np.isfinite(columns["atm"])]
    if len(quoted) and np.median(quoted) > PERCENT_ABOVE:
        raise UnitsError(f"atm has median {np.median(quoted):g}; expected decimals such as 0.0825 for 8.25%")
    return years, columns


def _column(name: str, values: ArrayLike, count: int) -> FloatArray:
    try:
        column = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers or NaN: {error}") from None
    if column.shape not in ((), (count,)):
        raise InputError(f"{name} has shape {column.shape}; expected one number for each of {count} tenors")
    if np.isinf(column).any():
        raise InputError(f"{name} has an infinite value; expected numbers or NaN")
    return np.broadcast_to(column, (count,)).copy()


def _require_all(name: str, column: FloatArray, years: FloatArray) -> None:
    for value, tenor in zip(column, years, strict=True):
        if np.isnan(value):
            raise InputError(f"{name} at {tenor_label(tenor)} is missing; expected a decimal vol")


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
    given = {name: _column(name, value, len(years)) for name, value in known.items() if value is not None}
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


def _conventions(
    pair: str | Convention, years: FloatArray, butterfly: ButterflyKind
) -> tuple[Convention, ...]:
    if butterfly not in ("broker", "smile"):
        raise InputError(f'butterfly is {butterfly!r}; expected "broker" or "smile"')
    if isinstance(pair, Convention):
        return (pair,) * len(years)
    return tuple(convention(pair, tenor, butterfly) for tenor in years)


def _quotes(
    years: FloatArray,
    columns: dict[str, FloatArray],
    wings: tuple[str, ...],
    rules: tuple[Convention, ...],
    discounts: FloatArray,
) -> Quotes:
    def wing_columns(kind: str) -> FloatArray:
        return np.array([columns[kind + wing] for wing in wings]).reshape(len(wings), len(years)).T

    spot_delta = np.array([rule.delta == "spot" for rule in rules], dtype=bool)
    return Quotes(
        tenors=years,
        atm=columns["atm"],
        deltas=tuple(float(wing) / 100 for wing in wings),
        risk_reversals=wing_columns("rr"),
        butterflies=wing_columns("bf"),
        discounts=np.where(spot_delta, discounts, 1.0),
        conventions=rules,
    )


def _fit(quotes: Quotes) -> Smile:
    smile = fit(quotes)
    for row in np.flatnonzero(~np.isfinite(smile.vols).all(axis=1)):
        wings = "; ".join(
            f"{100 * delta:g}-delta risk reversal {reversal:g}, butterfly {butterfly:g}"
            for delta, reversal, butterfly in zip(
                quotes.deltas, quotes.risk_reversals[row], quotes.butterflies[row], strict=True
            )
        )
        raise InfeasibleError(
            f"no smile found at {tenor_label(quotes.tenors[row])} for atm {quotes.atm[row]:g}; {wings} "
            "(decimals); expected positive wing vols and increasing strikes under the pair's convention: "
            f"{_shown(quotes.conventions[row])}"
        )
    return smile


def _shown(rule: Convention) -> str:
    adjusted = ", premium-adjusted" if rule.premium_adjusted else ""
    atm = "forward" if rule.atm == "forward" else "delta-neutral straddle"
    return f"{rule.delta} delta{adjusted}, ATM {atm}, {rule.butterfly} butterfly"
