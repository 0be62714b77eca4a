"""Shifts of a surface's features: exact on every axis, smooth, and free of arbitrage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from export.simulation.equity import RANGES
from export.simulation.smile import model_vols
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.errors import InfeasibleError, InputError, UnitsError
from voladdin.feature_map import NAMES, feature_weights
from voladdin.generation.delta_smiles import moved_at_strikes
from voladdin.generation.shifting import directions, shifted
from workbook.build import TENORS as DESK_TENORS
from workbook.build import YESTERDAY

TENORS = ["1W", "1M", "3M", "6M", "1Y", "2Y"]
MONEYNESS = np.linspace(-0.3, 0.3, 9)
DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
YEARS = va.Surface(np.full((6, 1), 0.2), TENORS, deltas=[0.5]).tenors


def market(seed: int, **axes: object) -> np.ndarray:
    """[6, K] vols of a Heston model drawn at random."""
    rng = np.random.default_rng(seed)
    params = {name: rng.uniform(low, high, 1) for name, (low, high) in RANGES["heston"].items()}
    return model_vols("heston", params, YEARS, **axes)[0]  # type: ignore[arg-type]


def on_moneyness(seed: int = 0) -> va.Surface:
    return va.Surface(market(seed, log_moneyness=MONEYNESS), TENORS, moneyness=MONEYNESS)


def on_deltas(seed: int = 0) -> va.Surface:
    return va.Surface(market(seed, deltas=np.array(DELTAS)), TENORS, deltas=DELTAS)


def on_strikes(seed: int = 0) -> va.Surface:
    forwards = 100 * np.exp(0.03 * YEARS)
    strikes = np.outer(forwards, np.exp(MONEYNESS))
    return va.Surface(market(seed, log_moneyness=MONEYNESS), TENORS, strikes=strikes, forwards=forwards)


def gap(before: va.Surface, after: va.Surface, changes: tuple[float, ...]) -> float:
    return float(np.abs(va.features(after).values - va.features(before).values - changes).max())


def polynomial(tenors: np.ndarray, m: np.ndarray) -> np.ndarray:
    """[T, K, 4] 1, m, m^2 / 2 and tau."""
    return np.stack([np.ones_like(m), m, m**2 / 2, np.broadcast_to(tenors[:, None], m.shape)], axis=-1)


small = st.tuples(
    st.floats(-0.03, 0.05), st.floats(-0.05, 0.05), st.floats(-0.1, 0.1), st.floats(-0.01, 0.01)
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), small, st.sampled_from([on_moneyness, on_deltas, on_strikes]))
def test_features_move_by_exactly_the_changes(seed: int, changes: tuple[float, ...], make: object) -> None:
    before = make(seed)  # type: ignore[operator]
    after = va.shift(before, *changes)
    assert gap(before, after, changes) < 1e-10
    assert va.check(after).ok


@pytest.mark.parametrize("make", [on_moneyness, on_deltas, on_strikes])
def test_axes_and_holes_stay(make: object) -> None:
    full = make(1)  # type: ignore[operator]
    vols = full.vols.copy()
    vols[1, 0] = vols[3, 2] = vols[5, -1] = np.nan
    before = full.replace(vols)
    after = va.shift(before, 0.01, -0.02, 0.05, 0.002)
    assert np.array_equal(np.isnan(after.vols), np.isnan(vols))
    assert gap(before, after, (0.01, -0.02, 0.05, 0.002)) < 1e-10
    for name in ("tenors", "deltas", "moneyness", "strikes", "forwards"):
        one, other = getattr(before, name), getattr(after, name)
        assert (one is None and other is None) or np.array_equal(one, other)


def test_no_change_is_no_change() -> None:
    before = on_deltas()
    assert np.array_equal(va.shift(before).vols, before.vols)


def test_back_and_forth() -> None:
    before = on_moneyness(2)
    changes = np.array([0.02, -0.03, 0.1, 0.004])
    back = va.shift(va.shift(before, *changes), *-changes)
    assert np.abs(back.vols - before.vols).max() < 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_the_change_is_smooth_whatever_the_surface(name: str) -> None:
    """On given strikes the change is one of four fixed functions: the residual stays as it was."""
    one, other = on_moneyness(3), on_moneyness(4)
    changes = {f"d{name}": 0.004}
    first, second = va.shift(one, **changes).vols - one.vols, va.shift(other, **changes).vols - other.vols
    assert np.abs(first - second).max() < 1e-15
    assert np.abs(np.diff(first, 2, axis=1)).max() < 2e-4  # no ripple


def test_a_term_structure_does_not_grow_without_end() -> None:
    """The polynomial takes 5 vol points off 10 years; the trained direction levels off."""
    tenors = [0.25, 0.5, 1, 2, 3, 5, 7, 10]
    m = np.log([0.6, 0.8, 0.9, 1, 1.1, 1.2, 1.5])
    before = va.Surface(np.full((8, 7), 0.2), tenors, moneyness=m)
    after, _ = shifted(before, dterm=-0.005)
    assert gap(before, after, (0, 0, 0, -0.005)) < 1e-10
    assert np.abs(after.vols - before.vols).max() < 0.02 < 0.005 * 10


def test_fewer_shifts_break_than_with_the_polynomial() -> None:
    tenors = np.array([0.25, 0.5, 1, 2, 3, 5, 7, 10])
    m = np.log([0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.5])
    rng = np.random.default_rng(0)
    params = {name: rng.uniform(low, high, 150) for name, (low, high) in RANGES["heston"].items()}
    vols = model_vols("heston", params, tenors, log_moneyness=m)
    vols = vols[arbitrage_free(Rectangle(tenors, m), vols)]
    at = np.broadcast_to(m, vols.shape[1:])
    raw = directions(tenors, at)
    weights = va.features(va.Surface(vols[0], tenors, moneyness=m)).weights
    ours, plain = raw @ np.linalg.inv(np.tensordot(weights, raw, 2)), polynomial(tenors, at)
    broken = np.zeros(2)
    for change in ([0, 0.1, 0, 0], [0, -0.1, 0, 0], [0, 0, 0.3, 0], [0, 0, -0.3, 0], [0, 0, 0, -0.05]):
        broken += [
            (~arbitrage_free(Rectangle(tenors, m), vols + d @ np.array(change))).sum() for d in (ours, plain)
        ]
    assert 4 * broken[0] < broken[1]


@pytest.mark.parametrize("tenors", [YEARS, np.array([0.05, 0.1, 0.2])])
def test_at_the_anchor_the_directions_have_the_features_they_move(tenors: np.ndarray) -> None:
    near = 1e-3 * tenors
    m = np.broadcast_to(1e-3 * MONEYNESS, (len(tenors), len(MONEYNESS)))
    weights = feature_weights(near[:, None], m)
    found = directions(near, m).reshape(-1, 4)
    assert weights @ found == pytest.approx(np.eye(4), abs=1e-2)


def test_a_change_of_level_is_parallel_at_given_strikes() -> None:
    before = on_strikes()
    assert va.shift(before, 0.01).vols - before.vols == pytest.approx(np.full(before.shape, 0.01), abs=1e-12)


def test_a_currency_pair_moves_as_a_desk_expects() -> None:
    """One vol point more on deltas: about one more at the money of each tenor, and never two anywhere."""
    desk = va.Surface(np.array(YESTERDAY) / 100, list(DESK_TENORS), deltas=DELTAS)
    after, further = shifted(desk, dlevel=0.01)
    assert further == 0
    assert gap(desk, after, (0.01, 0, 0, 0)) < 1e-10
    change = after.vols - desk.vols
    assert np.abs(change[:, 2] - 0.01).max() < 0.001
    assert np.ptp(change[:, 2]) < 0.0005  # in parallel
    assert change.min() > 0.009 and change.max() < 0.015


def test_one_smile_on_deltas_moves_with_its_strikes() -> None:
    """Moved vol by vol it would lose its curvature, and what gives it back would have arbitrage."""
    smile = va.Surface([[0.095, 0.085, 0.08, 0.082, 0.09]], ["1W"], deltas=DELTAS)
    after, further = shifted(smile, dlevel=0.01)
    assert further == 0 and va.check(after).ok
    assert (va.features(after).values - va.features(smile).values)[:3] == pytest.approx(
        [0.01, 0, 0], abs=1e-10
    )
    assert after.vols[0, 2] - 0.08 == pytest.approx(0.01, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.floats(-0.02, 0.05), st.floats(-0.2, 0.2))
def test_deltas_are_read_off_where_the_strikes_are(seed: int, up: float, tilt: float) -> None:
    """A smile that is straight in ln(K/F) is known between its quotes and beyond them."""
    rng = np.random.default_rng(seed)
    slope = rng.uniform(-0.3, 0.3)
    flat = va.Surface(np.full((2, 5), 0.2), ["1M", "6M"], deltas=DELTAS)
    line = moved_at_strikes(flat, lambda m: slope * m)
    assert line == pytest.approx(0.2 + slope * flat.replace(line).quoted_moneyness(), abs=1e-11)
    after = moved_at_strikes(flat.replace(line), lambda m: up + tilt * m)
    m = flat.replace(after).quoted_moneyness()
    assert after == pytest.approx(0.2 + slope * m + up + tilt * m, abs=1e-11)


@pytest.mark.parametrize(
    "tenors", [["ON", "1W", "2W", "3W"], ["1Y", "2Y", "5Y", "10Y"], ["5Y", "10Y", "30Y"]]
)
def test_grids_that_the_model_never_saw_can_be_moved(tenors: list[str]) -> None:
    years = va.Surface(np.full((len(tenors), 1), 0.2), tenors, deltas=[0.5]).tenors
    m = np.outer(np.sqrt(years), [-0.3, -0.1, 0.0, 0.1, 0.3])
    before = va.Surface(np.full(m.shape, 0.2), tenors, moneyness=m)
    changes = (0.01, -0.002, 0.001, 0.0005)
    after = va.shift(before, *changes)
    assert gap(before, after, changes) < 1e-10 and va.check(after).ok


def test_where_the_directions_cannot_be_told_apart_the_polynomial_does() -> None:
    m = np.array([-1.2, -0.9, -0.6, -0.4])
    before = va.Surface(np.tile(0.2 - 0.05 * m, (3, 1)), ["3M", "6M", "9M"], moneyness=m)
    after = va.shift(before, 0.01, 0.0, 0.01)
    assert gap(before, after, (0.01, 0.0, 0.01, 0.0)) < 1e-10
    assert np.abs(after.vols - before.vols).max() < 0.05


# Arbitrage


def test_a_shift_that_breaks_is_repaired_with_the_features() -> None:
    """Steeply falling vols, moved down: total variance would fall."""
    falling = np.array([[0.5], [0.33], [0.255], [0.21]]) + 0.1 * np.array([-0.2, -0.1, 0, 0.1, 0.2]) ** 2
    before = va.Surface(falling, [0.1, 0.25, 0.45, 0.7], moneyness=[-0.2, -0.1, 0, 0.1, 0.2])
    assert va.check(before).ok
    changes = (-0.06, 0.0, 0.0, 0.0)
    after, further = shifted(before, *changes)
    assert further > 0
    assert va.check(after).ok and gap(before, after, changes) < 1e-10


def test_a_surface_with_arbitrage_comes_back_without() -> None:
    vols = on_moneyness(5).vols.copy()
    vols[2, 4] *= 0.5
    before = on_moneyness(5).replace(vols)
    assert not va.check(before).ok
    after, further = shifted(before, 0.005)
    assert further > 0 and va.check(after).ok and gap(before, after, (0.005, 0, 0, 0)) < 1e-10


@pytest.mark.parametrize("holes", [False, True])
def test_a_delta_grid_that_breaks_is_repaired_with_the_features(holes: bool) -> None:
    falling = np.array([[0.5], [0.33], [0.255], [0.21]]) + np.array([0.02, 0.005, 0, 0.002, 0.01])
    if holes:
        falling[0, 0] = falling[2, 3] = np.nan
    before = va.Surface(falling, [0.1, 0.25, 0.45, 0.7], deltas=DELTAS)
    assert va.check(before).ok
    changes = (-0.06, 0.0, 0.0, 0.0)
    after, further = shifted(before, *changes)
    assert further > 0 and va.check(after).ok and gap(before, after, changes) < 1e-10
    assert np.array_equal(np.isnan(after.vols), np.isnan(falling))


@pytest.mark.parametrize("make", [on_moneyness, on_deltas, on_strikes])
def test_impossible_shifts_are_refused(make: object) -> None:
    with pytest.raises(InfeasibleError, match="curv -"):
        va.shift(make(0), dcurv=-30.0)  # type: ignore[operator]
    with pytest.raises(InfeasibleError, match=r"level 10\.01; the nearest"):
        va.shift(va.Surface(np.full((2, 3), 10.0), ["1M", "1Y"], moneyness=[-0.1, 0, 0.1]), 0.01)
    with pytest.raises(InfeasibleError, match="leaves it above 0"):
        va.shift(make(0), dlevel=-0.9)  # type: ignore[operator]


# Bad input


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"dlevel": 1}, UnitsError, "dlevel is 1, 100 vol points; expected a decimal"),
        ({"dlevel": -5.0}, UnitsError, "dlevel is -5"),
        ({"dskew": "x"}, InputError, "dskew is 'x'"),
        ({"dcurv": np.nan}, InputError, "dcurv is nan"),
        ({"dterm": True}, InputError, "dterm is True"),
    ],
)
def test_bad_changes(changes: dict[str, object], kind: type[InputError], said: str) -> None:
    with pytest.raises(kind, match=said):
        va.shift(on_moneyness(), **changes)  # type: ignore[arg-type]


def test_what_the_grid_cannot_tell_cannot_be_moved() -> None:
    one_tenor = va.Surface([[0.21, 0.2, 0.195]], ["3M"], moneyness=[-0.1, 0, 0.1])
    with pytest.raises(InputError, match="cannot tell the term"):
        va.shift(one_tenor, dterm=0.01)
    after = va.shift(one_tenor, 0.01, -0.02)
    assert va.features(after).values[:3] - va.features(one_tenor).values[:3] == pytest.approx(
        [0.01, -0.02, 0], abs=1e-10
    )
    with pytest.raises(InputError, match="no quote"):
        va.shift(va.Surface([[np.nan]], ["3M"], deltas=[0.5]), 0.01)
    with pytest.raises(InputError, match=r"expected a voladdin.Surface"):
        va.shift([[0.2]], 0.01)  # type: ignore[arg-type]
