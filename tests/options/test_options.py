"""Listed options to implied vols: parity, what is dropped and why, and the list in cells."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin import black
from voladdin.cells import Cells, parse_options
from voladdin.errors import InputError
from voladdin.options import Options, fit_parity, implied
from voladdin.worksheet.registry import evaluate

DAY = date(2026, 1, 5)
EXPIRIES = (0.1, 0.5, 1.0)
SPOT, RATE, DIVIDEND = 100.0, 0.04, 0.01


def forward(years: float) -> float:
    return SPOT * float(np.exp((RATE - DIVIDEND) * years))


def vol(m: np.ndarray, years: float) -> np.ndarray:
    return np.asarray(0.2 - 0.1 * m + 0.02 / (1 + years))


def options(width: float = 0.0, reach: float = 1.5) -> Options:
    """Calls and puts of known vols, `width` wide, 21 strikes an expiry."""
    columns: list[list[np.ndarray]] = []
    for years in EXPIRIES:
        m = np.linspace(-reach, reach, 21) * 0.2 * np.sqrt(years)
        total = vol(m, years) * np.sqrt(years)
        scale = np.exp(-RATE * years) * forward(years)
        for call, price in ((True, black.call_price), (False, black.put_price)):
            mid = scale * price(m, total)
            strikes = forward(years) * np.exp(m)
            columns.append([np.full(21, years), strikes, np.full(21, call), mid - width / 2, mid + width / 2])
    years_, strikes, calls, bid, ask = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Options(years_, strikes, calls.astype(bool), bid, ask, np.full(len(bid), np.nan))


def test_exact_prices_give_forwards_discounts_and_vols_back() -> None:
    chain = implied(options())
    np.testing.assert_allclose(chain.forwards, [forward(years) for years in EXPIRIES], rtol=1e-10)
    np.testing.assert_allclose(chain.discounts, np.exp(-RATE * np.array(EXPIRIES)), rtol=1e-9)
    m = np.log(chain.strikes / chain.forwards[:, None])
    expected = np.array([vol(row, years) for row, years in zip(m, EXPIRIES, strict=True)])
    there = np.isfinite(chain.vols)
    assert there.sum() == 63
    np.testing.assert_allclose(chain.vols[there], expected[there], rtol=1e-8)


def test_bid_and_ask_stand_on_both_sides() -> None:
    chain = implied(options(width=0.02))
    there = np.isfinite(chain.vols)
    assert (chain.bid[there] < chain.vols[there]).all() and (chain.vols[there] < chain.ask[there]).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_one_quote_in_twenty_wrong_moves_no_forward(seed: int) -> None:
    rng = np.random.default_rng(seed)
    listed = options(width=0.02)
    factor = np.where(rng.uniform(size=len(listed.bid)) < 0.05, rng.uniform(0.6, 1.4, len(listed.bid)), 1.0)
    wrong = Options(
        listed.years, listed.strikes, listed.calls, listed.bid * factor, listed.ask * factor, listed.mid
    )
    found = implied(wrong, rate=RATE)
    assert found.parity is not None
    truth = np.array([forward(years) for years in EXPIRIES])
    np.testing.assert_allclose(found.parity.forwards, truth, rtol=1e-4)


def test_pairs_off_parity_are_named() -> None:
    listed = options(width=0.02)
    bid, ask = listed.bid.copy(), listed.ask.copy()
    bid[5] += 3.0
    ask[5] += 3.0
    half = (ask - bid) / 2
    found = fit_parity(listed.years, listed.strikes, listed.calls, bid + half, half)
    assert found.outliers == ((0, pytest.approx(listed.strikes[5])),)


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [(0.0, 0.1, "zero bid"), (2.0, 1.0, "crossed"), (np.nan, np.nan, "no price"), (150.0, 151.0, "no vol")],
)
def test_what_is_dropped_has_a_reason(bid: float, ask: float, reason: str) -> None:
    listed = options(width=0.02)
    bids, asks = listed.bid.copy(), listed.ask.copy()
    bids[15], asks[15] = bid, ask  # an out-of-the-money call
    dropped = implied(Options(listed.years, listed.strikes, listed.calls, bids, asks, listed.mid)).dropped
    assert dropped[15] == reason
    assert set(dropped[:15]) | set(dropped[16:]) == {"", "other side"}


def test_of_duplicates_the_narrowest_counts() -> None:
    listed = options(width=0.02)
    again = [
        np.append(a, a[15]) for a in (listed.years, listed.strikes, listed.calls, listed.bid, listed.ask)
    ]
    again[3][-1] -= 0.01
    chain = implied(Options(*again, np.full(len(again[0]), np.nan)))  # type: ignore
    assert chain.dropped[-1] == "duplicate" and chain.dropped[15] == ""


def test_expired_options_are_left_out() -> None:
    listed = options(width=0.02)
    years = np.where(listed.years == EXPIRIES[0], 0.0, listed.years)
    chain = implied(Options(years, listed.strikes, listed.calls, listed.bid, listed.ask, listed.mid))
    assert chain.tenors.tolist() == list(EXPIRIES[1:]) and chain.dropped[0] == "expired"


def test_calls_alone_need_forwards() -> None:
    listed = options(width=0.02)
    calls = listed.take(listed.calls)
    with pytest.raises(InputError, match="no strike with both a call and a put; expected one, or a forward"):
        implied(calls)
    chain = implied(calls, forwards={years: forward(years) for years in EXPIRIES}, rate=RATE)
    m = np.log(chain.strikes / chain.forwards[:, None])
    there = np.isfinite(chain.vols) & (m > -0.1)
    expected = np.array([vol(row, years) for row, years in zip(m, EXPIRIES, strict=True)])
    np.testing.assert_allclose(chain.vols[there], expected[there], rtol=1e-3)


def test_a_surface_of_options() -> None:
    listed = options(width=0.02)
    surface = va.Surface.from_options(listed.years, listed.strikes, listed.calls, listed.bid, listed.ask)
    assert surface.shape == (3, 63) and surface.observed.sum() == 63
    with pytest.raises(InputError, match="differ in length"):
        va.Surface.from_options([0.1], [1.0, 2.0], [True], [0.1], [0.2])


def rows(heads: list[str], wide: bool = False) -> Cells:
    """The list in cells, with these headings for expiry, strike, side, bid, ask (or the four prices)."""
    listed = options(width=0.02)
    found: Cells = [["SPX options", *[""] * (len(heads) - 1)], list(heads)]
    for i in np.flatnonzero(listed.calls):
        put = int(np.flatnonzero((listed.strikes == listed.strikes[i]) & ~listed.calls)[0])
        expiry = DAY + timedelta(days=round(365 * listed.years[i]))
        if wide:
            prices = [float(x) for x in (listed.bid[i], listed.ask[i], listed.bid[put], listed.ask[put])]
            found.append([expiry, float(listed.strikes[i]), *prices])
        else:
            for at, side in ((i, "C"), (put, "Put")):
                found.append(
                    [expiry, float(listed.strikes[i]), side, float(listed.bid[at]), float(listed.ask[at])]
                )
    return found


@pytest.mark.parametrize(
    ("heads", "wide"),
    [
        (["Expiry", "Strike", "C/P", "Bid", "Ask"], False),
        (["Expiration Date", "Strike Price", "Option Type", "bid price", "Offer"], False),
        (["Maturity", "K", "Call Bid", "Call Ask", "Put Bid", "Put Ask"], True),
        (["EXP", "strike", "C Bid", "C Ask", "P Bid", "P Ask"], True),
    ],
)
def test_columns_are_found_by_their_headings(heads: list[str], wide: bool) -> None:
    grid = evaluate("VOLGRID", [rows(heads, wide), None, DAY])
    assert grid[0][:2] == ["", "F"] and str(grid[0][2]).startswith("K=")
    assert [row[0] for row in grid[1:]] == ["36D", "182D", "365D"]
    filled = evaluate("VOLIMPUTE", [grid])
    assert all(isinstance(cell, float) for row in filled[1:] for cell in row[1:])


def test_a_missing_column_is_named_with_the_headings_found() -> None:
    cells = rows(["Expiry", "Strike", "C/P", "Bid", "Ask"])
    cells[1][2] = "Greek"
    with pytest.raises(InputError, match=r"no column for call or put; the headings found are .*'Greek'"):
        parse_options(cells, DAY)
    with pytest.raises(InputError, match="2026-02-10, a date; expected a valuation date too"):
        evaluate("VOLGRID", [rows(["Expiry", "Strike", "C/P", "Bid", "Ask"])])


def test_the_report_names_option_row_and_reason() -> None:
    cells = rows(["Expiry", "Strike", "C/P", "Bid", "Ask"])
    cells[2 + 2 * 15][3] = 0.0
    report = evaluate("VOLGRID", [cells, "report", DAY])
    assert [row[1:] for row in report[1:]] == [[33.0, "has no bid: nobody buys it"]]
    assert evaluate("VOLGRID", [rows(["Expiry", "Strike", "C/P", "Bid", "Ask"]), "report", DAY]) == [
        ["every option is used"]
    ]
