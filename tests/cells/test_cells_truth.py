"""A known surface, written in each notation, is read as it is, or refused, or assumed with a warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.cells.cell_tables import flip, table
from voladdin.cells import Grid, parse
from voladdin.errors import InputError

TODAY = date(2026, 3, 2)
DAYS = [1, 2, 3, 7, 14, 21, 30, 60, 90, 120, 180, 270, 365, 730, 1095, 1825]
MONTHS = [1, 2, 3, 6, 9, 12, 18, 24, 36, 60, 120]
PUTS, CALLS = [0.05, 0.1, 0.15, 0.25, 0.35, 0.4], [0.4, 0.35, 0.25, 0.15, 0.1, 0.05]
FORWARD_ABOUT_ONE = 1.085  # beside it K/F and strikes are the same numbers
FORWARDS = [0.05, 0.27, 0.5, 0.655, 1.085, 7.8, 18.3, 42.0, 71.0, 152.0, 4900.0]


@dataclass(frozen=True)
class Line:
    """What is written, what it means, and what the corner says of it."""

    cells: Sequence[Any]
    truth: Sequence[float]
    kind: str
    words: str = ""
    forward: float | None = None


def some(values: Sequence[Any], least: int = 2, most: int = 6) -> st.SearchStrategy[list[Any]]:
    return st.sets(st.integers(0, len(values) - 1), min_size=least, max_size=most).map(
        lambda places: [values[i] for i in sorted(places)]
    )


@st.composite
def tenor_lines(draw: st.DrawFn) -> Line:
    style = draw(st.sampled_from(["label", "days", "months", "years", "date", "moment"]))
    said = draw(st.booleans())
    if style == "months":
        months = draw(some(MONTHS))
        word = draw(st.sampled_from(["Months", "Mths", "Tenor (m)", "Monate"])) if said else ""
        return Line(months, [m / 12 for m in months], style, word)
    days = draw(some(DAYS))
    years = [d / 365 for d in days]
    if style == "label":
        return Line(
            [draw(st.sampled_from(["{}D", "{} days", "{}d", "{} DTE"])).format(d) for d in days], years, style
        )
    if style == "days":
        word = (
            draw(st.sampled_from(["DTE", "Days", "Tenor (d)", "Laufzeit (Tage)", "Expiry [days]"]))
            if said
            else ""
        )
        return Line(draw(st.sampled_from([days, [str(d) for d in days]])), years, style, word)
    if style == "years":
        word = draw(st.sampled_from(["Years", "T (yrs)", "Jahre"])) if said else ""
        return Line([round(y, 8) for y in years], years, style, word)
    return draw(dated_lines(days, style == "moment"))


@st.composite
def dated_lines(draw: st.DrawFn, days: list[int], moment: bool) -> Line:
    if moment:
        start, hour = datetime(2026, 3, 2, draw(st.integers(0, 23))), draw(st.integers(1, 23))
        ends = [datetime(2026, 3, 2, hour) + timedelta(days=d) for d in days]
        years = [(end - start).total_seconds() / 86_400 / 365 for end in ends]
        return (
            Line(ends, years, "date", "")
            if start.hour
            else Line([f"{d}D" for d in days], [d / 365 for d in days], "label")
        )
    how = draw(
        st.sampled_from(
            ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%b-%y", "serial", "object", "%Y%m%d"]
        )
    )
    ends = [TODAY + timedelta(days=d) for d in days]
    cells = [
        end if how == "object" else (end - date(1899, 12, 30)).days if how == "serial" else f"{end:{how}}"
        for end in ends
    ]
    return Line(cells, [d / 365 for d in days], "date")


@st.composite
def delta_lines(draw: st.DrawFn) -> Line:
    puts, calls = draw(some(PUTS, 0, 4)), draw(some(CALLS, 0, 4))
    middle = [0.5] if draw(st.booleans()) or not (puts or calls) else []
    truth = [1 - p for p in puts] + middle + calls
    style = draw(st.sampled_from(["label", "decimal", "whole", "signed", "percent", "sideless"]))
    word = draw(st.sampled_from(["", "Delta", "Δ"]))
    shown = [
        f"{100 * d:g}C" if d < 0.5 else "ATM" if d == 0.5 else f"{round(100 - 100 * d, 6):g}P" for d in truth
    ]
    if style == "decimal":
        shown = [round(d, 6) for d in truth]
    elif style == "whole":
        shown = [round(100 * d) for d in truth]
    elif style == "signed":
        shown = [round(d if d <= 0.5 else d - 1, 6) for d in truth]
    elif style == "percent":
        shown, word = [f"{round(100 * d)}%" for d in truth], "Delta"
    elif style == "sideless":
        shown = [f"{round(100 * d if d <= 0.5 else 100 - 100 * d)}Δ" for d in truth]
    return Line(shown, truth, "deltas", word)


@st.composite
def strike_lines(draw: st.DrawFn) -> Line:
    forward = draw(st.sampled_from(FORWARDS))
    step = draw(st.sampled_from([0.01, 0.02, 0.05, 0.1]))
    ratios = [1 + step * i for i in range(-draw(st.integers(1, 3)), draw(st.integers(2, 4)))]
    style = draw(st.sampled_from(["strike", "named", "unknown forward", "K/F", "percent of F", "log", "far"]))
    if style == "log":
        word = draw(st.sampled_from(["", "ln(K/F)", "Moneyness", "k"]))
        truth = [round(r - 1, 6) for r in ratios]
        return Line(truth, truth, "moneyness", word)
    if style in ("K/F", "percent of F"):
        word = draw(st.sampled_from(["", "K/F", "Moneyness", "% of forward"]))
        scale = 100 if style == "percent of F" else 1
        known = draw(st.sampled_from([None, forward])) if forward != FORWARD_ABOUT_ONE else None
        return Line(
            [round(scale * r, 6) for r in ratios],
            np.log(np.round(ratios, 8)).tolist(),
            "moneyness",
            word,
            known,
        )
    strikes = [float(f"{forward * r:.4g}") for r in ratios]
    if style == "named":
        return Line([f"K={k:g}" for k in strikes], strikes, "strikes", "", forward)
    word = draw(st.sampled_from(["", "Strike"]))
    return Line(strikes, strikes, "strikes", word, None if style == "unknown forward" else forward)


@st.composite
def bodies(draw: st.DrawFn, rows: int, columns: int) -> tuple[list[list[Any]], np.ndarray, str]:
    """Written vols, the true ones, and what the corner says of them."""
    level, word = draw(
        st.sampled_from(
            [
                (0.004, "USDHKD"),
                (0.006, "EUR/DKK"),
                (0.02, "EURCHF"),
                (0.08, "EURUSD"),
                (0.08, ""),
                (0.22, ""),
            ]
        )
        | st.sampled_from([(0.015, ""), (0.04, ""), (0.6, ""), (1.4, ""), (2.6, ""), (2.6, "decimal")])
    )
    noise = draw(st.lists(st.integers(-9, 9), min_size=rows * columns, max_size=rows * columns))
    truth = level * (1 + 0.02 * np.array(noise).reshape(rows, columns))
    percent = draw(st.booleans()) and word != "decimal"
    scale = 100 if percent else 1
    style = draw(st.sampled_from(["number", "text", "comma", "sign"]))
    if style == "sign":
        return [[f"{100 * v:.6f}%" for v in row] for row in truth.tolist()], truth, word
    written = np.round(scale * truth, 8)
    cells: list[list[Any]] = written.tolist()
    if style != "number":
        cells = [[f"{v:.8f}".replace(".", "," if style == "comma" else ".") for v in row] for row in cells]
    return cells, truth, word


def same(grid: Grid, tenors: Line, strikes: Line, vols: np.ndarray) -> bool:
    axis = getattr(grid.surface, strikes.kind)
    return bool(
        grid.surface.shape == vols.shape
        and axis is not None
        and np.allclose(grid.surface.tenors, tenors.truth, rtol=1e-5)
        and np.allclose(axis, strikes.truth, rtol=1e-5, atol=1e-6)
        and np.allclose(grid.surface.vols, vols, rtol=1e-4)
    )


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_the_truth_or_a_refusal_or_a_warning(data: st.DataObject) -> None:
    tenors, strikes = data.draw(tenor_lines()), data.draw(delta_lines() | strike_lines())
    body, vols, word = data.draw(bodies(len(tenors.truth), len(strikes.truth)))
    turned = data.draw(st.booleans())
    said = [tenors.words, strikes.words, word]
    corner: Any = data.draw(
        st.sampled_from([" ".join(filter(None, said)), *filter(None, said)]) if any(said) else st.just(None)
    )
    valuation = None
    if tenors.kind == "date":
        moments = any(isinstance(cell, datetime) for cell in tenors.cells)
        years, end = tenors.truth[0], tenors.cells[0]
        valuation = end - timedelta(days=365 * years) if moments else TODAY
    cells = table(body, list(tenors.cells), list(strikes.cells), corner)
    forwards = None if strikes.forward is None else [[strikes.forward]]
    try:
        grid = parse(flip(cells) if turned else cells, forwards=forwards, valuation=valuation)
    except InputError as error:
        event("refused")
        assert "expected" in str(error)
        return
    right = same(grid, tenors, strikes, vols)
    event("read" if right else "assumed, with a warning")
    assert right or grid.warnings, (cells, forwards, grid.surface)
