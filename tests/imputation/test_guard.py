"""Filled cells add no arbitrage: batched verdicts, the bounds, the nearest surface, and what is reported."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
import voladdin.imputation.no_arbitrage.guard as guarding
import voladdin.imputation.no_arbitrage.nearest as nearness
from export.bench.data import DeltaAxes
from export.bench.imputation.guard import Count, HoleCase, measure
from export.bench.repair.random_grids import random_surface
from tests.imputation.example import DELTAS, TENORS, holes, surface
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.imputation.no_arbitrage.between_hulls import between
from voladdin.imputation.no_arbitrage.nearest import _steps, nearest
from voladdin.worksheet.registry import clear_cache, evaluate

LADDER = np.linspace(-0.3, 0.3, 7)


def flat(**changes: float) -> va.Surface:
    """20% at 1Y and 2Y, log-moneyness -0.3 to 0.3."""
    return va.Surface(np.full((2, 7), 0.2), [1.0, 2.0], moneyness=LADDER)


def squeezed() -> va.Surface:
    """Total variance hardly grows from 12 to 24 months: that leaves 15 months less than the model wants."""
    years = np.array([12, 15, 24]) / 12
    vols = np.sqrt(np.array([0.09, np.nan, 0.09001]) / years)
    return va.Surface(vols[:, None], ["1Y", "15M", "2Y"], moneyness=[0.0])


class TestVerdicts:
    """`arbitrage_free` and `check` agree."""

    @pytest.mark.parametrize("near", [False, True])
    def test_on_random_grids(self, near: bool) -> None:
        rng = np.random.default_rng(31 + near)
        drawn = [random_surface(rng, near=near) for _ in range(150)]
        verdicts = [va.check(grid).ok for grid in drawn]
        assert 20 < sum(verdicts) < 130
        assert verdicts == [bool(arbitrage_free(grid, grid.vols[None])[0]) for grid in drawn]

    @pytest.mark.parametrize("axes", [{"deltas": DELTAS}, {"moneyness": np.linspace(-0.1, 0.1, 5)}])
    def test_in_a_batch(self, axes: dict[str, np.ndarray]) -> None:
        rng = np.random.default_rng(0)
        vols = surface() * np.exp(0.12 * rng.random((300, 1, 1)) * rng.standard_normal((300, 8, 5)))
        vols = np.where(rng.random(vols.shape) < 0.4, np.nan, vols)
        grid = va.Surface(vols[0], TENORS, **axes)
        verdicts = np.array([va.check(grid.replace(v)).ok for v in vols])
        assert 0.1 < verdicts.mean() < 0.95
        np.testing.assert_array_equal(arbitrage_free(grid, vols), verdicts)

    def test_equal_strikes_at_two_tenors(self) -> None:
        grid = flat()
        for low in (0.2, np.nextafter(0.2 / np.sqrt(2), 1), 0.2 / np.sqrt(2) * 0.999):
            vols = grid.vols.copy()
            vols[1, 3] = low
            assert arbitrage_free(grid, vols[None])[0] == va.check(grid.replace(vols)).ok

    def test_strikes_that_turn_back_along_delta(self) -> None:
        grid = va.Surface([[0.1, 0.1, 3.0, 0.1, 0.1]], [1.0], deltas=[0.9, 0.75, 0.5, 0.25, 0.1])
        assert not arbitrage_free(grid, grid.vols[None])[0] and not va.check(grid).ok

    def test_below_intrinsic_is_impossible_and_no_quote_passes(self) -> None:
        grid = flat()
        assert arbitrage_free(grid, np.full((2, 2, 7), np.nan)).all()
        assert arbitrage_free(grid, np.full((0, 2, 7), np.nan)).shape == (0,)

    def test_many_nodes_take_the_other_way(self) -> None:
        moneyness = np.linspace(-0.5, 0.5, 120)
        grid = va.Surface(np.full((4, 120), 0.2), [0.5, 1.0, 1.5, 2.0], moneyness=moneyness)
        bent = grid.vols.copy()
        bent[2, 60] = 0.21
        np.testing.assert_array_equal(arbitrage_free(grid, np.stack([grid.vols, bent])), [True, False])


class TestGuard:
    """`impute` with and without it."""

    def test_quotes_leave_the_cell_less_than_the_model_wants(self) -> None:
        grid = squeezed()
        assert va.check(grid).ok
        free, kept = va.impute(grid, arbitrage_free=False), va.impute(grid)
        assert not va.check(grid.replace(free.filled)).ok
        assert va.check(grid.replace(kept.filled)).ok
        np.testing.assert_array_equal(kept.moved, ~grid.observed)
        np.testing.assert_array_equal(kept.mean, free.filled)
        assert kept.low[1, 0] <= kept.filled[1, 0] <= kept.high[1, 0]
        assert "1 filled cell moved" in kept.model and "moved" not in free.model
        assert not kept.disputed.any()

    def test_the_move_is_the_smallest(self) -> None:
        grid = squeezed()
        free, kept = va.impute(grid, arbitrage_free=False), va.impute(grid)
        short = kept.filled + 1e-3 * (free.filled - kept.filled)
        assert not va.check(grid.replace(short)).ok

    def test_nothing_to_move_changes_no_bit(self) -> None:
        vols = np.stack([holes(surface(level), 0.5, seed) for seed, level in enumerate((0.06, 0.08, 0.12))])
        free = va.impute_batch(vols, TENORS, deltas=DELTAS, arbitrage_free=False)
        kept = va.impute_batch(vols, TENORS, deltas=DELTAS)
        for name in ("mean", "std", "low", "high", "filled", "zscore"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(free, name))
        assert kept.model == free.model and not kept.moved.any() and not kept.disputed.any()

    def test_quotes_that_violate_stay_and_are_named(self) -> None:
        vols = surface()
        vols[5] = vols[4] * 0.8  # 1Y far below 9M
        vols[5, 2] = vols[0, 0] = vols[7, 3] = np.nan
        grid = va.Surface(vols, TENORS, deltas=DELTAS)
        result = va.impute(grid)
        np.testing.assert_array_equal(result.filled[grid.observed], vols[grid.observed])
        assert result.disputed[grid.observed].any()
        assert va.check(grid.replace(np.where(result.disputed, np.nan, result.filled))).ok
        left = va.check(grid.replace(result.filled)).violations
        assert left and all(any(result.disputed[cell] for cell in trade.cells) for trade in left)
        assert "the quotes themselves can be arbitraged" in result.model

    @pytest.mark.parametrize("axis", ["deltas", "moneyness"])
    def test_quotes_that_violate_drag_no_fill_along(self, axis: str) -> None:
        """Every other expiry is a third below the one before: a fill follows the quotes beside it."""
        vols = surface() * np.where(np.arange(8) % 2, 0.7, 1.0)[:, None]
        hidden = np.random.default_rng(1).random(vols.shape) < 0.15
        k = 0.2 * np.sqrt(np.array(va.Surface(vols, TENORS, deltas=DELTAS).tenors))
        places = (
            {"deltas": DELTAS} if axis == "deltas" else {"moneyness": np.outer(k, np.linspace(-1.3, 1.3, 5))}
        )
        grid = va.Surface(np.where(hidden, np.nan, vols), TENORS, **places)
        result = va.impute(grid)
        assert not va.check(grid).ok and hidden.any()
        assert (np.abs(result.filled - result.mean)[hidden] <= result.std[hidden]).all()

    def test_a_fat_finger_is_the_one_disputed(self) -> None:
        vols = surface()
        vols[3, 2] *= 1.5
        vols[6, 1] = np.nan
        grid = va.Surface(vols, TENORS, deltas=DELTAS)
        result = va.impute(grid)
        assert not va.check(grid).ok
        assert np.argwhere(result.disputed).tolist() == [[3, 2]]

    def test_a_full_grid_has_nothing_to_move(self) -> None:
        vols = surface()
        vols[3, 2] *= 1.5
        result = va.impute(va.Surface(vols, TENORS, deltas=DELTAS))
        np.testing.assert_array_equal(result.filled, vols)
        assert result.disputed.any() and not result.moved.any()

    def test_in_a_batch_as_alone(self) -> None:
        rng = np.random.default_rng(4)
        vols = surface() * np.exp(0.15 * rng.standard_normal((12, 8, 5)))
        vols = np.where(rng.random(vols.shape) < 0.5, np.nan, vols)
        batch = va.impute_batch(vols, TENORS, deltas=DELTAS)
        assert batch.moved.any() and batch.disputed.any() and "of 12 surfaces" in batch.model
        for b, alone in enumerate(vols):
            single = va.impute(va.Surface(alone, TENORS, deltas=DELTAS))
            np.testing.assert_allclose(batch.filled[b], single.filled, rtol=2e-3)

    def test_with_a_prior_that_violates(self) -> None:
        grid = va.Surface(holes(surface(), 0.6), TENORS, deltas=DELTAS)
        earlier = surface()
        earlier[5] *= 0.7
        result = va.impute(grid, prior=grid.replace(earlier))
        assert va.check(grid.replace(result.filled)).ok

    def test_no_quote_but_a_prior_that_violates(self) -> None:
        grid = va.Surface(np.full((8, 5), np.nan), TENORS, deltas=DELTAS)
        earlier = surface()
        earlier[5] *= 0.7
        result = va.impute(grid, prior=grid.replace(earlier))
        assert result.moved.any() and va.check(grid.replace(result.filled)).ok

    def test_a_thousand_cells(self) -> None:
        vols = 0.1 + 0.02 * np.broadcast_to(np.linspace(-1, 1, 40) ** 2, (25, 40))
        grid = va.Surface(holes(vols, 0.6), np.linspace(0.05, 5, 25), deltas=np.linspace(0.02, 0.98, 40))
        noise = 0.02 * np.random.default_rng(0).standard_normal(vols.shape)
        rough = np.where(grid.observed, vols, vols * np.exp(noise))[None]
        assert not va.check(grid.replace(rough[0])).ok
        found = guarding.guard(grid, rough, grid.observed[None], np.full(rough.shape, 1e-3))
        assert va.check(grid.replace(found.vols[0])).ok and not found.failed.any()

    def test_volimpute_says_so(self) -> None:
        grid = squeezed()
        vols = [None if np.isnan(vol) else vol for vol in grid.vols[:, 0].tolist()]
        clear_cache()
        table = [["", "m=0"], *([label, vol] for label, vol in zip(["1Y", "15M", "2Y"], vols, strict=True))]
        filled = evaluate("VOLIMPUTE", [table])
        assert filled[2][1] == pytest.approx(va.impute(grid).filled[1, 0])
        warnings = [row[1] for row in evaluate("VOLINFO", ["error"]) if row[0] == "warning"]
        assert any("1 filled cell moved so that it adds no arbitrage" in str(w) for w in warnings)


class TestFallbacks:
    """Where the nearest surface is not found."""

    @pytest.mark.parametrize("axes", ["deltas", "moneyness"])
    def test_between_the_hulls(self, axes: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nearness, "_MAX_STEPS", 1)
        rng = np.random.default_rng(5)
        places = DELTAS if axes == "deltas" else np.linspace(-0.1, 0.1, 5)
        moved = 0
        for _ in range(20):
            vols = holes(surface() * np.exp(0.1 * rng.standard_normal((8, 5))), 0.6, int(rng.integers(99)))
            grid = va.Surface(vols, TENORS, **{axes: places})
            result = va.impute(grid)
            assert va.check(grid.replace(np.where(result.disputed, np.nan, result.filled))).ok
            moved += bool(result.moved.any())
        assert moved > 3

    def test_steps_go_on_from_between_the_hulls(self) -> None:
        """Noise of a third of the vols, where the first steps lead nowhere: nearer than the hulls alone."""
        rng = np.random.default_rng(8)
        lost, ratios = 0, []
        for _ in range(60):
            vols = 0.2 * np.exp(0.3 * rng.standard_normal((8, 5)))
            grid = va.Surface(vols, TENORS, deltas=DELTAS)
            movable, spread = rng.random((8, 5)) < 0.8, rng.uniform(0.01, 0.3, (8, 5))
            if not arbitrage_free(grid, np.where(movable, np.nan, vols)[None])[0]:
                continue
            found = nearest(grid, vols, movable, spread)
            assert va.check(grid.replace(found)).ok
            if _steps(grid, vols, movable, spread, vols)[0] is None:
                lost += 1
                far = [
                    np.log(v / vols)[movable] / spread[movable] for v in (found, between(grid, vols, movable))
                ]
                ratios.append(np.linalg.norm(far[0]) / np.linalg.norm(far[1]))
        assert lost > 3 and max(ratios) <= 1 and np.median(ratios) < 0.8

    def test_no_admissible_vol_is_said(self) -> None:
        """Quotes at the very top of prices: the delta between them would need a vol above 1000%."""
        grid = va.Surface([[10.0, 10.0, np.nan]], [30.0], deltas=[0.6, 0.5, 0.4])
        result = va.impute(grid)
        ok = va.check(grid.replace(np.where(result.disputed, np.nan, result.filled))).ok
        assert ok or "still add arbitrage" in result.model


class TestProjection:
    """The nearest surface, against closed forms."""

    def test_two_cells_share_by_their_variance(self) -> None:
        """Total variances cross at one strike: both move, ln vol by its variance."""
        grid = va.Surface([[0.30], [0.20]], [1.0, 2.0], moneyness=[0.0])
        spread = np.array([[0.05], [0.10]])
        found = nearest(grid, grid.vols, np.ones((2, 1), dtype=bool), spread)
        gap = np.log(0.3) - np.log(0.2 * np.sqrt(2))
        want = np.log(grid.vols) + gap * np.array([[-0.0025], [0.0100]]) / 0.0125
        np.testing.assert_allclose(np.log(found), want, atol=1e-7)

    def test_a_fixed_cell_stays(self) -> None:
        grid = va.Surface([[0.30], [0.20]], [1.0, 2.0], moneyness=[0.0])
        found = nearest(grid, grid.vols, np.array([[False], [True]]), np.ones((2, 1)))
        assert found[0, 0] == 0.30
        assert found[1, 0] == pytest.approx(0.3 / np.sqrt(2), rel=1e-8)

    def test_a_cell_past_its_neighbour_s_strike_goes_no_further(self) -> None:
        """The 18-delta cell has to pass the strike of a dear 37-delta quote, which needs a vol near 0.7."""
        grid = va.Surface([[0.947, 0.52]], [2.286], deltas=[0.37, 0.18])
        found = nearest(grid, grid.vols, np.array([[False, True]]), np.full((1, 2), 0.2))
        assert va.check(grid.replace(found)).ok
        assert 0.6 < found[0, 1] < 1.0

    def test_no_room_leaves_arbitrage_and_ends(self) -> None:
        grid = va.Surface([[0.30, 0.2], [0.20, 0.2]], [1.0, 2.0], moneyness=[0.0, 0.1])
        movable = np.array([[False, True], [False, True]])
        found = nearest(grid, grid.vols, movable, np.ones((2, 2)))
        assert not va.check(grid.replace(found)).ok and (found[~movable] == grid.vols[~movable]).all()

    def test_nothing_violated_changes_no_bit(self) -> None:
        grid = flat()
        found = nearest(grid, grid.vols, np.ones((2, 7), dtype=bool), np.ones((2, 7)))
        np.testing.assert_array_equal(found, grid.vols)


class TestBench:
    """The counts of `bench guard`."""

    def test_counts_with_and_without(self) -> None:
        rng = np.random.default_rng(6)
        truth = np.stack([surface(level) for level in np.linspace(0.06, 0.12, 12)])
        wrong = truth * np.exp(0.15 * rng.standard_normal(truth.shape))
        hidden = rng.random(truth.shape) < 0.5
        axes = DeltaAxes(va.Surface(truth[0], TENORS, deltas=DELTAS).tenors, np.array(DELTAS))
        clean, damaged = (
            measure(HoleCase("", axes, truth, np.where(hidden, np.nan, vols), hidden, None, "fx"))
            for vols in (truth, wrong)
        )
        assert clean.added == clean.moved == (0, 0) and clean.error[0] == clean.error[1]
        assert damaged.violating > 0 and damaged.added[0] > 0 and damaged.added[1] == 0
        assert damaged.moved[0] >= damaged.added[0] and damaged.cells == hidden.sum()
        both = Count.total([clean, damaged])
        assert both.surfaces == 24 and both.moved == damaged.moved
        assert both.row("x").count("|") == 13
