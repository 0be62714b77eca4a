"""Large surfaces: filled cells between the quotes' tangents and the hull of prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin.arbitrage.hulls import lower_hull
from voladdin.imputation.no_arbitrage import guard
from voladdin.imputation.no_arbitrage.between_hulls import between, disputed

TENORS = np.exp(np.linspace(np.log(0.05), np.log(4.0), 9))
X = np.linspace(-2.0, 2.0, 15)


def smooth() -> np.ndarray:
    """[9, 15] vols without arbitrage."""
    return 0.2 * np.exp(0.1 * np.sin(np.log(TENORS))[:, None] - 0.06 * X + 0.03 * X**2)


def grid(vols: np.ndarray, axis: str) -> va.Surface:
    if axis == "deltas":
        return va.Surface(vols, TENORS, deltas=np.linspace(0.95, 0.05, 15))
    return va.Surface(vols, TENORS, moneyness=X * smooth() * np.sqrt(TENORS)[:, None])


@pytest.mark.parametrize("axis", ["deltas", "moneyness"])
@given(st.integers(0, 10**6), st.floats(0.005, 0.3), st.floats(0.1, 0.9))
@settings(max_examples=25, deadline=None)
def test_leaves_no_arbitrage_and_the_quotes(axis: str, seed: int, noise: float, share: float) -> None:
    rng = np.random.default_rng(seed)
    movable = rng.random((9, 15)) < share
    vols = np.where(movable, smooth() * np.exp(noise * rng.standard_normal((9, 15))), smooth())
    surface = grid(vols, axis)
    if movable.all() or not va.check(surface.replace(np.where(movable, np.nan, vols))).ok:
        return
    found = between(surface, vols, movable)
    np.testing.assert_array_equal(found[~movable], vols[~movable])
    assert va.check(surface.replace(found)).ok


@pytest.mark.parametrize("axis", ["deltas", "moneyness"])
def test_nothing_violated_moves_nothing(axis: str) -> None:
    surface = grid(smooth(), axis)
    movable = np.random.default_rng(0).random((9, 15)) < 0.5
    np.testing.assert_allclose(between(surface, surface.vols, movable), surface.vols, rtol=1e-9)


def test_what_is_disputed_is_the_doubtful() -> None:
    vols = smooth()
    vols[4, 7] *= 1.5
    doubt = np.ones(vols.shape)
    doubt[4, 7] = 9.0
    surface = grid(vols, "moneyness")
    assert np.argwhere(disputed(surface, vols, doubt)).tolist() == [[4, 7]]


def test_a_lower_hull() -> None:
    x = np.linspace(0.0, 1.0, 40)
    y = 0.3 * (x - 1.0) ** 2 + np.where(np.arange(40) % 3 == 1, 0.02, 0.0)
    kept = [node for _, _, node in lower_hull(list(zip(x.tolist(), y.tolist(), range(40), strict=True)))[1:]]
    line = np.interp(x, x[kept], y[kept])
    assert (line <= y + 1e-15).all() and (np.diff(y[kept], 2) > 0).any()
    assert (np.diff(np.diff(y[kept]) / np.diff(x[kept])) > 0).all()


def test_the_guard_takes_this_way_for_large_grids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LARGE", 10)
    rng = np.random.default_rng(3)
    vols = smooth() * np.exp(0.03 * rng.standard_normal((9, 15)))
    surface = grid(np.where(rng.random(vols.shape) < 0.5, np.nan, vols), "deltas")
    result = va.impute(surface)
    assert result.disputed.any()
    assert va.check(surface.replace(np.where(result.disputed, np.nan, result.filled))).ok
