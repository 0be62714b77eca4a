"""What VOLGRID shows of a chain: vols by strike, forwards, what is left out and why, how it fits."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .._typing import FloatArray
from ..arbitrage.check import check
from ..cells import Cells, OptionRows, option_strikes
from ..imputation.listed import Listed
from ..labels import parse_tenor, tenor_label
from ..options import REASONS, Chain
from ..surface import MAX_CELLS, Surface

_SHOWN = 200  # rows of the report for one reason
_SAME = 1e-12  # relative
_WORST = 20  # quotes farthest from the surface
_QUALITY = ("tenor", "quotes", "nodes", "width (bp)", "median distance", "largest distance", "within bid-ask")


def strike_grid(chain: Chain, vols: FloatArray) -> Cells:
    """Expiries down with their forward, strikes across; blank where nothing is listed."""
    table: Cells = [["", "F", *option_strikes(chain.strikes)]]
    for tenor, forward, row in zip(chain.tenors, chain.forwards, vols, strict=True):
        table.append([days_label(tenor), float(forward), *("" if np.isnan(v) else float(v) for v in row)])
    return table


def forward_table(chain: Chain) -> Cells:
    """A row an expiry: forward, discount factor, options used, strikes with call and put."""
    heads: Cells = [["tenor", "years", "forward", "discount", "zero rate", "options", "pairs"]]
    pairs = np.full(len(chain.tenors), np.nan)
    if chain.parity is not None:
        pairs = chain.parity.pairs[np.searchsorted(chain.parity.years, chain.tenors)]
    for row, years in enumerate(chain.tenors.tolist()):
        forward, discount = float(chain.forwards[row]), float(chain.discounts[row])
        count = float((chain.source[row] >= 0).sum())
        rate = float(-np.log(discount) / years)
        both = "" if np.isnan(pairs[row]) else float(pairs[row])
        heads.append([days_label(years), years, forward, discount, rate, count, both])
    return heads


def days_label(years: float) -> str:
    """Such as 36D, or 1M where that is no whole number of days; it is read back as these years."""
    days = 365 * years
    if abs(days - round(days)) < 1e-6:
        return f"{round(days)}D"
    label = tenor_label(years, tolerance=_SAME)
    return label if abs(parse_tenor(label) / years - 1) <= _SAME else f"{years:.10g}Y"


def report(read: OptionRows, chain: Chain) -> Cells:
    """A row for each option that is left out, and why; then pairs off parity, and what was assumed."""
    rows: Cells = [["option", "row", "why it is left out"]]
    rows += [["", float(row + 1), message] for row, message in read.unread[:_SHOWN]]
    if len(read.unread) > _SHOWN:
        rows.append(["…", "", f"{len(read.unread) - _SHOWN} more rows that cannot be read"])
    shown: Counter[str] = Counter()
    for i, reason in enumerate(chain.dropped):
        shown[reason] += 1
        if reason and reason != "other side" and shown[reason] <= _SHOWN:
            rows.append([read.name(i), float(read.rows[i] + 1), REASONS[reason]])
    more = {reason: n - _SHOWN for reason, n in shown.items() if reason not in ("", "other side")}
    rows += [["…", "", f"{n} more: {REASONS[reason]}"] for reason, n in more.items() if n > 0]
    if chain.parity is not None:
        for row, strike in chain.parity.outliers:
            expiry = tenor_label(float(chain.parity.years[row]))
            rows.append(
                [f"call and put {strike:g} of {expiry}", "", "are off put-call parity; used all the same"]
            )
    rows += [["all", "", note] for note in (*read.notes, *chain.notes)]
    return rows if len(rows) > 1 else [["every option is used"]]


def remarks(read: OptionRows, chain: Chain) -> list[str]:
    """For VOLINFO("error"): how many options are left out and why, and what was assumed."""
    counts = Counter(chain.dropped)
    parts = [f"{counts[reason]} {reason}" for reason in REASONS if counts[reason] and reason != "other side"]
    found = [f"options: left out {', '.join(parts)}"] if parts else []
    if read.unread:
        more = f", and {len(read.unread) - 1} more rows" if len(read.unread) > 1 else ""
        found.append(f"options: left out {read.unread[0][1]}{more}")
    return found + [f"options: {note}" for note in (*read.notes, *chain.notes)]


def quality(read: OptionRows, listed: Listed) -> Cells:
    """An expiry a row: quotes, widths, how far the surface is from them in half bid-asks; the worst."""
    chain, far = listed.chain, np.abs(listed.distances)
    width = 1e4 * (chain.ask - chain.bid)
    rows: Cells = [list(_QUALITY)]
    for i, years in enumerate(chain.tenors):
        known = far[i][np.isfinite(far[i])]
        wide = width[i][np.isfinite(width[i])]
        numbers = [np.median(known), known.max(), (known <= 1).mean()] if len(known) else [np.nan] * 3
        counts = [float(np.isfinite(chain.vols[i]).sum()), float(listed.nodes.observed[i].sum())]
        numbers = [np.median(wide) if len(wide) else np.nan, *numbers]
        rows.append([days_label(years), *counts, *("" if np.isnan(x) else float(x) for x in numbers)])
    flat = np.where(np.isfinite(far), far, -1.0).ravel()
    for at in np.argsort(-flat)[:_WORST].tolist():
        if flat[at] > 1:
            i, j = divmod(at, far.shape[1])
            option = int(chain.source[i, j])
            rows.append(
                [read.name(option), float(read.rows[option] + 1), "", float(width[i, j]), "", float(flat[at])]
            )
    return [[*row, *[""] * (7 - len(row))] for row in [*rows, *_violations(chain)]]


def _violations(chain: Chain) -> Cells:
    """How many trades take arbitrage at mid, and at bid and ask."""
    if chain.vols.size > MAX_CELLS:
        return [["violations", "", f"not counted: more than {MAX_CELLS} cells"]]
    surface = Surface(chain.vols, chain.tenors, strikes=chain.strikes, forwards=chain.forwards)
    rows: Cells = [["violations at mid", float(len(check(surface).violations))]]
    if np.isfinite(chain.bid).any() and np.isfinite(chain.ask).any():
        found = check(surface, bid=chain.bid, ask=chain.ask).violations
        rows.append(["violations at bid and ask", float(len(found))])
        rows += [["", "", violation.message] for violation in found[:_WORST]]
    return rows
