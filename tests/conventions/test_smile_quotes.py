"""ATM, risk-reversal and butterfly quotes to smiles and surfaces.

Quotes: Clark, "Foreign Exchange Option Pricing" (2011), tables 3.3 and 3.4 (EURUSD, EURJPY; market
strangles); OpenGamma Strata, FxVolatilitySmileDataSet (EURUSD; smile strangles). Strikes and prices are
QuantLib's.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import QuantLib as ql

from voladdin import black
from voladdin.conventions import Convention, convention, smile_from_quotes, surface_from_quotes
from voladdin.errors import InfeasibleError, InputError, LabelError, UnitsError
from voladdin.labels import parse_tenor

TENORS = ["1M", "2M", "3M", "6M", "1Y", "2Y"]
NAMES = ("atm", "rr25", "bf25", "rr10", "bf10")
CLARK = {
    "EURUSD": {
        "market": {"spot": 1.3465, "domestic_rates": 0.0294, "foreign_rates": 0.0346},
        "atm": [21, 21, 20.75, 19.4, 18.25, 17.677],
        "rr25": [-0.2, -0.25, -0.3, -0.5, -0.6, -0.562],
        "bf25": [0.65, 0.75, 0.85, 0.9, 0.95, 0.85],
        "rr10": [-1.258, -1.297, -1.332, -1.408, -1.359, -1.208],
        "bf10": [2.433, 2.83, 3.228, 3.485, 3.806, 3.208],
    },
    "EURJPY": {
        "market": {"spot": 90.72, "domestic_rates": 0.0171, "foreign_rates": 0.0294},
        "atm": [21.5, 20.5, 19.85, 18, 15.95, 14.009],
        "rr25": [-8.35, -8.65, -8.95, -9.25, -9.55, -9.5],
        "bf25": [0.35, 0.325, 0.3, 0.225, 0.175, 0.1],
        "rr10": [-15.855, -16.467, -17.114, -17.882, -18.855, -18.217],
        "bf10": [3.704, 4.047, 4.396, 4.932, 5.726, 5.709],
    },
}
STRATA = {
    "tenors": [0.25205, 0.50137, 1.00151, 2.0, 5.00151],
    "atm": [0.0875, 0.0925, 0.095, 0.095, 0.095],
    "rr25": [-0.011, -0.0115, -0.0112, -0.0105, -0.0105],
    "bf25": [0.003, 0.0035, 0.0038, 0.0038, 0.0038],
    "rr10": [-0.019, -0.0205, -0.022, -0.019, -0.019],
    "bf10": [0.0094, 0.011, 0.013, 0.013, 0.013],
}


def clark(pair: str, wings: int = 2) -> dict:
    quotes = {name: np.array(CLARK[pair][name]) / 100 for name in NAMES[: 1 + 2 * wings]}
    return {"tenors": TENORS, **quotes, **CLARK[pair]["market"], "pair": pair}


def calculator(pair: str, row: int, side: int, vol: float) -> tuple[ql.BlackDeltaCalculator, float, float]:
    """QuantLib's delta calculator, the forward and years of a Clark tenor under the pair's convention."""
    market, years = CLARK[pair]["market"], parse_tenor(TENORS[row])
    rules = convention(pair, years)
    kinds = {
        ("spot", False): ql.DeltaVolQuote.Spot,
        ("spot", True): ql.DeltaVolQuote.PaSpot,
        ("forward", False): ql.DeltaVolQuote.Fwd,
        ("forward", True): ql.DeltaVolQuote.PaFwd,
    }
    domestic = np.exp(-market["domestic_rates"] * years)
    foreign = np.exp(-market["foreign_rates"] * years)
    right = ql.Option.Call if side > 0 else ql.Option.Put
    kind = kinds[rules.delta, rules.premium_adjusted]
    total = vol * np.sqrt(years)
    theirs = ql.BlackDeltaCalculator(right, kind, market["spot"], domestic, foreign, total)
    return theirs, market["spot"] * foreign / domestic, years


@pytest.mark.parametrize("wings", [1, 2])
@pytest.mark.parametrize("pair", CLARK)
def test_the_smile_reprices_atm_and_risk_reversals(pair, wings):
    quotes = clark(pair, wings)
    smile = smile_from_quotes(**quotes)
    assert smile.vols.shape == (6, 1 + 2 * wings)
    for row in range(6):
        atm, _, _ = calculator(pair, row, 1, quotes["atm"][row])
        assert smile.strikes[row, wings] == pytest.approx(
            atm.atmStrike(ql.DeltaVolQuote.AtmDeltaNeutral), rel=1e-14
        )
        assert smile.vols[row, wings] == quotes["atm"][row]
        for wing, delta in enumerate((0.25, 0.1)[:wings], start=1):
            put, call = smile.vols[row, wings - wing], smile.vols[row, wings + wing]
            assert call - put == pytest.approx(quotes[f"rr{100 * delta:.0f}"][row], abs=1e-15)
            for side, vol in ((-1, put), (1, call)):
                theirs, _, _ = calculator(pair, row, side, vol)
                assert theirs.deltaFromStrike(smile.strikes[row, wings + side * wing]) == pytest.approx(
                    side * delta, abs=1e-13
                )


@pytest.mark.parametrize("wings", [1, 2])
@pytest.mark.parametrize("pair", CLARK)
def test_the_smile_reprices_the_market_strangles(pair, wings):
    quotes = clark(pair, wings)
    smile = smile_from_quotes(**quotes)
    for row in range(6):
        for delta in (0.25, 0.1)[:wings]:
            single = quotes["atm"][row] + quotes[f"bf{100 * delta:.0f}"][row]
            gap = 0.0
            for side, right in ((-1, ql.Option.Put), (1, ql.Option.Call)):
                theirs, forward, years = calculator(pair, row, side, single)
                strike = theirs.strikeFromDelta(side * delta)
                vol = smile.vol(np.full((6, 1), np.log(strike / forward)))[row, 0]
                market = ql.blackFormula(right, strike, forward, single * np.sqrt(years))
                gap += ql.blackFormula(right, strike, forward, vol * np.sqrt(years)) - market
            assert gap / forward == pytest.approx(0, abs=1e-9)  # QuantLib's adjusted strikes are good to 1e-8


def test_market_strangles_are_repriced_to_rounding():
    quotes = clark("EURUSD") | {"pair": Convention("forward")}
    smile = smile_from_quotes(**quotes)
    for name, delta in (("bf25", 0.25), ("bf10", 0.1)):
        total = ((quotes["atm"] + quotes[name]) * np.sqrt(smile.tenors))[:, None]
        m = black.moneyness_from_delta(np.array([1 - delta, delta]), total)
        smiled = smile.vol(m) * np.sqrt(smile.tenors)[:, None]
        np.testing.assert_allclose(
            black.otm_price(m, smiled).sum(1), black.otm_price(m, total).sum(1), atol=2e-14
        )


def test_broker_and_smile_butterflies_differ_where_the_skew_is_strong():
    euro, yen = (smile_from_quotes(**clark(pair)) for pair in ("EURUSD", "EURJPY"))
    strangle = [(s.vols[:, 1] + s.vols[:, 3]) / 2 - s.vols[:, 2] for s in (euro, yen)]
    assert np.abs(strangle[0] - clark("EURUSD")["bf25"]).max() < 1e-4
    assert (strangle[1] - clark("EURJPY")["bf25"]).min() > 0.004


@pytest.mark.parametrize("pair", CLARK)
def test_the_solved_smiles_have_no_butterfly_arbitrage(pair):
    smile = smile_from_quotes(**clark(pair))
    scale = (smile.vols[:, 2] * np.sqrt(smile.tenors))[:, None]
    m = np.linspace(-3, 3, 601) * scale
    calls = black.call_price(m, smile.vol(m) * np.sqrt(smile.tenors)[:, None])
    slopes = np.diff(calls) / np.diff(np.exp(m))
    assert (np.diff(slopes) > -1e-12).all()


def test_strata_smile_strangles_are_closed_form():
    surface = surface_from_quotes(**STRATA, butterfly="smile", pair=Convention("forward", butterfly="smile"))
    atm, rr25, bf25, rr10, bf10 = (np.array(STRATA[name]) for name in NAMES)
    expected = [
        atm + bf10 - rr10 / 2,
        atm + bf25 - rr25 / 2,
        atm,
        atm + bf25 + rr25 / 2,
        atm + bf10 + rr10 / 2,
    ]
    np.testing.assert_allclose(surface.vols, np.array(expected).T, atol=1e-15)
    np.testing.assert_array_equal(surface.deltas, [0.9, 0.75, 0.5, 0.25, 0.1])
    assert surface.forwards is None


@pytest.mark.parametrize("pair", CLARK)
def test_surface_vols_lie_on_the_smile_at_forward_deltas(pair):
    quotes = clark(pair)
    surface, smile = surface_from_quotes(**quotes), smile_from_quotes(**quotes)
    total = surface.vols * np.sqrt(surface.tenors)[:, None]
    m = black.moneyness_from_delta(surface.deltas, total)
    np.testing.assert_allclose(smile.vol(m), surface.vols, atol=1e-14)
    np.testing.assert_allclose(surface.forwards, smile.forwards)


def test_without_rates_spot_deltas_are_forward_deltas():
    quotes = clark("EURUSD")
    bare = {key: value for key, value in quotes.items() if key not in CLARK["EURUSD"]["market"]}
    np.testing.assert_allclose(surface_from_quotes(**bare).vols, smile_from_quotes(**bare).vols, atol=1e-14)
    assert smile_from_quotes(**bare).strikes is None


def test_the_foreign_rate_is_implied_by_spot_forwards_and_domestic_rate():
    quotes = clark("EURJPY")
    direct = surface_from_quotes(**quotes)
    del quotes["foreign_rates"]
    implied = surface_from_quotes(**quotes, forwards=direct.forwards)
    np.testing.assert_allclose(implied.vols, direct.vols, atol=1e-13)


def test_missing_quotes_leave_their_cells_missing():
    quotes = clark("EURJPY")
    full = surface_from_quotes(**quotes).vols
    quotes["rr10"][0] = quotes["bf25"][1] = quotes["atm"][2] = np.nan
    quotes["rr25"][3] = quotes["bf10"][3] = np.nan
    vols = surface_from_quotes(**quotes).vols
    missing = np.isnan(vols)
    expected = np.zeros((6, 5), dtype=bool)
    expected[0, [0, 4]] = expected[1, [1, 3]] = expected[2] = expected[3, [0, 1, 3, 4]] = True
    np.testing.assert_array_equal(missing, expected)
    assert vols[3, 2] == pytest.approx(quotes["atm"][3], abs=1e-15)
    np.testing.assert_array_equal(vols[4:], full[4:])
    np.testing.assert_allclose(vols[:2][~missing[:2]], full[:2][~missing[:2]], atol=0.03)


def test_ten_delta_quotes_are_optional_and_nothing_at_all_is_nothing():
    quotes = clark("EURUSD", wings=1)
    vols = surface_from_quotes(**quotes).vols
    assert np.isnan(vols[:, [0, 4]]).all() and np.isfinite(vols[:, 1:4]).all()
    assert np.isnan(surface_from_quotes(["1M"], np.nan, 0.0, 0.0).vols).all()


def test_zero_is_a_risk_reversal_and_a_butterfly():
    vols = surface_from_quotes(["1M", "1Y"], [0.1, 0.2], 0.0, 0.0, 0.0, 0.0, pair="USDJPY").vols
    np.testing.assert_allclose(vols, np.repeat([[0.1], [0.2]], 5, axis=1), atol=1e-15)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"atm": [0.0]}, InputError, "atm at 1M is 0; expected a vol above 0"),
        ({"atm": [8.25]}, UnitsError, "expected decimals"),
        ({"atm": [0.1, 0.1]}, InputError, r"atm has shape \(2,\)"),
        ({"rr25": "x"}, InputError, "rr25 must be numbers"),
        ({"bf25": np.inf}, InputError, "bf25 has an infinite value"),
        ({"rr25": -0.5}, InfeasibleError, "no smile found at 1M for atm 0.1"),
        ({"pair": "EURUSX"}, LabelError, "EURUSX"),
        ({"tenors": ["x"]}, LabelError, "'x'"),
        ({"butterfly": "street"}, InputError, "'street'"),
        ({"spot": -1.0}, InputError, "spot is -1.0"),
        ({"foreign_rates": [np.nan]}, InputError, "missing value"),
    ],
)
@pytest.mark.parametrize("function", [smile_from_quotes, surface_from_quotes])
def test_bad_quotes_are_named(function, change, error, words):
    quotes = {"tenors": ["1M"], "atm": [0.1], "rr25": [0.0], "bf25": [0.002]} | change
    with pytest.raises(error, match=words):
        function(**quotes)


def test_smile_from_quotes_wants_every_quote():
    with pytest.raises(InputError, match="bf25 at 1M is missing"):
        smile_from_quotes(["1M"], 0.1, 0.0, np.nan)
    with pytest.raises(InputError, match="bf10 at 1M is missing"):
        smile_from_quotes(["1M"], 0.1, 0.0, 0.002, rr10=0.0)


def test_real_quotes_of_every_tenor_make_smiles_but_one():
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "fx_quotes_atm_rr_bf.csv"
    if not path.exists():
        pytest.skip(f"{path.name}: the shared market data is not beside this repository")
    quotes: dict[tuple[str, str, str], dict[str, float]] = {}
    with path.open() as lines:
        for row in csv.DictReader(lines):
            cell = quotes.setdefault((row["underlying"], row["date"], row["tenor"]), {})
            cell[row["quote"]] = float(row["value"])
    failed = []
    for (pair, day, tenor), quote in quotes.items():
        columns = [[quote.get(name, np.nan)] for name in ("ATM", "25RR", "25BF", "10RR", "10BF")]
        try:
            vols = surface_from_quotes([tenor], *columns, pair=pair).vols[0]
        except InfeasibleError as error:
            assert tenor in str(error)
            failed.append((pair, day, tenor))
            continue
        known = [name in quote for name in ("10BF", "25BF", "ATM", "25BF", "10BF")]
        np.testing.assert_array_equal(np.isfinite(vols), known)
    # its 25-delta risk reversal is twice its 10-delta one, and three quarters of the ATM vol
    assert failed == [("USDJPY", "2019-12-30", "1W")]
