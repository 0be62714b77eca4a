"""ATM, risk-reversal and butterfly quotes of many tenors, in one unit, to vols at forward deltas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..black import moneyness_from_delta
from ..cells import Label, UnitEvidence, decide_unit, shown
from ..conventions import Convention, surface_from_quotes
from ..errors import InfeasibleError, InputError, UnitsError
from ..surface import MAX_VOL, Surface

SMALLEST_WING = 1e-3  # a usual risk reversal or butterfly over ATM is above it
LARGEST_WING = 0.5  # and below it
_BEYOND = 1.0  # of ATM: no market's wing in percent points, but basis points
MIN_VOL = 1e-5
HEADERS: tuple[str, ...] = ("10P", "25P", "ATM", "25C", "10C")
_ATM = 2  # its column
_PARTNER = {"rr25": "bf25", "bf25": "rr25", "rr10": "bf10", "bf10": "rr10"}


@dataclass(frozen=True, eq=False)
class SmileQuotes:
    """Quotes of T tenors, with what reading them takes.

    labels: a cell each; years: [T]. columns: atm, rr25, bf25 and perhaps rr10, bf10, [T] as written, NaN
    where missing. percent: they are percent points. rules: a convention each. known: spot, domestic_rates,
    foreign_rates as for `surface_from_quotes`.
    """

    labels: Sequence[Label]
    years: FloatArray
    columns: dict[str, FloatArray]
    percent: bool
    rules: tuple[Convention, ...]
    known: dict[str, Any]

    @property
    def headers(self) -> tuple[str, ...]:
        """Of the grid of vols: five where the 10-delta quotes have columns, else three."""
        return tuple(HEADERS[self._wings])

    @property
    def _wings(self) -> slice:
        return slice(None) if {"rr10", "bf10"} <= self.columns.keys() else slice(1, 4)

    @property
    def scale(self) -> float:
        """Of a vol as written over its decimal."""
        return 100.0 if self.percent else 1.0

    def surface(self, warnings: list[str]) -> Surface:
        """The smiles' surface; a tenor whose quotes no smile has is blank, with a warning that names it.

        Raises InfeasibleError where that is every tenor.
        """
        quotes = {name: column / self.scale for name, column in self.columns.items()}
        return _surface(self.years, quotes, self.known | {"pair": self.rules}, self.labels, warnings)

    def vols(self, surface: Surface) -> FloatArray:
        """[T, K] as written, with ATM to the last bit where the solved smile gives the quote back."""
        vols, atm = surface.vols * self.scale, self.columns["atm"]
        same = np.isclose(vols[:, _ATM], atm, rtol=1e-12, atol=0)
        vols[same, _ATM] = atm[same]
        return vols[:, self._wings]

    def strikes(self, surface: Surface) -> FloatArray:
        """[T, K] of the same. Raises InputError where forwards are not known."""
        if surface.forwards is None or surface.deltas is None:
            raise InputError("output is 'strike'; expected spot, domestic and foreign with it")
        total = surface.vols * np.sqrt(surface.tenors)[:, None]
        strikes = surface.forwards[:, None] * np.exp(moneyness_from_delta(surface.deltas, total))
        return np.asarray(strikes[:, self._wings])


def _surface(
    years: FloatArray,
    quotes: dict[str, Any],
    known: dict[str, Any],
    labels: Sequence[Label],
    warnings: list[str],
) -> Surface:
    try:
        return surface_from_quotes(years, **quotes, **known)
    except InfeasibleError:
        missing: list[str] = []
        solved = dict(quotes)
        for i, label in enumerate(labels):
            try:
                surface_from_quotes(years[i : i + 1], **_row(quotes, i), **_row(known, i))
            except InfeasibleError as why:
                missing.append(f"tenor {shown(label.cell)}: {why}: left blank")
                solved = {name: np.where(np.arange(len(years)) == i, np.nan, v) for name, v in solved.items()}
        if not (missing and np.isfinite(solved["atm"]).any()):
            raise
        warnings.extend(missing)
        return surface_from_quotes(years, **solved, **known)


def _row(values: dict[str, Any], i: int) -> dict[str, Any]:
    """Of one tenor: what is an array has one number a tenor."""
    return {name: v[i : i + 1] if isinstance(v, np.ndarray | tuple) else v for name, v in values.items()}


def drop_impossible(atm: FloatArray, labels: Sequence[Label], warnings: list[str]) -> None:
    """Makes ATM vols that are not above 0 missing. Raises InputError where no vol is left."""
    for i in np.flatnonzero(atm <= 0).tolist():
        warnings.append(f"atm at {shown(labels[i].cell)} is {atm[i]:g}, not above 0: read as missing")
        atm[i] = np.nan
    if not np.isfinite(atm).any():
        raise InputError("atm holds no vol; expected one for at least one tenor")


def say_unused(columns: dict[str, FloatArray], labels: Sequence[Label], warnings: list[str]) -> None:
    """Warns of quotes of which no smile can be made: of a tenor without ATM, or one of the two of a delta."""
    for i, label in enumerate(labels):
        quoted = [name for name, column in columns.items() if np.isfinite(column[i])]
        if quoted and "atm" not in quoted:
            warnings.append(f"{shown(label.cell)} has no ATM: its other quotes are left out")
            continue
        alone = [name for name in quoted if _PARTNER.get(name, name) not in quoted]
        warnings += [f"{shown(label.cell)} has {name} and no {_PARTNER[name]}: left out" for name in alone]


def is_percent(
    columns: dict[str, FloatArray],
    years: FloatArray,
    units: str | None,
    evidence: UnitEvidence,
    warnings: list[str],
) -> bool:
    """Whether the quotes are percent points.

    Raises UnitsError where they mix units, may be either, or ATM is no vol.
    """
    atm = columns["atm"][np.isfinite(columns["atm"])]
    percent = units == "percent"
    if units is None:

        def surface_at(share: float) -> Surface:
            return Surface(columns["atm"][:, None] * share, years, deltas=[0.5])

        percent, assumed = decide_unit(float(np.median(atm)), evidence, surface_at)
        warnings.extend([assumed] if assumed else [])
    for vol in atm / (100 if percent else 1):
        if not MIN_VOL <= vol <= MAX_VOL:
            raise UnitsError(f"atm holds a vol of {100 * vol:g}%; expected {MIN_VOL:.3%} to {MAX_VOL:.0%}")
    if units is None:
        _require_one_unit(columns, percent=percent)
    return percent


def _require_one_unit(columns: dict[str, FloatArray], *, percent: bool) -> None:
    """Raises UnitsError where risk reversals and butterflies are too small or large beside ATM."""
    wings = np.abs(np.concatenate([column for name, column in columns.items() if name != "atm"]))
    wings, atm = wings[wings > 0], columns["atm"][np.isfinite(columns["atm"])]
    if not len(wings):
        return
    share = np.median(wings) / np.median(atm)
    if (percent and share < SMALLEST_WING) or share > (_BEYOND if percent else LARGEST_WING):
        raise UnitsError(
            f"atm of about {np.median(atm):g} and risk reversals and butterflies of about "
            f'{np.median(wings):g} differ in unit; expected one unit, or the argument units "percent" or '
            '"decimal"'
        )
