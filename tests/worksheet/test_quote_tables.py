"""Tables of ATM, risk reversals and butterflies as desks head them, read by the functions directly."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin.cells import Cells, find_quotes
from voladdin.errors import InputError, LabelError, UnitsError
from voladdin.labels.quote_names import parse_quote
from voladdin.worksheet.registry import evaluate

HEADS = ("ATM", "25RR", "25BF", "10RR", "10BF")
ROWS: dict[str, tuple[float, ...]] = {
    "1W": (8.1, -0.2, 0.2, -0.4, 0.7),
    "1M": (8.2, -0.35, 0.22, -0.7, 0.75),
    "1Y": (8.9, -0.6, 0.25, -1.15, 0.9),
    "2Y": (9.1, -0.8, 0.26, -1.6, 0.95),
}


def table(corner: Any = "EURUSD", heads: tuple[str, ...] = HEADS, order: Any = range(5)) -> Cells:
    """The quotes under these headings, their columns in this order."""
    rows = [[tenor, *(values[j] for j in order)] for tenor, values in ROWS.items()]
    return [[corner, *(heads[j] for j in order)], *rows]


def by_columns(**given: Any) -> Cells:
    """VOLQUOTES of the same quotes, a range each."""
    columns = [[[values[j]] for values in ROWS.values()] for j in range(5)]
    said = {"pair": "EURUSD", "butterfly": None} | given
    return evaluate("VOLQUOTES", [*columns, [[t] for t in ROWS], said["pair"], said["butterfly"]])


def warnings() -> str:
    return str(evaluate("VOLINFO", ["error"]))


@given(order=st.permutations(range(5)), transposed=st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_order_and_either_way_round(order: list[int], transposed: bool) -> None:
    cells = table(order=order)
    expected = by_columns()
    if transposed:
        cells, expected = ([list(line) for line in zip(*grid, strict=True)] for grid in (cells, expected))
    assert evaluate("VOLQUOTES", [cells]) == expected
    assert evaluate("VOLIMPUTE", [cells]) == expected  # nothing is missing


@pytest.mark.parametrize(
    "heads",
    [
        ("ATM vol", "RR25", "BF25", "RR10", "BF10"),
        ("ATMF", "25D Risk Reversal", "25D Butterfly", "10D Risk Reversal", "10D Butterfly"),
        ("At-the-money", "25Δ RR", "25Δ Fly", "10Δ RR", "10Δ Fly"),
        ("DNS", "R/R 25", "B/F 25", "R/R 10", "B/F 10"),
        ("ATM", "25D R.R.", "25D B.F.", "10D R.R.", "10D B.F."),
        ("ATM (%)", "25R", "25B", "10R", "10B"),
        ("À la monnaie", "25 Risk Reversal", "Papillon 25", "10 Risk Reversal", "Papillon 10"),
        ("Am Geld", "RR 25 Delta", "Schmetterling 25 Delta", "RR 10 Delta", "Schmetterling 10 Delta"),
        ("Al dinero", "0.25 RR", "Mariposa 0,25", "0.10 RR", "Mariposa 0,10"),
        ("50Δ", "25-delta risk rev", "25-delta fly", "10-delta risk rev", "10-delta fly"),
    ],
)
def test_the_usual_words(heads: tuple[str, ...]) -> None:
    assert evaluate("VOLQUOTES", [table(heads=heads)]) == by_columns()


@pytest.mark.parametrize("text", ["25P", "ATM1M", "Strike", "Bid", "25 put", "RRR 25", "60RR", "", "Comment"])
def test_what_names_no_quote(text: str) -> None:
    name = parse_quote(text)
    assert name is None


@pytest.mark.parametrize(
    ("words", "butterfly"), [("MS", "broker"), ("STR", "broker"), ("smile fly", "smile"), ("SS", "smile")]
)
def test_headings_say_how_butterflies_are_quoted(words: str, butterfly: str) -> None:
    heads = ("ATM", "25RR", f"25 {words}", "10RR", f"10 {words}")
    assert evaluate("VOLQUOTES", [table(heads=heads)]) == by_columns(butterfly=butterfly)


def test_strangles_quoted_as_vols_are_told_by_their_size() -> None:
    cells = table(heads=("ATM", "25RR", "25 Strangle", "10RR", "10 Strangle"))
    for row in cells[1:]:
        row[3], row[5] = row[1] + row[3], row[1] + row[5]  # type: ignore[operator]
    found = evaluate("VOLQUOTES", [cells])
    assert "vols of strangles, read as their excess over ATM" in warnings()
    numbers = [[row[1:] for row in grid[1:]] for grid in (found, by_columns())]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-12)


def test_headings_in_two_lines_with_bid_and_ask() -> None:
    cells: Cells = [["EURUSD vols", None, None, None, None], ["", "ATM", "", "25RR", "", "25BF", ""]]
    cells[0] += [None, None]
    cells.append(["Tenor", "Bid", "Ask", "Bid", "Ask", "Bid", "Ask"])
    for tenor, (atm, rr, bf, *_) in ROWS.items():
        cells.append([tenor, atm - 0.1, atm + 0.1, rr - 0.05, rr + 0.05, bf - 0.02, bf + 0.02])
    found = evaluate("VOLQUOTES", [cells])
    assert found[0] == ["EURUSD", "25P", "ATM", "25C"]
    np.testing.assert_allclose([row[2] for row in found[1:]], [row[0] for row in ROWS.values()], rtol=1e-12)
    assert "cell B3 of the range is 'Bid': the middle of bid and ask" in warnings()
    grouped: Cells = [["", "ATM", "RR", "", "BF", ""], ["EURUSD", "", "25D", "10D", "25D", "10D"]]
    grouped += [[t, atm, r25, r10, b25, b10] for t, (atm, r25, b25, r10, b10) in ROWS.items()]
    assert evaluate("VOLQUOTES", [grouped]) == by_columns()


def test_sides_in_words() -> None:
    cells = table()
    for row in cells[1:]:
        row[2] = f"{-row[2]:g}P" if row[2] < 0 else row[2]  # type: ignore[operator]
        row[4] = f"puts {-row[4]:g}"  # type: ignore[operator]
    assert evaluate("VOLQUOTES", [cells]) == by_columns()
    heads = ("ATM", "25RR put-call", "25BF", "10RR put-call", "10BF")
    turned = table(heads=heads)
    for row in turned[1:]:
        row[2], row[4] = -row[2], -row[4]  # type: ignore[operator]
    expected = by_columns()
    assert evaluate("VOLQUOTES", [turned]) == expected
    assert "put less call: read with the other sign" in warnings()
    cells[1][2] = "-0.2P"
    with pytest.raises(InputError, match=r"cell C2 of the range is '-0\.2P', a side and a sign"):
        evaluate("VOLQUOTES", [cells])


def test_dates_days_and_percent() -> None:
    dated = table(corner=date(2026, 1, 5))
    for row, day in zip(dated[1:], ((1, 12), (2, 5), (12, 31), (12, 31)), strict=True):
        row[0] = date(2026 + (row[0] == "2Y"), *day)
    grid = evaluate("VOLIMPUTE", [dated])
    assert grid[0][0] == date(2026, 1, 5) and evaluate("VOLCHECK", [grid])
    days = table(corner="EURUSD DTE")
    for row, number in zip(days[1:], (7, 30, 365, 730), strict=True):
        row[0] = number
    assert [row[0] for row in evaluate("VOLQUOTES", [days])[1:]] == ["7D", "30D", "365D", "730D"]
    percent = [[f"{cell}%" if isinstance(cell, float) else cell for cell in row] for row in table()]
    found = evaluate("VOLQUOTES", [percent])
    assert found[1][3] == pytest.approx(0.081) and found[4][1] == pytest.approx(by_columns()[4][1] / 100)


def test_every_function_reads_the_table() -> None:
    cells = table()
    cells[3][4] = cells[3][5] = None
    grid = evaluate("VOLQUOTES", [cells])
    assert grid[3][1] == "" and grid[3][2] != ""
    for name, rest in (
        ("VOLIMPUTE", []),
        ("VOLIMPUTE", ["std"]),
        ("VOLCHECK", []),
        ("VOLREPAIR", []),
        ("VOLINTERP", ["6M", "25P"]),
        ("VOLFEATURES", []),
    ):
        assert evaluate(name, [cells, *rest]) == evaluate(name, [grid, *rest])
    bid, ask = table(), table()
    for low, high in zip(bid[1:], ask[1:], strict=True):
        low[1], high[1] = low[1] - 0.2, high[1] + 0.2  # type: ignore[operator]
    assert evaluate("VOLCHECK", [cells, "ok", None, None, None, None, bid, ask]) == [[True]]


@pytest.mark.parametrize(
    ("pair", "butterfly"), list(itertools.product(("EURUSD", "USDJPY", "USDBRL"), ("broker", "smile")))
)
def test_the_way_back_gives_the_table(pair: str, butterfly: str) -> None:
    cells = table(corner=pair)
    cells[2][4] = cells[2][5] = ""
    argument = [None] * 6 + [butterfly, 1.1, 0.02, 0.03]
    grid = evaluate("VOLQUOTES", [cells, *argument])
    assert evaluate("VOLQUOTES", [grid, "quotes", pair, *argument[2:]]) == cells
    assert evaluate("VOLQUOTES", [grid, *argument, "quotes"]) == cells  # the pair is in the corner
    turned = [list(line) for line in zip(*grid, strict=True)]
    expected = [list(line) for line in zip(*cells, strict=True)]
    assert evaluate("VOLQUOTES", [turned, *argument, "quotes"]) == expected


def test_quotes_of_a_surface_on_strikes() -> None:
    grid: Cells = [["", "F", *(f"K={k}" for k in range(80, 125, 5))]]
    for tenor, years in (("1M", 1 / 12), ("1Y", 1.0)):
        m = np.log(np.arange(80, 125, 5) / 100) / np.sqrt(years)
        grid.append([tenor, 100.0, *(0.2 - 0.05 * m + 0.1 * m**2).tolist()])
    head, *rows = evaluate("VOLQUOTES", [grid, "quotes", None, None, None, None, None, "smile"])
    assert head == ["", "ATM", "25RR", "25BF", "10RR", "10BF"]
    for row in rows:
        again = (
            evaluate("VOLINTERP", [grid, row[0], "25C"])[0][0],
            evaluate("VOLINTERP", [grid, row[0], "25P"])[0][0],
        )
        assert row[2] == pytest.approx(again[0] - again[1], abs=1e-9)
        assert row[3] == pytest.approx((again[0] + again[1]) / 2 - row[1], abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({(0, 1): "Spread"}, "has no ATM; its headings are 25RR, 25BF, 10RR, 10BF"),
        (
            {(0, 3): "25RR"},
            "cell C1 of the range is '25RR' and cell D1 of the range is '25RR': the same quote",
        ),
        ({(0, 2): "RR"}, "cell C1 of the range is 'RR', of no delta"),
        ({(0, 3): "25MS", (0, 5): "10BF smile"}, "market strangles and smile butterflies"),
        ({(0, 1): "ATM bid"}, "of bid alone; expected bid and ask, or mid"),
        ({(2, 0): "someday"}, "cell A3 of the range is 'someday'; expected a tenor"),
    ],
)
def test_what_is_refused_by_name(change: dict[tuple[int, int], str], message: str) -> None:
    cells = table()
    for (i, j), text in change.items():
        cells[i][j] = text
    with pytest.raises(LabelError, match=message):
        evaluate("VOLIMPUTE", [cells])


def test_what_is_left_out_is_said() -> None:
    cells = table(heads=("ATM", "25RR", "25BF", "10RR", "5BF"))
    assert evaluate("VOLQUOTES", [cells])[0] == ["EURUSD", "25P", "ATM", "25C"]
    assert "'5BF', of another delta than 25 and 10: left out" in warnings()
    assert "'10RR', without its BF: left out" in warnings()
    evaluate("VOLQUOTES", [table(corner="")])
    assert "no currency pair" in warnings()
    evaluate("VOLQUOTES", [table(heads=("ATM", "25RR", "25BF", "10RR (put over)", "10BF"))])
    assert "'10RR (put over)', not understood: left out" in warnings()


@pytest.mark.parametrize("form", ["table", "arguments"])
def test_quotes_of_which_no_smile_is_made_are_said(form: str) -> None:
    atm, rr, bf, tenors = [7.5, None, 8.5], [-0.4, -0.5, None], [0.18, 0.2, 0.25], ["1M", "3M", "1Y"]
    if form == "table":
        lines = zip(tenors, atm, rr, bf, strict=True)
        evaluate("VOLQUOTES", [[["EURUSD", "ATM", "25RR", "25BF"], *map(list, lines)]])
    else:
        columns = [[[cell] for cell in line] for line in (atm, rr, bf, tenors)]
        evaluate("VOLQUOTES", [*columns[:3], None, None, columns[3], "EURUSD"])
    assert "'3M' has no ATM: its other quotes are left out" in warnings()
    assert "'1Y' has bf25 and no rr25: left out" in warnings()


def test_no_other_grid_is_a_table_of_quotes() -> None:
    assert find_quotes([["", "25P", "ATM", "25C"], ["1M", 0.1, 0.1, 0.1]]) is None
    assert find_quotes([["BF", 1.0], ["ATM", 2.0]]) is None
    with pytest.raises(InputError, match='or a surface with "quotes" behind it'):
        evaluate("VOLQUOTES", [[["", "25P", "ATM"], ["1M", 0.1, 0.1]]])


@pytest.mark.parametrize(
    ("heads", "factor", "message"),
    [
        (("ATM", "25RR bp", "25BF bp"), 100, "'25RR bp', basis points; expected vol points"),
        (("ATM", "25RR", "25BF"), 100, "a butterfly in another unit, or the vol of a strangle"),
    ],
)
def test_basis_points_beside_vol_points_are_refused(heads: Any, factor: float, message: str) -> None:
    rows = [[t, v[0], factor * v[1], factor * v[2]] for t, v in ROWS.items()]
    with pytest.raises((LabelError, UnitsError), match=message):
        evaluate("VOLQUOTES", [[["EURUSD", *heads], *rows]])


def test_risk_reversals_beyond_atm_are_no_vol_points() -> None:
    with pytest.raises(UnitsError, match="differ in unit"):
        evaluate(
            "VOLQUOTES", [[[8.0], [8.5]], [[-35.0], [-60.0]], [[2.0], [2.5]], None, None, [["1M"], ["1Y"]]]
        )


def test_vols_of_strangles_under_a_butterfly_s_heading_are_refused() -> None:
    rows = [[t, v[0], v[1], v[0] + v[2]] for t, v in ROWS.items()]
    with pytest.raises(UnitsError, match="'25BF', of about 1 times ATM"):
        evaluate("VOLQUOTES", [[["EURUSD", "ATM", "25RR", "25BF"], *rows]])


def test_crossed_sides_are_missing_and_butterflies_of_zero_named() -> None:
    rows = [[t, v[0] - 0.1, v[0] + 0.1, v[1], v[2]] for t, v in ROWS.items()]
    rows[1][1:3], rows[2][4] = rows[1][2:0:-1], 0.0
    grid = evaluate("VOLQUOTES", [[["EURUSD", "ATM Bid", "ATM Ask", "25RR", "25BF"], *rows]])
    assert grid[2][1:] == ["", "", ""] and "" not in grid[1]
    assert "cell B3 of the range is 8.299999999999999, above the ask 8.1: read as missing" in warnings()
    assert "cell E4 of the range is 0.0, a butterfly not above 0: kept" in warnings()


def test_what_a_table_of_quotes_assumes_is_said() -> None:
    days = [[d, *row[1:]] for d, row in zip((7, 30, 365, 730), table()[1:], strict=True)]
    evaluate("VOLQUOTES", [[table()[0], *days]])
    assert "tenors read as days" in warnings()
    evaluate("VOLQUOTES", [table("USDJPY"), None, None, None, None, None, "EURUSD"])
    assert "the table says USDJPY, the argument pair EURUSD" in warnings()


def test_a_note_below_a_table_of_quotes_is_left_alone() -> None:
    noted = [*table(), ["Source: broker", None, None, None, None, None]]
    expected = by_columns()
    assert evaluate("VOLQUOTES", [noted]) == expected
    assert "'Source: broker' read as a note" in warnings()
