"""Generated surfaces: exactly the features asked for, on any grid, without arbitrage, or refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.generator import Generator, load
from voladdin.errors import BundleError, InfeasibleError, InputError, LabelError, UnitsError
from voladdin.feature_map import NAMES
from voladdin.generation import latents
from voladdin.generation.axes import along, frame_moneyness, frame_tenors, trained_span
from voladdin.generation.generating import frame_of

CALM = (0.2, -0.1, 0.3, 0.02)


@pytest.fixture(scope="module")
def model() -> Generator:
    return load()


def inside(model: Generator, count: int, seed: int = 0) -> np.ndarray:
    """[count, 4] features in the trained hull: blends of its vertices."""
    rng = np.random.default_rng(seed)
    vertices = model.arrays["hull_vertices"]
    return np.einsum(
        "bk,bkf->bf",
        rng.dirichlet(np.ones(6), count),
        vertices[rng.integers(len(vertices), size=(count, 6))],
    )


def error(made: va.Generation) -> float:
    """Largest difference of the features of the surfaces from those asked for."""
    found = np.stack([va.features(made.surface(i)).values for i in range(len(made))])
    return float(np.abs(found - made.features).max())


def axis(low: float, high: float, least: int) -> st.SearchStrategy[list[float]]:
    """`least` to 12 increasing values, at least a third of an even step apart."""
    return st.integers(least, 12).flatmap(
        lambda n: st.lists(st.floats(0, 0.66), min_size=n, max_size=n).map(
            lambda parts: [low + (high - low) * (k + part) / n for k, part in enumerate(parts)]
        )
    )


# Features


def test_one_surface_on_the_trained_grid(model: Generator) -> None:
    made = va.generate(*CALM)
    surface = made.surface()
    assert len(made) == 1 and surface.shape == (28, 28)
    assert made.in_hull[0] and not made.repaired[0] and not made.latent.any()
    assert error(made) < 1e-12 and va.check(surface).ok
    assert np.array_equal(surface.tenors, model.tenors) and np.array_equal(made.moneyness, model.moneyness)


def test_ten_thousand_in_the_hull(model: Generator) -> None:
    targets = inside(model, 10_000)
    made = va.generate(*targets.T, seed=1)
    weights = model.arrays["weights"]
    found = made.vols.reshape(len(made), -1) @ weights.T
    assert np.abs(found - targets).max() < 1e-10
    assert made.in_hull.all() and not made.repaired.any()
    assert arbitrage_free(Rectangle(made.tenors, made.moneyness), made.vols).all()


def test_what_z_says_leaves_the_features(model: Generator) -> None:
    steps = np.array([s * np.eye(model.latent_size)[k] for s in (-8, 8) for k in range(model.latent_size)])
    frame = frame_of(model, None, None)
    targets = np.tile(CALM, (len(steps), 1))
    vols = frame.vols(targets, model.decode(targets, steps))
    found = vols.reshape(len(vols), -1) @ frame.weights.T
    assert np.abs(found - targets).max() < 1e-10
    assert np.ptp(vols, axis=0).max() > 1e-4  # and it says something


@settings(max_examples=30, deadline=None)
@given(axis(0.051, 0.649, 2), axis(-0.32, 0.32, 3), st.integers(0, 10_000))
def test_any_grid_within_reach_has_exactly_the_features(
    tenors: list[float], moneyness: list[float], seed: int
) -> None:
    targets = inside(load(), 5, seed)
    made = va.generate(*targets.T, seed=seed, tenors=tenors, moneyness=moneyness)
    assert error(made) < 1e-10
    assert all(va.check(made.surface(i)).ok for i in range(len(made)))


def test_other_grids_are_the_same_surface() -> None:
    """Between the nodes it is smooth: a coarser grid reads off the finer one, but for its own features."""
    fine = va.generate(*CALM, scenario=3)
    coarse = va.generate(*CALM, scenario=3, tenors=fine.tenors[::3], moneyness=fine.moneyness[::3])
    assert np.abs(coarse.vols - fine.vols[:, ::3, ::3]).max() < 5e-4


def test_the_spline_reproduces_cubics_and_goes_on_linearly() -> None:
    nodes, points = np.linspace(0, 1, 8), np.array([-0.2, 0.0, 0.33, 1.0, 1.3])
    weights = along(nodes, points)
    inner = weights @ (nodes**3 - nodes)
    assert inner[1:4] == pytest.approx((points**3 - points)[1:4], abs=1e-14)
    assert inner[[0, 4]] == pytest.approx([0.2, 0.3 * 2], abs=1e-13)
    assert along(nodes, np.full((2, 3), 0.5)).shape == (2, 3, 8)


# The residual latent


def test_scenarios_are_draws_of_their_own() -> None:
    made = va.generate(*CALM, count=4)
    assert not made.latent[0].any() and np.ptp(made.vols, axis=0).max() > 1e-4
    for number in range(4):
        assert va.generate(*CALM, scenario=number).vols[0] == pytest.approx(made.vols[number], abs=1e-7)


def test_scenarios_are_the_same_everywhere() -> None:
    expected = [[-0.5141658112314126, 1.0309111217613407, -1.0104712725037313]]
    expected += [[-0.02778828622868478, -0.4566120502781118, 1.086088407185023]]
    assert latents.of_scenarios([1, 2], 3) == pytest.approx(np.array(expected), abs=1e-12)


def test_draws_are_standard_normal_and_independent_by_key() -> None:
    draws = np.concatenate([latents.normals(latents.SEEDS, seed, (400, 5)) for seed in range(10)])
    assert np.abs(draws.mean(axis=0)).max() < 0.06 and np.abs(np.cov(draws.T) - np.eye(5)).max() < 0.08
    assert not np.array_equal(latents.normals(0, 1, (3,)), latents.normals(1, 1, (3,)))


def test_vectors_of_features_and_counts() -> None:
    made = va.generate([0.2, 0.3], -0.1, 0.3, 0.02, count=3)
    assert made.vols.shape == (6, 28, 28)
    assert made.features[:, 0].tolist() == [0.2] * 3 + [0.3] * 3
    assert np.array_equal(made.latent[:3], made.latent[3:])
    by_row = va.generate([0.2, 0.3], -0.1, 0.3, 0.02, scenario=[0, 2])
    assert np.array_equal(by_row.latent[1], va.generate(*CALM, scenario=2).latent[0])
    drawn = va.generate(*CALM, count=3, seed=5)
    assert len({row.tobytes() for row in drawn.latent}) == 3
    assert np.array_equal(drawn.vols, va.generate(*CALM, count=3, seed=5).vols)


def test_a_latent_that_is_given() -> None:
    z = np.linspace(-1, 1, 10).reshape(2, 5)
    made = va.generate(*CALM, count=2, latent=z)
    assert np.array_equal(made.latent, z)
    assert va.generate(*CALM, latent=z[1]).vols[0] == pytest.approx(made.vols[1], abs=1e-7)


# Beyond the hull


def outside(model: Generator) -> np.ndarray:
    """[n, 4] features in the ranges but outside the hull whose decoded surface has arbitrage."""
    low, high = model.ranges
    targets = low + (high - low) * latents.uniforms(9, 0, (4000, 4))
    targets = targets[~model.inside(targets)]
    frame = frame_of(model, ["1M", "3M", "6M"], [-0.2, -0.1, 0, 0.1, 0.2])
    vols = frame.vols(targets, model.decode(targets, np.zeros((len(targets), model.latent_size))))
    return targets[~arbitrage_free(frame.axes, vols)]


def test_outside_the_hull_is_repaired_or_refused(model: Generator) -> None:
    targets = outside(model)
    assert len(targets) > 20
    repaired = 0
    for target in targets[:20]:
        try:
            made = va.generate(*target, tenors=["1M", "3M", "6M"], moneyness=[-0.2, -0.1, 0, 0.1, 0.2])
        except InfeasibleError as refused:
            assert any(name in str(refused) for name in NAMES)
            continue
        repaired += 1
        assert made.repaired[0] and not made.in_hull[0] and made.moved[0] > 0
        assert error(made) < 1e-10 and va.check(made.surface()).ok
    assert repaired


@pytest.mark.parametrize("target", [(0.2, -9, 0.3, 0.02), (0.2, 0, -50, 0), (0.2, 0, 0, -300)])
def test_absurd_features_are_refused_by_name(target: tuple[float, ...]) -> None:
    with pytest.raises(InfeasibleError) as refused:
        va.generate(*target, tenors=["1M", "3M", "6M"], moneyness=[-0.2, -0.1, 0, 0.1, 0.2])
    name = NAMES[int(np.argmax(np.abs(target)))]
    assert name in str(refused.value)


@pytest.mark.parametrize(
    "target", [(0.2, -0.1, 0.3, -1.0), (0.2, -0.1, 100.0, 0.02), (0.112, -0.454, -0.21, -0.194)]
)
def test_a_surface_of_no_market_is_refused_with_what_can_be_had(target: tuple[float, ...]) -> None:
    """Without arbitrage perhaps, but half its level from what the model draws: worth nothing to a desk."""
    with pytest.raises(InfeasibleError) as refused:
        va.generate(*target)
    pattern = r"trained on, level (\S+), skew (\S+), curv (\S+), term (\S+) can be had"
    offered = re.search(pattern, str(refused.value))
    assert offered is not None
    made = va.generate(*map(float, offered.groups()))
    assert made.moved[0] == 0


def test_a_batch_names_the_surface_that_is_refused() -> None:
    with pytest.raises(InfeasibleError, match=r"surface 2 of 2: .* with level 0.2, skew -9"):
        va.generate([0.2, 0.2], [-0.1, -9], 0.3, 0.02, tenors=["1M", "6M"], moneyness=[-0.2, 0, 0.2])


# Bad input


@pytest.mark.parametrize(
    ("level", "kind", "said"),
    [
        (0, InputError, "level is 0; expected a vol above 0"),
        (-0.2, InputError, "level is -0.2"),
        (20, UnitsError, "level is 20; expected decimal such as 0.20"),
        (12.5, UnitsError, "expected decimal such as 0.12"),
        (1e6, UnitsError, "level is 1e"),
        (1e300, InputError, "at most 1e"),
        (np.nan, InputError, "level is nan"),
        ([0.2, np.nan], InputError, r"level\[1\] is nan"),
        ("0.2", InputError, "level is '0.2'"),
        (True, InputError, "level is True"),
        (None, InputError, "level is None"),
        ([], InputError, "level is empty"),
        ([[0.2]], InputError, "level is"),
        ([0.2, 0.2, 0], InputError, r"level\[2\] is 0"),
        ([0.2, 20], UnitsError, r"level\[1\] is 20"),
    ],
)
def test_bad_levels(level: object, kind: type[InputError], said: str) -> None:
    with pytest.raises(kind, match=said):
        va.generate(level, -0.1, 0.3, 0.02)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tenors": ["1W", "1M"]}, "tenors: 1W is beyond .* expected 0.05 to 0.65 years"),
        ({"tenors": ["1M", "1Y"]}, "tenors: 1Y is beyond"),
        ({"tenors": ["3M", "1M"]}, "tenors: 3M and 1M are out of order"),
        ({"tenors": []}, "tenors has 0 values"),
        ({"tenors": ["3M"]}, "cannot tell term"),
        ({"tenors": ["x"]}, "'x'"),
        ({"tenors": "1M"}, "tenors is '1M'; expected a line of them"),
        ({"model": 3}, "model is 3; expected the name of a bundle"),
        ({"moneyness": [-0.4, 0, 0.1]}, "moneyness: -0.4 is beyond .* expected -0.324 to 0.324"),
        ({"moneyness": [0, 0, 0.1]}, "out of order or the same"),
        ({"moneyness": [0.0]}, "cannot tell skew, curv"),
        ({"moneyness": ["a"]}, "moneyness is"),
        ({"moneyness": [[0.0]]}, "one line"),
        ({"moneyness": [np.nan, 0]}, "finite"),
        ({"latent": [0.0] * 4}, "latent has shape"),
        ({"latent": "z"}, "latent is 'z'"),
        ({"latent": [0.0] * 5, "seed": 1}, "latent and seed are given"),
        ({"scenario": -1}, "scenario is -1"),
        ({"scenario": 1.5}, "scenario is 1.5"),
        ({"scenario": [0, 1, 2]}, "scenario has 3 numbers"),
        ({"seed": "one"}, "seed is 'one'"),
        ({"count": 0}, "at least one surface"),
        ({"count": True}, "count is True"),
        ({"count": 10**6}, "at most 50,000,000 cells"),
    ],
)
def test_bad_options(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        va.generate(*CALM, **options)  # type: ignore[arg-type]


def test_lengths_that_differ() -> None:
    with pytest.raises(InputError, match="level 2, skew 3, curv 1, term 1"):
        va.generate([0.2, 0.3], [0, 0, 0], 0, 0)


def test_models_that_do_not_generate() -> None:
    with pytest.raises(BundleError, match="'fx'"):
        va.generate(*CALM, model="fx")
    with pytest.raises(BundleError, match="'nope' is not installed"):
        va.generate(*CALM, model="nope")


def test_axes_go_a_tenth_of_the_trained_span_beyond_it(model: Generator) -> None:
    assert trained_span(model.tenors) == pytest.approx((0.05, 0.65))
    ends = trained_span(model.moneyness)
    assert frame_moneyness(ends, model.moneyness) == pytest.approx(np.array(ends))
    with pytest.raises(LabelError):
        frame_tenors([0.0499, 0.3], model.tenors)


# Samples


def test_samples_are_reproducible_and_begin_alike() -> None:
    few, many = va.sample(7, 3), va.sample(1500, 3)
    assert np.array_equal(few.latent, many.latent[:7]) and np.array_equal(few.features, many.features[:7])
    assert few.vols == pytest.approx(many.vols[:7], abs=1e-7)
    assert not np.array_equal(few.vols, va.sample(7, 4).vols)
    assert many.in_hull.all() and not many.repaired.any()


def test_samples_are_spread_as_the_training_surfaces(model: Generator) -> None:
    made, examples = (
        va.sample(4000, 1, tenors=["1M", "6M"], moneyness=[-0.2, 0, 0.2]),
        model.arrays["examples"],
    )
    spread = examples.std(axis=0)
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        gap = np.quantile(made.features, share, axis=0) - np.quantile(examples, share, axis=0)
        assert np.abs(gap / spread).max() < 0.15
    assert np.abs(np.corrcoef(made.features.T) - np.corrcoef(examples.T)).max() < 0.05
    assert error(va.sample(20, 1, tenors=["1M", "6M"], moneyness=[-0.2, 0, 0.2])) < 1e-10


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (10**6, 1), (1, -1), (1.5, 1), ("many", 1)])
def test_bad_samples(count: int, seed: int) -> None:
    with pytest.raises(InputError):
        va.sample(count, seed)


@given(
    st.floats(0.1, 0.5),
    st.floats(-5, -1),
    st.lists(st.integers(1, 100), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 100), min_size=2, max_size=4, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_on_axes_that_nearly_coincide_features_are_exact_or_refused_by_name(
    start: float, size: float, later: list[int], wide: list[int]
) -> None:
    tenors = start + 10**size * np.array([0, *sorted(later)]) / 100
    m = 0.05 + 10**size * np.array([0, *sorted(wide)]) / 100
    try:
        made = va.generate(*CALM, tenors=tenors, moneyness=m)
    except (InfeasibleError, InputError) as error:
        assert re.search("level|skew|curv|term", str(error))
        return
    off = np.abs(va.features(made.surface()).values - CALM)
    assert off.max() <= 1e-10


def test_what_rounding_leaves_of_a_feature_is_put_right() -> None:
    made = va.generate(
        0.1758, -0.2793, 0.6055, -0.0022, tenors=[0.3722, 0.3725], moneyness=[0.049, 0.092, 0.121], seed=1
    )
    off = np.abs(va.features(made.surface()).values - [0.1758, -0.2793, 0.6055, -0.0022])
    assert off.max() <= 1e-10
