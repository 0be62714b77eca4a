"""The surface between its nodes: continuous, through every quote, free of arbitrage where these are."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import voladdin as va
from export.bench.data import DATA
from voladdin.black import call_delta, implied_total_vol, moneyness_from_delta, otm_price
from voladdin.errors import InputError, LabelError
from voladdin.imputation.interpolation import interpolate_many
from voladdin.imputation.smiles.convex_pieces import prices_between
from voladdin.imputation.smiles.smile_curve import SmileCurve
from voladdin.imputation.smiles.surface_function import SurfaceFunction
from voladdin.surface import MAX_VOL

NEAR = 1e-6
STRESSED = {  # vols in percent points; 25P to 25C, or 10P to 10C
    "at the floor": (
        ["1M", "3M", "6M", "1Y"],
        [[2.65, 2.2, 2.45], [3.8, 3.0, 3.2], [5, 3.8, 3.9], [6.75, 5, 4.85]],
    ),
    "stress": (["1M", "6M"], [[18, 20, 24, 36, 52], [19, 20, 22, 28, 36]]),
    "V of one tenor": (["1M"], [[5, 4, 3, 4, 5]]),
    "peg": (
        ["1W", "1M", "3M", "1Y"],
        [[0.45, 0.4, 0.47], [0.62, 0.55, 0.68], [0.85, 0.72, 0.95], [1.35, 1.1, 1.58]],
    ),
    "fat finger": (
        ["1W", "1M", "3M", "1Y"],
        [
            [9.1, 8.4, 8, 8.2, 8.9],
            [9.3, 8.5, 8.1, 10.3, 9],
            [9.6, 8.8, 8.4, 8.5, 9.3],
            [10.2, 9.3, 8.9, 9, 9.9],
        ],
    ),
}


def stressed(name: str) -> va.Surface:
    tenors, vols = STRESSED[name]
    deltas = [0.75, 0.5, 0.25] if len(vols[0]) == 3 else [0.9, 0.75, 0.5, 0.25, 0.1]
    return va.Surface(np.array(vols) / 100, tenors, deltas=deltas)


def quotes(surface: va.Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tenors, strikes and vols of every quote."""
    axis = surface.deltas if surface.deltas is not None else surface.log_moneyness
    assert axis is not None
    seen = surface.observed
    years = np.broadcast_to(surface.tenors[:, None], surface.shape)
    return years[seen], np.broadcast_to(axis, surface.shape)[seen], surface.vols[seen]


def jump(surface: va.Surface) -> float:
    """Largest distance in bp from a quote of the line through the vols 1e-6 and 2e-6 beside it."""
    kind = "delta" if surface.deltas is not None else "moneyness"
    years, at, vols = quotes(surface)

    def vol(t: float, x: float) -> np.ndarray:
        return interpolate_many(surface, years * (1 + t), at + x, kind=kind)

    assert np.array_equal(vol(0, 0), vols)
    sides = ((0, NEAR), (0, -NEAR), (NEAR, 0), (-NEAR, 0))
    return float(1e4 * np.max([np.abs(2 * vol(t, x) - vol(2 * t, 2 * x) - vols) for t, x in sides]))


def dense(function: SurfaceFunction, reach: float = 1.5) -> va.Surface:
    """Ten times the nodes, beyond them too."""
    tenors = np.unique(
        np.concatenate(
            [function.tenors, np.geomspace(0.4 * function.tenors[0], 1.6 * function.tenors[-1], 12)]
        )
    )
    widest = reach * np.nanmax(np.abs(function.k)) + 0.01
    m = np.unique(
        np.concatenate([np.linspace(-widest, widest, 61), function.k[np.isfinite(function.k)][:60]])
    )
    m = m[np.concatenate([[True], np.diff(m) > 1e-9])]
    vols = function.vol(np.repeat(tenors, len(m)), np.tile(m, len(tenors))).reshape(len(tenors), -1)
    return va.Surface(vols, tenors.tolist(), moneyness=m)


def nodes(surface: va.Surface) -> SurfaceFunction:
    """Through the cells of a full surface alone."""
    moneyness = surface.log_moneyness
    if moneyness is None:
        assert surface.deltas is not None
        total = surface.vols * np.sqrt(surface.tenors)[:, None]
        moneyness = moneyness_from_delta(surface.deltas, total)
    order = np.argsort(moneyness, axis=1)
    k, vols = (np.take_along_axis(values, order, 1) for values in (moneyness, surface.vols))
    return SurfaceFunction(surface.tenors, k, vols)


@pytest.mark.parametrize("name", STRESSED)
def test_no_jump_beside_a_quote(name: str) -> None:
    assert jump(stressed(name)) < 0.01


@pytest.mark.parametrize("name", STRESSED)
def test_dense_surfaces_have_no_arbitrage_where_the_quotes_have_none(name: str) -> None:
    surface = stressed(name)
    assert va.check(surface).ok
    assert va.check(dense(nodes(surface)), tolerance=1e-9).violations == ()


@given(st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 6), st.floats(0.0, 0.04))
@settings(max_examples=40, deadline=None)
def test_random_surfaces(seed: int, strikes: int, tenors: int, rough: float) -> None:
    rng = np.random.default_rng(seed)
    years = np.cumsum(rng.uniform(0.05, 1.0, tenors))
    m = np.sort(rng.uniform(-0.4, 0.4, strikes))
    assume(np.diff(m).min() > 0.02)
    smile = 0.2 + rng.uniform(-0.2, 0.1) * m + rng.uniform(0, 0.6) * m**2
    vols = smile * (1 + rough * rng.standard_normal((tenors, strikes)))
    surface = va.Surface(np.clip(vols, 0.02, None), years.tolist(), moneyness=m)
    function = nodes(surface)
    at = function.vol(np.repeat(years, strikes), np.tile(m, tenors))
    np.testing.assert_allclose(at, surface.vols.ravel(), rtol=1e-10)
    fine = dense(function)
    assert np.isfinite(fine.vols).all() and (fine.vols > 0).all()
    if va.check(surface).ok:
        assert va.check(fine, tolerance=1e-8).violations == ()


def test_deltas_are_those_of_the_vols() -> None:
    function = nodes(stressed("stress"))
    deltas = np.linspace(0.03, 0.97, 40)
    for year in (0.05, 1 / 12, 0.3, 0.5, 2.0):
        years = np.full(40, year)
        vols = function.vol_at_delta(years, deltas)
        k = moneyness_from_delta(deltas, vols * np.sqrt(year))
        np.testing.assert_allclose(function.vol(years, k), vols, rtol=1e-9)
        np.testing.assert_allclose(call_delta(k, vols * np.sqrt(year)), deltas, atol=1e-12)


def test_wings_are_at_most_linear_in_total_variance() -> None:
    curve = SmileCurve(np.array([-0.2, 0.0, 0.2]), np.array([0.30, 0.2, 0.26]))
    k = np.linspace(0.2, 60.0, 400)
    for side in (k, -k):
        variance = curve.total_vol(side) ** 2
        assert (variance <= 2.0 * np.abs(side) + curve.s.max() ** 2).all()


LARGE_TOTAL_VOLS = {  # nodes ln(K/F), and total vols there
    "steeper than Lee": (
        [9.16, 9.96, 11.47, 13.72, 16.87, 20.71],
        [6.231, 5.926, 5.512, 5.238, 5.173, 5.281],
    ),
    "strikes of 1e21": (
        [49.42, 50.09, 51.19, 55.99, 65.33, 78.3],
        [11.722, 11.372, 10.816, 10.582, 10.776, 11.3],
    ),
}


def gains(curve: SmileCurve) -> float:
    """The most that a butterfly or call spread gives beside the nodes and between them."""
    k = np.linspace(curve.k[0] - 6 * curve.scale, curve.k[-1] + 6 * curve.scale, 3000)
    calls, strikes = otm_price(k, curve.total_vol(k)) - np.expm1(np.minimum(k, 0.0)), np.exp(k)
    share = (strikes[2:] - strikes[1:-1]) / (strikes[2:] - strikes[:-2])
    butterflies = calls[1:-1] - share * calls[:-2] - (1.0 - share) * calls[2:]
    return float(max(butterflies.max(), np.diff(calls).max()))


@pytest.mark.parametrize("name", LARGE_TOTAL_VOLS)
def test_curves_of_large_total_vols_have_no_butterflies(name: str) -> None:
    assert gains(SmileCurve(*map(np.array, LARGE_TOTAL_VOLS[name]))) < 1e-12


def test_curves_through_any_convex_prices_have_no_butterflies() -> None:
    rng, seen = np.random.default_rng(0), 0
    while seen < 40:
        count = rng.integers(3, 7)
        strikes = np.sort(np.exp(rng.normal(0.0, 1.5, count)))
        calls = 1.0 + np.cumsum(np.sort(rng.uniform(-1.0, 0.0, count)) * np.diff(strikes, prepend=0.0))
        if calls.min() > 1e-3 and (calls > 1.0 - strikes + 1e-4).all():
            k = np.log(strikes)
            curve = SmileCurve(k, implied_total_vol(calls + np.expm1(np.minimum(k, 0.0)), k))
            assert gains(curve) < 1e-6
            seen += 1


def test_lines_of_prices_that_are_a_rounding_off_convex_stay_lines() -> None:
    """Two slopes in the wrong order, as of nodes beside each other, on a long piece."""
    nodes, price, slope = np.array([1.0, 12.0]), np.array([0.95, 0.84]), np.array([-0.0099999, -0.01])
    x = np.linspace(1.0, 12.0, 101)
    found = prices_between(x, np.zeros(101, dtype=np.intp), nodes, price, slope)
    np.testing.assert_allclose(found, 0.95 - 0.01 * (x - 1.0), rtol=0.0, atol=1e-15)


def test_vols_come_near_the_most_without_a_kink() -> None:
    """A day of a stock in distress: the wing would go beyond 1,000%."""
    k, vols = np.array([[-0.31, -0.16, 0.0, 0.18, 0.32]]), np.array([[5.43, 4.52, 3.65, 3.15, 3.26]])
    function = SurfaceFunction(np.array([1 / 365]), k, vols)
    assert va.check(dense(function, 8.0), tolerance=1e-9).violations == ()


def test_one_node_is_flat() -> None:
    function = SurfaceFunction(np.array([0.5]), np.array([[0.1]]), np.array([[0.2]]))
    years, k = np.array([0.1, 0.5, 3.0]), np.array([-0.5, 0.0, 0.5])
    np.testing.assert_allclose(function.vol(years, k), 0.2, rtol=1e-12)


MARKETS = ["stoxx50e_delta_surface.csv", "spx_delta_surface.csv", "fx_usdcad_20170526_raw.csv"]


@pytest.mark.data
@pytest.mark.parametrize("name", MARKETS)
def test_no_jump_on_market_surfaces(name: str) -> None:
    with (DATA / name).open() as file:
        lines = [row for row in csv.DictReader(file) if row["call_delta"] and row["vol"]]
    rows = [{key: float(row[key]) for key in ("tenor_years", "call_delta", "vol")} for row in lines]
    years, deltas = (np.unique([row[key] for row in rows]) for key in ("tenor_years", "call_delta"))
    vols = np.full((len(years), len(deltas)), np.nan)
    for row in rows:
        at = np.searchsorted(years, row["tenor_years"]), np.searchsorted(deltas, row["call_delta"])
        vols[at] = row["vol"]
    assert jump(va.Surface(vols, years.tolist(), deltas=deltas)) < 0.01


@pytest.mark.parametrize("kind", ["delta", "moneyness"])
@pytest.mark.parametrize("scale", [1e-6, 0.1, 2.0, 300.0])
def test_every_vol_is_one(kind: str, scale: float) -> None:
    """Above 0 and at most 1,000%, from an hour to fifty years, however odd strikes, tenors and quotes."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        tenors = np.sort(np.exp(rng.uniform(np.log(1e-4), np.log(50.0), 4)))
        tenors[1:2] = tenors[0] * (1 + 1e-9)
        k = np.sort(rng.normal(0.0, scale, 5))
        level = 0.1 * np.exp(0.1 * rng.standard_normal((4, 5)))
        vols = (level, np.full((4, 5), 4.2), np.exp(rng.uniform(np.log(1e-4), np.log(9.9), (4, 5))))[seed % 3]
        grid = va.Surface(vols, tenors, moneyness=k)
        years = np.concatenate([tenors, np.exp(rng.uniform(np.log(1e-4), np.log(50.0), 36))])
        at = rng.uniform(1e-6, 1 - 1e-6, 40) if kind == "delta" else rng.normal(0.0, 1.0, 40)
        found = interpolate_many(grid, years, at, kind=kind)
        assert ((found > 0) & (found <= MAX_VOL)).all()


def test_nodes_beside_each_other_bend_nothing_between_others() -> None:
    k, vols = np.array([[-0.4, -3e-7, -2e-7, -1e-7, 0.4]]), np.array([[0.2, 0.1, 0.13, 0.1, 0.2]])
    found = SurfaceFunction(np.array([0.5]), k, vols).vol(np.full(99, 0.5), np.linspace(-0.4, 0.4, 99))
    assert found.min() >= 0.1 - 1e-12 and found.max() <= 0.2 + 1e-12


def test_tenors_in_one_second_tell_no_forward_variance() -> None:
    function = SurfaceFunction(np.array([1.0, 1.0 + 1e-12]), np.zeros((2, 1)), np.array([[0.1], [0.101]]))
    assert function.vol(np.array([2.0]), np.zeros(1))[0] < 0.3


@pytest.mark.parametrize("k", [-700.0, -400.0, 400.0, 700.0])
def test_a_curve_whose_wings_reach_where_strikes_are_no_numbers(k: float) -> None:
    nodes = np.sort([k, 0.0, 1.0])
    curve = SmileCurve(nodes, np.full(3, 70.0))
    assert np.isfinite(curve.total_vol(np.linspace(-900.0, 900.0, 101))).all()


def test_moneyness_at_which_strikes_are_no_numbers_is_refused() -> None:
    with pytest.raises(
        LabelError, match=r"moneyness must be finite and at most 700 in size; got -0.1 to 44927"
    ):
        va.Surface([[0.1, 0.1]], ["1M"], moneyness=[-0.1, 44927.5])


def test_strikes_that_are_next_to_each_other_as_floats() -> None:
    curve = SmileCurve(np.array([-0.1, 0.5, np.nextafter(0.5, 1.0), 0.6]), np.array([0.2, 0.21, 0.21, 0.22]))
    assert np.isfinite(curve.total_vol(np.linspace(-1.0, 1.0, 101))).all()


def test_of_cells_that_nearly_coincide_a_point_is_the_nearest() -> None:
    tenors = np.array([1.0, 1.0 + 1e-10])
    grid = va.Surface([[0.2, 0.21], [0.22, 0.23]], tenors, moneyness=[0.0, 1e-10])
    at = np.repeat(tenors, 2), np.tile([0.0, 1e-10], 2)
    np.testing.assert_array_equal(interpolate_many(grid, *at, kind="moneyness"), grid.vols.ravel())


def test_vols_that_bend_a_delta_axis_back_are_named() -> None:
    found = va.impute(va.Surface([[0.2, 0.2, 0.2, 2.0, 0.1]], [1.0], deltas=[0.9, 0.75, 0.5, 0.25, 0.1]))
    with pytest.raises(
        InputError, match=r"at 1 years the vols of call deltas 0.25 and 0.1 put their strikes"
    ):
        found.at([0.3], moneyness=[0.0])
