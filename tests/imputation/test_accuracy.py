"""The shipped model on real quotes it was not trained on: better than its strongest simple rival."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.bench.classical.gaussian import SCALE_SHIFT, Gaussian
from export.bench.data import load_history
from export.bench.imputation.grids import raw_surfaces
from export.bench.imputation.product import Product
from export.bench.masks import random_masks
from export.bench.metrics import score
from voladdin.bundles import SHIPPED

needs_data = pytest.mark.data


@needs_data
def test_raw_quotes_of_later_years() -> None:
    """EURUSD 2019 and 2023, USDJPY 2019, overnight to 10 years, 30% and 50% hidden."""
    rival = Gaussian(SCALE_SHIFT)
    rival.fit(load_history())
    ours, theirs, covered, cells = 0.0, 0.0, 0.0, 0.0
    for _, axes, vols in raw_surfaces():
        stack = np.repeat(vols[None], 12, axis=0)
        for rate in (30, 50):
            hidden = random_masks(rate, len(stack), axes, np.random.default_rng(rate))
            quotes = np.where(hidden, np.nan, stack)
            mine = score(stack, hidden, Product(Path(SHIPPED) / "fx").predict(quotes, axes))
            ours += mine.error.sum()
            covered += mine.covered.sum()
            cells += mine.cells.sum()
            theirs += score(stack, hidden, rival.predict(quotes, axes)).error.sum()
    assert ours < 0.8 * theirs
    assert 0.82 < covered / cells < 0.97
