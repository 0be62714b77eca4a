"""The worksheet functions: cells in, cells out, with the help texts that every host shows.

`FUNCTIONS` is the one source of names, arguments and examples; `evaluate` is the one way in. Results are
cached by the exact arguments and the model's digest, so recalculating an unchanged book costs nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from . import bundle, checks, conventions, information
from .cells import Cell, Cells, Grid, parse, read_date, render, shown
from .errors import InputError, LabelError, UnitsError, VoladdinError
from .imputation import impute
from .interpolation import interpolate
from .prior import on_axes_of
from .quotes import volquotes
from .surface import Surface
from .worksheet import Argument, Cache, Function, bind, choice, number, text

__all__ = ["DEFAULT_MODEL", "FUNCTIONS", "OUTPUTS", "Argument", "Function", "evaluate"]

DEFAULT_MODEL = "fx"
OUTPUTS = {"fill": "filled", "mean": "mean", "std": "std", "low": "low", "high": "high", "zscore": "zscore"}

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # a host decides where tracebacks of defects go, never the terminal
_warnings: ContextVar[list[str]] = ContextVar("warnings")


def evaluate(name: str, arguments: Sequence[Cell | Cells]) -> Cells:
    """Value of a worksheet function, as cells; the same arguments and model give the same cells.

    name: "VOLIMPUTE", …, case-insensitive.
    arguments: in order; None, "" or a blank 1 x 1 range where an optional one is omitted.

    Raises VoladdinError, whose `cell_error` is what the cell shows; VOLINFO("error") repeats it.
    """
    found: list[str] = []
    token = _warnings.set(found)
    try:
        return _evaluate(name, arguments, found)
    except VoladdinError as error:
        information.record_error(name.upper(), error)
        raise
    except Exception as error:
        _log.exception("%s failed", name)
        wrapped = VoladdinError(
            f"{name} failed: {type(error).__name__}: {error}; this is a defect, please report"
        )
        information.record_error(name.upper(), wrapped)
        raise wrapped from error
    finally:
        _warnings.reset(token)


def clear_cache() -> None:
    """Forgets every result."""
    _CACHE.clear()


def _evaluate(name: str, arguments: Sequence[Cell | Cells], found: list[str]) -> Cells:
    function = FUNCTIONS.get(name.upper())
    if function is None:
        raise InputError(f"function {name!r} is unknown; expected one of {', '.join(FUNCTIONS)}")
    values = bind(function, arguments)
    if not function.cached:
        return function.compute(*values)
    key = _key(function, values)
    entry = _CACHE.get(key)
    if entry is None:
        entry = (function.compute(*values), found)
        _CACHE.put(key, entry)
    information.record_warnings(entry[1])
    return [list(row) for row in entry[0]]


def _key(function: Function, values: list[Any]) -> bytes:
    names = [argument.name for argument in function.arguments]
    digest = bundle.load(_model(values[names.index("model")])).digest if "model" in names else ""
    return hashlib.sha256(repr((function.name, digest, values)).encode()).digest()


_CACHE = Cache()


def _parsed(argument: str, cells: Cells, *axes: Any) -> Grid:
    """`cells` as a Grid; errors and warnings name the argument."""
    try:
        grid = parse(cells, *axes)
    except InputError as error:
        raise type(error)(f"{argument}: {error}") from None
    _warnings.get().extend(f"{argument}: {warning}" for warning in grid.warnings)
    return grid


def _model(value: Cell) -> str:
    return text("model", value, DEFAULT_MODEL)


def _units(value: Cell) -> str | None:
    return text("units", value, "") or None


def _volimpute(
    surface: Cells,
    output: Cell,
    prior: Cells | None,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
    prior_age: Cell,
) -> Cells:
    wanted = choice("output", output, list(OUTPUTS))
    axes = (tenors, strikes, _units(units), forwards)
    grid = _parsed("surface", surface, *axes)
    if prior is None:
        _require_quote(grid)
    earlier = None if prior is None else _prior(grid, prior, axes)
    age = number("prior_age", prior_age, 1.0)
    result = impute(grid.surface, prior=earlier, prior_age=age, model=_model(model))
    if "fallback" in result.model:
        _warnings.get().append(f"surface: model {result.model}")
    return render(grid, getattr(result, OUTPUTS[wanted]), scale=wanted != "zscore")


def _prior(grid: Grid, cells: Cells, axes: tuple[Any, ...], name: str = "prior") -> Surface:
    """Another grid by its own headers where it has them, else by the surface's arguments."""
    named = axes[:2] != (None, None) and not _has_headers(cells, axes)
    return on_axes_of(grid, _parsed(name, cells, *(axes if named else (None, None, *axes[2:]))), name)


def _has_headers(cells: Cells, axes: tuple[Any, ...]) -> bool:
    try:
        own = parse(cells, None, None, *axes[2:])
    except UnitsError:
        return True
    except InputError:
        return False
    return own.row_header and own.column_header


def _require_quote(grid: Grid, otherwise: str = ", or a prior") -> None:
    if not grid.surface.observed.any():
        raise InputError(f"surface: {grid.body} hold no vol; expected at least one{otherwise}")


def _volcheck(
    surface: Cells,
    output: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    units: Cell,
    forwards: Cells | None,
    bid: Cells | None,
    ask: Cells | None,
    tolerance: Cell,
) -> Cells:
    wanted = choice("output", output, checks.OUTPUTS)
    axes = (tenors, strikes, _units(units), forwards)
    grid = _parsed("surface", surface, *axes)
    _require_quote(grid, "")
    low, high = (
        None if side is None else _prior(grid, side, axes, name)
        for name, side in (("bid", bid), ("ask", ask))
    )
    return checks.volcheck(grid, wanted, low, high, number("tolerance", tolerance, checks.TOLERANCE))


def _volinterp(
    surface: Cells,
    tenor: Cell,
    strike: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    units: Cell,
    forwards: Cells | None,
) -> Cells:
    grid = _parsed("surface", surface, tenors, strikes, _units(units), forwards)
    _require_quote(grid)
    years = _tenor(tenor, grid)
    kind, value = _strike(strike, grid.surface)
    if kind == "strike" and grid.surface.forwards is None:
        raise InputError(
            f"strike is {strike!r}, and the surface has no forwards; expected the argument forwards"
        )
    vol = interpolate(grid.surface, years, value, kind=kind, model=_model(model))
    return [[vol * 100 if grid.percent else vol]]


def _tenor(tenor: Cell, grid: Grid) -> float:
    if read_date(tenor) is not None and grid.valuation is None:
        raise LabelError(
            f"tenor is {shown(tenor)}, a date; expected the valuation date in the corner cell of the surface"
        )
    return conventions.parse_tenor(tenor, grid.valuation)  # type: ignore[arg-type]


def _strike(strike: Cell, surface: Surface) -> tuple[Any, float]:
    """A number is of the surface's own kind; text is a label such as 25P, K=1.085 or m=-0.1."""
    if isinstance(strike, float | int) and not isinstance(strike, bool) and surface.deltas is None:
        return ("moneyness" if surface.moneyness is not None else "strike"), float(strike)
    found = conventions.parse_strike(strike)
    if found is None:
        raise InputError(f"strike is {strike!r}; expected a label such as 25P, ATM, 0.25, K=1.085 or m=-0.1")
    return found


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
) -> Cells:
    if tenors is None:
        raise InputError("VOLQUOTES: tenors is missing; expected one tenor a quote, such as 1W, 1M, 1Y")
    if foreign is None:
        _warnings.get().append("foreign: not given, so spot deltas were read as forward deltas")
    return volquotes(
        {"atm": atm, "rr25": rr25, "bf25": bf25, "rr10": rr10, "bf10": bf10},
        tenors,
        {"domestic_rates": domestic, "foreign_rates": foreign},
        units=_units(units),
        warnings=_warnings.get(),
        strikes=choice("output", output, ["vol", "strike"]) == "strike",
        pair=text("pair", pair, "EURUSD"),
        butterfly=choice("butterfly", butterfly, ["broker", "smile"]),
        spot=None if spot is None else number("spot", spot, 1.0),
    )


def _volinfo(topic: Cell) -> Cells:
    return information.volinfo(text("topic", topic, "").lower(), _ALL)


_TENORS = Argument(
    "tenors", "tenors of the grid's rows where it has no headers: 1W, 1M, 1Y, or years", "range"
)
_STRIKES = Argument(
    "strikes", "strikes of the grid's columns where it has none: 25P, ATM, K=1.085, m=-0.1", "range"
)
_MODEL = Argument("model", 'model bundle, "fx" unless told; VOLINFO("models") lists them', "value")
_UNITS = Argument("units", '"decimal" or "percent" where the grid cannot tell', "value")
_FORWARDS = Argument("forwards", "one forward a tenor; needed where strikes are K=…", "range")
_SURFACE = Argument(
    "surface",
    "a grid of implied vols, tenors by strikes, with or without headers; holes blank",
    "range",
    False,
)

_ALL = (
    Function(
        "VOLIMPUTE",
        "The same grid of implied vols with its holes filled, or the uncertainty of each cell.",
        (
            _SURFACE,
            Argument("output", f"one of {', '.join(OUTPUTS)}; fill unless told", "value"),
            Argument("prior", "an earlier grid with at least these labels, such as yesterday's", "range"),
            _TENORS,
            _STRIKES,
            _MODEL,
            _UNITS,
            _FORWARDS,
            Argument("prior_age", "age of the prior in days; 1 unless told", "value"),
        ),
        '=VOLIMPUTE(A1:F9, "std")',
        _volimpute,
    ),
    Function(
        "VOLINTERP",
        "The implied vol at any tenor and strike of a grid, which may have holes.",
        (
            _SURFACE,
            Argument("tenor", "a tenor such as 4M, years, or a date where the corner is one", "value", False),
            Argument(
                "strike", "25P, ATM, 10C, K=1.085, m=-0.1; a number is of the grid's own kind", "value", False
            ),
            _TENORS,
            _STRIKES,
            _MODEL,
            _UNITS,
            _FORWARDS,
        ),
        '=VOLINTERP(A1:F9, "4M", "25P")',
        _volinterp,
    ),
    Function(
        "VOLQUOTES",
        "A grid of vols at forward deltas, without premium adjustment, from ATM, risk-reversal and butterfly "
        "quotes of a currency pair; its ATM is the forward delta 0.5, which a premium-adjusted quote is not.",
        (
            Argument("atm", "ATM vols, one a tenor", "range", False),
            Argument("rr25", "25-delta risk reversals (call minus put)", "range", False),
            Argument("bf25", "25-delta butterflies", "range", False),
            Argument("rr10", "10-delta risk reversals", "range"),
            Argument("bf10", "10-delta butterflies", "range"),
            Argument("tenors", "one tenor a quote: 1W, 1M, 1Y, or years", "range"),
            Argument("pair", "currency pair whose conventions are used; EURUSD unless told", "value"),
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
            _UNITS,
        ),
        '=VOLQUOTES(B2:B9, C2:C9, D2:D9, , , A2:A9, "EURUSD")',
        _volquotes,
    ),
    Function(
        "VOLCHECK",
        "Whether a grid of implied vols can be arbitraged, by which trades, or their size in each cell.",
        (
            _SURFACE,
            Argument(
                "output",
                "ok (TRUE or FALSE, unless told), report (one trade a row), map (vol bp in each cell) or "
                "diagnostics (conditions on a smooth surface)",
                "value",
            ),
            _TENORS,
            _STRIKES,
            _UNITS,
            _FORWARDS,
            Argument("bid", "bid vols with the surface's labels; calls are sold at them", "range"),
            Argument("ask", "ask vols with the surface's labels; calls are bought at them", "range"),
            Argument(
                "tolerance", "size in forwards that a trade must exceed to count; 1e-10 unless told", "value"
            ),
        ),
        '=VOLCHECK(A1:F9, "report")',
        _volcheck,
    ),
    Function(
        "VOLINFO",
        "Version, models, server state, functions, or the last error with its reference.",
        (
            Argument(
                "topic", f"one of {', '.join(information.TOPICS)}; a short overview unless told", "value"
            ),
        ),
        '=VOLINFO("error")',
        _volinfo,
        cached=False,
    ),
)
FUNCTIONS: dict[str, Function] = {function.name: function for function in _ALL}
