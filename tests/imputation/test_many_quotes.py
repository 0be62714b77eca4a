"""Some of many quotes tell which candidates to condition on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import voladdin as va
from export.bench.speed import chain
from voladdin import bundles
from voladdin.imputation.answers import points_of
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes import many_quotes
from voladdin.imputation.processes.many_quotes import condition_many, representative
from voladdin.imputation.processes.points import Points


@given(st.integers(1, 90), st.integers(1, 12), st.integers(1, 30))
def test_representative_quotes_are_few_and_span_the_surface(count: int, tenors: int, half: int) -> None:
    rng = np.random.default_rng(count)
    quotes = Points(
        np.log(np.arange(1.0, tenors + 1)), rng.integers(0, tenors, count), rng.normal(size=count), True
    )
    few = representative(quotes, half)
    assert (np.diff(few) > 0).all() and len(few) <= 2 * half
    if count <= 2 * half:
        np.testing.assert_array_equal(few, np.arange(count))
    elif half > 1:
        order = np.lexsort((quotes.u, quotes.rows))
        assert {order[0], order[-1]} <= set(few.tolist())


def _quoted(surface: va.Surface) -> tuple[Points, np.ndarray]:
    values = np.log(surface.vols).ravel()
    used = np.flatnonzero(np.isfinite(values))
    return points_of(surface, values)[used], values[used] - np.median(values[used])


@pytest.mark.parametrize("seed", range(6))
def test_who_is_likeliest_by_many_quotes_is_likely_by_few(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those kept are the ones of most weight when all are weighed by as many quotes as the likely ones."""
    candidates = bundles.load("universal", UniversalBundle).levels.candidates
    quotes, values = _quoted(chain(12, 25, seed))
    quick = condition_many(candidates, quotes, values)
    monkeypatch.setattr(many_quotes, "_LIKELY", len(candidates))
    slow = condition_many(candidates, quotes, values)
    assert quick.kept[0] == slow.kept[0]
    assert slow.weight[np.isin(slow.kept, quick.kept)].sum() > 0.6
