"""Chains of known truth, as exchanges list them: forwards, vols, and surfaces read off them."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.simulation import chains
from export.simulation.chains import YEARS as TENORS
from export.simulation.chains import Listing, flat_ssvi
from voladdin import black
from voladdin.cells import Cells
from voladdin.errors import InputError, UnavailableError
from voladdin.imputation.listed import Listed, _chosen
from voladdin.options import Options, implied
from voladdin.worksheet.registry import evaluate

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SPOT, RATE = Listing().spot, Listing().rate
DELTAS = np.array([0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1])
real = pytest.mark.skipif(not DATA.is_dir(), reason="the market data is not beside the repository")


def truth(m: Any, years: Any) -> np.ndarray:
    return flat_ssvi(np.asarray(m), years)


def listed(rng: np.random.Generator, outliers: float = 0.0) -> Options:
    return chains.listed(rng, Listing(outliers=outliers))


def test_forwards_are_within_a_basis_point_with_one_quote_in_twenty_wrong() -> None:
    rng = np.random.default_rng(5)
    expected = Listing().forwards(TENORS)
    found = np.array([implied(listed(rng, 0.05)).forwards for _ in range(40)])
    assert (np.abs(found / expected - 1) <= 1e-4).mean() >= 0.99


def test_quotes_without_a_bid_make_the_forwards_nearer() -> None:
    """A put from 0 to 0.02 says what its call 60 in the money is worth, though it has no vol."""
    rng, stock = np.random.default_rng(5), Listing(spot=120.0, step=2.5, tick=0.01, width=0.005)
    lists = [chains.listed(rng, stock) for _ in range(30)]
    bids = [options.take(options.bid > 0) for options in lists]
    near, far = (
        np.abs(np.log([implied(each).forwards for each in those] / stock.forwards(TENORS)))
        for those in (lists, bids)
    )
    assert np.sqrt((near**2).mean()) < 0.9 * np.sqrt((far**2).mean())
    dropped = implied(lists[0]).dropped
    assert {dropped[i] for i in np.flatnonzero(lists[0].bid == 0)} == {"zero bid"}


def test_vols_are_within_half_the_bid_ask_of_the_truth() -> None:
    chain = implied(listed(np.random.default_rng(6)))
    m = np.log(chain.strikes / chain.forwards[:, None])
    inside = np.abs(chain.vols - truth(m, chain.tenors[:, None])) <= 0.5 * (chain.ask - chain.bid)
    assert inside[np.isfinite(chain.ask - chain.bid)].mean() >= 0.95


def test_delta_nodes_are_within_half_the_bid_ask_of_the_truth() -> None:
    chain = implied(listed(np.random.default_rng(7)))
    surface = Listed(chain)
    vols, std = surface.vols(TENORS, DELTAS), surface.std(TENORS, DELTAS)
    k = black.moneyness_from_delta(DELTAS, vols * np.sqrt(TENORS)[:, None])
    off = np.abs(vols - truth(k, TENORS[:, None]))
    half = np.array(
        [
            np.interp(at, row[there], 0.5 * width[there])
            for at, row, width in zip(k, surface.moneyness, chain.ask - chain.bid, strict=True)
            if (there := np.isfinite(width)).any()
        ]
    )
    assert (off <= half).mean() >= 0.95
    assert std.shape == vols.shape and (std >= 0).all() and (off <= half + 3 * std).all()


def test_the_surface_goes_through_its_nodes() -> None:
    surface = Listed(implied(listed(np.random.default_rng(8))))
    nodes = surface.nodes
    assert nodes.moneyness is not None
    rows, columns = np.nonzero(nodes.observed)
    far = surface.distances
    for row, column in list(zip(rows, columns, strict=True))[::7]:
        at = int(np.argmin(np.abs(surface.moneyness[row] - nodes.moneyness[row, column])))
        assert far[row, at] == pytest.approx(0.0, abs=1e-9)


def test_strikes_that_are_all_far_from_the_forward_are_one_stretch() -> None:
    k, width = np.linspace(0.6, 0.9, 40), np.full(40, 0.02)
    width[17] = 0.01
    with np.errstate(all="raise"):
        chosen = _chosen(k, np.full(40, 0.2), width, 0.01, 6)
    assert chosen.tolist() == [17]


def cells_of(options: Options) -> Cells:
    columns = (365 * options.years, options.strikes, options.bid, options.ask)
    rows = zip(*(column.tolist() for column in columns), options.calls.tolist(), strict=True)
    return [
        ["days", "strike", "bid", "ask", "c/p"],
        *([d, k, b, a, "C" if c else "P"] for d, k, b, a, c in rows),
    ]


def test_a_delta_grid_on_asked_axes() -> None:
    table = cells_of(listed(np.random.default_rng(9)))
    axes = [[["1M", "6M"]], [["25P", "ATM", "25C"]]]
    grid = evaluate("VOLGRID", [table, "deltas", *[None] * 5, *axes])
    assert grid[0] == ["", "F", "25P", "ATM", "25C"] and [row[0] for row in grid[1:]] == ["1M", "6M"]
    assert grid[1][3] == pytest.approx(truth(0.0, 1 / 12), abs=0.004)
    again = evaluate("VOLINTERP", [grid, "1M", "25P"])
    assert again == [[pytest.approx(grid[1][2], abs=1e-12)]]
    std = evaluate("VOLGRID", [table, "std", *[None] * 5, *axes])
    assert all(0 <= cell < 0.01 for row in std[1:] for cell in row[2:])
    strikes = evaluate("VOLGRID", [table, "deltas", *[None] * 5, [["6M"]], [["K=3000", "K=3200"]]])
    assert strikes[0][2:] == ["K=3000", "K=3200"] and strikes[1][2] > strikes[1][3]


def test_the_standard_axes_and_what_is_beyond_the_list() -> None:
    grid = evaluate("VOLGRID", [cells_of(listed(np.random.default_rng(9))), "deltas"])
    assert (len(grid), len(grid[0])) == (14, 19)
    assert "tenors 1W, 3Y, 4Y, 5Y are outside the listed expiries" in str(evaluate("VOLINFO", ["error"]))


def test_quality_counts_quotes_and_violations() -> None:
    quality = evaluate("VOLGRID", [cells_of(listed(np.random.default_rng(9))), "quality"])
    assert quality[0][0] == "tenor" and [row[0] for row in quality[1:8]] == [
        f"{round(365 * t)}D" for t in TENORS
    ]
    assert {row[0] for row in quality} >= {"violations at mid", "violations at bid and ask"}


def american(vol: float = 0.25, dividend: float = 0.02) -> Options:
    """American quotes of a flat vol by QuantLib's accurate scheme, 0.04 wide."""
    ql = pytest.importorskip("QuantLib", reason="QuantLib is not installed")
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    clock = ql.Actual365Fixed()
    curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, rate, clock)) for rate in (dividend, 0.05)]
    flat = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, clock))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(100.0)), *curves, flat)
    engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme())
    rows = []
    for days in (90, 365):
        for strike in np.arange(80.0, 125.0, 5.0):
            for call in (True, False):
                payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, float(strike))
                option = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + days))
                option.setPricingEngine(engine)
                rows.append((days / 365, strike, call, option.NPV() - 0.02, option.NPV() + 0.02))
    years, strikes, calls, bid, ask = map(np.array, zip(*rows, strict=True))
    return Options(years, strikes, calls.astype(bool), bid, ask, np.full(len(bid), np.nan))


def test_american_options_have_the_vol_they_were_priced_with() -> None:
    options = american()
    chain = implied(options, exercise="american", underlying=100.0, rate=0.05)
    np.testing.assert_allclose(chain.forwards, 100 * np.exp(0.03 * chain.tenors), rtol=1e-4)
    taken = np.isfinite(chain.vols)
    np.testing.assert_allclose(chain.vols[taken], 0.25, atol=2e-4)
    as_european = implied(options, rate=0.05)
    assert np.nanmax(np.abs(as_european.vols - 0.25)) > 10 * np.nanmax(np.abs(chain.vols - 0.25))


def test_forwards_given_of_american_options_are_said_not_to_be_used() -> None:
    options, told = american(), {90 / 365: 120.0, 1.0: 120.0}
    chain = implied(options, forwards=told, exercise="american", underlying=100.0, rate=0.05)
    assert chain.forwards.max() < 110 and any("those given are not used" in note for note in chain.notes)
    plain = implied(options, exercise="american", underlying=100.0, rate=0.05)
    assert not any("given" in note for note in plain.notes)


def test_american_options_need_rate_and_underlying() -> None:
    with pytest.raises(InputError, match="underlying is missing; expected one: American options need it"):
        implied(american(), exercise="american", rate=0.05)
    with pytest.raises(InputError, match="exercise is 'bermudan'; expected one of european, american"):
        implied(american(), exercise="bermudan")


def test_american_options_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    options = american(dividend=0.0)
    monkeypatch.setitem(__import__("sys").modules, "QuantLib", None)
    with pytest.raises(UnavailableError, match=r"early exercise may be worth up to .*; expected QuantLib"):
        implied(options, exercise="american", underlying=100.0, rate=0.05)
    with pytest.raises(UnavailableError):
        implied(listed(np.random.default_rng(1)), exercise="american", underlying=SPOT, rate=RATE)


@real
@pytest.mark.data
def test_spx_vols_come_back_from_their_prices() -> None:
    by_expiry: dict[float, list[tuple[float, ...]]] = defaultdict(list)
    with (DATA / "equity_chains.csv").open() as file:
        for row in csv.DictReader(file):
            if row["underlying"] == "SPX":
                names = ("tenor_years", "strike", "forward", "vol")
                by_expiry[float(row["tenor_years"])].append(tuple(float(row[name]) for name in names))
    parts = []
    for quotes in by_expiry.values():
        years, strikes, forwards, vols = np.array(quotes).T
        m, scale = np.log(strikes / forwards), np.exp(-0.016 * years) * forwards
        for call, price in ((True, black.call_price), (False, black.put_price)):
            value = scale * price(m, vols * np.sqrt(years))
            parts.append([years, strikes, np.full(len(m), call), value, vols, forwards])
    years, strikes, calls, value, vols, forwards = (np.concatenate(c) for c in zip(*parts, strict=True))
    chain = implied(Options(years, strikes, calls.astype(bool), value, value, value))
    expected = np.array([quotes[0][2] for _, quotes in sorted(by_expiry.items())])
    np.testing.assert_allclose(chain.forwards, expected, rtol=1e-6)
    there = chain.source >= 0
    assert there.sum() == len(vols) / 2
    np.testing.assert_allclose(chain.vols[there], vols[chain.source[there]], atol=2e-5)


@real
@pytest.mark.data
@pytest.mark.parametrize(("name", "underlying"), [("equity_chains.csv", "DHER"), ("dax_surface.csv", "DAX")])
def test_lists_of_vols_with_their_forwards_are_read(name: str, underlying: str) -> None:
    with (DATA / name).open() as file:
        table: Cells = [list(row) for row in csv.reader(file)]
    heads, kept = table[0], [row for row in table[1:] if row[0] == underlying]
    if len({row[0] for row in table[1:]}) > 1:
        with pytest.raises(InputError, match="two underlyings"):
            evaluate("VOLGRID", [table])
    grid = evaluate("VOLGRID", [[heads, *kept]])
    cells = [cell for row in grid[1:] for cell in row[2:] if cell != ""]
    assert len(cells) == len(kept)
    assert sorted(cells) == sorted(float(str(row[heads.index("vol")])) for row in kept)
