"""Delta grids moved in the market's words: exact at every ATM, cell by cell, free of arbitrage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from export.simulation.equity import RANGES
from export.simulation.smile import model_vols
from voladdin.errors import InfeasibleError, InputError, LabelError, UnitsError
from voladdin.generation import market_features, shift_market
from voladdin.generation.market_shifts import DECAYS, WINGS, decayed, smile_shapes
from voladdin.generation.market_words import tenor_place

TENORS = ["1W", "1M", "3M", "6M", "1Y", "2Y", "5Y"]
DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
YEARS = va.Surface(np.full((7, 1), 0.2), TENORS, deltas=[0.5]).tenors
BP = 1e-4


def market(seed: int = 0) -> va.Surface:
    """A Heston model's smiles drawn at random."""
    rng = np.random.default_rng(seed)
    params = {name: rng.uniform(low, high, 1) for name, (low, high) in RANGES["heston"].items()}
    return va.Surface(model_vols("heston", params, YEARS, deltas=np.array(DELTAS))[0], TENORS, deltas=DELTAS)


def words_at(surface: va.Surface, tenor: str) -> np.ndarray:
    return market_features(surface).values[tenor_place(surface.tenors, tenor)]


def test_the_words_of_a_smile() -> None:
    vols = [[0.105, 0.10, 0.09, 0.098, 0.102], [0.1, 0.1, 0.095, 0.1, 0.1], [0.1, 0.1, 0.11, 0.1, 0.1]]
    found = market_features(va.Surface(vols, ["1M", "6M", 1.0], deltas=DELTAS)).values
    assert found[0] == pytest.approx([0.09, -0.002, 0.009, 0.005 / (5 / 12)], abs=1e-12)
    assert found[1, 3] == pytest.approx(0.02 / (11 / 12), abs=1e-12)


def test_a_word_that_lacks_a_quote_is_not_told() -> None:
    vols = market().vols.copy()
    vols[2, 2] = vols[4, 1] = np.nan
    found = market_features(market().replace(vols)).values
    assert np.isnan(found[2, [0, 2]]).all() and np.isfinite(found[2, 1]) and np.isfinite(found[2, 3])
    assert np.isnan(found[[1, 3], 3]).all() and np.isnan(found[4, 1:3]).all()
    narrow = va.Surface(vols[:, 1:3], TENORS, deltas=DELTAS[1:3])
    assert np.isnan(market_features(narrow).values[:, 1:3]).all()


@pytest.mark.parametrize("wings", WINGS)
@pytest.mark.parametrize("seed", range(6))
def test_a_point_of_atm_is_a_point_at_every_atm(seed: int, wings: str) -> None:
    before = market(seed)
    after = shift_market(before, 0.01, wings=wings).surface
    assert np.abs((after.vols - before.vols)[:, 2] - 0.01).max() < 1e-11
    assert va.check(after).ok


small = st.tuples(
    st.floats(-0.01, 0.02), st.floats(-0.006, 0.006), st.floats(0, 0.003), st.floats(-0.01, 0.01)
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), small, st.sampled_from(DECAYS), st.sampled_from(["1M", "6M", "1Y"]))
def test_the_words_move_by_exactly_the_changes(
    seed: int, changes: tuple[float, ...], decay: str, tenor: str
) -> None:
    before = market(seed)
    after = shift_market(before, *changes, tenor=tenor, decay=decay).surface
    moved = words_at(after, tenor) - words_at(before, tenor)
    atm = shift_market(before, changes[0], tenor=tenor, decay=decay).surface
    slope = changes[3] + (words_at(atm, tenor) - words_at(before, tenor))[3]
    assert moved == pytest.approx([*changes[:3], slope], abs=1e-11)
    assert va.check(after).ok


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), st.integers(0, 2**35 - 1), st.sampled_from(DECAYS))
def test_a_hole_changes_no_other_cell(seed: int, holes: int, decay: str) -> None:
    before = market(seed)
    kept = np.array([holes >> i & 1 for i in range(35)], dtype=bool).reshape(7, 5)
    whole = shift_market(before, 0.01, 0.002, 0.001, 0.002, decay=decay)
    if not kept.any():
        return
    punched = shift_market(
        before.replace(np.where(kept, before.vols, np.nan)), 0.01, 0.002, 0.001, 0.002, decay=decay
    ).surface
    assert np.array_equal(np.isfinite(punched.vols), kept)
    if whole.further < 1e-9:
        assert np.array_equal(punched.vols[kept], whole.surface.vols[kept])


def test_decays_over_the_tenors() -> None:
    before = market(3)
    moved = shift_market(before, 0.01, tenor="3M", decay="sqrt").surface.vols - before.vols
    assert moved[2] == pytest.approx(0.01, abs=1e-12) and moved[4] == pytest.approx(0.005, abs=1e-12)
    assert decayed(YEARS, YEARS[2], "short end") == pytest.approx([1, 1, 1, 0.5, 0.25, 0.125, 0.05])


@pytest.mark.parametrize("size", [0.15, 0.01, -0.02])
def test_an_event_at_the_short_end_leaves_later_forward_variances(size: float) -> None:
    before = va.Surface(np.full((7, 5), 0.1), TENORS, deltas=DELTAS)
    after = shift_market(before, size, tenor="3M", decay="short end").surface.vols
    assert after[:3] == pytest.approx(0.1 + size)
    forward = np.diff(after[2:, 2] ** 2 * YEARS[2:]) / np.diff(YEARS[2:])
    assert forward == pytest.approx(0.1**2)


def test_sticky_strikes_move_the_risk_reversal_with_the_slope_of_the_smile() -> None:
    before = market(1)
    change = {
        wings: (shift_market(before, 0.02, wings=wings).surface.vols - before.vols)[4] for wings in WINGS
    }
    assert change["sticky delta"] == pytest.approx(0.02, abs=1e-12)
    assert np.ptp(change["sticky strike"]) > 5 * BP


def test_a_butterfly_leaves_atm_and_moves_the_wings_alike() -> None:
    odd, even = smile_shapes(np.array(DELTAS))
    assert odd[[1, 2, 3]] == pytest.approx([-0.5, 0, 0.5]) and even[[1, 2, 3]] == pytest.approx([1, 0, 1])
    assert 3 < even[0] < 4 and even[0] == pytest.approx(even[4])
    far = smile_shapes(np.array([1e-6]))[1][0]
    assert far < (np.sqrt(2) * 3.36 / 0.6745) ** 2  # straight, not a parabola


def test_the_wings_give_way_to_what_was_asked() -> None:
    deltas = [0.95, 0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1, 0.05]
    before = va.Surface(np.full((3, 9), 0.1), ["1M", "3M", "1Y"], deltas=deltas)
    done = shift_market(before, dbf=-0.006)
    assert done.further > BP and va.check(done.surface).ok
    moved = words_at(done.surface, "1M") - words_at(before, "1M")
    assert moved == pytest.approx([0, 0, -0.006, 0], abs=1e-11)


def test_what_cannot_be_is_refused_by_name() -> None:
    before = market()
    with pytest.raises(UnitsError, match="datm is 1, 100 vol points"):
        shift_market(before, 1)
    with pytest.raises(InputError, match="drr is nan"):
        shift_market(before, 0, float("nan"))
    with pytest.raises(InputError, match="tenor is 4M; expected one of the grid's, 1W, 1M"):
        shift_market(before, 0.01, tenor="4M")
    with pytest.raises(LabelError):
        shift_market(before, 0.01, tenor="soon")
    with pytest.raises(InputError, match="decay is 'fast'; expected one of parallel"):
        shift_market(before, 0.01, decay="fast")
    with pytest.raises(InfeasibleError, match="above 0"):
        shift_market(before, -0.9)
    with pytest.raises(
        InfeasibleError, match=r"no surface without arbitrage was found with atm .*, bf -0\.0"
    ):
        shift_market(before, 0, 0, -0.06)
    with pytest.raises(InputError, match="no quote"):
        shift_market(before.replace(before.vols * np.nan), 0.01)
    with pytest.raises(InputError, match="columns are strikes"):
        shift_market(va.Surface([[0.2, 0.2]], ["1M"], moneyness=[0, 0.1]), 0.01)
    with pytest.raises(InputError, match="one tenor"):
        shift_market(va.Surface([[0.2, 0.2]], ["1M"], deltas=[0.5, 0.25]), 0, 0, 0, 0.01)
