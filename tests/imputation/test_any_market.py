"""The universal model: Gaussian conditioning against dense formulas, and answers on any grid."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import multivariate_normal

import voladdin as va
from tests.imputation.example import DELTAS, GRIDS, TENORS, holes, of_quotes, surface
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes import any_market, coordinates, small_grid
from voladdin.imputation.processes.any_market import Universal
from voladdin.imputation.processes.bending import bend, expanded
from voladdin.imputation.processes.evidence import condition, weigh
from voladdin.imputation.processes.many_quotes import condition_many
from voladdin.imputation.processes.moments import Moments
from voladdin.imputation.processes.points import BEND, Points
from voladdin.imputation.processes.small_grid import SmallGrid
from voladdin.imputation.processes.smoothing import between_quotes


@pytest.fixture(scope="module")
def universal() -> Universal:
    return va.load("universal", UniversalBundle).levels


@pytest.fixture(scope="module")
def grid(universal: Universal) -> SmallGrid:
    tenors = va.Surface(surface(), TENORS, deltas=DELTAS).tenors
    return SmallGrid.of(universal.candidates, coordinates.from_deltas(tenors, np.array(DELTAS)))


def scattered(count: int, seed: int = 0) -> tuple[Points, np.ndarray]:
    """Points of five tenors and plausible log-vols there."""
    rng = np.random.default_rng(seed)
    points = Points(
        np.log([0.1, 0.25, 0.6, 1.0, 3.0]), rng.integers(5, size=count), rng.uniform(-2, 2, count), True
    )
    return points, 0.05 * points.t - 0.1 * points.u + 0.03 * points.u**2 + 0.01 * rng.standard_normal(count)


class TestConditioning:
    """Exact, in closed form."""

    def test_is_the_dense_formula(self, universal: Universal) -> None:
        points, values = scattered(24)
        seen, hidden = points[:16], points[16:]
        given = condition_many(universal.candidates[np.array([3])], seen, values[:16])
        one = given.candidates
        mean, variance = given.answer(
            one.mean(hidden), one.covariance(hidden, seen), one.variance(hidden) + one.noise(hidden)
        )
        prior, whole = one.mean(points)[0], of_quotes(one, points)[0]
        gain = whole[16:, :16] @ np.linalg.inv(whole[:16, :16])
        distance = (values[:16] - prior[:16]) @ np.linalg.solve(whole[:16, :16], values[:16] - prior[:16])
        nu = float(one.degrees[0])
        np.testing.assert_allclose(mean, prior[16:] + gain @ (values[:16] - prior[:16]), rtol=1e-7, atol=1e-9)
        left = np.diag(whole[16:, 16:] - gain @ whole[:16, 16:]) * (nu + distance) / (nu + 16)
        left *= universal.candidates.widened(16) ** 2
        np.testing.assert_allclose(variance, left, rtol=1e-3)

    def test_variances_are_the_diagonal(self, universal: Universal) -> None:
        points, _ = scattered(9)
        whole = universal.candidates.covariance(points, points)
        diagonal = np.diagonal(whole, axis1=1, axis2=2)
        np.testing.assert_allclose(universal.candidates.variance(points), diagonal, rtol=1e-12)
        assert (np.linalg.eigvalsh(whole) > -1e-10).all()

    def test_points_among_each_other_and_of_two_sets_covary_alike(self, universal: Universal) -> None:
        points, candidates = scattered(170)[0], universal.candidates[np.array([0, 7])]
        whole, part = candidates.covariance(points, points), candidates.covariance(points[:90], points[90:])
        np.testing.assert_allclose(part, whole[:, :90, 90:], rtol=1e-12)
        np.testing.assert_array_equal(whole, whole.swapaxes(1, 2))

    def test_left_out_quotes_by_leaving_them_out(self, universal: Universal) -> None:
        points, values = scattered(12)
        one = universal.candidates[np.array([1])]
        given = condition(one, points, one.straight_of_quotes(points), values)
        one = given.candidates
        residual, variance = given.left_out
        for i in range(12):
            rest = np.delete(np.arange(12), i)
            whole, prior = of_quotes(one, points)[0], one.mean(points)[0]
            gain = whole[i, rest] @ np.linalg.inv(whole[np.ix_(rest, rest)])
            assert residual[i] == pytest.approx(
                values[i] - prior[i] - gain @ (values - prior)[rest], abs=1e-8
            )
            left = whole[i, i] - gain @ whole[rest, i]
            assert variance[i] == pytest.approx(left * given.spread[0], rel=1e-4)

    def test_evidence_is_a_student_t(self, universal: Universal) -> None:
        points, values = scattered(10)
        straight = universal.candidates.straight_of_quotes(points)
        candidates, found = weigh(universal.candidates, points, straight, values)
        covariance, residual = of_quotes(candidates, points), values - candidates.mean(points)
        for g in range(len(candidates)):
            nu, n = candidates.degrees[g], 10
            gaussian = multivariate_normal(np.zeros(n), covariance[g])
            distance = residual[g] @ np.linalg.solve(covariance[g], residual[g])
            log = gaussian.logpdf(residual[g]) + 0.5 * distance + 0.5 * n * np.log(2 * np.pi)
            log += gammaln(0.5 * (nu + n)) - gammaln(0.5 * nu) - 0.5 * n * np.log(nu)
            log -= 0.5 * (nu + n) * np.log1p(distance / nu)
            want = candidates.belief(n) * log + candidates.hyper["logit"][g]
            assert found[g] == pytest.approx(want, rel=1e-9, abs=1e-7)

    def test_kept_grids_are_answered_as_others(
        self, universal: Universal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = np.log(holes(surface(), 0.4)).ravel()
        tenors = va.Surface(surface(), TENORS, deltas=DELTAS).tenors
        kept = universal.at_deltas(tenors, np.array(DELTAS), values)
        monkeypatch.setattr(small_grid, "MOST", 1)
        other = universal.at_deltas(tenors, np.array(DELTAS), values)
        np.testing.assert_allclose(kept.mean, other.mean, atol=2e-3)


class TestWholeGrid:
    """Surfaces of which most is quoted, conditioned from the precision of all cells."""

    @pytest.mark.parametrize("missing", [0.0, 0.1, 0.3, 0.45])
    @pytest.mark.parametrize("noise", [0.0, 0.003, 0.1])
    def test_says_what_conditioning_on_the_quotes_says(
        self, grid: SmallGrid, missing: float, noise: float
    ) -> None:
        """Candidates that are given up early would not have mattered."""
        rng = np.random.default_rng(int(1e3 * (missing + noise)))
        values = np.log(surface()).ravel() + rng.normal(0.0, 0.3, (20, 1))
        values = values + noise * rng.standard_normal(values.shape)
        values[rng.random(values.shape) < missing] = np.nan
        found = grid.each(values)
        direct = Moments.stack([grid.answer(one[None]).only for one in values])
        for part in ("mean", "std", "zscore", "left_out"):
            np.testing.assert_allclose(getattr(found, part), getattr(direct, part), rtol=1e-5, atol=1e-7)

    def test_about_a_centre(self, grid: SmallGrid) -> None:
        values = 0.01 * np.random.default_rng(0).standard_normal((3, grid.mean.shape[1]))
        values[:, ::3] = np.nan
        found = grid.each(values, centre=0.0)
        direct = Moments.stack([grid.answer(one[None], 0.0).only for one in values])
        np.testing.assert_allclose(found.mean, direct.mean, rtol=1e-5, atol=1e-8)


class TestBending:
    """SSVI's smile as a trend."""

    def test_is_ssvi(self) -> None:
        """At own deviations and at those of the ATM vol, against Gatheral and Jacquier's formula."""
        z = np.array([[-0.8, 0.1, 0.2, -0.3]])
        q = np.full(9, -0.7)
        rho, c = np.tanh(z[0, 0] + z[0, 1] * q[0]), np.exp(z[0, 2] + z[0, 3] * q[0])
        x = np.linspace(-2.5, 2.0, 9)
        y = c * x
        ratio = np.sqrt(0.5 * (1 + rho * y + np.sqrt((y + rho) ** 2 + 1 - rho**2)))
        np.testing.assert_allclose(bend(z, q, x, own=False)[0][0], np.log(ratio), atol=1e-12)
        np.testing.assert_allclose(bend(z, q, x / ratio, own=True)[0][0], np.log(ratio), atol=1e-12)

    @pytest.mark.parametrize("own", [True, False])
    def test_derivatives(self, own: bool) -> None:
        z, q, x = np.array([[0.3, -0.2, -0.1, 0.2]]), np.array([0.5, -1.0, 1.0]), np.array([-3.0, 0.1, 2.0])
        _, slope = bend(z, q, x, own=own)
        for i in range(4):
            step = 1e-6 * np.eye(4)[i]
            difference = (bend(z + step, q, x, own=own)[0] - bend(z - step, q, x, own=own)[0]) / 2e-6
            np.testing.assert_allclose(slope[..., i], difference, atol=1e-8)

    def test_compression_is_undone(self) -> None:
        x = np.linspace(-40.0, 40.0, 7)
        np.testing.assert_allclose(expanded(coordinates.compressed(x), BEND), x, rtol=1e-12)


class TestManyQuotes:
    """Beyond the dense conditioning."""

    def test_smoothing_is_the_dense_process(self) -> None:
        rng = np.random.default_rng(0)
        points = Points(np.zeros(2), np.repeat([0, 1], 15), np.tile(np.linspace(-1, 1, 15), 2), True)
        quoted, residual = rng.random(30) < 0.6, rng.standard_normal(30) * 0.01
        mean, left = between_quotes(points, quoted, residual)
        errors = []
        for length in (0.1, 0.4, 1.5):
            for noise in (0.02, 0.2, 1.0, 5.0):
                same = points.rows[:, None] == points.rows
                prior = same * np.exp(-np.abs(points.u[:, None] - points.u) / length)
                gain = prior[:, quoted] @ np.linalg.inv(
                    prior[np.ix_(quoted, quoted)] + noise * np.eye(int(quoted.sum()))
                )
                gap = np.abs(gain @ residual[quoted] - mean)
                open_ = np.abs(1 - np.einsum("ij,ji->i", gain, prior[quoted]) - left)
                errors.append(np.maximum(gap, open_).reshape(2, 15).max(1))
        assert (np.min(errors, axis=0) < 1e-9).all()

    def test_what_is_asked_again_is_kept(self, universal: Universal) -> None:
        """Of points and quotes that are equal, not the same; another quote is another question."""
        (points, values), (same, quotes) = scattered(100), scattered(100)
        assert points is not same
        assert points == same
        assert points != points[:99]
        assert universal.at(points, values) is universal.at(same, quotes)
        quotes[3] += 1e-9
        assert universal.at(points, values) is not universal.at(same, quotes)
        assert universal.at(points, values, 0.0) is not universal.at(points, values)

    def test_all_quotes_count(self, universal: Universal, monkeypatch: pytest.MonkeyPatch) -> None:
        """Thinning to 60 quotes and reading the others off the residuals is nearly the dense answer."""
        tenors, m = np.array([0.1, 0.3, 1.0]), np.linspace(-0.5, 0.4, 60)
        rng = np.random.default_rng(1)
        truth = -1.6 - 0.2 * m / np.sqrt(0.2 + tenors[:, None]) + 0.2 * m**2 / (0.3 + tenors[:, None])
        hidden = rng.random(truth.shape) < 0.3
        values = np.where(hidden, np.nan, truth).ravel()
        points = coordinates.from_moneyness(tenors, np.tile(m, (3, 1)), values)
        errors = []
        for dense in (1000, 60):
            monkeypatch.setattr(any_market, "DENSE", dense)
            found = Universal(universal.candidates).at(points, values)  # which has kept nothing
            assert np.isfinite(found.std).all() and (found.std[hidden.ravel()] > 0).all()
            errors.append(np.abs(found.mean - truth.ravel())[hidden.ravel()].mean())
        assert errors[1] < 5e-4 + 3 * errors[0]

    @pytest.mark.parametrize("finger", [1.5, 3.0])
    @pytest.mark.parametrize("place", [249, 250])
    def test_a_fat_finger_stays_alone(self, finger: float, place: int) -> None:
        """One quote in 500, half as much again or thrice, conditioned on or left out: no neighbour moves."""
        moneyness, tenors = np.linspace(-0.4, 0.3, 170), [0.02, 0.08, 0.25, 0.5, 1.0, 2.0]
        x = moneyness / (0.2 * np.sqrt(np.array(tenors))[:, None])
        noise = 0.003 * np.random.default_rng(1).standard_normal(x.shape)
        quotes = holes((0.2 - 0.02 * np.tanh(x)) * np.exp(noise), 0.5, 2)
        odd = quotes.copy()
        row, column = np.argwhere(np.isfinite(quotes))[place]
        odd[row, column] *= finger
        found, plain = (
            va.impute(va.Surface(vols, tenors, moneyness=moneyness), arbitrage_free=False)
            for vols in (odd, quotes)
        )
        missing = np.isnan(quotes)
        assert found.zscore[row, column] > 10.0 and found.filled[row, column] == odd[row, column]
        assert np.abs(np.log(found.mean / plain.mean))[missing].max() < 0.01


class TestCoordinates:
    """ln T, and moneyness in deviations."""

    def test_flat_smiles_lie_where_their_deltas_do(self) -> None:
        tenors, deltas = np.array([0.1, 1.0, 4.0]), np.array([0.9, 0.5, 0.1])
        at = coordinates.from_deltas(tenors, deltas)
        total = 0.3 * np.sqrt(tenors)[:, None]
        moneyness = total * (total / 2 - np.array([1.2815515655446004, 0.0, -1.2815515655446004]))
        on_strikes = coordinates.from_moneyness(tenors, moneyness, np.full(9, np.log(0.3)))
        np.testing.assert_allclose(on_strikes.u, at.u, atol=1e-6)
        np.testing.assert_array_equal(on_strikes.rows, at.rows)

    def test_far_moneyness_is_logarithmic(self) -> None:
        far = coordinates.compressed(np.array([1e4, 1e5]))
        assert far[1] - far[0] == pytest.approx(BEND * np.log(10.0), rel=1e-6)
        assert coordinates.compressed(np.array([0.5]))[0] == pytest.approx(0.5, rel=0.01)

    def test_the_first_pass_finds_the_money_under_a_skew(self) -> None:
        t, m = np.repeat(np.log([0.1, 0.5, 2.0]), 5), np.tile(np.linspace(-0.3, -0.05, 5), 3)
        values = np.log(0.2) + 0.05 * t - 0.5 * m
        found = coordinates.atm_term(t, m, values, np.log([0.1, 0.5, 2.0]))
        np.testing.assert_allclose(found, np.log(0.2) + 0.05 * np.log([0.1, 0.5, 2.0]), atol=0.05)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_answer_is_sane_on_any_grid(grid: str, share: float) -> None:
    vols = holes(surface(), share)
    vols[2, 2] = surface()[2, 2]
    result = va.impute(va.Surface(vols, **GRIDS[grid]), model="universal")
    seen = np.isfinite(vols)
    assert (result.filled[seen] == vols[seen]).all() and (result.std[~seen] > 0).all()
    assert (result.low[~seen] < result.mean[~seen]).all() and (result.mean[~seen] < result.high[~seen]).all()
    assert (np.abs(result.filled / surface() - 1) < 0.6).all()


@pytest.mark.parametrize("grid", ["core", "log-moneyness"])
def test_with_a_prior(grid: str) -> None:
    own = surface() * np.exp(
        0.01 * np.sin(np.arange(surface().size) ** 2).reshape(surface().shape)
    )  # no SVI's
    at = va.Surface(holes(own, 0.7), **GRIDS[grid])
    earlier = va.Surface(own * 0.99, **GRIDS[grid])
    alone, after = (va.impute(at, prior=p, model="universal") for p in (None, earlier))
    missing = ~at.observed
    assert np.median(after.std[missing]) < 0.7 * np.median(alone.std[missing])
    assert np.abs(after.filled / own - 1)[missing].max() < 0.03
    nothing = at.replace(np.full(at.shape, np.nan))
    only = va.impute(nothing, prior=earlier, model="universal")
    assert np.abs(only.filled / earlier.vols - 1).max() < 0.02 and (only.std > 0).all()


def index_surface(tenors: np.ndarray, x: np.ndarray) -> np.ndarray:
    """An equity index, [T, K] vols at x deviations."""
    t = np.log(tenors)[:, None]
    return 0.18 * np.exp(0.06 * t - (0.12 - 0.01 * t) * x + 0.02 * x**2)


@pytest.mark.parametrize("axis", ["deltas", "moneyness"])
def test_large_grids(axis: str) -> None:
    tenors, x = np.exp(np.linspace(np.log(0.02), np.log(5.0), 30)), np.linspace(-2.2, 2.0, 60)
    truth = index_surface(tenors, x)
    vols = np.where(np.random.default_rng(0).random(truth.shape) < 0.4, np.nan, truth)
    places: dict[str, Any] = {"deltas": np.linspace(0.98, 0.02, 60)}
    if axis == "moneyness":
        places = {"moneyness": x * 0.18 * np.sqrt(tenors)[:, None]}
    grid = va.Surface(vols, tenors, **places)
    result = va.impute(grid, model="universal")
    assert (result.filled[grid.observed] == vols[grid.observed]).all()
    assert va.check(grid.replace(np.where(result.disputed, np.nan, result.filled))).ok
    assert np.abs(result.filled / truth - 1)[~grid.observed].mean() < 0.01


def test_a_thousand_expiries_take_no_memory_for_all_their_pairs() -> None:
    """Of 32 candidates and several processes these are 2 GB."""
    vols = np.full((1000, 3), 0.2)
    vols[::2, 1] = np.nan
    many = va.Surface(vols, np.linspace(0.01, 10.0, 1000), deltas=[0.75, 0.5, 0.25])
    tracemalloc.start()
    filled = va.impute(many).filled
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(filled, 0.2, rtol=1e-3)
    assert most < 32 * 8 * 1000**2
