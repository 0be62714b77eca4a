"""repair on any surface: no arbitrage by check and by a linear program, what need not move stays."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import voladdin as va
from export.bench.repair.random_grids import random_surface
from export.bench.repair.truth import TOLERANCE, least_slack, prices

SEEDS = st.integers(0, 10**9)


@st.composite
def extreme(draw: st.DrawFn) -> va.Surface:
    """Vols from 1e-6 to 10, tenors of a day to 30 years, strikes up to e^2 forwards away, with holes."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    low = draw(st.sampled_from([1e-6, 1e-3, 0.1, 1.0]))
    vols = np.exp(rng.uniform(np.log(low), np.log(10.0), shape))
    vols[rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    vols.flat[rng.integers(vols.size)] = 0.2
    tenors = np.cumsum(rng.uniform(1 / 365, draw(st.sampled_from([0.05, 1.0, 5.0])), shape[0]))
    if draw(st.booleans()):
        deltas = np.sort(rng.choice(np.arange(1, 1000), shape[1], replace=False)) / 1000
        return va.Surface(vols, tenors, deltas=deltas)
    width = draw(st.sampled_from([0.01, 0.3, 2.0]))
    return va.Surface(vols, tenors, moneyness=np.sort(rng.uniform(-width, width, shape), axis=1))


@given(SEEDS, st.booleans())
@settings(max_examples=100, deadline=None)
def test_no_arbitrage_by_the_linear_program(seed: int, near: bool) -> None:
    surface = random_surface(np.random.default_rng(seed), near=near)
    found = va.repair(surface)
    assert found.ok and va.check(found.surface).ok
    assert least_slack(*prices(found.surface), prices(found.surface)[2]) <= TOLERANCE


@given(extreme())
@settings(max_examples=100, deadline=None)
def test_any_vols_are_repaired(surface: va.Surface) -> None:
    for method in ("auto", "envelope"):
        found = va.repair(surface, method=method)
        assert va.check(found.surface).ok


@given(SEEDS, st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_does_not_move_keeps_its_bits_and_a_second_repair_does_nothing(seed: int, near: bool) -> None:
    surface = random_surface(np.random.default_rng(seed), near=near)
    found = va.repair(surface)
    old, new = surface.vols, found.surface.vols
    assert ((found.change == 0) == (old == new)).all()
    assert (np.isnan(found.change) == np.isnan(old)).all()
    again = va.repair(found.surface)
    assert again.method == "none" and again.surface is found.surface
    assert (found.method == "none") == va.check(surface).ok


@given(SEEDS, st.sampled_from([0.1, 0.5, 0.9]))
@settings(max_examples=100, deadline=None)
def test_fixed_quotes_keep_their_bits(seed: int, share: float) -> None:
    """And it is infeasible exactly where they have arbitrage among themselves."""
    rng = np.random.default_rng(seed)
    surface = random_surface(rng, near=False)
    fixed = surface.observed & (rng.random(surface.shape) < share)
    assume(fixed.any())
    possible = va.check(surface.replace(np.where(fixed, surface.vols, np.nan))).ok
    try:
        found = va.repair(surface, fixed=fixed)
    except va.InfeasibleError as error:
        assert not possible and "fixed quotes themselves" in str(error)
        return
    assert possible or found.method == "none"
    assert found.ok and (found.surface.vols[fixed] == surface.vols[fixed]).all()


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_bid_and_ask_around_a_surface_without_arbitrage_hold(seed: int) -> None:
    """At strikes that stay: the linear program finds vols inside whenever there are."""
    rng = np.random.default_rng(seed)
    surface = random_surface(rng, near=False)
    assume(surface.deltas is None)
    inside = va.repair(surface).surface.vols
    reach = rng.uniform(0, 0.02, (2, *surface.shape))
    bid, ask = np.minimum(inside, surface.vols) - reach[0], np.maximum(inside, surface.vols) + reach[1]
    found = va.repair(surface, bid=np.maximum(bid, 0), ask=np.minimum(ask, 10))
    assert found.ok and not found.outside.any()
