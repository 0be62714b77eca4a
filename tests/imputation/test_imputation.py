"""Filling holes: what every answer must satisfy, and what it must say of bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import voladdin as va
from tests.imputation.example import DELTAS, GRIDS, TENORS, holes, surface
from voladdin.imputation.answers import _solve, by_history, clipped_deltas
from voladdin.imputation.model import Bundle
from voladdin.surface import MAX_VOL


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_answer_is_sane_on_any_grid(grid: str, share: float) -> None:
    vols = holes(surface(), share)
    vols[2, 2] = surface()[2, 2]
    result = va.impute(va.Surface(vols, **GRIDS[grid]))
    seen = np.isfinite(vols)
    assert (result.filled[seen] == vols[seen]).all()
    assert (result.std[seen] == 0).all() and (result.low[seen] == vols[seen]).all()
    assert np.isfinite(result.filled).all() and (result.filled > 0).all()
    assert (result.std[~seen] > 0).all()
    assert (result.low[~seen] < result.mean[~seen]).all() and (result.mean[~seen] < result.high[~seen]).all()
    assert np.isnan(result.zscore[~seen]).all()
    assert (np.abs(result.filled / surface() - 1) < 0.6).all()


@pytest.mark.parametrize("grid", ["core", "odd tenors", "log-moneyness"])
def test_same_input_same_output(grid: str) -> None:
    one, two = (va.impute(va.Surface(holes(surface(), 0.5), **GRIDS[grid])) for _ in range(2))
    for field in ("filled", "std", "low", "high"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))


def test_axis_order_does_not_matter() -> None:
    vols = holes(surface(), 0.4)
    one = va.impute(va.Surface(vols, TENORS, deltas=DELTAS))
    two = va.impute(va.Surface(vols[:, ::-1], TENORS, deltas=DELTAS[::-1]))
    np.testing.assert_allclose(one.mean, two.mean[:, ::-1], rtol=1e-5)
    np.testing.assert_allclose(one.std, two.std[:, ::-1], rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("name", ["core", "log-moneyness"])
@pytest.mark.parametrize("after", [False, True], ids=["alone", "after a prior"])
def test_batch_is_one_at_a_time(name: str, *, after: bool) -> None:
    """Whatever the numbers of quotes, one surface without any among them, and how odd they are."""
    levels, shares = (0.06, 0.08, 0.12, 0.3, 0.08, 0.07), (0.5, 0.3, 0.9, 0.5, 0.5, 0.0)
    stack = np.stack([holes(surface(level), share, 7) for level, share in zip(levels, shares, strict=True)])
    stack[4] *= np.exp(0.2 * np.random.default_rng(1).standard_normal(stack[4].shape))
    prior = np.stack([surface(1.05 * level) for level in levels]) if after else None
    if after:
        stack[1] = np.nan
    arguments = {"model": "fx", **GRIDS[name]}
    batch = va.impute_batch(stack, prior=prior, **arguments)
    for b, vols in enumerate(stack):
        one = None if prior is None else prior[b : b + 1]
        single = va.impute_batch(vols[None], prior=one, **arguments)
        np.testing.assert_allclose(batch.mean[b], single.mean[0], rtol=1e-7)
        np.testing.assert_allclose(batch.std[b], single.std[0], rtol=1e-6, atol=1e-12)
        np.testing.assert_array_equal(batch.disputed[b], single.disputed[0])


def test_more_quotes_leave_less_open() -> None:
    few, many = (
        va.impute(va.Surface(holes(surface(), share), TENORS, deltas=DELTAS)) for share in (0.9, 0.3)
    )
    assert np.median(few.std[few.std > 0]) > 2 * np.median(many.std[many.std > 0])


def test_coverage_widens_the_band() -> None:
    grid = va.Surface(holes(surface(), 0.5), TENORS, deltas=DELTAS)
    narrow, wide = va.impute(grid, coverage=0.5), va.impute(grid, coverage=0.99)
    missing = narrow.std > 0
    assert (wide.high[missing] > narrow.high[missing]).all() and (
        wide.low[missing] < narrow.low[missing]
    ).all()


def test_a_fat_finger_shows() -> None:
    vols = surface()
    vols[3, 2] *= 1.10
    zscore = va.impute(va.Surface(vols, TENORS, deltas=DELTAS)).zscore
    assert np.unravel_index(np.abs(zscore).argmax(), zscore.shape) == (3, 2)
    assert abs(zscore[3, 2]) > 4


@pytest.mark.parametrize("finger", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("axis", ["deltas", "skewed"])
def test_a_fat_finger_says_nothing_of_other_cells(axis: str, finger: float) -> None:
    """Of a pair, and of an index with a skew that no pair has: it would be taken for another market's."""
    rng = np.random.default_rng(3)
    if axis == "deltas":
        grid = va.Surface(
            holes(surface() * np.exp(0.003 * rng.standard_normal((8, 5))), 0.3), TENORS, deltas=DELTAS
        )
    else:
        tenors, deltas = [0.1, 0.25, 0.5, 1.0, 2.0], np.linspace(0.9, 0.1, 9)
        vols = 0.2 * np.exp(0.5 * (deltas - 0.5) + 0.003 * rng.standard_normal((5, 9)))
        grid = va.Surface(holes(vols, 0.4), tenors, deltas=deltas)
    row, column = np.argwhere(grid.observed)[12]
    odd, missing = grid.vols.copy(), ~grid.observed
    odd[row, column] *= finger
    found, plain = (va.impute(one, arbitrage_free=False) for one in (grid.replace(odd), grid))
    assert found.filled[row, column] == odd[row, column] and abs(found.zscore[row, column]) > 10.0
    assert np.abs(np.log(found.mean / plain.mean))[missing].max() < 0.015
    assert (found.std[missing] / plain.std[missing]).max() < 2.0


def test_a_fatter_finger_shows_more() -> None:
    largest = []
    for factor in (1.05, 1.2, 2.0, 5.0):
        vols = surface()
        vols[3, 2] *= factor
        zscore = va.impute(va.Surface(vols, TENORS, deltas=DELTAS)).zscore
        assert np.unravel_index(np.abs(zscore).argmax(), zscore.shape) == (3, 2)
        largest.append(zscore[3, 2])
    assert (np.diff(largest) > 0).all() and largest[-1] > 30


@pytest.mark.parametrize("grid", [[[0.1]], None, {"vols": [[0.1]]}])
def test_only_surfaces_are_imputed(grid: Any) -> None:
    with pytest.raises(
        va.InputError, match=f"surface is a {type(grid).__name__}; expected a voladdin.Surface"
    ):
        va.impute(grid)


def test_quotes_no_history_explains_fall_back_and_say_so() -> None:
    vols = surface()
    vols[::2, ::2] *= 3.0
    vols[5, 1] = np.nan
    result = va.impute(va.Surface(vols, TENORS, deltas=DELTAS))
    assert "Gaussian fallback" in result.model
    assert np.isfinite(result.filled).all() and result.std[5, 1] > 0.002


@pytest.mark.parametrize("level", [0.02, 0.30, 0.80])
def test_levels_beyond_history_keep_the_shape(level: float) -> None:
    vols = surface(level)
    hidden = vols.copy()
    hidden[2:5, [0, 3]] = np.nan
    result = va.impute(va.Surface(hidden, TENORS, deltas=DELTAS))
    assert (np.abs(result.filled / vols - 1) < 0.05).all()


class TestPrior:
    """Yesterday's surface."""

    def test_a_prior_narrows_the_answer(self) -> None:
        vols = holes(surface(), 0.7)
        grid = va.Surface(vols, TENORS, deltas=DELTAS)
        earlier = va.Surface(surface() * 0.99, TENORS, deltas=DELTAS)
        alone, with_prior = va.impute(grid), va.impute(grid, prior=earlier)
        missing = ~grid.observed
        assert np.median(with_prior.std[missing]) < 0.7 * np.median(alone.std[missing])
        assert np.abs(with_prior.filled - surface()).mean() < np.abs(alone.filled - surface()).mean()

    def test_an_old_prior_is_forgotten(self) -> None:
        grid = va.Surface(holes(surface(), 0.7), TENORS, deltas=DELTAS)
        earlier = va.Surface(surface() * 1.3, TENORS, deltas=DELTAS)
        alone = va.impute(grid)
        distance = [
            np.abs(va.impute(grid, prior=earlier, prior_age=age).filled - alone.filled).mean()
            for age in (1, 60, 3000)
        ]
        assert distance[0] > distance[1] > distance[2]
        assert distance[2] < 5e-4

    def test_no_quote_at_all_is_the_prior(self) -> None:
        grid = va.Surface(np.full((8, 5), np.nan), TENORS, deltas=DELTAS)
        result = va.impute(grid, prior=va.Surface(surface(), TENORS, deltas=DELTAS))
        np.testing.assert_allclose(result.filled, surface(), rtol=1e-9)
        assert (result.std > 0).all()

    def test_a_prior_with_holes_is_filled_first(self) -> None:
        grid = va.Surface(holes(surface(), 0.7), TENORS, deltas=DELTAS)
        result = va.impute(grid, prior=va.Surface(holes(surface(), 0.2, 5), TENORS, deltas=DELTAS))
        assert (np.abs(result.filled / surface() - 1) < 0.1).all()

    @pytest.mark.parametrize("axis", ["log-moneyness", "strikes by tenor"])
    def test_on_strikes(self, axis: str) -> None:
        grid = va.Surface(holes(surface(), 0.5), **GRIDS[axis])
        result = va.impute(grid, prior=va.Surface(surface(), **GRIDS[axis]))
        assert (np.abs(result.filled / surface() - 1) < 0.05).all()

    def test_on_other_axes_is_refused(self) -> None:
        grid = va.Surface(holes(surface(), 0.5), TENORS, deltas=DELTAS)
        with pytest.raises(va.InputError, match="the prior's tenors"):
            va.impute(grid, prior=va.Surface(surface()[1:], TENORS[1:], deltas=DELTAS))


EMPTY = np.full((8, 5), np.nan)
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no quote": ({"vols": EMPTY[None]}, "no quote at all"),
    "flat array": ({"vols": EMPTY}, r"vols has shape \(8, 5\)"),
    "negative": ({"vols": np.full((1, 8, 5), -0.1)}, r"vols\[0, 0, 0\] is -0.1"),
    "1e6 %": ({"vols": np.full((1, 8, 5), 1e4)}, r"is 10000; expected a vol above 0"),
    "second surface": ({"vols": np.stack([surface(), np.full((8, 5), np.inf)])}, r"vols\[1, 0, 0\] is inf"),
    "coverage": ({"vols": surface()[None], "coverage": 1.0}, "coverage is 1.0"),
    "coverage in words": (
        {"vols": surface()[None], "coverage": "high"},
        "coverage is 'high'; expected a prob",
    ),
    "no age": ({"vols": surface()[None], "prior_age": None}, "prior_age is None; expected days above 0"),
    "texts": ({"vols": "x"}, "vols must be numbers or NaN"),
    "a prior of texts": ({"vols": surface()[None], "prior": "x"}, "prior must be numbers or NaN"),
    "no tenors": ({"vols": surface()[None], "tenors": None}, "tenors is None; expected years or labels"),
    "age": ({"vols": surface()[None], "prior_age": 0.0}, "prior_age is 0.0"),
    "prior shape": ({"vols": surface()[None], "prior": surface()}, r"prior has shape \(8, 5\)"),
    "prior vol": ({"vols": surface()[None], "prior": -surface()[None]}, r"prior\[0, 0, 0\] is -"),
    "prior empty": ({"vols": surface()[None], "prior": EMPTY[None]}, "no vol at all"),
    "200 x 200": ({"vols": np.full((1, 200, 200), 0.1)}, "40000 cells"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_names_what_is_wrong(case: str) -> None:
    arguments, message = BAD[case]
    with pytest.raises(va.InputError, match=message):
        va.impute_batch(**({"tenors": TENORS, "deltas": DELTAS} | arguments))


@pytest.mark.parametrize("where", [(0, 0), (3, 2), (7, 4)])
def test_one_quote_is_enough(where: tuple[int, int]) -> None:
    vols = EMPTY.copy()
    vols[where] = surface()[where]
    result = va.impute(va.Surface(vols, TENORS, deltas=DELTAS))
    assert (np.abs(result.filled / surface() - 1) < 0.4).all()


def test_a_log_vol_beyond_all_numbers_is_the_most_a_vol_may_be() -> None:
    """The means of strikes some thousand deviations out."""
    vols, at = np.full((5, 7), np.nan), [-1.5926e-6, 1.8768e-7, 1.2168e-6, 2.3383e-6, 4.3081e-6, 5.3416e-6]
    vols[1, 3], vols[2, 0], vols[4, [0, 1, 5]] = 4.6429e-5, 0.027853, [2.2162e-7, 2.5895e-4, 1.3123e-3]
    surface = va.Surface(vols, [0.0032044, 0.063363, 0.082451, 10.299, 50.0], moneyness=[*at, 7.3574e-6])
    for given in ({}, {"prior": surface}):
        filled = va.impute(surface, **given).filled
        assert np.isfinite(filled).all()
        assert (filled > 0).all()
        assert (filled <= MAX_VOL).all()


def test_quotes_all_equal() -> None:
    vols = np.where(np.isnan(holes(surface(), 0.3)), np.nan, 0.1)
    result = va.impute(va.Surface(vols, TENORS, deltas=DELTAS))
    assert (np.abs(result.filled / 0.1 - 1) < 0.1).all()


def test_one_by_one() -> None:
    result = va.impute(va.Surface([[0.1]], ["1Y"], deltas=[0.5]))
    assert result.filled == [[0.1]]


@pytest.mark.parametrize("axes", [{"deltas": [0.9, 0.5, 0.1]}, {"moneyness": [-0.1, 0.0, 0.1]}])
def test_a_prior_alone_is_repeated_in_silence(
    axes: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """LAPACK complains of an empty matrix on the terminal, past Python's warnings."""
    empty, prior = (va.Surface(np.full((2, 3), vol), ["1M", "1Y"], **axes) for vol in (np.nan, 0.2))
    assert va.impute(empty, prior=prior).filled == pytest.approx(prior.vols)
    assert capfd.readouterr() == ("", "")


def test_strikes_are_settled_whatever_the_grid() -> None:
    """Strikes map to deltas through the vols: a history's answer given its own vols is that answer."""
    tenors, m = np.linspace(1 / 12, 3, 12), np.linspace(-0.25, 0.25, 12)
    vols = 0.2 - 0.1 * m / np.sqrt(0.2 + tenors[:, None]) + 0.3 * m**2 / (0.3 + tenors[:, None])
    vols[np.random.default_rng(0).random(vols.shape) < 0.5] = np.nan
    surface = va.Surface(vols, tenors, moneyness=m)
    log_mean = by_history(va.load("fx", Bundle), surface, np.log(vols)[None], None, 1.0).mean
    mean = np.exp(log_mean).reshape(vols.shape)
    deltas = clipped_deltas(np.tile(m, 12), mean.ravel(), np.repeat(tenors, 12))
    again = _solve(va.load("fx", Bundle), surface, deltas, np.log(vols).reshape(1, -1), None, 1.0).mean
    holes = np.isnan(vols)
    assert np.exp(again).reshape(vols.shape)[holes] == pytest.approx(mean[holes], rel=3e-5)
