"""Labels, pair conventions and delta inversion, against QuantLib where it has them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime

import numpy as np
import pytest
import QuantLib as ql

from voladdin.conventions import (
    Convention,
    atm_moneyness,
    convention,
    moneyness_of_delta,
    option_delta,
    parse_pair,
    premium_currency,
)
from voladdin.errors import LabelError
from voladdin.labels import parse_delta, parse_strike, parse_tenor, tenor_label

VALUATION = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("label", "years"),
    [
        ("ON", 1 / 365), ("o/n", 1 / 365), ("TN", 2 / 365), ("SN", 3 / 365), ("1D", 1 / 365),
        ("10 days", 10 / 365), ("1W", 7 / 365), (" 2 w ", 14 / 365), ("1M", 1 / 12), ("18m", 1.5),
        ("2 Months", 1 / 6), ("1Y", 1.0),
        ("1yr", 1.0), ("1.5Y", 1.5), ("1Y6M", 1.5), ("10Y", 10.0), ("0.25", 0.25), (0.25, 0.25), (1, 1.0),
        (np.float64(2), 2.0), (np.int64(2), 2.0),
    ],
)  # fmt: skip
def test_tenor_labels(label, years):
    assert parse_tenor(label) == pytest.approx(years, rel=1e-15)


@pytest.mark.parametrize(
    "label",
    ["2026-03-20", "20-Mar-26", "20 mar 2026", "2026/03/20", "20260320", "2026-03-20 00:00:00", 46101.0,
     46101, "2026-3-20", "20MAR2026", date(2026, 3, 20), datetime(2026, 3, 20)],
)  # fmt: skip
def test_dates_are_counted_from_the_valuation_date(label):
    assert parse_tenor(label, VALUATION) == 78 / 365


@pytest.mark.parametrize(
    "label",
    ["", "ATM", "10P", "M", "1X", "1M2", "1Y1Y", "6M1Y", -1, 0, "0D", "-1M", float("nan"), "nan", "inf",
     "1e400", True, None, [1], 10**400, "2026-02-30", "30-Feb-26", "9" * 400, "٣M", "25Δ", "03/04/2026",
     "2026-03-20", 46101, "200Y", "1_0", "٣"],
)  # fmt: skip
def test_what_is_no_tenor_is_named(label):
    with pytest.raises(LabelError, match="expected") as caught:
        parse_tenor(label)
    assert repr(label)[:4] in str(caught.value) or str(label) in str(caught.value)


def test_a_date_before_the_valuation_date_is_no_tenor():
    with pytest.raises(LabelError, match="above 0"):
        parse_tenor("2025-12-31", VALUATION)


@pytest.mark.parametrize(
    ("years", "label"),
    [(1 / 365, "ON"), (7 / 365, "1W"), (1 / 12, "1M"), (0.25205, "3M"), (1.0, "1Y"), (1.5, "18M"), (2, "2Y"),
     (0.37, "0.37Y"), (10.0, "10Y"), (28 / 365, "0.0767Y")],
)  # fmt: skip
def test_tenor_label(years, label):
    assert tenor_label(years) == label


def test_tenor_label_refuses_what_is_no_tenor():
    with pytest.raises(LabelError):
        tenor_label(-1.0)


@pytest.mark.parametrize(
    ("label", "delta"),
    [
        ("10P", 0.9), ("25p", 0.75), ("ATM", 0.5), ("atmf", 0.5), ("DNS", 0.5), ("25C", 0.25), ("10C", 0.1),
        ("10DP", 0.9), ("10ΔP", 0.9), ("P10", 0.9), ("C25D", 0.25), ("25 put", 0.75), ("10-delta Put", 0.9),
        ("2.5C", 0.025), ("0.25C", 0.25), ("50", 0.5), ("0.25", 0.25), (0.25, 0.25), (25, 0.25), (25.0, 0.25),
        (-0.25, 0.75), ("-25", 0.75), (np.float64(0.1), 0.1),
    ],
)  # fmt: skip
def test_delta_labels(label, delta):
    assert parse_delta(label) == pytest.approx(delta, abs=1e-15)
    assert parse_strike(label) == ("delta", parse_delta(label))


@pytest.mark.parametrize(
    "label",
    ["", None, True, "25D", "RR25", "25BF", "1M", "1.085", 1.0, 0, 100, "150P", "0P", float("nan"), "25PC"],
)
def test_what_is_no_delta_is_none(label):
    assert parse_delta(label) is None


@pytest.mark.parametrize(
    ("label", "kind", "value"),
    [
        ("K=1.085", "strike", 1.085), ("K = 1.085", "strike", 1.085), (1.085, "strike", 1.085),
        ("m=-0.1", "moneyness", -0.1), ("k=-10%", "moneyness", -0.1), ("k=0.1", "moneyness", 0.1),
        ("x=0", "moneyness", 0.0), ("K=95%", "moneyness", np.log(0.95)), (100, "strike", 100.0),
        ("K/F=1.05", "moneyness", np.log(1.05)),
    ],
)  # fmt: skip
def test_strike_labels(label, kind, value):
    found = parse_strike(label)
    assert found is not None
    assert found[0] == kind
    assert found[1] == pytest.approx(value, abs=1e-15)


@pytest.mark.parametrize(
    "label", ["", None, True, "K=-1", "K=0", "K/F=0", "k=1.2", "K=", "m=a", "1M", 0, "nan", "9" * 400]
)
def test_what_is_no_strike_is_none(label):
    assert parse_strike(label) is None


@pytest.mark.parametrize(
    ("pair", "premium"),
    [("EURUSD", "USD"), ("GBPUSD", "USD"), ("USDJPY", "USD"), ("EURJPY", "EUR"), ("EURGBP", "EUR"),
     ("GBPJPY", "GBP"), ("AUDJPY", "AUD"), ("AUDNZD", "AUD"), ("CHFJPY", "CHF"), ("USDTRY", "USD"),
     ("EURPLN", "EUR"), ("ZARJPY", "ZAR")],
)  # fmt: skip
def test_premium_currency(pair, premium):
    assert premium_currency(pair) == premium


@pytest.mark.parametrize(
    ("pair", "tenor", "expected"),
    [
        ("EURUSD", 1 / 12, Convention("spot", False, "dns")),
        ("eur/usd", 1.0, Convention("spot", False, "dns")),
        ("EURUSD", 366 / 365, Convention("spot", False, "dns")),
        ("EURUSD", 2.0, Convention("forward", False, "dns")),
        ("USDJPY", 0.5, Convention("spot", True, "dns")),
        ("USDJPY", 5.0, Convention("forward", True, "dns")),
        ("USDCAD", 0.5, Convention("spot", True, "dns")),
        ("USDCHF", 0.5, Convention("spot", True, "dns")),
        ("AUDUSD", 0.5, Convention("spot", False, "dns")),
        ("EUR-JPY", 0.5, Convention("spot", True, "dns")),
        ("USDBRL", 0.5, Convention("forward", True, "dns")),
        ("USDTRY", 2.0, Convention("forward", True, "forward")),
    ],
)
def test_convention_of_a_pair_at_a_tenor(pair, tenor, expected):
    assert convention(pair, tenor) == expected


@pytest.mark.parametrize("pair", ["", "EUR", "EURUSDX", "EURUDS", "EUREUR", None, 3])
def test_unknown_pairs_are_named(pair):
    with pytest.raises(LabelError, match="currency pair"):
        parse_pair(pair)


QL_DELTAS = {
    ql.DeltaVolQuote.Spot: ("spot", False),
    ql.DeltaVolQuote.Fwd: ("forward", False),
    ql.DeltaVolQuote.PaSpot: ("spot", True),
    ql.DeltaVolQuote.PaFwd: ("forward", True),
}
SPOT, DOMESTIC, FOREIGN = 1.3, 0.97, 0.94
FORWARD = SPOT * FOREIGN / DOMESTIC


@pytest.mark.parametrize("kind", QL_DELTAS)
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("s", [0.005, 0.05, 0.2, 0.6, 1.2])
def test_delta_and_its_inverse_match_quantlib(kind, side, s):
    basis, adjusted = QL_DELTAS[kind]
    rules = {"discount": FOREIGN if basis == "spot" else 1.0, "premium_adjusted": adjusted}
    right = ql.Option.Call if side > 0 else ql.Option.Put
    theirs = ql.BlackDeltaCalculator(right, kind, SPOT, DOMESTIC, FOREIGN, s)
    for m in s * np.array([-2.0, -0.7, 0.0, 0.7, 2.0]):
        delta = theirs.deltaFromStrike(FORWARD * np.exp(m))
        assert option_delta(m, s, side, **rules) == pytest.approx(delta, abs=1e-14)
    for delta in (0.02, 0.1, 0.25, 0.4):
        ours = moneyness_of_delta(delta, s, side, **rules)
        if np.isnan(ours):
            assert side > 0 and adjusted and s > 1
            continue
        assert ours == pytest.approx(np.log(theirs.strikeFromDelta(side * delta) / FORWARD), abs=1e-7 * s)
        assert option_delta(ours, s, side, **rules) == pytest.approx(side * delta, abs=1e-14)


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize(
    ("atm", "theirs"), [("dns", ql.DeltaVolQuote.AtmDeltaNeutral), ("forward", ql.DeltaVolQuote.AtmFwd)]
)
def test_atm_strikes_match_quantlib(adjusted, atm, theirs):
    kind = ql.DeltaVolQuote.PaSpot if adjusted else ql.DeltaVolQuote.Spot
    calculator = ql.BlackDeltaCalculator(ql.Option.Call, kind, SPOT, DOMESTIC, FOREIGN, 0.3)
    ours = atm_moneyness(0.3, atm, premium_adjusted=adjusted)
    assert ours == pytest.approx(np.log(calculator.atmStrike(theirs) / FORWARD), abs=1e-15)
    if atm == "dns":
        legs = [option_delta(ours, 0.3, side, premium_adjusted=adjusted) for side in (1, -1)]
        assert sum(legs) == pytest.approx(0, abs=1e-15)


def test_the_premium_adjusted_call_strike_is_beyond_the_maximal_delta():
    s = np.array([0.05, 0.3, 1.0])
    m = moneyness_of_delta(0.1, s, 1, premium_adjusted=True)
    further = option_delta(m + 1e-4, s, 1, premium_adjusted=True)
    assert (further < 0.1).all()


def test_a_delta_out_of_reach_is_nan():
    assert np.isnan(moneyness_of_delta(0.9, 0.5, 1, premium_adjusted=True))
    assert np.isnan(moneyness_of_delta(0.97, 0.5, 1, discount=0.95))
    assert np.isnan(moneyness_of_delta(0.0, 0.5, 1))


def test_importing_conventions_alone_works():
    for module in ("voladdin.conventions", "voladdin.surface", "voladdin.conventions.quotes"):
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
