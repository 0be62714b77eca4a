"""A range of normal (Bachelier) vols in basis points, with absolute or relative strikes, to a surface."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from .._typing import BoolArray, FloatArray
from ..errors import InputError, LabelError, UnitsError
from ..surface import Surface
from ._axes import check_monotone
from ._grid_vols import shorten
from ._normal_strikes import BASIS_POINT, NormalNotation, read_normal_strike, read_normal_strikes, scale_of
from ._table import Table, line_of_argument
from ._values import Cell, Cells, Label, is_missing, read_number, shown

_BP = re.compile(r"(.*\d)\s*bps?\.?", re.IGNORECASE)
_LEAST_MEDIAN, _BOUNDS = 3.0, (1e-3, 1e5)
_RATE_SPREAD = 10.0  # strikes that span more have rates of either unit among them


class NormalRead(NamedTuple):
    """The surface, the vols as written [T, K] in bp, how strikes are written, and what was assumed."""

    surface: Surface
    written: FloatArray
    notation: NormalNotation
    warnings: list[str]


def read_normal(table: Table, years: FloatArray, strikes: Cells | None, *, unit_given: bool) -> NormalRead:
    """The body of a table as normal vols. strikes: the argument; unit_given: the unit is one too, not a word
    of the sheet.

    Raises InputError, LabelError, UnitsError naming cells.
    """
    warnings: list[str] = []
    quotes = _quotes(table, warnings, unit_given=unit_given)
    line = table.strikes or []
    if strikes is not None:
        line = line_of_argument(strikes, "strikes", len(table.body[0]))
    values, relative, exact = read_normal_strikes(line)
    ahead, plain = _forwards(table)
    if relative:
        notation = NormalNotation(relative=True, scale=1.0)
        ahead = np.zeros(len(years)) if ahead is None else ahead * (_forward_scale(ahead) if plain else 1.0)
        check_monotone(line, values, "strikes")
        places = ahead[:, None] + values * BASIS_POINT
        warnings.append("strikes are basis points from the forward")
    elif ahead is None:
        raise InputError(
            'strikes need forwards; expected a line headed "Fwd" in the range, or the argument forwards, or '
            "strikes relative to the forward such as ATM-50"
        )
    else:
        known = np.isfinite(quotes).any(axis=1)
        total = np.nanmedian(quotes[known], axis=1) * BASIS_POINT * np.sqrt(years[known])
        scale = _scale(values, exact, ahead[known], total, plain=plain)
        rates = np.where(exact, values, values * scale)
        check_monotone(line, rates, "strikes")
        if plain:
            _refuse_two_units(rates, scale * ahead)
        notation = NormalNotation(relative=False, scale=1.0 if exact.all() else scale)
        ahead, places = ahead * (scale if plain else 1.0), np.broadcast_to(rates, quotes.shape)
        warnings += ["strikes read as percent points"] if scale != 1.0 else []
    surface = Surface(quotes * BASIS_POINT, years, strikes=places, forwards=ahead, vol_type="normal")
    return NormalRead(surface, quotes, notation, warnings)


def _scale(
    values: FloatArray, exact: BoolArray, forwards: FloatArray, total: FloatArray, *, plain: bool
) -> float:
    """Of the strikes [K] that are not exact, and of the forwards [T] where these are plain, to rates.

    total: [T] normal vols times the root of time.
    """
    if exact.all() and not plain:
        return 1.0
    written = values if exact.all() else values[~exact]
    distances = written - forwards[:, None]
    return scale_of(distances, np.broadcast_to(total[:, None], distances.shape))


def _refuse_two_units(strikes: FloatArray, forwards: FloatArray) -> None:
    """Both as rates. Raises LabelError where only 100 times other forwards would lie among the strikes."""
    near_each_other = strikes.min() > 0 and strikes.max() < _RATE_SPREAD * strikes.min()
    other_unit = _among(100 * forwards, strikes) or _among(forwards / 100, strikes)
    if _among(forwards, strikes) or not (near_each_other and other_unit):
        return
    raise LabelError(
        f"strikes from {100 * strikes.min():g}% to {100 * strikes.max():g}% and forwards of about "
        f"{100 * np.median(forwards):g}% differ in unit; expected both in percent, or both as rates"
    )


def _among(forwards: FloatArray, strikes: FloatArray) -> bool:
    """Whether a forward lies among the strikes."""
    return bool(((strikes.min() <= forwards) & (forwards <= strikes.max())).any())


def _quotes(table: Table, warnings: list[str], *, unit_given: bool) -> FloatArray:
    """[T, K] basis points, NaN where missing."""
    found = np.array([[_quote(label, warnings) for label in row] for row in table.body])
    if not np.isfinite(found).any():
        raise InputError("no cell of the grid is a vol; expected normal vols in basis points such as 85")
    median = float(np.nanmedian(found))
    if not unit_given and median < _LEAST_MEDIAN:
        raise UnitsError(
            f"vols of about {median:g} are said to be basis points; expected about 85, or the argument units"
        )
    shorten(warnings, "cells are read as missing")
    return found


def _quote(label: Label, warnings: list[str]) -> float:
    cell: Cell = label.cell
    if isinstance(cell, bool):
        raise InputError(f"{label}; expected a vol such as 85, blank or n/a where missing")
    written = _BP.fullmatch(cell.strip()) if isinstance(cell, str) else None
    number = read_number(written[1] if written else cell)
    if number is None or number.value <= 0:
        if not is_missing(cell):
            why = "no number" if number is None else "not above 0"
            warnings.append(f"{label}, {why}: read as missing")
        return np.nan
    value = number.value * (100.0 if number.percent else 1.0)  # 0.85% is 85 bp
    if not _BOUNDS[0] <= value <= _BOUNDS[1]:
        raise UnitsError(f"{label}, a normal vol of {value:g} bp; expected {_BOUNDS[0]:g} to {_BOUNDS[1]:g}")
    return value


def _forwards(table: Table) -> tuple[FloatArray | None, bool]:
    """[T] as written, rates where they have %; and whether they are plain numbers."""
    if table.forwards is None:
        return None, False
    numbers = [read_number(label.cell) for label in table.forwards]
    for label, number in zip(table.forwards, numbers, strict=True):
        if number is None or not np.isfinite(number.value):
            raise InputError(f"{label}; expected a forward such as 0.029 or 2.9%")
    known = [number for number in numbers if number is not None]
    plain = not any(number.percent for number in known)
    return np.array([number.fraction for number in known]), plain


def _forward_scale(forwards: FloatArray) -> float:
    """Of plain forwards beside relative strikes, which only name them: 2.9 is percent, 0.029 a rate."""
    return 0.01 if float(np.abs(forwards).max()) > 0.25 else 1.0


def normal_strike(cell: Cell, surface: Surface, notation: NormalNotation, years: float) -> float:
    """The strike that is asked of a grid of normal vols, in its surface's unit."""
    assert surface.forwards is not None
    strike = read_normal_strike(Label(cell, 0, 0, "argument strike"))
    relative = notation.relative if strike is None else strike.relative
    number = read_number(cell)
    value = number.value if strike is None and number is not None else strike.value if strike else np.nan
    if relative:
        return float(np.interp(years, surface.tenors, surface.forwards)) + value * BASIS_POINT
    if notation.relative and not surface.forwards.any():
        raise InputError(
            f"strike is {shown(cell)}, absolute, and the surface has no forwards; expected one such as ATM+25"
        )
    return value if strike is not None and strike.exact else value * notation.scale
