"""The vol anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from tests.test_imputation import DELTAS, TENORS, holes, surface

GRID = va.Surface(holes(surface(), 0.4), TENORS, deltas=DELTAS)


def test_nodes_are_the_filled_grid() -> None:
    filled = va.impute(GRID).filled
    for row in (0, 3, 7):
        for column in (0, 2, 4):
            got = va.interpolate(GRID, float(GRID.tenors[row]), DELTAS[column])
            assert got == pytest.approx(filled[row, column], abs=1e-12)


@pytest.mark.parametrize("delta", [0.15, 0.5, 0.8])
def test_linear_in_total_variance_between_tenors(delta: float) -> None:
    ends = [va.interpolate(GRID, t, delta) ** 2 * t for t in (0.5, 0.75)]
    middle = va.interpolate(GRID, 0.6, delta) ** 2 * 0.6
    assert middle == pytest.approx(ends[0] + 0.4 * (ends[1] - ends[0]), rel=1e-9)


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
    assert va.interpolate(grid, 1.0, 1.0, kind="strike") == pytest.approx(filled[5, 2], rel=0.02)


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
