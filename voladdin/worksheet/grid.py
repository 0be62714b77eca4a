"""VOLGRID: a list of listed options becomes a grid of implied vols that every other function reads."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..cells import Cell, Cells, OptionRows, option_strikes, parse_options, read_date, read_number, shown
from ..errors import InputError
from ..labels import tenor_label
from ..options import REASONS, Chain, implied
from .arguments import warn
from .signature import Argument, Function, choice

OUTPUTS = ("grid", "bid", "ask", "forwards", "report")


def volgrid(read: OptionRows, chain: Chain, output: str) -> Cells:
    """One output of a chain: vols by expiry and strike with the forwards, or what was found and dropped."""
    if output == "forwards":
        rows: Cells = [["tenor", "years", "forward", "discount", "options"]]
        counts = (chain.source >= 0).sum(1).tolist()
        values = zip(chain.tenors, chain.forwards, chain.discounts, counts, strict=True)
        return rows + [[_tenor(t), float(t), float(f), float(d), float(n)] for t, f, d, n in values]
    if output == "report":
        return _report(read, chain)
    vols = {"grid": chain.vols, "bid": chain.bid, "ask": chain.ask}[output]
    table: Cells = [["", "F", *option_strikes(chain.strikes)]]
    for tenor, forward, row in zip(chain.tenors, chain.forwards, vols, strict=True):
        table.append([_tenor(tenor), float(forward), *("" if np.isnan(v) else float(v) for v in row)])
    return table


def _tenor(years: float) -> str:
    days = 365 * years
    return f"{round(days)}D" if abs(days - round(days)) < 1e-6 else f"{years:.10g}Y"


def _report(read: OptionRows, chain: Chain) -> Cells:
    rows: Cells = [["option", "row", "why it is left out"]]
    for name, row, reason in zip(read.names, read.rows, chain.dropped, strict=True):
        if reason and reason != "other side":
            rows.append([name, float(row + 1), REASONS[reason]])
    if chain.parity is not None:
        for row, strike in chain.parity.outliers:
            expiry = tenor_label(float(chain.parity.years[row]))
            rows.append(
                [f"call and put {strike:g} of {expiry}", "", "are off put-call parity; used all the same"]
            )
    return rows if len(rows) > 1 else [["every option is used"]]


def _remark(chain: Chain) -> str:
    counts = Counter(chain.dropped)
    parts = [f"{counts[reason]} {reason}" for reason in REASONS if counts[reason] and reason != "other side"]
    return f"options: left out {', '.join(parts)}" if parts else ""


def _volgrid(options: Cells, output: Cell, valuation: Cell, forwards: Cells | None, rate: Cell) -> Cells:
    wanted = choice("output", output, OUTPUTS)
    day = None if valuation is None else read_date(valuation)
    if valuation is not None and day is None:
        raise InputError(f"valuation is {shown(valuation)}; expected a date")
    read = parse_options(options, day)
    given = None if forwards is None else _forwards(read, forwards)
    chain = implied(read.options, forwards=given, rate=_rate(rate))
    if remark := _remark(chain):
        warn(remark)
    return volgrid(read, chain, wanted)


def _rate(cell: Cell) -> float | None:
    if cell is None:
        return None
    number = read_number(cell)
    if number is None or not abs(number.fraction) < 1:
        raise InputError(f"rate is {shown(cell)}; expected a continuously compounded rate such as 0.03")
    return number.fraction


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
            "headings: expiry or days, strike, call/put, bid, ask (or mid); also call bid, put bid and so on",
            "range",
            optional=False,
        ),
        Argument("output", f"one of {', '.join(OUTPUTS)}; grid unless told", "value"),
        Argument("valuation", "the date that expiry dates count from", "value"),
        Argument("forwards", "one forward an expiry; by put-call parity unless told", "range"),
        Argument("rate", "continuously compounded, such as 0.03; by put-call parity unless told", "value"),
    ),
    '=VOLGRID(A1:F400, "grid", TODAY())',
    _volgrid,
)
