"""Generators on any axes: any of four numbers given, exactly; the rest drawn; free of arbitrage."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin import bundles
from voladdin.bundles.any_axes import SurfaceGenerator
from voladdin.errors import BundleError, InfeasibleError, InputError, LabelError, UnitsError
from voladdin.feature_map import features
from voladdin.generation.conditional import ensemble
from voladdin.generation.decoded import on_axes
from voladdin.generation.market_words import market_features, tenor_place
from voladdin.generation.wording import Wording
from voladdin.worksheet.registry import evaluate

OPEN = np.nan
BP = 1e-4
TENORS = ["ON", "1W", "1M", "3M", "1Y", "5Y", "10Y"]


def axes(kind: str) -> va.Surface:
    if kind == "deltas":
        return va.Surface(np.full((7, 5), OPEN), TENORS, deltas=["10P", "25P", "ATM", "25C", "10C"])
    m, years = np.linspace(-0.3, 0.3, 7), ["1M", "6M", "1Y", "3Y", "10Y"]
    if kind == "moneyness":
        return va.Surface(np.full((5, 7), OPEN), years, moneyness=m)
    forwards = 100 * 1.02 ** np.arange(5)
    return va.Surface(np.full((5, 7), OPEN), years, strikes=100 * np.exp(m), forwards=forwards)


KINDS = ("deltas", "moneyness", "strikes")
PAPER = {"level": (0.08, 0.3), "skew": (-0.2, 0.05), "curv": (0.05, 0.5), "term": (-0.01, 0.01)}
MARKET = {"atm": (0.06, 0.3), "rr": (-0.02, 0.01), "bf": (0.001, 0.005), "term": (-0.02, 0.02)}
NUMBERS = st.tuples(*[st.none() | st.floats(0, 1)] * 4)


def row(ranges: dict[str, tuple[float, float]], shares: tuple[float | None, ...]) -> np.ndarray:
    spans = zip(ranges.values(), shares, strict=True)
    return np.array([OPEN if share is None else low + share * (high - low) for (low, high), share in spans])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(NUMBERS, st.integers(0, 9))
def test_any_subset_of_features_is_exact_on_any_axes(
    kind: str, shares: tuple[float | None, ...], scenario: int
) -> None:
    asked = row(PAPER, shares)
    try:
        made = va.generate_on(axes(kind), asked, scenario, model="markets")
    except InfeasibleError as error:
        assert "no surface" in str(error)
        return
    found = features(made.surface(0)).values
    assert np.nanmax(np.abs(found - asked), initial=0) <= 1e-10 if np.isfinite(asked).any() else True
    assert found == pytest.approx(made.features[0], abs=1e-9)
    assert va.check(made.surface(0)).ok


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.integers(0, 9), st.sampled_from(["1M", "1Y"]), st.sampled_from(["markets", "fx"]))
def test_any_subset_of_the_market_s_words_is_exact(
    shares: tuple[float | None, ...], scenario: int, tenor: str, model: str
) -> None:
    asked, grid = row(MARKET, shares), axes("deltas")
    try:
        made = va.generate_on(grid, asked, scenario, words="market", tenor=tenor, model=model)
    except InfeasibleError as error:
        assert "no surface" in str(error)
        return
    found = market_features(made.surface(0)).values[tenor_place(grid.tenors, tenor)]
    assert np.abs(found - asked)[np.isfinite(asked)].max(initial=0) <= 1e-10
    assert va.check(made.surface(0)).ok


@pytest.mark.parametrize("kind", ["deltas", "moneyness"])
def test_scenarios_of_one_feature_are_diverse(kind: str) -> None:
    """The residual latents vary all else: the paper's point."""
    asked = np.tile([0.2, OPEN, OPEN, OPEN], (30, 1))
    vols = va.generate_on(axes(kind), asked, np.arange(30), model="markets").vols
    spread = np.median(np.abs(vols[1:] - vols[0]).max((1, 2)))
    assert spread > 100 * BP


def test_open_features_of_the_paper_s_generator() -> None:
    grid = va.Surface(np.full((3, 5), OPEN), ["1M", "3M", "6M"], moneyness=np.linspace(-0.2, 0.2, 5))
    asked = np.tile([0.35, OPEN, OPEN, OPEN], (20, 1))
    made = va.generate_on(grid, asked, np.arange(20))
    assert made.latent.shape == (20, 5) and (made.features[:, 0] == 0.35).all()
    assert made.in_hull.all() and made.features[:, 1].std() > 0.02
    assert np.median(np.abs(made.vols[1:] - made.vols[0]).max((1, 2))) > 100 * BP
    again = va.generate_on(grid, asked[:1], 7)
    assert again.vols[0] == pytest.approx(made.vols[7], abs=1e-12)
    given_all = va.generate_on(grid, np.array([[0.2, -0.1, 0.3, 0.02]]), 3)
    same = va.generate(0.2, -0.1, 0.3, 0.02, scenario=3, tenors=[*grid.tenors], moneyness=grid.moneyness)
    assert given_all.vols == pytest.approx(same.vols, abs=1e-12)


def test_the_mean_lies_amid_the_draws() -> None:
    asked = np.tile([0.1, OPEN, OPEN, OPEN], (60, 1))
    vols = va.generate_on(axes("deltas"), asked, np.arange(60), words="market", model="fx").vols
    below = (vols[1:] < vols[0]).mean(0)
    varied = vols.std(0) > 1e-9
    assert (below[varied] > 0.15).all() and (below[varied] < 0.85).all()


def test_decoded_smiles_are_the_same_function_on_deltas_and_moneyness() -> None:
    model = bundles.load("markets", SurfaceGenerator)
    logs = model.examples[:5]
    by_delta = on_axes(model, logs, axes("deltas"))
    one = axes("deltas").replace(by_delta[2])
    m = one.quoted_moneyness()
    by_m = on_axes(model, logs, va.Surface(one.vols, one.tenors, moneyness=m))[2]
    assert by_m == pytest.approx(by_delta[2], rel=1e-6)


def test_strikes_of_many_surfaces_take_no_memory_for_all_their_splines() -> None:
    model = bundles.load("markets", SurfaceGenerator)
    tenors, moneyness = np.geomspace(0.05, 3.0, 30), np.linspace(-0.5, 0.4, 60)
    grid = va.Surface(np.full((30, 60), 0.2), tenors.tolist(), moneyness=moneyness)
    one = on_axes(model, model.examples[7:8], grid)
    tracemalloc.start()
    many = on_axes(model, model.examples[:300], grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(many[7:8], one, rtol=1e-12)
    assert peak < 5 * many.nbytes


def test_the_sheet_generates_on_deltas_in_the_market_s_words() -> None:
    arguments = [0.09, "?", None, None, 2, [["1M", "6M", "1Y"]], [["10P", "25P", "ATM", "25C", "10C"]], "fx"]
    found = evaluate("VOLGENERATE", [*arguments, "market", "6M"])
    assert found[0] == ["", "10P", "25P", "ATM", "25C", "10C"] and [r[0] for r in found[1:]] == [
        "1M",
        "6M",
        "1Y",
    ]
    assert found[2][3] == pytest.approx(0.09, abs=1e-10)
    assert evaluate("VOLCHECK", [found]) == [[True]]


def test_the_sheet_generates_at_strikes_with_forwards() -> None:
    strikes = [["K=90", "K=100", "K=110"]]
    arguments = [0.2, None, None, None, None, [["1M", "1Y"]], strikes, None, None, None, [[100, 102]]]
    found = evaluate("VOLGENERATE", arguments)
    assert found[0] == ["", "K=90", "K=100", "K=110"]
    with pytest.raises(InputError, match="forwards has 3 cells; expected 1 or 2"):
        evaluate("VOLGENERATE", [*arguments[:-1], [[1, 2, 3]]])


def test_refusals() -> None:
    grid = axes("deltas")
    level = np.array([0.2, OPEN, OPEN, OPEN])
    with pytest.raises(UnitsError, match="atm is 20; expected decimal"):
        va.generate_on(grid, 100 * level, words="market")
    with pytest.raises(InputError, match="words is 'trader'"):
        va.generate_on(grid, level, words="trader")
    with pytest.raises(InputError, match="columns are strikes"):
        va.generate_on(axes("moneyness"), level, words="market")
    narrow = va.Surface(np.full((2, 2), OPEN), ["1M", "1Y"], deltas=[0.5, 0.1])
    with pytest.raises(InputError, match="cannot tell rr, bf"):
        va.generate_on(narrow, level, words="market", tenor="1Y")
    with pytest.raises(LabelError, match="tenors: 20Y is beyond"):
        va.generate_on(va.Surface(np.full((2, 3), OPEN), ["1M", "20Y"], deltas=[0.75, 0.5, 0.25]), level)
    with pytest.raises(BundleError, match="'nope' is not installed"):
        va.generate_on(grid, level, model="nope")
    with pytest.raises(BundleError, match="'universal' is for universal"):
        va.generate_on(grid, level, model="universal")
    with pytest.raises(InfeasibleError, match=r"with atm 0.1, rr 0.3; trained: atm|no surface"):
        va.generate_on(grid, np.array([0.1, 0.3, OPEN, OPEN]), words="market")


def test_the_same_axes_are_decoded_once() -> None:
    assert ensemble(axes("deltas")) is ensemble(axes("deltas"))


@pytest.mark.parametrize("words", ["paper", "market"])
def test_how_fast_the_numbers_move_with_each_vol(words: str) -> None:
    """Against differences: at deltas the strikes move with their own vols."""
    rng = np.random.default_rng(3)
    wording = Wording.of(axes("deltas"), words)
    vols = 0.2 + 0.02 * rng.normal(size=(7, 5))
    slopes = wording.at(vols)[1].reshape(4, 7, 5)
    for i, j in np.ndindex(7, 5):
        step = np.zeros((7, 5))
        step[i, j] = 1e-6
        change = (wording.at(vols + step)[0] - wording.at(vols - step)[0]) / 2e-6
        assert change == pytest.approx(slopes[:, i, j], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("scenario", [0, 1])
@pytest.mark.parametrize(
    "asked", [(OPEN, OPEN, 0.2208, OPEN), (OPEN, 0.0282, 0.323, 0.0046), (0.25, -0.12, 0.17, OPEN)]
)
def test_curvature_is_reached_on_deltas_to_ten_years(asked: tuple[float, ...], scenario: int) -> None:
    wanted, grid = np.array(asked), axes("deltas")
    made = grid.replace(va.generate_on(grid, wanted, scenario, model="markets").vols[0])
    known = np.isfinite(wanted)
    assert np.abs(features(made).values - wanted)[known].max() <= 1e-10 and va.check(made).ok
