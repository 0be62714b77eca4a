"""check on closed forms, and on any surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import voladdin as va
from tests.any_grid import grids

TENORS = st.lists(st.floats(1 / 365, 30.0), min_size=1, max_size=6, unique_by=lambda t: round(t, 4)).map(
    sorted
)
DELTAS = st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True).map(
    lambda whole: np.sort(whole) / 100
)
LADDER = np.linspace(-0.6, 0.6, 13)
# Gatheral and Jacquier (2014), example 3.1, after A. Vogt.
VOGT = {"a": -0.041, "b": 0.1331, "rho": 0.306, "m": 0.3586, "sigma": 0.4153}


def svi(m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """w and its two derivatives."""
    x = m - VOGT["m"]
    root = np.hypot(x, VOGT["sigma"])
    w = VOGT["a"] + VOGT["b"] * (VOGT["rho"] * x + root)
    return w, VOGT["b"] * (VOGT["rho"] + x / root), VOGT["b"] * VOGT["sigma"] ** 2 / root**3


@given(TENORS, DELTAS, st.floats(1e-3, 3.0))
@settings(max_examples=100, deadline=None)
def test_a_flat_surface_is_fine(tenors: list[float], deltas: np.ndarray, vol: float) -> None:
    assert va.check(va.Surface(np.full((len(tenors), len(deltas)), vol), tenors, deltas=deltas)).ok


@given(TENORS, st.floats(1e-3, 2.0))
@settings(max_examples=50, deadline=None)
def test_the_same_total_variance_at_all_tenors_is_the_boundary(tenors: list[float], total: float) -> None:
    vols = np.tile((total / np.sqrt(tenors))[:, None], 13)
    if vols.max() > 10:
        return
    assert va.check(va.Surface(vols, tenors, moneyness=LADDER)).ok
    if len(tenors) > 1 and total > 0.05:
        vols[-1] *= 0.999
        kinds = {
            violation.kind for violation in va.check(va.Surface(vols, tenors, moneyness=LADDER)).violations
        }
        assert "calendar" in kinds


@given(st.floats(0.02, 1.0), st.floats(0.01, 0.2), st.floats(0.1, 5.0))
@settings(max_examples=50, deadline=None)
def test_the_conditions_on_a_flat_surface(vol: float, step: float, tenor: float) -> None:
    """f = 1, d w/d tau = vol^2, -d d1/d m = 1/s, d mu/d delta = d N(s - d1)/d N(d1)."""
    tenors = tenor * np.array([1.0, 1.5, 2.5])
    surface = va.Surface(np.full((3, 5), vol), tenors, moneyness=step * vol * np.arange(-2, 3))
    found = va.check(surface).diagnostics
    total = vol * np.sqrt(tenors)[:, None] * np.ones(5)
    np.testing.assert_allclose(found.durrleman, 1.0, rtol=1e-6)
    np.testing.assert_allclose(found.calendar, vol**2, rtol=1e-6)
    np.testing.assert_allclose(found.delta_decreasing, 1 / total, rtol=1e-6)
    d1 = -surface.log_moneyness / total + total / 2  # type: ignore[operator]
    np.testing.assert_allclose(found.distribution, np.exp(d1 * total - total**2 / 2), rtol=1e-4)
    assert (found.calendar_delta[np.isfinite(found.calendar_delta)] > 0).all()
    assert (found.calendar_step[np.isfinite(found.calendar_step)] > 0).all()


def test_the_vogt_slice() -> None:
    """Its density is negative around m = 0.88 and nowhere else near it."""
    moneyness = np.linspace(-1.5, 1.5, 301)
    w, slope, curvature = svi(moneyness)
    found = va.check(va.Surface(np.sqrt(w)[None], [1.0], moneyness=moneyness))
    exact = (1 - moneyness * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curvature / 2
    np.testing.assert_allclose(found.diagnostics.durrleman[0], exact, atol=1e-4)
    lowest = moneyness[np.argmin(exact)]
    assert lowest == pytest.approx(0.88, abs=0.02)
    assert {violation.kind for violation in found.violations} == {"butterfly"}
    sold = np.array([moneyness[violation.cells[0][1]] for violation in found.violations])
    assert (np.abs(sold - 0.88) < 0.01).any() and sold.min() > 0.4
    near = moneyness[exact < -1e-4]
    assert np.isin(near, sold).all()
    assert (found.diagnostics.delta_decreasing < 0).any()
    assert np.isnan(found.diagnostics.distribution).all()  # delta is no axis there


def test_the_conditions_in_delta_see_the_vogt_slice() -> None:
    """Beyond where its delta turns: d mu/d m = f n(d2)/s, divided by -d delta/d m."""
    moneyness = np.linspace(0.8, 1.4, 61)
    w, slope, curvature = svi(moneyness)
    f = (1 - moneyness * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curvature / 2
    found = va.check(va.Surface(np.sqrt(w)[None], [1.0], moneyness=moneyness)).diagnostics
    s = np.sqrt(w)
    falling = 1 / s - moneyness * slope / (2 * s**3) - slope / (4 * s)
    np.testing.assert_allclose(found.delta_decreasing[0], falling, atol=1e-4)
    d1 = -moneyness / s + s / 2
    exact = f * np.exp(0.5 * d1**2 - 0.5 * (d1 - s) ** 2) / (s * falling)
    assert exact.min() < -0.1 and exact.max() > 0.01
    np.testing.assert_allclose(found.distribution[0, 5:-5], exact[5:-5], rtol=0.02, atol=1e-3)


@given(grids())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_surface_has_a_verdict(grid: tuple[np.ndarray, dict[str, object]]) -> None:
    vols, axes = grid
    try:
        surface = va.Surface(vols, **axes)  # type: ignore[arg-type]
        found = va.check(surface)
    except va.InputError as error:
        assert str(error)
        reject()
    assert found.ok == (not found.violations)
    assert (np.isfinite(found.map) == surface.observed).all()
    assert (found.map[surface.observed] >= 0).all()
    for violation in found.violations:
        assert violation.size > found.tolerance and "locked in" in violation.message
        assert 0 <= violation.vol_bp <= 1e4 * surface.vols[violation.cells[0]] * (1 + 1e-9)
    for _, values in found.diagnostics.items():  # noqa: PERF102 - no dict
        assert values.shape == surface.shape and not np.isfinite(values[~surface.observed]).any()
