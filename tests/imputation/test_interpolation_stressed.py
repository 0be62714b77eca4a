"""The vol anywhere on surfaces that the model calls improbable: continuous, through the quotes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, surface
from voladdin._typing import FloatArray
from voladdin.imputation.interpolation import interpolate_many

WIDE = [0.9, 0.75, 0.5, 0.25, 0.1]
STRESSED: dict[str, tuple[list[list[float]], list[str], list[float]]] = {
    "a peg at its floor": (
        [[2.65, 2.2, 2.45], [3.8, 3.0, 3.2], [5.0, 3.8, 3.9], [6.75, 5.0, 4.85]],
        ["1M", "3M", "6M", "1Y"],
        [0.75, 0.5, 0.25],
    ),
    "a peg with wings": (
        [[0.45, 0.40, 0.47], [0.62, 0.55, 0.68], [0.85, 0.72, 0.95], [1.35, 1.10, 1.58]],
        ["1W", "1M", "3M", "1Y"],
        [0.75, 0.5, 0.25],
    ),
    "a crisis": ([[18, 20, 24, 36, 52], [19, 20, 22, 28, 36]], ["1M", "6M"], WIDE),
    "a vee": ([[5, 4, 3, 4, 5]], ["1M"], WIDE),
    "one quote far off": (
        [[9.1, 8.4, 8.0, 8.2, 8.9], [9.3, 8.5, 8.1, 10.3, 9.0], [9.6, 8.8, 8.4, 8.5, 9.3]],
        ["1W", "1M", "3M"],
        WIDE,
    ),
    "an index": (
        [[31, 22, 16, 13, 12], [28, 22, 18, 16, 15], [26, 22, 19, 17, 16.5]],
        ["1M", "6M", "2Y"],
        WIDE,
    ),
}


def stressed(name: str) -> va.Surface:
    vols, tenors, deltas = STRESSED[name]
    return va.Surface(np.array(vols) / 100, tenors, deltas=deltas)


def asked(quoted: va.Surface, years: FloatArray, places: FloatArray, kind: str = "moneyness") -> FloatArray:
    """Vols [T, K] at tenors [T] and places [K] or [T, K]."""
    at = np.broadcast_to(places, (len(years), np.shape(places)[-1]))
    return interpolate_many(quoted, np.repeat(years, at.shape[1]), at.ravel(), kind=kind).reshape(at.shape)


def dense(tenors: FloatArray) -> FloatArray:
    inner = [np.linspace(*ends, 5, endpoint=False) for ends in itertools.pairwise(tenors)]
    return np.concatenate([tenors[:1] * np.array([0.3, 0.7]), *inner, tenors[-1] * np.array([1.0, 1.5, 3.0])])


@pytest.mark.parametrize("name", STRESSED)
@pytest.mark.parametrize("step", [1e-8, -1e-8])
def test_beside_a_quote_is_the_quote(name: str, step: float) -> None:
    quoted = stressed(name)
    deltas, moneyness = np.array(quoted.deltas), quoted.quoted_moneyness()
    for vols in (
        asked(quoted, quoted.tenors, deltas + step, "delta"),
        asked(quoted, quoted.tenors * (1 + step), deltas, "delta"),
        asked(quoted, quoted.tenors, moneyness + step),
        asked(quoted, quoted.tenors * (1 + step), moneyness),
    ):
        np.testing.assert_allclose(vols, quoted.vols, rtol=0, atol=1e-7)  # a thousandth of a basis point


@pytest.mark.parametrize("name", STRESSED)
def test_dense_surfaces_have_no_arbitrage(name: str) -> None:
    quoted = stressed(name)
    assert va.check(quoted).ok
    years, deltas = dense(quoted.tenors), np.linspace(0.97, 0.03, 50)
    wide = 1.5 * np.abs(quoted.quoted_moneyness()).max()
    strikes = np.linspace(-wide, wide, 80)
    assert va.check(va.Surface(asked(quoted, years, strikes), years, moneyness=strikes)).ok
    assert va.check(va.Surface(asked(quoted, years, deltas, "delta"), years, deltas=deltas)).ok


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
@settings(max_examples=8, deadline=None)
def test_dense_surfaces_between_fills_have_no_arbitrage(seed: int, hidden: float) -> None:
    shocked = surface() * np.exp(0.1 * np.random.default_rng(seed).standard_normal())
    quoted = va.Surface(holes(shocked, hidden, seed), TENORS, deltas=DELTAS)
    if not quoted.observed.any():
        return
    cells = asked(quoted, quoted.tenors, np.array(DELTAS), "delta")
    np.testing.assert_allclose(cells, va.impute(quoted).filled, rtol=0, atol=1e-9)
    years, strikes = dense(quoted.tenors), np.linspace(-0.4, 0.4, 60)
    assert va.check(va.Surface(asked(quoted, years, strikes), years, moneyness=strikes)).ok


@pytest.mark.parametrize("name", STRESSED)
def test_no_jump_anywhere(name: str) -> None:
    quoted = stressed(name)
    wide = 2 * float(np.abs(quoted.quoted_moneyness()).max())
    for years in dense(quoted.tenors):
        along = asked(quoted, np.array([years]), np.linspace(-wide, wide, 4001))[0]
        assert np.abs(np.diff(along)).max() < 0.02 * along.max()
    times = np.linspace(0.5 * quoted.tenors[0], 1.5 * quoted.tenors[-1], 3001)
    for delta in (0.1, 0.3, 0.5, 0.9):
        assert np.abs(np.diff(interpolate_many(quoted, times, np.full(3001, delta)))).max() < 2e-3


def test_quotes_that_can_be_arbitraged_are_met_too() -> None:
    vols = np.array([[0.09, 0.08, 0.12, 0.08, 0.09], [0.05, 0.05, 0.05, 0.05, 0.05]])
    quoted = va.Surface(vols, ["6M", "1Y"], deltas=WIDE)
    assert not va.check(quoted).ok
    for step in (0.0, 1e-9, -1e-9):
        there = asked(quoted, quoted.tenors, quoted.quoted_moneyness() + step)
        np.testing.assert_allclose(there, vols, rtol=0, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 1), (2, 2)])
@pytest.mark.parametrize("level", [0.001, 0.1, 3.0, 9.0])
def test_small_surfaces_of_any_level(shape: tuple[int, int], level: float) -> None:
    deltas = [0.7, 0.4][: shape[1]]
    quoted = va.Surface(np.full(shape, level), [0.1, 0.5, 2.0][: shape[0]], deltas=deltas)
    cells = asked(quoted, quoted.tenors, np.array(deltas), "delta")
    np.testing.assert_allclose(cells, quoted.vols, rtol=0, atol=1e-7)
    for vols in (
        asked(quoted, np.array([0.01, 0.2, 1.0, 30.0]), np.array([-300.0, -2.0, 0.0, 0.1, 500.0])),
        asked(quoted, np.array([0.01, 0.2, 1.0, 30.0]), np.array([0.05, 0.5, 0.95]), "delta"),
    ):
        assert (np.isfinite(vols) & (vols > 0)).all()
