"""The value axis of charts: about what is drawn, round, never below 0 for vols."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from tests.xlsx.test_chart import RANGE, _book
from voladdin.xlsx.charting import chart_book
from voladdin.xlsx.value_axis import value_axis


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([8.1, 8.3, 8.9], (7.8, 9.2, 0.2)),
        ([0.081, 0.083, 0.089], (0.078, 0.092, 0.002)),
        ([0.2, 0.2], (0.196, 0.204, 0.002)),
        ([1.0, 60.0], (0.0, 80.0, 20.0)),
        ([0.55, "#N/A", "", None, 0.62], (0.52, 0.64, 0.02)),
    ],
)
def test_round_ends_about_the_vols(values: list[object], expected: tuple[float, ...]) -> None:
    axis = value_axis(values)
    assert axis is not None
    assert axis.step == pytest.approx(expected[2])
    assert (axis.low, axis.high) == pytest.approx(expected[:2])


@given(st.lists(st.floats(1e-4, 1e3), min_size=1, max_size=30))
def test_all_that_is_drawn_is_within_and_the_ends_are_lines(values: list[float]) -> None:
    axis = value_axis(values)
    assert axis is not None and 0 <= axis.low <= min(values) and max(values) <= axis.high
    assert 2 <= round((axis.high - axis.low) / axis.step) <= 10
    for end in (axis.low, axis.high):
        assert math.isclose(end / axis.step, round(end / axis.step), abs_tol=1e-6)
    length = axis.high - axis.low
    assert max(values) - min(values) > 0.2 * length or length <= 0.2 * axis.high


def test_nothing_to_draw_leaves_the_axis_to_the_host() -> None:
    assert value_axis(["#N/A", "", None]) is None


def test_a_smile_s_axis_is_about_its_vols(tmp_path: Path) -> None:
    chart_book(_book(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", RANGE)
    charts = load_workbook(tmp_path / "b.xlsx")["voladdin chart"]._charts
    for chart in charts:
        scale = chart.y_axis.scaling
        assert 0.04 < scale.min < 0.081 < 0.089 < scale.max < 0.16 and chart.y_axis.majorUnit > 0
