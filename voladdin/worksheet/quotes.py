"""VOLQUOTES: rows or columns of ATM, risk-reversal and butterfly quotes to a headed delta grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..black import moneyness_from_delta
from ..cells import (
    Cell,
    Cells,
    Label,
    UnitEvidence,
    decide_unit,
    read_units,
    shown,
)
from ..conventions import is_listed, surface_from_quotes
from ..errors import InfeasibleError, InputError, UnitsError
from ..surface import MAX_VOL, Surface
from .arguments import UNITS, WARNINGS, units_name, warn
from .lines import line_of, numbers_of, rates_of, years_of
from .quoting import CONVENTION, conventions, told
from .signature import Argument, Function, choice, number, text

SMALLEST_WING = 1e-3  # a usual risk reversal or butterfly over ATM is above it
LARGEST_WING = 0.5  # and below it
MIN_VOL = 1e-5
ATM = 2  # its column
HEADERS = ("10P", "25P", "ATM", "25C", "10C")


def volquotes(
    quotes: dict[str, Cells | None],
    tenors: Cells,
    rates: dict[str, Cells | None],
    *,
    units: str | None,
    warnings: list[str],
    pair: str | None = None,
    strikes: bool = False,
    butterfly: str = "broker",
    said: dict[str, Any] | None = None,
    spot: float | None = None,
) -> Cells:
    """Smile vols at forward deltas, tenors down (across, where ATM lies in a row), in the quotes' units.

    quotes: atm, rr25, bf25, rr10, bf10, each one quote a tenor; blank is missing, and 0 is a quote, except
        for ATM. What cannot be told from the quotes stays blank, for VOLIMPUTE to fill.
    rates: domestic_rates, foreign_rates, one or one a tenor, continuous decimals. units: "percent", "decimal"
        or None (the evidence tells). warnings: what was read as missing or assumed is added. pair: whose
        conventions hold, EURUSD unless told; it stands in the corner. strikes: the strikes at these deltas
        instead of the vols. butterfly, spot: as for `surface_from_quotes`. said: the desk's own convention,
        as of `quoting.told`; one of a pair that is not listed is said in full.

    A tenor whose quotes no smile has is a blank row, and a warning says which.

    Raises InputError (lengths, TRUE), UnitsError (quotes, rates), LabelError (tenors, pair),
    InfeasibleError (no tenor has a smile).
    """
    labels = line_of("tenors", tenors)
    years = years_of(labels)
    columns = _columns(quotes, len(labels), warnings)
    _drop_impossible(columns["atm"], labels, warnings)
    rules = conventions(pair, years, butterfly, told(None, None, None) if said is None else said)
    evidence = UnitEvidence(pair=pair if pair and is_listed(pair) else None)
    scale = 100.0 if _is_percent(columns, years, read_units(units), evidence, warnings) else 1.0
    known: dict[str, Any] = {
        name: rates_of(name, cells, len(labels)) for name, cells in rates.items() if cells is not None
    }
    known |= {"pair": rules, "spot": spot}
    surface = _surface(years, {k: v / scale for k, v in columns.items()}, known, labels, warnings)
    values = _strikes(surface) if strikes else _kept(surface.vols * scale, columns["atm"])
    wings = slice(None) if {"rr10", "bf10"} <= columns.keys() else slice(1, 4)
    grid = [[pair or "", *HEADERS[wings]], *_rows(labels, values[:, wings])]
    return [list(line) for line in zip(*grid, strict=True)] if _is_row(quotes["atm"] or []) else grid


def _columns(quotes: dict[str, Cells | None], count: int, warnings: list[str]) -> dict[str, FloatArray]:
    """The quotes that are given, [T] each."""
    given = {name: cells for name, cells in quotes.items() if cells is not None}
    return {name: numbers_of(name, cells, count, warnings) for name, cells in given.items()}


def _rows(labels: Sequence[Label], values: FloatArray) -> Cells:
    """A tenor and its values each; what cannot be told is blank."""
    rows = zip(labels, values.tolist(), strict=True)
    return [[label.cell, *("" if math.isnan(value) else value for value in row)] for label, row in rows]


def _surface(
    years: FloatArray,
    quotes: dict[str, Any],
    known: dict[str, Any],
    labels: Sequence[Label],
    warnings: list[str],
) -> Surface:
    """The smiles' surface; a tenor whose quotes no smile has is blank, with a warning that names it.

    Raises InfeasibleError where that is every tenor.
    """
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


def _is_row(cells: Cells) -> bool:
    return len(cells) == 1 and len(cells[0]) > 1


def _kept(vols: FloatArray, atm: FloatArray) -> FloatArray:
    """The vols with ATM to the last bit where the solved smile gives the quote back."""
    vols = vols.copy()
    same = np.isclose(vols[:, ATM], atm, rtol=1e-12, atol=0)
    vols[same, ATM] = atm[same]
    return vols


def _drop_impossible(atm: FloatArray, labels: Sequence[Label], warnings: list[str]) -> None:
    """Makes ATM vols that are not above 0 missing. Raises InputError where no vol is left."""
    for i in np.flatnonzero(atm <= 0).tolist():
        warnings.append(f"atm at {shown(labels[i].cell)} is {atm[i]:g}, not above 0: read as missing")
        atm[i] = np.nan
    if not np.isfinite(atm).any():
        raise InputError("atm holds no vol; expected one for at least one tenor")


def _is_percent(
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
    wings = np.concatenate([np.abs(column) for name, column in columns.items() if name != "atm"])
    wings = wings[wings > 0]
    if units is None and len(wings):
        share = np.median(wings) / np.median(atm)
        if share < SMALLEST_WING if percent else share > LARGEST_WING:
            raise UnitsError(
                f"atm of about {np.median(atm):g} and risk reversals and butterflies of about "
                f'{np.median(wings):g} differ in unit; expected one unit, or the argument units "percent" or '
                '"decimal"'
            )
    return percent


def _strikes(surface: Surface) -> FloatArray:
    if surface.forwards is None or surface.deltas is None:
        raise InputError("output is 'strike'; expected spot, domestic and foreign with it")
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    return np.asarray(surface.forwards[:, None] * np.exp(moneyness_from_delta(surface.deltas, total)))


def _volquotes(
    atm: Cells,
    rr25: Cells,
    bf25: Cells,
    rr10: Cells | None,
    bf10: Cells | None,
    tenors: Cells | None,
    pair: Cell,
    butterfly: Cell,
    spot: Cell,
    domestic: Cells | None,
    foreign: Cells | None,
    output: Cell,
    units: Cell,
    *convention: Cell,
) -> Cells:
    if tenors is None:
        raise InputError("VOLQUOTES: tenors is missing; expected one tenor a quote, such as 1W, 1M, 1Y")
    if foreign is None:
        warn("foreign: not given, so spot deltas were read as forward deltas")
    return volquotes(
        {"atm": atm, "rr25": rr25, "bf25": bf25, "rr10": rr10, "bf10": bf10},
        tenors,
        {"domestic_rates": domestic, "foreign_rates": foreign},
        units=units_name(units),
        warnings=WARNINGS.get(),
        strikes=choice("output", output, ["vol", "strike"]) == "strike",
        pair=text("pair", pair, "") or None,
        butterfly=choice("butterfly", butterfly, ["broker", "smile"]),
        said=told(*convention),
        spot=None if spot is None else number("spot", spot, 1.0),
    )


VOLQUOTES = Function(
    "VOLQUOTES",
    "A grid of vols at forward deltas, without premium adjustment, from ATM, risk-reversal and butterfly "
    "quotes of a currency pair; its ATM is the forward delta 0.5, which a premium-adjusted quote is not.",
    (
        Argument("atm", "ATM vols, one a tenor", "range", optional=False),
        Argument("rr25", "25-delta risk reversals (call minus put)", "range", optional=False),
        Argument("bf25", "25-delta butterflies", "range", optional=False),
        Argument("rr10", "10-delta risk reversals", "range"),
        Argument("bf10", "10-delta butterflies", "range"),
        Argument("tenors", "one tenor a quote: 1W, 1M, 1Y, or years", "range"),
        Argument(
            "pair",
            "currency pair whose conventions are used, EURUSD unless told; an unknown one needs delta, "
            "premium and at_money",
            "value",
        ),
        Argument("butterfly", '"broker" (market strangle) or "smile"; broker unless told', "value"),
        Argument("spot", "spot rate; needed for strikes", "value"),
        Argument(
            "domestic",
            "domestic (quote currency) rate, continuous decimal, one or one a tenor",
            "range",
            zero=True,
        ),
        Argument(
            "foreign",
            "foreign (base currency) rate, continuous decimal, one or one a tenor",
            "range",
            zero=True,
        ),
        Argument("output", "vol (unless told) or strike, which needs spot and both rates", "value"),
        UNITS,
        *CONVENTION,
    ),
    '=VOLQUOTES(B2:B9, C2:C9, D2:D9, , , A2:A9, "EURUSD")',
    _volquotes,
)
