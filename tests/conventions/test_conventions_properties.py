"""Labels, deltas and smiles under any input."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from voladdin.conventions import (
    Convention,
    moneyness_of_delta,
    option_delta,
    smile_from_quotes,
    surface_from_quotes,
)
from voladdin.errors import InfeasibleError, LabelError
from voladdin.labels import parse_delta, parse_strike, parse_tenor, tenor_label

LABELS = st.one_of(
    st.text(max_size=12), st.text("0123456789.PCDMWYKkm=-+%/ ", max_size=8), st.floats(), st.none()
)


@given(LABELS)
def test_any_label_is_a_tenor_or_a_label_error(label):
    try:
        years = parse_tenor(label)
    except LabelError:
        return
    assert 0 < years <= 100


@given(LABELS)
def test_any_label_is_a_strike_or_none(label):
    delta = parse_delta(label)
    assert delta is None or 0 < delta < 1
    strike = parse_strike(label)
    assert strike is None or np.isfinite(strike[1])


@given(st.floats(1e-3, 100))
def test_a_tenor_label_is_read_back_nearby(years):
    assert abs(parse_tenor(tenor_label(years)) / years - 1) <= 0.021


@given(st.integers(1, 99), st.sampled_from(["{}P", "{} put", "P{}", "{}dP", "{} Delta Put"]))
def test_put_labels_mirror_call_labels(percent, form):
    call = form.replace("ut", "all").replace("P", "C").replace("p", "c")
    put_delta, call_delta = parse_delta(form.format(percent)), parse_delta(call.format(percent))
    assert put_delta is not None and call_delta is not None
    assert put_delta == 1 - call_delta


@given(
    delta=st.floats(1e-4, 0.95),
    s=st.floats(1e-3, 2),
    side=st.sampled_from([1, -1]),
    discount=st.floats(0.5, 1.1),
    adjusted=st.booleans(),
)
def test_moneyness_of_delta_inverts_option_delta(delta, s, side, discount, adjusted):
    rules = {"discount": discount, "premium_adjusted": adjusted}
    m = moneyness_of_delta(delta, s, side, **rules)
    if np.isnan(m):
        reachable = side * option_delta(np.linspace(-12, 12, 2001) * s, s, side, **rules)
        assert reachable.max() <= delta * (1 + 1e-6)
        return
    assert abs(option_delta(m, s, side, **rules) - side * delta) < 1e-11


@settings(max_examples=60, deadline=None)
@given(
    atm=st.floats(0.02, 0.6),
    tenor=st.floats(2e-3, 5),
    skew=st.floats(-0.4, 0.4),
    wings=st.floats(0.002, 0.05),
    rules=st.builds(
        Convention, st.sampled_from(["spot", "forward"]), st.booleans(), st.sampled_from(["dns", "forward"])
    ),
)
def test_ordinary_quotes_have_a_smile_with_these_quotes(atm, tenor, skew, wings, rules):
    assume(atm * np.sqrt(tenor) < 0.6)
    rr25, bf25 = 0.5 * skew * atm, wings * atm
    smile = smile_from_quotes(
        [tenor], atm, rr25, bf25, 1.8 * rr25, 3.5 * bf25, pair=rules, foreign_rates=0.01
    )
    put10, put25, middle, call25, call10 = smile.vols[0]
    assert middle == atm
    assert abs(call25 - put25 - rr25) < 1e-15
    assert abs(call10 - put10 - 1.8 * rr25) < 1e-15
    assert (np.diff(smile.log_moneyness[0]) > 0).all()


@settings(max_examples=60, deadline=None)
@example([np.nan, np.nan, 0.0, 0.29296875], 0.01)  # a vega of hardly a float
@given(st.lists(st.one_of(st.just(np.nan), st.floats(-0.3, 0.3)), min_size=4, max_size=4), st.floats(0.01, 1))
def test_any_quotes_give_a_surface_or_an_infeasible_error(quotes, atm):
    try:
        surface = surface_from_quotes(
            ["3M"], atm, *quotes, pair="USDJPY", domestic_rates=0.0, foreign_rates=0.03
        )
    except InfeasibleError as error:
        assert "3M" in str(error)
        return
    assert np.isfinite(surface.vols[0, 2])
    assert np.isnan(surface.vols[0, [1, 3]]).all() == np.isnan(quotes[0] + quotes[1])
