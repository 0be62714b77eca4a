"""VOLSHIFT: the user's own surface, its features moved by exactly so much."""

from __future__ import annotations

from typing import Any

from ..cells import Cell, Cells, Grid, render
from ..errors import InputError, UnitsError
from ..feature_map import NAMES
from ..generation.market_shifts import DECAYS, WINGS, shift_market
from ..generation.market_words import WORDS
from ..generation.shifting import LARGEST_LEVEL, shifted
from ..surface import Surface
from .arguments import AXES, MARKET, SURFACE, AxisArguments, read_grid, warn
from .signature import Argument, Function, choice, number
from .wording import CHOICES, TENOR, WORDING, tenor_named

_SEEN = 1e-9  # bp
_SMALL = 0.05  # percent points of ATM, which may be meant as decimals: five vol points


def _volshift(
    surface: Cells,
    dlevel: Cell,
    dskew: Cell,
    dcurv: Cell,
    dterm: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    *rest: Any,
) -> Cells:
    *market, words, tenor, decay, wings = rest
    of_market = choice("words", words, CHOICES) == "market"
    grid = read_grid(surface, AxisArguments(tenors, strikes, units, forwards, *market))
    changes = _changes(grid, WORDS if of_market else NAMES, (dlevel, dskew, dcurv, dterm))
    move = _market if of_market else _paper
    result, further = move(grid, changes, tenor, decay, wings)
    if further > _SEEN:
        warn(f"surface: cells moved by up to {further:.3g} bp more to be free of arbitrage, features kept")
    return render(grid, result.vols)


def _market(grid: Grid, changes: list[float], tenor: Cell, decay: Cell, wings: Cell) -> tuple[Surface, float]:
    done = shift_market(
        grid.surface,
        *changes,
        tenor=tenor_named(tenor),
        decay=choice("decay", decay, DECAYS),
        wings=choice("wings", wings, WINGS),
    )
    return done.surface, done.further


def _paper(grid: Grid, changes: list[float], *options: Cell) -> tuple[Surface, float]:
    """Raises InputError for an option that only the market's words have."""
    for name, value in zip(("tenor", "decay", "wings"), options, strict=True):
        if value not in (None, "", 0):
            raise InputError(f'{name} is {value!r}; expected words "market" with it, or no {name}')
    return shifted(grid.surface, *changes)


def _changes(grid: Grid, names: tuple[str, ...], values: tuple[Cell, ...]) -> list[float]:
    """Decimals, of percent points where the grid is in them. Raises InputError, UnitsError."""
    changes = [number(f"d{name}", value, 0.0) for name, value in zip(names, values, strict=True)]
    if not grid.percent:
        return changes
    if abs(changes[0]) >= 100 * LARGEST_LEVEL:
        raise UnitsError(f"d{names[0]} is {changes[0]:g} percent points; expected a number such as 1")
    if 0 < abs(changes[0]) <= _SMALL:
        warn(f"d{names[0]} is {changes[0]:g} percent points, as the grid is: {100 * changes[0]:g} bp of vol")
    return [change / 100 for change in changes]


def _change(name: str, help_: str) -> Argument:
    return Argument(name, f"{help_}; in percent points where the grid is in them", "value")


VOLSHIFT = Function(
    "VOLSHIFT",
    "A grid of implied vols with its features moved by exactly so much, and the rest of its shape as it was.",
    (
        SURFACE,
        _change(
            "dlevel", "change of the vol at the money, short end, or of every ATM: 0.01 is one vol point"
        ),
        _change("dskew", "change of its slope in ln(K/F), or of the risk reversal"),
        _change("dcurv", "change of its second derivative in ln(K/F), or of the butterfly"),
        _change("dterm", "change of its slope a year"),
        *AXES,
        *MARKET,
        WORDING,
        TENOR,
        Argument(
            "decay",
            f"of a market move over the tenors: {', '.join(DECAYS)}; parallel unless told",
            "value",
            choices=DECAYS,
        ),
        Argument(
            "wings",
            "of a market move of ATM: sticky delta, unless told, or sticky strike",
            "value",
            choices=WINGS,
        ),
    ),
    "=VOLSHIFT(A1:F9, 0.01, -0.05)",
    _volshift,
)
