"""Joint draws, and the answer as a function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, of_quotes, surface
from voladdin._typing import BoolArray
from voladdin.imputation.drawing import standard_draws
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.no_arbitrage import guard
from voladdin.imputation.processes import draws

GRID = va.Surface(holes(surface(), 0.5), TENORS, deltas=DELTAS)


class TestDraws:
    """Whole surfaces."""

    def test_keep_the_quotes_and_have_no_arbitrage(self) -> None:
        drawn = va.impute(GRID).draws(20, seed=3)
        assert drawn.shape == (20, 8, 5)
        assert (drawn[:, GRID.observed] == GRID.vols[GRID.observed]).all()
        assert all(va.check(GRID.replace(one)).ok for one in drawn)

    @pytest.mark.parametrize("coverage", [0.9, 0.98])
    def test_bands_are_the_answer_s(self, coverage: float) -> None:
        result = va.impute(GRID, arbitrage_free=False, coverage=coverage)
        drawn, missing = result.draws(8000, seed=1), ~GRID.observed
        low, middle, high = np.quantile(drawn, [0.5 - coverage / 2, 0.5, 0.5 + coverage / 2], axis=0)
        reach = np.log(result.high / result.mean)[missing]
        above, below = (np.log(end / result.mean)[missing] / reach for end in (high, low))
        np.testing.assert_allclose([above.mean(), below.mean()], [1.0, -1.0], atol=0.1)
        np.testing.assert_allclose(above - below, 2.0, atol=0.3)
        assert np.abs(np.log(middle / result.mean)[missing] / reach).max() < 0.15

    def test_errors_of_a_surface_are_large_together(self) -> None:
        """The size of a draw varies more than that of independent, or of Gaussian, deviations."""
        result = va.impute(GRID, arbitrage_free=False)
        missing = ~GRID.observed
        deviations = (
            np.log(result.draws(4000) / result.mean)[:, missing] / (result.std / result.mean)[missing]
        )
        low, high = np.quantile(np.sqrt((deviations**2).mean(1)), [0.05, 0.95])
        assert high / low > 4.0

    def test_cells_move_together_as_the_posterior_says(self) -> None:
        """Against the dense Gaussian formula, of one candidate."""
        loaded = va.load("universal", UniversalBundle)
        universal = loaded.levels
        drawn = standard_draws(GRID, loaded, surface(), np.zeros(GRID.shape), None, 1.0, 6000, 0)
        found = np.corrcoef(drawn.T)
        tenors, values = GRID.tenors, np.log(GRID.vols).ravel()
        given = universal.at_deltas(tenors, np.array(DELTAS), values).given
        assert given is not None
        from voladdin.imputation.processes import coordinates

        points = coordinates.from_deltas(tenors, np.array(DELTAS))
        seen, hidden = np.flatnonzero(np.isfinite(values)), np.flatnonzero(~np.isfinite(values))
        total, mean = np.zeros((len(hidden), len(hidden))), np.zeros(len(hidden))
        parts = []
        for g, (weight, spread) in enumerate(zip(given.weight, given.spread, strict=True)):
            one = given.candidates[np.array([g])]
            whole = of_quotes(one, points[seen])[0]
            cross = one.covariance(points[hidden], points[seen])[0]
            residual = values[seen] - np.median(values[seen]) - one.mean(points[seen])[0]
            centre = one.mean(points[hidden])[0] + cross @ np.linalg.solve(whole, residual)
            left = one.covariance(points[hidden], points[hidden])[0] - cross @ np.linalg.solve(whole, cross.T)
            parts.append((weight, centre, left * spread))
            mean += weight * centre
        for weight, centre, left in parts:
            total += weight * (left + np.outer(centre - mean, centre - mean))
        scale = np.sqrt(np.diag(total))
        assert np.abs(found - total / np.outer(scale, scale)).max() < 0.1

    def test_many_cells_in_turn_move_together_as_if_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A chain of 14 expiries by 25 strikes, of which four in five are missing."""
        tenors, moneyness = np.geomspace(0.02, 2.0, 14), np.linspace(-0.4, 0.3, 25)
        x = moneyness / (0.2 * np.sqrt(tenors)[:, None])
        grid = va.Surface(holes(0.2 - 0.02 * np.tanh(x), 0.8), tenors.tolist(), moneyness=moneyness)
        asked = grid, va.load("universal", UniversalBundle), grid.vols, np.zeros(grid.shape), None, 1.0, 4000
        at_once, again = (standard_draws(*asked, seed) for seed in (0, 1))
        monkeypatch.setattr(draws, "_DENSE", 100)
        monkeypatch.setattr(draws, "_FIRST", 40)
        monkeypatch.setattr(draws, "_TOGETHER", 30)
        in_turn = [standard_draws(*asked, seed) for seed in (2, 3)]
        chance, *found = (np.abs(np.corrcoef(o.T) - np.corrcoef(at_once.T)) for o in (again, *in_turn))
        assert np.mean(found) < 1.1 * chance.mean()
        assert np.max(found) < 1.5 * chance.max()
        for one in in_turn:
            np.testing.assert_allclose(one.var(0), at_once.var(0), rtol=0.3)

    def test_of_20_000_cells(self) -> None:
        tenors, moneyness = np.geomspace(0.01, 3.0, 50), np.linspace(-0.8, 0.5, 400)
        vols = np.full((50, 400), np.nan)
        vols[::5, ::20] = 0.2 - 0.05 * moneyness[::20]
        result = va.impute(va.Surface(vols, tenors.tolist(), moneyness=moneyness), arbitrage_free=False)
        drawn, quoted = result.draws(2), np.isfinite(vols)
        assert (drawn[:, quoted] == vols[quoted]).all() and ((drawn > 0) & (drawn < 10)).all()
        with pytest.raises(va.InputError, match=r"n is 3,000 draws of 20,000 cells; expected at most 2,000"):
            result.draws(3000)

    def test_the_quotes_of_all_draws_are_disputed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        vols = holes(surface(), 0.5)
        vols.flat[np.flatnonzero(np.isfinite(vols))[2]] *= 1.5
        result, search, asked = va.impute(va.Surface(vols, TENORS, deltas=DELTAS)), guard._disputed, []

        def counted(*arguments: Any) -> BoolArray:
            asked.append(arguments)
            return search(*arguments)

        monkeypatch.setattr(guard, "_disputed", counted)
        assert np.isfinite(result.draws(5)).all() and len(asked) == 1

    def test_a_seed_is_a_surface(self) -> None:
        result = va.impute(GRID)
        np.testing.assert_array_equal(result.draws(2, seed=5), result.draws(2, seed=5))
        assert not np.array_equal(result.draws(1, seed=5), result.draws(1, seed=6))

    def test_after_an_earlier_surface(self) -> None:
        earlier = va.Surface(surface(), TENORS, deltas=DELTAS)
        drawn = va.impute(GRID, prior=earlier).draws(50)
        assert np.abs(np.log(drawn / surface())).max() < 0.3

    @pytest.mark.parametrize("count", [0, -1, 1.5, 10**9])
    def test_how_many(self, count: int) -> None:
        with pytest.raises(va.InputError, match=r"n is .*expected a whole number of draws"):
            va.impute(GRID).draws(count)

    def test_of_a_batch_is_refused(self) -> None:
        batch = va.impute_batch(GRID.vols[None], TENORS, deltas=DELTAS)
        with pytest.raises(va.InputError, match="draws is of one surface"):
            batch.draws(1)


class TestAt:
    """A function of tenor and strike."""

    def test_cells_are_its_values(self) -> None:
        result = va.impute(GRID)
        found = result.at(TENORS, deltas=DELTAS)
        np.testing.assert_allclose(found.mean, result.filled, rtol=1e-12)
        np.testing.assert_allclose(found.std, result.std, rtol=1e-6)
        assert (found.low <= found.mean).all() and (found.mean <= found.high).all()

    def test_between_and_beyond(self) -> None:
        found = va.impute(GRID).at(["2M", 0.4, 8.0, 20.0], moneyness=[-0.1, 0.0, 0.1])
        assert found.mean.shape == (4, 3) and np.isfinite(found.std).all()
        assert found.std[3, 1] > found.std[2, 1] > found.std[1, 1]

    def test_kinds_agree(self) -> None:
        result = va.impute(GRID)
        by_strike = result.at([0.4], strikes=[1.1 * np.exp(0.02)], forwards=1.1)
        by_moneyness = result.at([0.4], moneyness=[0.02])
        np.testing.assert_allclose(by_strike.mean, by_moneyness.mean, rtol=1e-12)
        np.testing.assert_allclose(by_strike.std, by_moneyness.std, rtol=1e-9)

    def test_on_strikes(self) -> None:
        m = np.array([-0.08, -0.03, 0.0, 0.03, 0.08])
        grid = va.Surface(holes(surface(), 0.4), TENORS, moneyness=m)
        result = va.impute(grid)
        found = result.at(TENORS, moneyness=m)
        np.testing.assert_allclose(found.mean, result.filled, rtol=1e-12)
        np.testing.assert_allclose(found.std, result.std, rtol=1e-6)

    def test_after_an_earlier_surface_alone(self) -> None:
        """No quote at all: the spread of a day's change, which further from the grid grows."""
        prior = va.Surface(surface(), TENORS, deltas=DELTAS)
        result = va.impute(va.Surface(np.full((8, 5), np.nan), TENORS, deltas=DELTAS), prior=prior)
        np.testing.assert_allclose(result.at(TENORS, deltas=DELTAS).std, result.std, rtol=1e-6)
        beyond = result.at(["1Y"], deltas=[0.5, 0.9, 0.99])
        assert (np.diff(beyond.std[0]) > 0).all() and beyond.std[0, 0] > 0.001

    def test_exactly_one_kind(self) -> None:
        with pytest.raises(va.InputError, match="give exactly one of deltas, strikes or moneyness"):
            va.impute(GRID).at([1.0], deltas=[0.5], moneyness=[0.0])

    def test_labels_are_numbers(self) -> None:
        result = va.impute(GRID)
        found = result.at(["3M", 1.0], deltas=["25P", "ATM", "10C"])
        np.testing.assert_array_equal(found.mean, result.at([0.25, 1.0], deltas=[0.75, 0.5, 0.1]).mean)
        assert va.interpolate(GRID, "3M", "25P") == va.interpolate(GRID, 0.25, 0.75) == found.mean[0, 0]

    @pytest.mark.parametrize(
        ("place", "message"),
        [
            ({"deltas": ["wing"]}, r"deltas has 'wing'; expected a delta such as 10P"),
            ({"deltas": [None]}, r"strike is nan; expected a forward call delta"),
            ({"moneyness": ["a"]}, r"moneyness must be numbers or NaN"),
            ({"moneyness": [[0.0], [0.0, 0.1]]}, r"moneyness has rows of 1 and of 2 numbers"),
            ({"strikes": [np.inf], "forwards": 1.0}, r"strike is inf; expected a positive strike"),
            (
                {"strikes": [1.0], "forwards": [1.0, 1.1]},
                r"forwards has shape \(2,\); expected one, or \(1,\)",
            ),
            ({"strikes": [1.0], "forwards": np.inf}, r"forward is inf; expected the positive forward"),
            ({"deltas": []}, r"1 tenors and 0 strikes are asked; expected one of each"),
        ],
    )
    def test_what_is_no_place_is_named(self, place: dict[str, Any], message: str) -> None:
        with pytest.raises(va.InputError, match=message):
            va.impute(GRID).at([1.0], **place)
