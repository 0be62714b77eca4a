"""repair: the linear programs' optimum, what stays, what has to give, bad input."""

from __future__ import annotations

import importlib
import itertools
import time
from typing import Any

import numpy as np
import pytest

import voladdin as va
from export.bench.repair.truth import TOLERANCE, least_slack, prices
from tests.arbitrage.repair_truth import least_change, vega_weighted
from tests.arbitrage.test_arbitrage import shared

TENORS = [0.25, 0.5, 1.0, 2.0, 3.0]
LADDER = np.linspace(-0.3, 0.3, 8)
DELTAS = [0.95, 0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1]
AXES = [{"moneyness": LADDER}, {"deltas": DELTAS}]
VOGT = {"a": -0.041, "b": 0.1331, "rho": 0.306, "m": 0.3586, "sigma": 0.4153}


def noisy(seed: int = 0, noise: float = 0.1, **axes: Any) -> va.Surface:
    rng = np.random.default_rng(seed)
    vols = 0.2 * np.exp(noise * rng.standard_normal((5, 8)))
    return va.Surface(vols, TENORS, **(axes or {"moneyness": LADDER}))


def module(name: str) -> Any:
    return importlib.import_module(f"voladdin.arbitrage.repair.{name}")


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("kind", ["common", "ragged", "holes", "fixed"])
def test_the_optimum_of_the_full_linear_program(kind: str, noise: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(4):
        ladder = LADDER if kind == "common" else np.sort(rng.uniform(-0.3, 0.3, (5, 8)), axis=1)
        vols = 0.2 * np.exp(noise * rng.standard_normal((5, 8)))
        if kind == "holes":
            vols[rng.random(vols.shape) < 0.2] = np.nan
        surface = va.Surface(vols, TENORS, moneyness=ladder)
        fixed = np.zeros(vols.shape, dtype=bool)
        if kind == "fixed":
            fixed[rng.integers(5), rng.integers(8)] = True
        found = va.repair(surface, fixed=fixed)
        assert vega_weighted(surface, found.surface) == pytest.approx(least_change(surface, fixed), abs=1e-6)
        assert (found.change[fixed] == 0).all()


@pytest.mark.parametrize("factor", [0.1, 0.2, 10.0, 48.0])
@pytest.mark.parametrize("holes", [False, True])
def test_a_fat_finger_is_what_moves(factor: float, holes: bool) -> None:
    """Its price is dear to move by its own vega, and the surface would follow it."""
    m, tau = np.linspace(-0.2, 0.2, 5), np.array([1 / 12, 0.25, 0.5, 1, 2])
    clean = 0.2 - 0.15 * m / np.sqrt(0.3 + tau[:, None]) + 0.2 * m**2 / (0.3 + tau[:, None])
    if holes:
        clean[2, 3] = clean[4, 1] = np.nan
    for cell in ((2, 2), (3, 3), (4, 0)):
        vols = clean.copy()
        vols[cell] = min(factor * vols[cell], 9.9)
        surface = va.Surface(vols, tau, moneyness=m)
        found, plain = va.repair(surface), va.repair(surface, method="prices")
        assert found.ok and not va.check(surface).ok
        assert found.mean <= plain.mean
        others = np.delete(found.change.ravel(), 5 * cell[0] + cell[1])
        assert np.nansum(np.abs(others)) < 0.2 * abs(found.change[cell])


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("method", ["auto", "prices", "envelope"])
def test_no_arbitrage_is_left(axes: dict[str, Any], method: str) -> None:
    for seed in range(10):
        surface = noisy(seed, 0.15, **axes)
        found = va.repair(surface, method=method)
        assert found.ok and va.check(found.surface).ok and not va.check(surface).ok
        assert least_slack(*prices(found.surface), prices(found.surface)[2]) <= TOLERANCE
        assert found.largest == np.abs(found.change).max() and found.mean == np.abs(found.change).mean()
        still = found.change == 0
        assert still.any() and (found.surface.vols[still] == surface.vols[still]).all()


@pytest.mark.parametrize("axes", AXES)
def test_the_linear_program_moves_less_than_lower_hulls(axes: dict[str, Any]) -> None:
    """On a delta axis vols are what is counted, so that it does each time."""
    program, hulls = (
        np.array([va.repair(noisy(seed, **axes), method=method).mean for seed in range(20)])
        for method in ("prices", "envelope")
    )
    assert (program <= hulls * (1 + 1e-9)).all() or "moneyness" in axes
    assert program.mean() < 0.99 * hulls.mean()


def test_one_delta_at_two_tenors_against_all_pairs_of_vols() -> None:
    """At one delta, the least change that leaves no calendar trade, on a fine grid."""
    surface = va.Surface([[0.3], [0.15]], [0.5, 1.0], deltas=[0.25])
    found = va.repair(surface)
    moves = np.arange(0, 0.15, 0.002)
    free = [
        first + second
        for first in moves
        for second in moves
        if first + second < found.mean * 2e-4 + 0.004
        and va.check(surface.replace([[0.3 - first], [0.15 + second]])).ok
    ]
    assert min(free) == pytest.approx(found.mean * 2e-4, abs=0.0041)


@pytest.mark.parametrize("axes", AXES)
def test_a_fat_finger_is_all_that_moves(axes: dict[str, Any]) -> None:
    vols = np.full((5, 8), 0.2)
    vols[2, 3] = 0.35
    found = va.repair(va.Surface(vols, TENORS, **axes))
    assert np.argwhere(found.change != 0).tolist() == [[2, 3]]
    assert found.surface.vols[2, 3] < 0.35
    assert found.message.startswith("1 of 40 vols moved, by ") and "the 1Y " in found.message


@pytest.mark.parametrize("axes", AXES)
def test_no_arbitrage_comes_back_as_it_is(axes: dict[str, Any]) -> None:
    surface = noisy(0, 0.0, **axes)
    found = va.repair(surface)
    assert found.method == "none" and found.surface is surface and found.largest == 0


@pytest.mark.parametrize("axes", AXES)
def test_fixed_quotes_stay_and_the_others_make_room(axes: dict[str, Any]) -> None:
    vols = np.full((5, 8), 0.2)
    vols[2, 3] = 0.25
    fixed = np.zeros((5, 8), dtype=bool)
    fixed[2, 3] = True
    found = va.repair(va.Surface(vols, TENORS, **axes), fixed=fixed)
    assert found.ok and found.surface.vols[2, 3] == 0.25 and (found.change != 0).any()
    assert "1 fixed quote kept" in found.message
    hull = va.repair(va.Surface(vols, TENORS, **axes), fixed=fixed, method="envelope")
    assert hull.ok and hull.surface.vols[2, 3] == 0.25


@pytest.mark.parametrize("axes", AXES)
def test_fixed_quotes_with_arbitrage_are_named(axes: dict[str, Any]) -> None:
    vols = np.full((5, 8), 0.2)
    vols[2, 3] = 0.35
    fixed = np.zeros((5, 8), dtype=bool)
    fixed[2, 2:5] = True
    with pytest.raises(
        va.InfeasibleError, match=r"fixed quotes themselves .* the 1Y .*; sell the 1Y .* buy "
    ):
        va.repair(va.Surface(vols, TENORS, **axes), fixed=fixed)
    fixed[2, 3] = False
    assert va.repair(va.Surface(vols, TENORS, **axes), fixed=fixed).ok


@pytest.mark.parametrize("axes", AXES)
def test_bid_and_ask_hold_where_they_can(axes: dict[str, Any]) -> None:
    """Flat vols are inside every bid and ask, so that they can hold."""
    for seed in range(5):
        surface = noisy(seed, 0.05, **axes)
        bid, ask = np.minimum(surface.vols, 0.2) - 0.001, np.maximum(surface.vols, 0.2) + 0.001
        found = va.repair(surface, bid=bid, ask=ask)
        assert found.ok and not found.outside.any() and "bid and ask" not in found.message
        assert (found.surface.vols >= bid - 1e-9).all() and (found.surface.vols <= ask + 1e-9).all()


@pytest.mark.parametrize("axes", AXES)
def test_quotes_that_left_bid_and_ask_are_named(axes: dict[str, Any]) -> None:
    surface = noisy(1, 0.15, **axes)
    bid, ask = surface.vols - 0.001, surface.vols + 0.001
    ask[0, 0] = np.nan
    found = va.repair(surface, bid=bid, ask=ask)
    new = found.surface.vols
    assert found.ok and found.outside.any()
    assert (found.outside == ((new < bid - 1e-9) | (new > ask + 1e-9))).all()
    assert f"{found.outside.sum()} left bid and ask: the " in found.message


@pytest.mark.parametrize("axes", AXES)
def test_holes_stay_holes(axes: dict[str, Any]) -> None:
    surface = noisy(3, 0.2, **axes)
    vols = np.where(np.random.default_rng(1).random((5, 8)) < 0.3, np.nan, surface.vols)
    found = va.repair(surface.replace(vols))
    assert found.ok and (np.isnan(found.surface.vols) == np.isnan(vols)).all()
    assert (np.isnan(found.change) == np.isnan(vols)).all() and np.isfinite([found.largest, found.mean]).all()


@pytest.mark.parametrize("axes", AXES)
def test_a_failed_solver_is_a_fallback_in_words(
    axes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module("linear_program").LinearProgram, "solve", lambda self: ("SolveError", np.empty(0))
    )
    found = va.repair(noisy(**axes))
    assert found.ok and found.method == "envelope" and "ended with: SolveError" in found.message
    with pytest.raises(va.InfeasibleError, match="ended with: SolveError"):
        va.repair(noisy(**axes), method="prices")


@pytest.mark.parametrize("axes", AXES)
def test_a_wrong_solution_is_never_returned(axes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that calls anything optimal."""
    program = module("linear_program").LinearProgram
    monkeypatch.setattr(program, "solve", lambda self: ("optimal", np.zeros(self._highs.getNumCol())))
    found = va.repair(noisy(2, 0.2, **axes))
    assert found.ok and va.check(found.surface).ok


@pytest.mark.parametrize("axes", AXES)
def test_the_iteration_limit_is_a_fallback_in_words(
    axes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module("linear_program"), "PIVOTS", 0)
    found = va.repair(noisy(**axes))
    assert found.ok and found.method == "envelope" and "iteration limit" in found.message


@pytest.mark.parametrize("axes", AXES)
def test_the_solver_prints_nothing(axes: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    assert va.repair(noisy(**axes)).method in ("prices", "vols")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("keep_features", [False, True])
def test_no_clock_is_asked(
    axes: dict[str, Any], keep_features: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stalled process gets the answer of one that is not."""
    calm = va.repair(noisy(**axes), keep_features=keep_features)
    hours = itertools.count()
    for name in ("time", "perf_counter", "monotonic", "process_time"):
        monkeypatch.setattr(time, name, lambda: 3600.0 * next(hours))
    assert np.array_equal(
        va.repair(noisy(**axes), keep_features=keep_features).surface.vols, calm.surface.vols, equal_nan=True
    )


@pytest.mark.parametrize(
    "axis", [{"moneyness": np.linspace(-0.3, 0.3, 200)}, {"deltas": np.linspace(0.99, 0.01, 200)}]
)
def test_40_by_200(axis: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    vols = 0.2 * np.exp(0.02 * rng.standard_normal((40, 200)))
    found = va.repair(va.Surface(vols, np.linspace(0.1, 5, 40), **axis))
    assert found.ok and found.method != "envelope"


def test_more_cells_than_a_surface_has() -> None:
    with pytest.raises(va.InputError, match="20100 cells; at most 20000"):
        va.repair(va.Surface(np.full((100, 201), 0.2), np.arange(1, 101), moneyness=np.linspace(-1, 1, 201)))


@pytest.mark.parametrize("axis", ["moneyness", "deltas"])
@pytest.mark.parametrize("shape", [(1, 8), (5, 1), (1, 1)])
def test_one_tenor_or_one_strike(axis: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    ladder = (LADDER if axis == "moneyness" else np.array(DELTAS))[: shape[1]]
    vols = 0.2 * np.exp(0.4 * rng.standard_normal(shape))
    surface = va.Surface(vols, TENORS[: shape[0]], **{axis: ladder})
    assert va.repair(surface).ok
    assert va.repair(surface).method == ("none" if shape == (1, 1) else va.repair(surface).method)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize(
    ("low", "high"), [(1e-6, 1e-3), (1e-4, 0.5), (0.001, 10.0), (5.0, 10.0), (9.9, 10.0)]
)
def test_vanishing_vegas_and_saturated_prices(axes: dict[str, Any], low: float, high: float) -> None:
    rng = np.random.default_rng(5)
    for tenors in (TENORS, [1 / 365, 1 / 52, 1.0, 10.0, 30.0]):
        for _ in range(5):
            vols = np.exp(rng.uniform(np.log(low), np.log(high), (5, 8)))
            found = va.repair(va.Surface(vols, tenors, **axes))
            assert found.ok and found.method != "envelope"
            assert (found.surface.vols > 0).all() and (found.surface.vols <= 10).all()


def test_a_vol_too_low_to_matter_is_not_worth_any_price() -> None:
    """The 0.9 put is worth nothing and the 0.8 put something: with no vega, it is the one to move."""
    surface = va.Surface([[0.2, 0.001, 0.2]], [0.1], moneyness=np.log([0.8, 0.9, 1.0]))
    found = va.repair(surface)
    assert np.argwhere(found.change != 0).tolist() == [[0, 1]]
    assert 500 < found.change[0, 1] < 2000


def test_equal_axes_are_refused() -> None:
    with pytest.raises(va.LabelError, match="twice"):
        va.repair(va.Surface(np.full((2, 2), 0.2), [1, 1], moneyness=[0, 0.1]))
    with pytest.raises(va.LabelError, match="twice"):
        va.repair(va.Surface(np.full((2, 2), 0.2), [1, 2], moneyness=[[0, 0.1], [0.1, 0.1]]))
    with pytest.raises(va.InputError, match="strikes need forwards"):
        va.repair(va.Surface(np.full((2, 2), 0.2), [1, 2], strikes=[90, 100]))


def test_strikes_that_rounding_makes_equal() -> None:
    ladder = np.array([[0.0, 0.1], [1e-16, 0.1]])
    surface = va.Surface([[0.3, 0.2], [0.2, 0.2]], [1.0, 1.1], moneyness=ladder)
    assert va.repair(surface).ok


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fixed": np.zeros((8, 5), dtype=bool)}, r"fixed is bool of shape \(8, 5\); .*\(5, 8\)"),
        ({"fixed": np.ones((5, 8))}, "fixed is float64"),
        ({"bid": np.full((5, 8), 0.1)}, "ask is missing"),
        ({"bid": np.full((5, 8), 0.3), "ask": np.full((5, 8), 0.2)}, "above the ask"),
        ({"method": "magic"}, "method is 'magic'; expected one of auto, "),
        ({"method": "normal"}, "method is 'normal'; expected one of auto, "),
        ({"tolerance": 0.0}, "tolerance is 0; expected at least 1e-12"),
        ({"tolerance": -1.0}, "tolerance is -1"),
    ],
)
def test_bad_arguments(given: dict[str, Any], words: str) -> None:
    with pytest.raises(va.InputError, match=words):
        va.repair(noisy(), **given)


def test_a_hole_cannot_be_fixed_and_no_quote_cannot_be_repaired() -> None:
    surface = noisy()
    vols = surface.vols.copy()
    vols[1, 2] = np.nan
    with pytest.raises(va.InputError, match=r"fixed\[1, 2\] is True where there is no quote"):
        va.repair(surface.replace(vols), fixed=np.ones((5, 8), dtype=bool))
    with pytest.raises(va.InputError, match="no quote"):
        va.repair(surface.replace(np.full((5, 8), np.nan)))


@pytest.mark.parametrize("tolerance", [1e-12, 1e-10, 1e-6, 1e-3])
def test_tolerance_is_that_of_check(tolerance: float) -> None:
    for axes in AXES:
        found = va.repair(noisy(**axes), tolerance=tolerance)
        assert va.check(found.surface, tolerance=tolerance).ok and found.check.tolerance == tolerance


@pytest.mark.parametrize("name", ["dax_surface", "index_sample_surface"])
def test_market_surfaces(name: str) -> None:
    surface = shared(name)
    found = va.repair(surface)
    assert not va.check(surface).ok and found.ok and found.method == "prices"
    assert found.mean < va.repair(surface, method="envelope").mean


def test_the_slice_of_vogt() -> None:
    """Gatheral and Jacquier (2014), example 3.1: an SVI smile with a butterfly."""
    m = np.linspace(-1.5, 1.5, 31)
    x = m - VOGT["m"]
    w = VOGT["a"] + VOGT["b"] * (VOGT["rho"] * x + np.hypot(x, VOGT["sigma"]))
    surface = va.Surface([np.sqrt(w)], [1.0], moneyness=m)
    found = va.repair(surface)
    assert not va.check(surface).ok and found.ok
    assert vega_weighted(surface, found.surface) == pytest.approx(least_change(surface), abs=1e-6)


def test_only_filled_cells_move_when_the_quotes_are_fixed() -> None:
    rng = np.random.default_rng(8)
    for axes in AXES:
        observed = rng.random((5, 8)) < 0.5
        vols = np.where(observed, 0.2, 0.2 * np.exp(0.1 * rng.standard_normal((5, 8))))
        found = va.repair(va.Surface(vols, TENORS, **axes), fixed=observed)
        assert found.ok and (found.surface.vols[observed] == 0.2).all() and (found.change != 0).any()
