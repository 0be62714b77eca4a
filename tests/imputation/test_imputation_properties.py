"""Any grid in: a finite positive full surface out, or a documented error."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import voladdin as va
from tests.any_grid import grids
from tests.imputation.example import DELTAS, TENORS, surface
from voladdin.surface import MAX_VOL


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
        reject()
    seen = surface.observed
    assert np.isfinite(result.filled).all() and (result.filled > 0).all()
    assert (result.filled[seen] == vols[seen]).all()
    assert np.isfinite(result.std).all() and (result.std[~seen] > 0).all()
    assert ((result.low <= result.mean) & (result.mean <= result.high) & (result.high <= MAX_VOL)).all()
    assert (result.std <= MAX_VOL).all()
    assert np.isfinite(result.zscore[seen]).all()


@given(st.integers(0, 1000), st.floats(0.1, 0.9), st.floats(0.5, 2.0))
@settings(max_examples=25, deadline=None)
def test_scaling_all_quotes_nearly_scales_the_answer(seed: int, share: float, scale: float) -> None:
    """Not exactly: history knows which levels are usual. But the quotes speak louder."""
    vols = np.where(np.random.default_rng(seed).random((8, 5)) < 0.3 * share, np.nan, surface())
    one = va.impute(va.Surface(vols, TENORS, deltas=DELTAS)).filled
    two = va.impute(va.Surface(scale * vols, TENORS, deltas=DELTAS)).filled / scale
    assert np.abs(two / one - 1).max() < 0.05
