"""`voladdin bench ablation`: the years it tests on, and the mixture with one side alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import voladdin as va
from export.bench.data import DeltaAxes, load_history
from export.bench.imputation.ablation import HistoryAlone, _with_share, splits, year_split
from voladdin.bundles import SHIPPED, load
from voladdin.imputation.model import Bundle

SURFACE = va.Surface(
    [[0.10, np.nan, 0.09, np.nan, 0.10], [np.nan, 0.11, np.nan, 0.10, 0.11]],
    ["1M", "1Y"],
    deltas=[0.9, 0.75, 0.5, 0.25, 0.1],
)


def test_each_side_of_the_mixture_alone(tmp_path: Path) -> None:
    axes = DeltaAxes(SURFACE.tenors, SURFACE.deltas)
    bundles = [_with_share(SHIPPED / "fx", tmp_path / str(share), share) for share in (0.5, 1.0, 0.0)]
    full, network, gaussian = (
        HistoryAlone(bundle).predict(SURFACE.vols[None], axes).mean for bundle in bundles
    )
    assert np.abs(network - gaussian).max() > 1e-5
    np.testing.assert_allclose(np.log(full), 0.5 * (np.log(network) + np.log(gaussian)), atol=1e-9)


def test_only_the_share_changes(tmp_path: Path) -> None:
    share = load(_with_share(SHIPPED / "fx", tmp_path / "fx", 0.25), Bundle)
    shipped = load("fx", Bundle)
    assert float(share.arrays.pop("stack")) == 0.25 != float(shipped.arrays["stack"])
    assert all(np.array_equal(value, shipped.arrays[name]) for name, value in share.arrays.items())


@pytest.mark.data
def test_a_year_is_tested_on_itself_alone() -> None:
    history = load_history()
    for year in (2017, 2018):
        days = history.dates[year_split(history, year, 1).test.day]
        assert set(days.astype("datetime64[Y]").astype(str)) == {str(year)}


@pytest.mark.data
def test_no_test_day_is_trained_on() -> None:
    history = load_history()
    for split in splits(history, 25):
        last = max(split.train.dates[-1], split.validation.dates[-1])
        assert split.train.dates[-1] < split.validation.dates[0]
        unseen = set(split.test.pair).isdisjoint(split.train.pairs)
        assert unseen or last < history.dates[split.test.day.min()]
