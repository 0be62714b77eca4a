"""ATM, risk reversals and butterflies of a surface: the way back from `surface_from_quotes`.

A grid at the standard forward deltas is taken for what `surface_from_quotes` gave: the one smile of five (or
three) quoted strikes through its vols is solved for, and its quotes are those of that smile, to rounding. Of
any other surface the quotes are read off a function of log-moneyness through its vols.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .. import black
from .._typing import BoolArray, FloatArray
from ..errors import InputError
from ..surface import Surface
from .newton import newton
from .pairs import ButterflyKind, Convention
from .reading import Quoting, quoting
from .smile import Smile, TenorQuotes

WINGS = (0.25, 0.1)
NAMES = ("atm", "rr25", "bf25", "rr10", "bf10")
VolFunction = Callable[[FloatArray], FloatArray]  # vols [T, N] at log-moneyness [T, N]
_SAME_DELTA = 1e-9
_BEYOND = 3.0  # the surface's vols, between which a smile is looked for
_APART = 1e-6  # quoted strikes, in deviations
_SOLVED = 1e-11  # of a vol's logarithm, or of a strike in total vols


@np.errstate(invalid="ignore", divide="ignore", over="ignore")  # where a search leaves what has a smile
def quotes_from_surface(
    surface: Surface,
    *,
    pair: str | Convention | Sequence[Convention] = "EURUSD",
    spot: float | None = None,
    forwards: ArrayLike | None = None,
    domestic_rates: ArrayLike | None = None,
    foreign_rates: ArrayLike | None = None,
    butterfly: ButterflyKind = "broker",
    vol: VolFunction | None = None,
) -> dict[str, FloatArray]:
    """atm, rr25, bf25, rr10, bf10: [T] decimal vols; `surface_from_quotes(tenors, **quotes)` gives it back.

    pair, spot, forwards, domestic_rates, foreign_rates, butterfly: as for `smile_from_quotes`.
    vol: of a surface on other axes than the deltas 0.9, 0.75, 0.5, 0.25, 0.1, in any order (or 0.75, 0.5,
        0.25): vols [T, N] at log-moneyness [T, N], NaN where that is NaN.

    NaN where the surface has no vol at ATM or a wing, or no smile of the convention goes through them.
    Raises InputError for other axes without `vol`, and as `smile_from_quotes` for the arguments.
    """
    market = quoting(
        surface.tenors,
        pair,
        butterfly,
        spot=spot,
        forwards=forwards,
        domestic_rates=domestic_rates,
        foreign_rates=foreign_rates,
    )
    found = {name: np.full(len(surface.tenors), np.nan) for name in NAMES}
    if vol is not None:
        every = np.ones(len(surface.tenors), dtype=np.bool_)
        blank = _blank(surface.tenors, every, WINGS, market)
        _put(found, every, WINGS, _read(blank, vol, _wing_vols(blank, vol)))
        return found
    columns = standard_columns(surface)
    if columns is None:
        raise InputError(
            "the surface is not at the deltas 0.9, 0.75, 0.5, 0.25, 0.1; expected the argument vol"
        )
    for wings, rows in _patterns(surface, columns):
        blank = _blank(surface.tenors, rows, wings, market)
        smile = _smile(blank, surface, columns, wings, rows)
        _put(found, rows, wings, _read(blank, smile.vol, smile.vols))
    return found


def standard_columns(surface: Surface) -> dict[float, int] | None:
    """The column of each standard forward delta; None where the surface has other columns, or no ATM."""
    if surface.deltas is None:
        return None
    standard = [0.5, *WINGS, *(1 - wing for wing in WINGS)]
    columns: dict[float, int] = {}
    for j, delta in enumerate(surface.deltas.tolist()):
        near = next((one for one in standard if abs(one - delta) < _SAME_DELTA), None)
        if near is None:
            return None
        columns[near] = j
    return columns if 0.5 in columns else None


def _patterns(surface: Surface, columns: dict[float, int]) -> list[tuple[tuple[float, ...], BoolArray]]:
    """Which wings have both vols, with the rows [T] where exactly these have."""
    there = surface.observed
    has = {
        wing: there[:, columns[wing]] & there[:, columns[1 - wing]]
        if {wing, 1 - wing} <= columns.keys()
        else np.zeros(len(there), dtype=np.bool_)
        for wing in WINGS
    }
    found = []
    for wings in (WINGS, WINGS[:1], WINGS[1:], ()):
        rows = there[:, columns[0.5]].copy()
        for wing in WINGS:
            rows &= has[wing] if wing in wings else ~has[wing]
        if rows.any():
            found.append((tuple(wings), rows))
    return found


def _blank(years: FloatArray, rows: BoolArray, wings: tuple[float, ...], market: Quoting) -> TenorQuotes:
    """Quotes of these rows whose vols are still to be found."""
    none = np.full((int(rows.sum()), len(wings)), np.nan)
    rules = tuple(market.rules[row] for row in np.flatnonzero(rows))
    return TenorQuotes(
        tenors=years[rows],
        atm=np.full(len(none), np.nan),
        deltas=wings,
        risk_reversals=none,
        butterflies=none,
        discounts=market.discounts[rows],
        conventions=rules,
    )


def _smile(
    blank: TenorQuotes, surface: Surface, columns: dict[float, int], wings: tuple[float, ...], rows: BoolArray
) -> Smile:
    """The smile of quoted strikes that has the surface's vols where its deltas are; NaN where none is."""
    deltas = [*(1 - wing for wing in wings[::-1]), 0.5, *wings]
    vols = surface.vols[rows][:, [columns[delta] for delta in deltas]]
    strikes = black.moneyness_from_delta(np.array(deltas), vols * blank.root)
    ends = np.log(vols.min(1, keepdims=True) / _BEYOND), np.log(vols.max(1, keepdims=True) * _BEYOND)

    def error(logs: FloatArray) -> FloatArray:
        inside = (logs >= ends[0]) & (logs <= ends[1])
        return np.asarray(np.log(_through(blank, np.exp(np.where(inside, logs, np.nan))).vol(strikes) / vols))

    near = _wing_vols(blank, Smile(blank.tenors, strikes, vols).vol)
    logs = newton(error, np.log(np.where(np.isfinite(near), near, vols)))
    failed = _unsolved(error(logs))
    logs[failed] = np.nan
    return _through(blank, np.exp(logs))


def _through(blank: TenorQuotes, vols: FloatArray) -> Smile:
    """The smile with vols [T, 2P + 1] at the strikes that the convention gives them, put wing first."""
    count, scale = len(blank.deltas), (vols[:, [len(blank.deltas)]] * blank.root)
    put, atm, call = vols[:, :count][:, ::-1], vols[:, count], vols[:, count + 1 :]
    at = [
        blank.wing_moneyness(-1, put)[:, ::-1],
        replace(blank, atm=atm).atm_moneyness()[:, None],
        blank.wing_moneyness(1, call),
    ]
    nodes = np.hstack(at)
    apart = (np.diff(nodes, axis=1) > _APART * scale).all(axis=1, keepdims=True)
    return Smile(blank.tenors, nodes, np.where(apart & np.isfinite(nodes[:, :1]), vols, np.nan))


def _wing_vols(blank: TenorQuotes, vol: VolFunction) -> FloatArray:
    """[T, 2P + 1]: of a vol function, where strikes have the quoted deltas; NaN where none have."""
    root = blank.root

    def error(m: FloatArray) -> FloatArray:
        return np.asarray((_through(blank, vol(m)).log_moneyness - m) / root)

    flat = np.repeat(vol(np.zeros_like(root)), 2 * len(blank.deltas) + 1, axis=1)
    m = newton(error, _through(blank, flat).log_moneyness)
    failed = _unsolved(error(m))
    return np.where(failed[:, None], np.nan, vol(m))


def _read(blank: TenorQuotes, vol: VolFunction, vols: FloatArray) -> list[FloatArray]:
    """atm [T], risk reversals and butterflies [T, P]; vols: [T, 2P + 1] of `vol` at the quoted strikes."""
    count = len(blank.deltas)
    put, atm, call = vols[:, :count][:, ::-1], vols[:, count], vols[:, count + 1 :]
    mean = 0.5 * (put + call) - atm[:, None]
    if count and blank.conventions[0].butterfly == "broker":
        mean = _market_butterflies(blank, vol, atm, mean)
    return [atm, call - put, mean]


def _unsolved(error: FloatArray) -> BoolArray:
    """[T] of errors [T, P]."""
    return np.asarray(~(np.abs(error) <= _SOLVED).all(axis=1))


def _market_butterflies(
    blank: TenorQuotes, vol: VolFunction, atm: FloatArray, guess: FloatArray
) -> FloatArray:
    """[T, P]: over ATM the one vol at which each strangle costs what it costs at the smile's vols."""
    root = blank.root

    def error(butterflies: FloatArray) -> FloatArray:
        one = atm[:, None] + butterflies
        put, call = blank.wing_moneyness(-1, one), blank.wing_moneyness(1, one)
        at_one = black.put_price(put, one * root) + black.call_price(call, one * root)
        at_smile = black.put_price(put, vol(put) * root) + black.call_price(call, vol(call) * root)
        weight = (black.vega(put, one * root) + black.vega(call, one * root)) * root
        return np.asarray((at_smile - at_one) / weight)

    found = newton(error, guess)
    failed = _unsolved(error(found))
    return np.where(failed[:, None], np.nan, found)


def _put(
    found: dict[str, FloatArray], rows: BoolArray, wings: tuple[float, ...], read: list[FloatArray]
) -> None:
    found["atm"][rows] = read[0]
    for column, wing in enumerate(wings):
        found[f"rr{100 * wing:.0f}"][rows] = read[1][:, column]
        found[f"bf{100 * wing:.0f}"][rows] = read[2][:, column]
