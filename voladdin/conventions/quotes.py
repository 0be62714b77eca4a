"""Market quotes of many tenors to smiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .._typing import BoolArray, FloatArray
from ..errors import InfeasibleError, InputError, UnitsError
from ..labels.tenors import parse_tenor, tenor_label
from .pairs import ButterflyKind, Convention
from .reading import Quoting, column, quoting
from .smile import Smile, TenorQuotes, fit

Tenors = Sequence[str | float | date] | FloatArray

PERCENT_ABOVE = 2.0  # a median vol above this is in percent points


def smile_from_quotes(
    tenors: Tenors,
    atm: ArrayLike,
    rr25: ArrayLike,
    bf25: ArrayLike,
    rr10: ArrayLike | None = None,
    bf10: ArrayLike | None = None,
    *,
    pair: str | Convention | Sequence[Convention] = "EURUSD",
    spot: float | None = None,
    forwards: ArrayLike | None = None,
    domestic_rates: ArrayLike | None = None,
    foreign_rates: ArrayLike | None = None,
    butterfly: ButterflyKind = "broker",
) -> Smile:
    """Smiles through full quotes of T tenors: five strikes each, or three without the 10-delta quotes.

    tenors: [T] years or labels. atm, rr25, bf25, rr10, bf10: [T] decimal vols, none missing; risk reversals
        are call vol less put vol.
    pair: "EURUSD" for the market's convention, a `Convention` for all tenors, or one a tenor.
    spot, forwards, domestic_rates, foreign_rates: [T] or one number; rates are continuously compounded, 0.02
        is 2%. Spot deltas need the foreign rate, given or implied by the other three; without it they are
        read as forward deltas.
    butterfly: "broker" (market strangle) or "smile" (mean wing vol less ATM); a `Convention` says itself.

    Raises InputError or UnitsError for the arguments, LabelError for a tenor or pair, InfeasibleError where
    no smile has these quotes. Source: Clark (2011), section 3.6; see `smile` for the interpolation.
    """
    given = MarketQuotes(
        tenors,
        atm,
        rr25,
        bf25,
        rr10,
        bf10,
        pair=pair,
        spot=spot,
        forwards=forwards,
        domestic_rates=domestic_rates,
        foreign_rates=foreign_rates,
        butterfly=butterfly,
    )
    wings = ("25",) if rr10 is None and bf10 is None else ("25", "10")
    given.require_all(wings)
    return replace(given.smile(wings), forwards=given.known_forwards)


@dataclass(frozen=True, eq=False)
class MarketQuotes:
    """The arguments of `smile_from_quotes`, read as they are first asked for. Raises as that does."""

    tenors: Tenors
    atm: ArrayLike
    rr25: ArrayLike
    bf25: ArrayLike
    rr10: ArrayLike | None
    bf10: ArrayLike | None
    pair: str | Convention | Sequence[Convention]
    spot: float | None
    forwards: ArrayLike | None
    domestic_rates: ArrayLike | None
    foreign_rates: ArrayLike | None
    butterfly: ButterflyKind

    @cached_property
    def years(self) -> FloatArray:
        """[T]."""
        return np.array([parse_tenor(tenor) for tenor in self.tenors], dtype=float)

    @cached_property
    def columns(self) -> dict[str, FloatArray]:
        """atm, rr25, bf25, rr10, bf10: [T] decimal vols, NaN where there is none."""
        given = {name: getattr(self, name) for name in ("atm", "rr25", "bf25", "rr10", "bf10")}
        columns = {
            name: column(name, np.nan if v is None else v, len(self.years)) for name, v in given.items()
        }
        for label, vol in zip(self.tenors, columns["atm"], strict=True):
            if vol <= 0:
                raise InputError(
                    f"atm at {label} is {vol:g}; expected a vol above 0, or NaN where it is missing"
                )
        quoted = columns["atm"][np.isfinite(columns["atm"])]
        if len(quoted) and np.median(quoted) > PERCENT_ABOVE:
            raise UnitsError(
                f"atm has median {np.median(quoted):g}; expected decimals such as 0.0825 for 8.25%"
            )
        return columns

    def validated(self) -> MarketQuotes:
        """Itself, with every argument read."""
        _ = self.columns, self._quoting
        return self

    def require_all(self, wings: tuple[str, ...]) -> None:
        """Raises InputError where a quote of ATM or these wings is missing."""
        for name in ("atm", *(kind + wing for wing in wings for kind in ("rr", "bf"))):
            for row in np.flatnonzero(np.isnan(self.columns[name])):
                tenor = tenor_label(self.years[row])
                raise InputError(f"{name} at {tenor} is missing; expected a decimal vol")

    def patterns(self) -> list[tuple[tuple[str, ...], BoolArray]]:
        """Which wings are quoted, with the rows [T] where exactly these are."""
        columns = self.columns
        quoted = {wing: np.isfinite(columns["rr" + wing] + columns["bf" + wing]) for wing in ("25", "10")}
        found: list[tuple[tuple[str, ...], BoolArray]] = []
        patterns: tuple[tuple[str, ...], ...] = (("25", "10"), ("25",), ("10",), ())
        for wings in patterns:
            rows = np.isfinite(columns["atm"])
            for wing, there in quoted.items():
                rows &= there if wing in wings else ~there
            if rows.any():
                found.append((wings, rows))
        return found

    @property
    def known_forwards(self) -> FloatArray | None:
        """[T], given or by spot and rates."""
        return self._quoting.forwards

    @cached_property
    def _quoting(self) -> Quoting:
        return quoting(
            self.years,
            self.pair,
            self.butterfly,
            spot=self.spot,
            forwards=self.forwards,
            domestic_rates=self.domestic_rates,
            foreign_rates=self.foreign_rates,
        )

    def smile(self, wings: tuple[str, ...], rows: BoolArray | None = None) -> Smile:
        """Through the quotes of these wings ("25", "10"), at all tenors or at `rows` [T]."""
        chosen = np.flatnonzero(np.ones(len(self.years), dtype=bool) if rows is None else rows)
        rules = tuple(self._quoting.rules[row] for row in chosen)

        def wing_columns(kind: str) -> FloatArray:
            columns = [self.columns[kind + wing][chosen] for wing in wings]
            return np.array(columns).reshape(len(wings), len(chosen)).T

        return _fit(
            TenorQuotes(
                tenors=self.years[chosen],
                atm=self.columns["atm"][chosen],
                deltas=tuple(float(wing) / 100 for wing in wings),
                risk_reversals=wing_columns("rr"),
                butterflies=wing_columns("bf"),
                discounts=self._quoting.discounts[chosen],
                conventions=rules,
            )
        )


def _fit(quotes: TenorQuotes) -> Smile:
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
