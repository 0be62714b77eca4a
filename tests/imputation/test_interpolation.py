"""The vol anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, surface
from voladdin.imputation import interpolation

GRID = va.Surface(holes(surface(), 0.4), TENORS, deltas=DELTAS)


def test_nodes_are_the_filled_grid() -> None:
    filled = va.impute(GRID).filled
    for row in (0, 3, 7):
        for column in (0, 2, 4):
            got = va.interpolate(GRID, float(GRID.tenors[row]), DELTAS[column])
            assert got == pytest.approx(filled[row, column], abs=1e-12)


@pytest.mark.parametrize("moneyness", [-0.05, 0.0, 0.02])
def test_linear_in_total_variance_between_tenors(moneyness: float) -> None:
    def variance(t: float) -> float:
        return va.interpolate(GRID, t, moneyness, kind="moneyness") ** 2 * t

    ends = [variance(t) for t in (0.5, 0.75)]
    assert variance(0.6) == pytest.approx(ends[0] + 0.4 * (ends[1] - ends[0]), rel=1e-9)


@given(st.floats(0.003, 12.0), st.floats(0.02, 0.98))
@settings(max_examples=15, deadline=None)
def test_always_a_vol(tenor: float, delta: float) -> None:
    assert 0.02 < va.interpolate(GRID, tenor, delta) < 0.4


def test_strike_moneyness_and_delta_agree() -> None:
    moneyness = 0.05
    vol = va.interpolate(GRID, 1.0, moneyness, kind="moneyness")
    assert va.interpolate(GRID, 1.0, 1.1 * np.exp(moneyness), kind="strike", forward=1.1) == pytest.approx(
        vol, abs=1e-12
    )
    from voladdin.black import call_delta

    delta = float(call_delta(np.array(moneyness), np.array(vol)))
    assert va.interpolate(GRID, 1.0, delta) == pytest.approx(vol, abs=1e-8)


def test_strike_grids() -> None:
    strikes = np.linspace(0.9, 1.1, 5)
    grid = va.Surface(holes(surface(), 0.3), TENORS, strikes=strikes, forwards=np.ones(8))
    filled = va.impute(grid).filled
    for row, column in ((5, 2), (6, 0), (2, 3)):
        point = float(grid.tenors[row]), float(strikes[column])
        assert va.interpolate(grid, *point, kind="strike") == filled[row, column]


def test_a_strike_is_the_strike_of_its_delta() -> None:
    for moneyness in (-0.3, -0.05, -0.01, 0.0, 0.02, 0.3):
        vol = va.interpolate(GRID, 0.33, moneyness, kind="moneyness")
        total = vol * np.sqrt(0.33)
        delta = float(ndtr(-moneyness / total + 0.5 * total))
        if 1e-6 < delta < 1 - 1e-6:
            assert va.interpolate(GRID, 0.33, delta) == pytest.approx(vol, abs=1e-11)


def test_many_points_are_each_point() -> None:
    tenors, deltas = np.array([0.01, 0.2, 0.33, 2.0, 9.0]), np.array([0.1, 0.77, 0.5, 0.33, 0.05])
    many = interpolation.interpolate_many(GRID, tenors, deltas)
    one = [va.interpolate(GRID, t, d) for t, d in zip(tenors.tolist(), deltas.tolist(), strict=True)]
    np.testing.assert_allclose(many, one, rtol=1e-12)


BAD = [
    ((0.0, 0.5), {}, "tenor is 0.0"),
    ((float("nan"), 0.5), {}, "tenor is nan"),
    ((1.0, 1.5), {}, "strike is 1.5; expected a forward call delta"),
    ((1.0, 0.5), {"kind": "vol"}, "kind is 'vol'"),
    ((1.0, 1.1), {"kind": "strike"}, "forward is None"),
    ((1.0, -1.1), {"kind": "strike", "forward": 1.0}, "expected a positive strike"),
    ((1.0, float("inf")), {"kind": "moneyness"}, "expected a finite log-moneyness"),
]


@pytest.mark.parametrize(("point", "options", "message"), BAD)
def test_bad_points(point: tuple[float, float], options: dict[str, object], message: str) -> None:
    with pytest.raises(va.InputError, match=message):
        va.interpolate(GRID, *point, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("strike", [5e-324, 1e308])
def test_a_strike_that_is_no_float_of_its_forward_has_a_vol(strike: float) -> None:
    assert 0.02 < va.interpolate(GRID, 0.25, strike, kind="strike", forward=0.5) < 10.0


@pytest.mark.parametrize("vol", [1e-308, 1e-200])
def test_vols_that_are_hardly_floats_are_filled_without_a_warning(vol: float) -> None:
    lone = va.Surface([[vol, np.nan]], [0.125], moneyness=[0.0, 0.4])
    assert np.isfinite(va.impute(lone).filled).all()
