"""Any grid in: a finite positive full surface out, or a documented error."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import voladdin as va

TENORS = st.lists(st.floats(1 / 365, 30.0), min_size=1, max_size=7, unique=True).map(sorted)
DELTAS = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6, unique=True).map(sorted)
MONEYNESS = st.lists(st.floats(-0.8, 0.8), min_size=1, max_size=6, unique=True).map(sorted)
VOL = st.one_of(st.just(float("nan")), st.floats(0.005, 3.0), st.floats(-1.0, 1e6), st.just(float("inf")))


@st.composite
def grids(draw: st.DrawFn) -> tuple[np.ndarray, dict[str, object]]:
    tenors = draw(TENORS)
    axis, places = draw(st.sampled_from(["deltas", "moneyness"])), None
    places = draw(DELTAS if axis == "deltas" else MONEYNESS)
    cells = len(tenors) * len(places)
    wild = draw(st.booleans())
    vol = VOL if wild else st.one_of(st.just(float("nan")), st.floats(0.02, 0.6))
    vols = draw(st.lists(vol, min_size=cells, max_size=cells))
    return np.array(vols).reshape(len(tenors), -1), {"tenors": tenors, axis: places}


@given(grids(), st.booleans(), st.floats(0.5, 0.99))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_full_surface_or_a_documented_error(
    grid: tuple[np.ndarray, dict[str, object]], with_prior: bool, coverage: float
) -> None:
    vols, axes = grid
    try:
        surface = va.Surface(vols, **axes)  # type: ignore[arg-type]
        prior = surface.replace(np.full(vols.shape, 0.1)) if with_prior else None
        result = va.impute(surface, prior=prior, coverage=coverage)
    except va.VoladdinError as error:
        assert str(error) and error.cell_error in ("#VALUE!", "#N/A", "#NUM!")
        return
    seen = surface.observed
    assert np.isfinite(result.filled).all() and (result.filled > 0).all()
    assert (result.filled[seen] == vols[seen]).all()
    assert np.isfinite(result.std).all() and (result.std[~seen] > 0).all()
    assert (result.low <= result.mean).all() and (result.mean <= result.high).all()
    assert np.isfinite(result.zscore[seen]).all()


@given(st.integers(0, 1000), st.floats(0.1, 0.9), st.floats(0.5, 2.0))
@settings(max_examples=25, deadline=None)
def test_scaling_all_quotes_nearly_scales_the_answer(seed: int, share: float, scale: float) -> None:
    """Not exactly: history knows which levels are usual. But the quotes speak louder."""
    from tests.imputation.test_imputation import DELTAS as deltas
    from tests.imputation.test_imputation import TENORS as tenors
    from tests.imputation.test_imputation import surface

    vols = np.where(np.random.default_rng(seed).random((8, 5)) < 0.3 * share, np.nan, surface())
    one = va.impute(va.Surface(vols, tenors, deltas=deltas)).filled
    two = va.impute(va.Surface(scale * vols, tenors, deltas=deltas)).filled / scale
    assert np.abs(two / one - 1).max() < 0.05
