"""Kinds of market: where quotes say little of smiles, the level does, and the answer is a mixture."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes import coordinates
from voladdin.imputation.processes.any_market import Universal
from voladdin.imputation.processes.evidence import thin

TENORS, DELTAS = np.array([0.1, 0.25, 0.5, 1.0, 2.0]), np.array([0.9, 0.75, 0.5, 0.25, 0.1])


@pytest.fixture(scope="module")
def universal() -> Universal:
    return va.load("universal", UniversalBundle).levels


def at_the_money(level: float) -> np.ndarray:
    """[25] log-vols, quoted at the money alone."""
    values = np.full((len(TENORS), len(DELTAS)), np.nan)
    values[:, 2] = np.log(level * np.array([1.04, 1.02, 1.0, 0.99, 0.98]))
    return values.ravel()


def test_the_level_tells_kinds_of_market_apart(universal: Universal) -> None:
    shares = [
        universal.at_deltas(TENORS, DELTAS, at_the_money(level)).foreign[0] for level in (0.07, 0.13, 0.25)
    ]
    assert shares[0] < 0.25 < shares[1] < shares[2]
    assert shares[2] > 0.5


def test_at_an_index_s_level_the_band_holds_an_index_s_skew(universal: Universal) -> None:
    steep = {0.75: 1.17, 0.25: 0.88}  # vol over the one at the money, by forward call delta
    answer = universal.at_deltas(TENORS, DELTAS, at_the_money(0.19))
    mean, std = (np.reshape(x, (5, 5)) for x in (answer.mean, answer.std))
    for delta, ratio in steep.items():
        column = int(np.flatnonzero(delta == DELTAS)[0])
        gap = np.log(ratio) + np.reshape(at_the_money(0.19), (5, 5))[:, 2] - mean[:, column]
        assert (np.abs(gap) < 1.645 * std[:, column]).all()


def test_quotes_of_smiles_leave_no_other_kind(universal: Universal) -> None:
    values = at_the_money(0.25)
    values.reshape(5, 5)[:, [0, 4]] = np.log([0.26, 0.26])
    assert not universal.at_deltas(TENORS, DELTAS, values).foreign.any()


def test_kept_covariances_answer_as_new_ones(universal: Universal) -> None:
    """A small grid corrects what it keeps of a candidate for each kind; the general way computes it."""
    values = at_the_money(0.2)
    points = coordinates.from_deltas(TENORS, DELTAS)
    answer = universal.at(points, values)
    rest = np.flatnonzero(np.isnan(values))
    assert answer.given.others == 4
    mean, variance = universal.ask(answer.given, points[answer.used], points[rest])
    np.testing.assert_allclose(mean + answer.centre, answer.mean[rest], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(variance), answer.std[rest], rtol=1e-7)


def test_thin_or_not_surface_by_surface(universal: Universal) -> None:
    """Surfaces answered together are as they are alone, whether their quotes are thin or not."""
    both = np.stack([at_the_money(0.2), np.full(25, np.nan)])
    both[1, [0, 2, 4, 12, 22]] = np.log([0.22, 0.2, 0.19, 0.2, 0.2])
    points = coordinates.from_deltas(TENORS, DELTAS)
    assert [bool(thin(points[np.flatnonzero(np.isfinite(one))])) for one in both] == [True, False]
    together = universal.each_at_deltas(TENORS, DELTAS, both)
    for row, one in enumerate(both):
        alone = universal.at_deltas(TENORS, DELTAS, one)
        np.testing.assert_allclose(together.mean[row], alone.mean, rtol=1e-8)
        np.testing.assert_allclose(together.std[row], alone.std, rtol=1e-6)
        assert (together.foreign[row] == pytest.approx(alone.foreign[0])) or row == 1


def test_a_days_change_has_no_kinds() -> None:
    assert va.load("universal", UniversalBundle).changes.candidates.kinds is None


def test_vols_that_only_coins_and_the_like_have_lean_to_no_side(universal: Universal) -> None:
    """Natural gas, coins, inverse funds: smiles lean either way, and an index's skew is far from all."""
    leaning = []
    for level in (0.2, 0.9):
        mean = universal.at_deltas(TENORS, DELTAS, at_the_money(level)).mean.reshape(5, 5)
        leaning.append((mean[:, 3] - mean[:, 1]).mean())
    assert leaning[0] < -0.1
    assert abs(leaning[1]) < 0.05
