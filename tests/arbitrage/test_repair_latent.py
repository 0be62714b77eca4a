"""Latent repair: its derivative, what it keeps, and that it may fail."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from export.bench.repair import latent_repairs as bench
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.repair import repair
from voladdin.arbitrage.repair.latent_repair import _Loss, repaired
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.generator import Generator, load
from voladdin.errors import InfeasibleError
from voladdin.feature_map import features


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load()


@pytest.fixture(scope="module")
def extreme(generator: Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, latents and vols of surfaces with arbitrage: features in the trained ranges, z normal."""
    rng = np.random.default_rng(0)
    y = rng.uniform(*generator.ranges, (1500, 4))
    z = rng.standard_normal((1500, generator.latent_size))
    vols = generator.vols(y, z)
    axes = Rectangle(generator.tenors, generator.moneyness)
    bad = ~arbitrage_free(axes, vols) & (vols > 0.01).all(axis=(1, 2))
    assert bad.sum() > 10
    return y[bad], z[bad], vols[bad]


def surface(generator: Generator, vols: np.ndarray) -> va.Surface:
    return va.Surface(vols, generator.tenors, moneyness=generator.moneyness)


def test_the_loss_has_the_derivative_it_says(generator: Generator, extreme: tuple[np.ndarray, ...]) -> None:
    y, z, vols = (part[0] for part in extreme)
    loss = _Loss(generator, y, vols.ravel())
    z = z + 0.5
    size = 1e-2
    for weight in (0.0, 1e4):
        value, slope = loss(z, weight)
        steps = size * np.eye(len(z))
        expected = [(loss(z + s, weight)[0] - loss(z - s, weight)[0]) / (2 * size) for s in steps]
        assert value > 0
        assert slope == pytest.approx(expected, abs=0.02 * np.abs(slope).max())


def test_some_are_repaired_and_all_that_are_keep_their_features(
    generator: Generator, extreme: tuple[np.ndarray, ...]
) -> None:
    done = 0
    for y, z, vols in zip(*(part[:10] for part in extreme), strict=True):
        new = repaired(generator, y, vols, z)
        if new is not None:
            done += 1
            assert va.check(surface(generator, new)).ok
            assert np.abs(generator.split(new[None])[0][0] - y).max() < 1e-10
    assert done > 0


def test_as_a_method_it_repairs_or_says_that_it_cannot(
    generator: Generator, extreme: tuple[np.ndarray, ...]
) -> None:
    outcomes = set()
    for vols in extreme[2][:10]:
        before = surface(generator, vols)
        try:
            found = repair(before, method="latent", keep_features=True)
        except InfeasibleError as error:
            assert "no z was found" in str(error)
            outcomes.add("failed")
            continue
        outcomes.add("repaired")
        assert found.ok and found.method == "latent" and "latent" in found.message
        assert np.abs(features(found.surface).values - features(before).values).max() < 1e-10
    assert "repaired" in outcomes


@pytest.mark.parametrize("case", ["other grid", "hole", "fixed"])
def test_it_says_what_it_needs(generator: Generator, extreme: tuple[np.ndarray, ...], case: str) -> None:
    vols = extreme[2][0].copy()
    fixed = np.zeros(vols.shape, dtype=bool)
    if case == "hole":
        vols[3, 3] = np.nan
    fixed[0, 0] = case == "fixed"
    axis = generator.moneyness + (0.01 if case == "other grid" else 0.0)
    before = va.Surface(vols, generator.tenors, moneyness=axis)
    assert not va.check(before).ok
    with pytest.raises(InfeasibleError, match="needs a full 28 x 28 grid of model 'equity'"):
        repair(before, method="latent", fixed=fixed)


def test_the_bench_counts_both_repairs(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(60)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 * len(bench.SETTINGS)
    assert all(line.split()[2] == "100.0%" for line in lines if "features kept" in line)
