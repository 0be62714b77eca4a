"""Lists as desks have them: each oddity is settled by evidence and said, or refused by name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin import black
from voladdin.cells import Cells, parse_options
from voladdin.errors import InputError
from voladdin.options import Options, implied
from voladdin.worksheet.registry import evaluate

DAY = date(2026, 1, 5)
DAYS = (40, 180, 365)
RATE = 0.03


def vol(m: np.ndarray) -> np.ndarray:
    return np.asarray(0.2 - 0.1 * m)


def listed(strikes: int = 15, width: float = 0.02) -> list[dict[str, Any]]:
    """An option a row: days, strike, side, prices and the vol."""
    rows: list[dict[str, Any]] = []
    for days in DAYS:
        years = days / 365
        forward, discount = 100 * np.exp(0.02 * years), np.exp(-RATE * years)
        m = np.round(forward * np.exp(np.linspace(-1.5, 1.5, strikes) * 0.2 * np.sqrt(years)), 1)
        m = np.log(m / forward)
        for side, price in (("C", black.call_price), ("P", black.put_price)):
            mid = discount * forward * price(m, vol(m) * np.sqrt(years))
            for k, p in zip(m, mid, strict=True):
                rows.append(
                    {"days": float(days), "strike": round(float(forward * np.exp(k)), 1), "side": side}
                    | {"bid": float(p - width / 2), "ask": float(p + width / 2)}
                    | {"iv": float(vol(k)), "forward": float(forward)}
                )
    return rows


def cells(rows: list[dict[str, Any]], *columns: str, **heads: str) -> Cells:
    columns = columns or ("days", "strike", "side", "bid", "ask")
    return [[heads.get(c, c) for c in columns], *([row[c] for c in columns] for row in rows)]


def vols(grid: Cells) -> np.ndarray:
    return np.array([[np.nan if cell == "" else cell for cell in row[2:]] for row in grid[1:]], dtype=float)


def worst(grid: Cells) -> float:
    """Largest error of the vols against the truth."""
    strikes = np.array([float(str(head)[2:]) for head in grid[0][2:]])
    forwards = np.array([100 * np.exp(0.02 * days / 365) for days in DAYS])
    return float(np.nanmax(np.abs(vols(grid) - vol(np.log(strikes / forwards[:, None])))))


def test_a_plain_list_is_the_truth() -> None:
    assert worst(evaluate("VOLGRID", [cells(listed(width=0.0))])) < 1e-9


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_and_columns_says_nothing(random: Any) -> None:
    rows, columns = listed(), ["days", "strike", "side", "bid", "ask"]
    plain = evaluate("VOLGRID", [cells(rows)])
    random.shuffle(rows)
    random.shuffle(columns)
    assert evaluate("VOLGRID", [cells(rows, *columns)]) == plain


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("root", ("SPX", "SPXW"), "cell F2 of the options is 'SPX' and cell F3 .* 'SPXW': two roots"),
        ("underlying", ("DAX", "SX5E"), "two underlyings; expected the options of one"),
        ("currency", ("USD", "EUR"), "two currencies"),
        ("exercise", ("A", "E"), "two exercise styles"),
        ("multiplier", (100, 150), "two contract sizes"),
    ],
)
def test_mixed_lists_are_refused(column: str, values: tuple[str, str], message: str) -> None:
    rows = [row | {column: values[i % 2]} for i, row in enumerate(listed())]
    with pytest.raises(InputError, match=message):
        parse_options(cells(rows, "days", "strike", "side", "bid", "ask", column))


@pytest.mark.parametrize(("step", "futures"), [(0.02, True), (1e-4, False)])
def test_an_underlying_that_each_expiry_has_its_own_of_is_no_spot(step: float, futures: bool) -> None:
    days = sorted({row["days"] for row in listed()})
    rows = [row | {"underlying": 100 * (1 + step * days.index(row["days"]))} for row in listed()]
    read = parse_options(cells(rows, "days", "strike", "side", "bid", "ask", "underlying"))
    assert (read.underlying is None) is futures
    assert ("expected the heading Future" in str(read.notes)) is futures


@pytest.mark.parametrize(("unit", "said"), [(100, "strikes are divided by 100"), (1000, "divided by 1000")])
def test_strikes_in_cents_are_told_by_parity(unit: float, said: str) -> None:
    rows = [row | {"strike": row["strike"] * unit} for row in listed()]
    grid = evaluate("VOLGRID", [cells(rows)])
    assert worst(grid) < 0.01
    assert said in str(evaluate("VOLINFO", ["error"]))


def test_prices_in_cents_are_told_by_parity() -> None:
    rows = [row | {"bid": 100 * row["bid"], "ask": 100 * row["ask"]} for row in listed()]
    assert worst(evaluate("VOLGRID", [cells(rows)])) < 0.01
    assert ["all", "", "prices are divided by 100: so parity has it"] in evaluate(
        "VOLGRID", [cells(rows), "report"]
    )


def test_calls_in_cents_are_told_by_the_underlying() -> None:
    rows = [row | {"strike": row["strike"] * 100} for row in listed() if row["side"] == "C"]
    grid = evaluate("VOLGRID", [cells(rows), None, None, None, 0.02, None, 100.0])
    assert str(grid[0][-1]).startswith("K=1")


def test_numbers_as_text() -> None:
    rows = [{k: f" {v} " if k in ("strike", "bid", "ask") else v for k, v in row.items()} for row in listed()]
    assert evaluate("VOLGRID", [cells(rows)]) == evaluate("VOLGRID", [cells(listed())])


def test_thousands_in_text_beside_plain_strikes() -> None:
    rows = [row | {k: round(10 * row[k], 6) for k in ("strike", "bid", "ask")} for row in listed()]
    plain = evaluate("VOLGRID", [cells(rows)])
    for row in rows:
        if row["strike"] >= 1000:
            row["strike"] = f"{row['strike']:,.0f}"
    assert evaluate("VOLGRID", [cells(rows)]) == plain


def test_a_row_that_cannot_be_read_is_left_out_and_named() -> None:
    table = cells(listed())
    table[4][3], table[9][2], table[12][1] = "call desk", "X", "n/a"
    report = evaluate("VOLGRID", [table, "report"])
    assert report[1:] == [
        ["", 5.0, "cell D5 of the options is 'call desk'; expected a number of at least 0"],
        ["", 10.0, "cell C10 of the options is 'X'; expected C, P, call or put"],
        ["", 13.0, "cell B13 of the options is 'n/a'; expected a strike"],
    ]
    assert worst(evaluate("VOLGRID", [table])) < 0.01
    for row in table[1:]:
        row[3] = "?!"
    with pytest.raises(InputError, match=r"cell D2 of the options is '\?!'; expected a number"):
        evaluate("VOLGRID", [table])


def test_plain_numbers_under_expiry_are_days_or_years() -> None:
    with pytest.raises(InputError, match=r"cell A2 .* is 40\.0, days or years; expected the heading"):
        evaluate("VOLGRID", [cells(listed(), days="expiry")])
    years = [row | {"days": row["days"] / 365} for row in listed()]
    assert worst(evaluate("VOLGRID", [cells(years, days="Years")])) < 0.01


def test_dates_have_one_order_and_a_column_may_hold_the_valuation() -> None:
    rows = [row | {"date": DAY, "expiry": DAY + timedelta(days=row["days"])} for row in listed()]
    plain = evaluate("VOLGRID", [cells(rows, "date", "expiry", "strike", "side", "bid", "ask")])
    assert worst(plain) < 0.01
    for row in rows:
        row["expiry"] = f"{row['expiry']:%d/%m/%Y}"  # one of them is a 14th
    assert evaluate("VOLGRID", [cells(rows, "date", "expiry", "strike", "side", "bid", "ask")]) == plain
    rows[3]["date"] = DAY - timedelta(days=1)
    with pytest.raises(InputError, match="two valuation dates"):
        evaluate("VOLGRID", [cells(rows, "date", "expiry", "strike", "side", "bid", "ask")])


def test_a_valuation_date_that_cannot_be_read_is_not_today() -> None:
    """Of 03/04/2026 the expiries tell the order; where nothing does, the list is refused."""
    today, columns = date(2026, 5, 1), ("date", "expiry", "strike", "side", "bid", "ask")
    rows = [row | {"date": "03/04/2026", "expiry": "19/06/2026"} for row in listed()]
    dated = parse_options(cells(rows, *columns), today=today)
    np.testing.assert_allclose(dated.options.years, (date(2026, 6, 19) - date(2026, 4, 3)).days / 365)
    for written, expiry in (("03/04/2026", "2026-06-19"), ("close", "19/06/2026")):
        rows = [row | {"date": written, "expiry": expiry} for row in listed()]
        with pytest.raises(InputError, match=r"cell A2 of the options .*; expected the valuation date"):
            parse_options(cells(rows, *columns), today=today)


def test_expiries_in_the_past_are_left_out() -> None:
    rows = [row | {"days": -3.0 if row["days"] == 40 else row["days"]} for row in listed()]
    assert [row[0] for row in evaluate("VOLGRID", [cells(rows)])[1:]] == ["180D", "365D"]
    with pytest.raises(InputError, match="none of the 90 options can be used: 90 expires today"):
        evaluate("VOLGRID", [cells([row | {"days": 0.0} for row in rows])])


def test_one_side_alone_is_no_market() -> None:
    rows = [row | {"bid": None} for row in listed()]
    with pytest.raises(InputError, match="90 has a bid or an ask alone, and no mid"):
        evaluate("VOLGRID", [cells(rows)])
    rows = [row | {"mid": (row["bid"] + row["ask"]) / 2, "bid": None} for row in listed()]
    assert worst(evaluate("VOLGRID", [cells(rows, "days", "strike", "side", "bid", "ask", "mid")])) < 1e-9


def test_a_last_price_that_nobody_traded_today_is_stale() -> None:
    rows = [row | {"last": row["bid"], "volume": float(i % 5)} for i, row in enumerate(listed())]
    columns = ("days", "strike", "side", "last", "volume")
    report = evaluate("VOLGRID", [cells(rows, *columns), "report"])
    assert sum(row[2] == "has a last price only, and was not traded today" for row in report) == 18


@pytest.mark.parametrize("side", ["C", "P"])
def test_one_side_of_the_strikes_needs_forwards(side: str) -> None:
    rows = [row for row in listed(width=0.0) if row["side"] == side]
    with pytest.raises(InputError, match="no strike with both a call and a put; expected one, or a forward"):
        evaluate("VOLGRID", [cells(rows)])
    grid = evaluate(
        "VOLGRID", [cells(rows, "days", "strike", "side", "bid", "ask", "forward"), *[None] * 3, RATE]
    )
    assert worst(grid) < 1e-8
    assert len(evaluate("VOLGRID", [cells(rows), None, None, None, 0.02, None, 100.0])) == 4
    assert "forwards are the underlying at the rate" in str(evaluate("VOLINFO", ["error"]))


def test_an_expiry_without_a_pair_is_between_its_neighbours() -> None:
    rows = [row for row in listed() if row["days"] != 180 or row["side"] == "C"]
    forwards = evaluate("VOLGRID", [cells(rows), "forwards"])
    assert forwards[2][2] == pytest.approx(100 * np.exp(0.02 * 180 / 365), rel=1e-4)
    assert "the expiry in 180 days has no strike with call and put" in str(evaluate("VOLINFO", ["error"]))


@pytest.mark.parametrize("unit", [1, 100])
def test_vols_in_place_of_prices(unit: float) -> None:
    rows = [row | {"iv": row["iv"] * unit} for row in listed()]
    grid = evaluate("VOLGRID", [cells(rows, "days", "strike", "side", "iv", "forward", iv="Implied Vol")])
    assert worst(grid) < 1e-12
    without_side = [row for row in rows if row["side"] == "C"]
    assert evaluate("VOLGRID", [cells(without_side, "days", "strike", "iv", "forward")]) == grid
    with pytest.raises(InputError, match="vols tell no forward; expected a forward for each expiry"):
        evaluate("VOLGRID", [cells(rows, "days", "strike", "side", "iv")])


def test_three_rows() -> None:
    rows = listed()
    at_money = [row for row in rows if row["days"] == 180 and abs(row["strike"] - 101) < 4][:2]
    put = next(row for row in rows if row["side"] == "P" and row["strike"] == at_money[0]["strike"])
    grid = evaluate("VOLGRID", [cells([*at_money, put])])
    assert [len(row) for row in grid] == [4, 4] and grid[1][0] == "180D"


def test_fifty_thousand_rows_give_what_their_parts_do() -> None:
    rows = listed(strikes=40)
    table = cells(rows)
    long = [table[0], *(table[1:] * (50_000 // len(rows) + 1))]
    assert len(long) > 50_000
    options = parse_options(long).options
    chain = implied(options)
    assert chain.dropped.count("duplicate") == len(long) - 1 - len(rows)
    np.testing.assert_array_equal(chain.vols, implied(parse_options(table).options).vols)


def _expiry(row: dict[str, Any]) -> date:
    return DAY + timedelta(days=int(row["days"]))


def osi(row: dict[str, Any], root: str = "XYZ") -> str:
    return f"{root:<6}{_expiry(row):%y%m%d}{row['side']}{round(1000 * row['strike']):08d}"


def desk_symbol(row: dict[str, Any]) -> str:
    return f"XYZ US {_expiry(row):%m/%d/%y} {row['side']}{row['strike']:g} Equity"


@pytest.mark.parametrize("symbol", [osi, desk_symbol])
@pytest.mark.parametrize("heading", ["Symbol", "Ticker", "Contract Name"])
def test_the_symbol_says_expiry_strike_and_side(symbol: Any, heading: str) -> None:
    rows = listed()
    given: Cells = [[heading, "Bid", "Ask"], *([symbol(row), row["bid"], row["ask"]] for row in rows)]
    read, plain = parse_options(given, DAY), parse_options(cells(rows), DAY)
    np.testing.assert_array_equal(read.options.strikes, plain.options.strikes)
    np.testing.assert_array_equal(read.options.calls, plain.options.calls)
    np.testing.assert_allclose(read.options.years, plain.options.years, rtol=1e-15)


def test_columns_come_before_symbols_and_a_symbol_that_is_none_is_named() -> None:
    rows = listed()
    given: Cells = [["Contract Name", "Strike", "Bid", "Ask"]]
    given += [[osi(row), row["strike"], row["bid"], row["ask"]] for row in rows]
    assert len(parse_options(given, DAY).options.strikes) == len(rows)
    given[4][0] = "XYZ 18JUN"
    ((row, said),) = parse_options(given, DAY).unread
    assert row == 4 and said.startswith("cell A5 of the options is 'XYZ 18JUN'")
    given[4][0] = osi(rows[3], "XYZW")
    with pytest.raises(InputError, match=r"cell A2 .* 'XYZ' and cell A5 .* 'XYZW': two roots"):
        parse_options(given, DAY)


@pytest.mark.parametrize("form", ["${:,.4f}", "{:.4f} USD", "€{:.4f}", "EUR {:.4f}"])
def test_prices_may_name_their_currency(form: str) -> None:
    rows = listed()
    given = cells([row | {side: form.format(row[side]) for side in ("bid", "ask")} for row in rows])
    read = parse_options(given, DAY).options
    np.testing.assert_allclose(read.bid, [row["bid"] for row in rows], atol=1e-4)


@pytest.mark.parametrize("top", [["x", "Bid"], ["Symbol", "Bid", "Ask"]])
def test_rows_of_different_lengths_are_refused_by_name(top: Cells) -> None:
    with pytest.raises(InputError, match="no column for"):
        parse_options([top, ["XYZ"], [], [1.0, "a", None]], DAY)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "heads",
    [
        ("Tage", "Basispreis", "Typ", "Geld", "Brief"),
        ("Jours", "Prix d'exercice", "Type", "Achat", "Vente"),
        ("Giorni", "Prezzo d'esercizio", "Tipo", "Denaro", "Lettera"),
        ("Días", "Precio de ejercicio", "Tipo", "Compra", "Venta"),
    ],
)
def test_headings_of_other_languages(heads: tuple[str, ...]) -> None:
    assert evaluate("VOLGRID", [[list(heads), *cells(listed())[1:]]]) == evaluate(
        "VOLGRID", [cells(listed())]
    )


def test_sides_as_signs() -> None:
    flags = [{**row, "side": 1.0 if row["side"] == "C" else -1.0} for row in listed()]
    assert evaluate("VOLGRID", [cells(flags, side="cp_flag")]) == evaluate("VOLGRID", [cells(listed())])


def test_an_expiry_once_a_block() -> None:
    grid = cells(sorted(listed(), key=lambda row: float(row["days"])))
    once, seen = [list(row) for row in grid], set()
    for row in once[1:]:
        days = row[0]
        row[0] = None if days in seen else days
        seen.add(days)
    expected = evaluate("VOLGRID", [grid])
    assert evaluate("VOLGRID", [once]) == expected
    assert "rows without an expiry have that of the block above" in str(evaluate("VOLINFO", ["error"]))
    headed = [grid[0]]
    for days in DAYS:
        headed += [[days, None, None, None, None], *([None, *row[1:]] for row in grid[1:] if row[0] == days)]
    assert evaluate("VOLGRID", [headed]) == expected
    gone = [list(row) for row in grid]
    gone[5][0] = None
    report = evaluate("VOLGRID", [gone, "report"])
    assert "expected an expiry" in str(report)


def test_calls_and_puts_under_banners() -> None:
    puts = {(row["days"], row["strike"]): row for row in listed() if row["side"] == "P"}
    both = [
        [
            row["days"],
            row["bid"],
            row["ask"],
            row["strike"],
            *(puts[row["days"], row["strike"]][k] for k in ("bid", "ask")),
        ]
        for row in listed()
        if row["side"] == "C"
    ]
    head = ["days", "Bid", "Ask", "Strike", "Bid", "Ask"]
    found = evaluate("VOLGRID", [[["", "Calls", "", "", "Puts", ""], head, *both]])
    assert worst(found) < 0.003
    turned = [[row[0], *row[4:], row[3], *row[1:3]] for row in both]
    assert evaluate("VOLGRID", [[["", "PUTS", "", "", "CALLS", ""], head, *turned]]) == found
    with pytest.raises(InputError, match="no column for call or put"):
        evaluate("VOLGRID", [[head, *both]])


def test_vols_of_bid_and_ask_need_no_side() -> None:
    rows = [{**row, "bid iv": 0.99 * row["iv"], "ask iv": 1.01 * row["iv"]} for row in listed()]
    rows = [row for row in rows if (row["side"] == "C") == (row["strike"] >= row["forward"])]
    grid = cells(rows, "days", "strike", "bid iv", "ask iv", "forward")
    assert worst(evaluate("VOLGRID", [grid])) < 1e-6


def test_an_expiry_label_comes_back() -> None:
    rows = [[label, k, 20.0, 100.0] for label in ("1M", "3M", "1Y") for k in (90.0, 100.0, 110.0)]
    found = evaluate("VOLGRID", [[["expiry", "strike", "iv", "spot"], *rows]])
    assert [row[0] for row in found[1:]] == ["1M", "3M", "365D"]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_any_prices_are_answered_or_refused_by_name(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    strikes, calls = rng.choice([1e-6, 0.5, 90.0, 100.0, 110.0, 1e6], n), rng.uniform(size=n) < 0.5
    intrinsic = np.maximum(np.where(calls, 100.0 - strikes, strikes - 100.0), 0.0)
    base = np.where(rng.uniform(size=n) < 0.7, intrinsic, rng.uniform(0, 50, n))
    bid = np.where(rng.uniform(size=n) < 0.2, 0.0, base + rng.choice([0.0, 0.1, 5.0, 1e9], n))
    ask = bid + rng.choice([0.0, 0.02, 5.0], n)
    years = rng.choice([1e-4, 0.1, 0.5, 1.0, 30.0], n)
    try:
        found = implied(Options(years, strikes, calls, bid, ask, np.full(n, np.nan)))
    except InputError:
        return
    assert (found.forwards > 0).all() and (found.discounts > 0).all()


def test_a_blank_cell_of_calc_is_no_argument_of_a_list() -> None:
    plain = evaluate("VOLGRID", [cells(listed())])
    for place in (2, 5, 6):  # valuation, exercise, underlying
        assert evaluate("VOLGRID", [cells(listed()), *[None] * (place - 1), 0.0]) == plain


def test_rows_that_cannot_be_read_are_counted_beyond_those_shown() -> None:
    rows: Cells = [*cells(listed()), *([[40.0, "x", "C", 1.0, 1.1]] * 203)]
    found = [row[2] for row in evaluate("VOLGRID", [rows, "report"])]
    assert "3 more rows that cannot be read" in found
