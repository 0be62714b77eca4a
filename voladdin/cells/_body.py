"""The vols of a range and their axes, once its headers are found: lognormal, or normal in basis points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import InputError
from ..labels import parse_delta
from ..surface import Surface
from ._arguments import Arguments
from ._forwards import MarketCells, read_forwards
from ._grid_vols import BASIS_POINTS, read_grid_vols
from ._layout import Layout
from ._normal_grid import read_normal
from ._normal_strikes import NormalNotation
from ._strike_line import Strikes
from ._table import Table, split, strikes_of, tenors_of
from ._tenor_line import Tenors
from ._values import Label, address, read_number
from ._vol_units import Unit, UnitEvidence
from ._words import Notation, Words

_FAR = 4.0  # standard deviations between a forward and every strike of its tenor, from which it is named
_SHOWN = 3


class Body(NamedTuple):
    """What `Grid` holds of it. written: vols in the range's unit; normal: of the strikes of normal vols."""

    table: Table
    tenors: Tenors
    surface: Surface
    percent: bool
    written: FloatArray
    warnings: list[str]
    notation: Notation | None = None
    normal: NormalNotation | None = None


def says_normal(units: str | None, words: Words, labels: list[list[Label]]) -> bool:
    """Whether vols are normal: the unit is bp, as an argument, or as a word where strikes are no deltas."""
    if is_given(units):
        return str(units).strip().lower() in BASIS_POINTS
    return words.vol_unit == "basis points" and not any(map(_is_delta, [*labels[0], *(r[0] for r in labels)]))


def is_given(units: str | None) -> bool:
    """Whether the argument says anything."""
    return units is not None and bool(str(units).strip())


def _is_delta(label: Label) -> bool:
    text = isinstance(label.cell, str) and read_number(label.cell) is None
    return text and parse_delta(label.cell) not in (None, 0.5)


def normal_body(
    labels: list[list[Label]],
    layout: Layout,
    given: Arguments,
    words: Words,
    market: MarketCells,
    valuation: date | None,
    *,
    unit_given: bool,
) -> Body:
    """Normal vols. Raises as `read_normal`, and InputError where spot and rates stand for forwards."""
    if market.spot is not None:
        raise InputError("spot is given for normal vols; expected forwards")
    table = split(labels, layout, named=(given.tenors is not None, given.strikes is not None))
    if market.forwards is not None:
        table = table.with_forwards(market.forwards)
    tenors = tenors_of(table, given.tenors, valuation, words)
    later = tenors.years > 0
    table, expired = _without_today(table, later)
    tenors = tenors._replace(years=tenors.years[later])
    read = read_normal(table, tenors.years, given.strikes, unit_given=unit_given)
    said = [*expired, *tenors.notes, *read.warnings]
    return Body(
        table, tenors, read.surface, percent=False, written=read.written, warnings=said, normal=read.notation
    )


def lognormal_body(
    labels: list[list[Label]],
    layout: Layout,
    given: Arguments,
    words: Words,
    market: MarketCells,
    valuation: date | None,
    units: Unit | None,
    like: float | None,
) -> Body:
    """Lognormal vols in percent points or decimals. like: a vol that they are about."""
    table, read, axis, expired = _read_axes(labels, layout, given, words, market, valuation)
    surface_of = _surfaces(read, axis)
    evidence = UnitEvidence(words.vol_unit, words.pair, like)
    quotes = read_grid_vols(table.body, units, evidence, surface_of)
    warnings = [*expired, *_assumed(layout, read.tenors, axis, words), *quotes.warnings]
    surface = surface_of(quotes.vols)
    if axis.kind == "strike":
        warnings += _far_forwards(surface)
    return Body(table, read.tenors, surface, quotes.percent, quotes.written, warnings, axis.notation)


def _far_forwards(surface: Surface) -> list[str]:
    """Forwards from which every quoted strike is 4 standard deviations or more: another unit, or a slip."""
    moneyness, forwards = surface.log_moneyness, surface.forwards
    assert moneyness is not None and forwards is not None
    away = np.abs(moneyness) / (surface.vols * np.sqrt(surface.tenors)[:, None])
    nearest = np.where(surface.observed, away, np.inf).min(1)
    return [
        f"the forward {forwards[i]:g} of {surface.tenors[i]:.4g} years is {nearest[i]:.2g} standard "
        "deviations from its nearest strike; expected one among the strikes"
        for i in np.flatnonzero((nearest > _FAR) & np.isfinite(nearest))
    ][:_SHOWN]


class _Expiries(NamedTuple):
    """Tenors, and the forward of each [T] where these are known."""

    tenors: Tenors
    forwards: FloatArray | None


def _read_axes(
    labels: list[list[Label]],
    layout: Layout,
    given: Arguments,
    words: Words,
    market: MarketCells,
    valuation: date | None,
) -> tuple[Table, _Expiries, Strikes, list[str]]:
    """Body, tenors with forwards, and strikes; and a warning for each tenor that expires today."""
    table = split(labels, layout, named=(given.tenors is not None, given.strikes is not None))
    line = tenors_of(table, given.tenors, valuation, words)
    read = _Expiries(line, read_forwards(table, market, line.years))
    typical = None if read.forwards is None else float(median(read.forwards))
    return _after_today(
        table, read, strikes_of(table, given.strikes, typical, words, transposed=layout.transposed)
    )


def _without_today(table: Table, later: BoolArray) -> tuple[Table, list[str]]:
    """Without the tenors that expire today, and a warning for each. Raises InputError where none is left."""
    if later.all():
        return table, []
    if not later.any():
        raise InputError("every expiry of the range is today; expected one after the valuation date")
    gone = [table.body[i][0] for i in np.flatnonzero(~later)]
    return table.only(later), [
        f"the line of {address(label.row, label.column)} expires today: left as it is" for label in gone
    ]


def _after_today(table: Table, read: _Expiries, axis: Strikes) -> tuple[Table, _Expiries, Strikes, list[str]]:
    later = read.tenors.years > 0
    table, warnings = _without_today(table, later)
    values = axis.values[later] if axis.values.ndim == 2 else axis.values
    forwards = None if read.forwards is None else read.forwards[later]
    kept = _Expiries(read.tenors._replace(years=read.tenors.years[later]), forwards)
    return table, kept, axis._replace(values=values), warnings


def _surfaces(read: _Expiries, axis: Strikes) -> Callable[[FloatArray], Surface]:
    """The surface of vols [T, K] on these axes."""
    if axis.kind == "strike" and read.forwards is None:
        raise InputError(
            'strikes need forwards; expected a line headed "Fwd" in the range, with each tenor\'s forward, '
            "or the argument forwards"
        )
    name = {"delta": "deltas", "moneyness": "moneyness", "strike": "strikes"}[axis.kind]
    place: dict[str, Any] = {name: axis.values}
    return lambda vols: Surface(vols, read.tenors.years, forwards=read.forwards, **place)


def _assumed(layout: Layout, line: Tenors, axis: Strikes, words: Words) -> list[str]:
    """What the numbers of the headers were read as where nothing but they say it."""
    notes = [*([layout.assumed] if layout.assumed else []), *line.said(words.tenor_unit)]
    if axis.notation == "K/F" and words.notation is None:
        notes.append("strikes read as K/F, as no forward is near them; K=1.085 is a strike")
    if axis.by_place:
        notes.append(
            "deltas on the left read as puts, as they come back on the right; 10P is a put, 10C a call"
        )
    return notes
