"""VOLGRID: a list of listed options becomes a grid of implied vols that every other function reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np

from .._typing import FloatArray
from ..cells import (
    CLOCKS,
    SETTLEMENTS,
    Cell,
    Cells,
    ExpiryClock,
    OptionRows,
    labels_of,
    option_strikes,
    parse_options,
    read_date,
    read_number,
    shown,
    strike_axis,
    tenor_axis,
)
from ..errors import InputError
from ..imputation.listed import Listed
from ..labels import parse_tenor
from ..options import EXERCISES, implied
from .arguments import MODEL, model_name, valuation_of, warn
from .chain_tables import days_label, forward_table, quality, remarks, report, strike_grid
from .signature import Argument, Function, choice, number

OUTPUTS = ("grid", "bid", "ask", "deltas", "std", "forwards", "report", "quality")
STANDARD_TENORS = ("1W", "2W", "1M", "2M", "3M", "6M", "9M", "1Y", "18M", "2Y", "3Y", "4Y", "5Y")
STANDARD_DELTAS = (*(f"{n}P" for n in range(10, 50, 5)), "ATM", *(f"{n}C" for n in range(45, 5, -5)))


def _volgrid(
    options: Cells,
    output: Cell,
    valuation: Cell,
    forwards: Cells | None,
    rate: Cell,
    exercise: Cell,
    underlying: Cell,
    tenors: Cells | None,
    strikes: Cells | None,
    model: Cell,
    settlement: Cell,
    clock: Cell,
) -> Cells:
    wanted = choice("output", output, OUTPUTS)
    day = valuation_of(valuation)
    counted = ExpiryClock(
        choice("clock", clock, CLOCKS), choice("settlement", settlement, SETTLEMENTS) == "am"
    )
    read = parse_options(options, day, clock=counted)
    style = _exercise(read, exercise)
    ahead = read.forwards if forwards is None else _forwards(read, forwards)
    at_rate = _rate(rate) if rate is not None or style == EXERCISES[0] else read.rate
    price = _positive("underlying", underlying) if underlying else read.underlying
    with _naming_unread(read):
        chain = implied(read.options, forwards=ahead, rate=at_rate, underlying=price, exercise=style)
    for remark in remarks(read, chain):
        warn(remark)
    if wanted == "forwards":
        return forward_table(chain)
    if wanted == "report":
        return report(read, chain)
    if wanted in ("grid", "bid", "ask"):
        return strike_grid(chain, {"grid": chain.vols, "bid": chain.bid, "ask": chain.ask}[wanted])
    listed = Listed(chain, model_name(model))
    return quality(read, listed) if wanted == "quality" else _asked(listed, wanted, tenors, strikes, day)


@contextmanager
def _naming_unread(read: OptionRows) -> Iterator[None]:
    """Where what is left of the list does not do, an InputError says of its rows which were not read."""
    try:
        yield
    except InputError as error:
        if not read.unread:
            raise
        rows = f"{len(read.unread)} rows are left out, the first since {read.unread[0][1]}"
        raise type(error)(f"{error} ({rows})") from None


def _asked(
    listed: Listed, wanted: str, tenors: Cells | None, strikes: Cells | None, day: date | None
) -> Cells:
    """Vols, or their standard deviations, on the asked tenors and strikes, the standard ones unless told."""
    names, years = list(STANDARD_TENORS), np.array([parse_tenor(name) for name in STANDARD_TENORS])
    if tenors is not None:
        labels = [label for row in labels_of(tenors, "tenors") for label in row]
        years = tenor_axis(labels, day)
        names = [
            days_label(t) if _dated(label.cell) else str(label.cell)
            for t, label in zip(years.tolist(), labels, strict=True)
        ]
    heads: list[Cell] = list(STANDARD_DELTAS)
    if strikes is not None:
        heads = [cell for row in strikes for cell in row]
    chain = listed.chain
    kind, values = strike_axis(
        [label for row in labels_of([heads], "strikes") for label in row], float(np.median(chain.forwards))
    )
    if kind == "strike":
        heads = list(option_strikes(values))
    _warn_beyond(chain.tenors, names, years)
    found = (listed.vols if wanted == "deltas" else listed.std)(years, values, kind)
    forwards = np.exp(np.interp(years, chain.tenors, np.log(chain.forwards)))
    table: Cells = [["", "F", *heads]]
    return table + [
        [name, float(f), *map(float, row)] for name, f, row in zip(names, forwards, found, strict=True)
    ]


def _dated(cell: Cell) -> bool:
    return isinstance(cell, date | float | int) or read_date(cell) is not None


def _warn_beyond(listed: FloatArray, names: list[str], years: FloatArray) -> None:
    beyond = [name for name, t in zip(names, years, strict=True) if not listed[0] <= t <= listed[-1]]
    if beyond:
        warn(
            f"tenors {', '.join(beyond)} are outside the listed expiries, {days_label(listed[0])} to "
            f"{days_label(listed[-1])}: extrapolated"
        )


def _exercise(read: OptionRows, cell: Cell) -> str:
    """As told, else as the list says, else European."""
    listed = None if read.american is None else EXERCISES[read.american]
    told = choice("exercise", cell, ["", *EXERCISES])
    if not told:
        return listed or EXERCISES[0]
    if listed is not None and told != listed:
        raise InputError(f"exercise is {told!r} and the options' own column says {listed}; expected one")
    return told


def _positive(name: str, cell: Cell) -> float:
    value = number(name, cell, 0.0)
    if value <= 0:
        raise InputError(f"{name} is {shown(cell)}; expected a number above 0")
    return value


def _rate(cell: Cell) -> float | None:
    if cell is None:
        return None
    found = read_number(cell)
    if found is None or not abs(found.fraction) < 1:
        raise InputError(f"rate is {shown(cell)}; expected a continuously compounded rate such as 0.03")
    return found.fraction


def _forwards(read: OptionRows, cells: Cells) -> dict[float, float]:
    """One forward an expiry, in the order of the expiries, or one for all."""
    values = [read_number(cell) for row in cells for cell in row]
    years = np.unique(read.options.years[read.options.years > 0]).tolist()
    if len(values) not in (1, len(years)) or any(v is None or not 0 < v.value < np.inf for v in values):
        raise InputError(
            f"forwards has {len(values)} cells; expected {len(years)} numbers above 0, one an expiry in order"
        )
    numbers = [v.value for v in values if v is not None]
    return dict(zip(years, numbers * (len(years) if len(numbers) == 1 else 1), strict=True))


VOLGRID = Function(
    "VOLGRID",
    "A list of listed options, one a row with headings, as a grid of implied vols with its forwards.",
    (
        Argument(
            "options",
            "headings: expiry or days, strike, call/put (or a symbol), bid, ask (or mid, or iv); call bid",
            "range",
            optional=False,
        ),
        Argument("output", f"one of {', '.join(OUTPUTS)}; grid unless told", "value", choices=OUTPUTS),
        Argument("valuation", "the date that expiry dates count from", "value"),
        Argument("forwards", "one forward an expiry; by put-call parity unless told", "range"),
        Argument("rate", "continuously compounded, such as 0.03; by put-call parity unless told", "value"),
        Argument(
            "exercise",
            "european or american, which needs rate and underlying; european unless told",
            "value",
            choices=EXERCISES,
        ),
        Argument(
            "underlying", "its price, for American options or where no strike has call and put", "value"
        ),
        Argument("tenors", "of deltas and std: 1W, 1M, 1Y; thirteen from 1W to 5Y unless told", "range"),
        Argument(
            "strikes", "of deltas and std: 25P, ATM, K=4200, m=-0.1; 10P to 10C by 5 unless told", "range"
        ),
        MODEL,
        Argument(
            "settlement",
            "pm or am: when the last day ends, where no column AM/PM says it; pm (the close) unless told",
            "value",
            choices=tuple(SETTLEMENTS),
        ),
        Argument(
            "clock",
            "calendar (days over 365, unless told) or business (weekdays over 252)",
            "value",
            choices=tuple(CLOCKS),
        ),
    ),
    '=VOLGRID(A1:F400, "grid", TODAY())',
    _volgrid,
)
