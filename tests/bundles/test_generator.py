"""The generator: features exact by construction, its hull, training on small budgets, the shipped bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import voladdin as va
from export.generation import train
from export.generation.basis import Basis
from export.generation.hull import feature_hull, uniform_in_hull
from export.generation.network import ConditionalVae, DecoderJacobian
from export.generation.train import Config, Data, train_generator
from export.simulation.equity import MONEYNESS, TENORS, simulate_equity
from voladdin import bundles
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.generator import Generator, load
from voladdin.feature_map import NAMES, feature_weights

pytestmark = pytest.mark.torch

SMALL = Config(modes=8, width=16, steps=150, batch=64, rate=5e-3, every=50, samples=200)


@pytest.fixture(scope="module")
def data() -> Data:
    vols = np.concatenate(list(simulate_equity(400, seed=2)[0].values())).reshape(-1, 784)
    vols = vols[np.random.default_rng(0).permutation(len(vols))]
    return Data(TENORS, MONEYNESS, vols[:700], vols[700:])


@pytest.fixture(scope="module")
def basis(data: Data) -> Basis:
    return Basis.fit(data.train, feature_weights(TENORS[:, None], MONEYNESS), 12)


@pytest.fixture(scope="module")
def trained(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_generator(data, tmp_path_factory.mktemp("models") / "small", "small", SMALL, quiet=True)


@pytest.fixture(scope="module")
def equity() -> Generator:
    return load()


# ---- the linear part


def test_features_are_exact_whatever_the_coefficients(basis: Basis) -> None:
    rng = np.random.default_rng(1)
    y = basis.centre + 5 * basis.spread * rng.standard_normal((50, 4))
    vols = basis.join(y, 100 * rng.standard_normal((50, 12)))
    np.testing.assert_allclose(vols @ basis.weights.T, y, atol=1e-12)


def test_split_is_the_inverse_of_join(basis: Basis, data: Data) -> None:
    y, u = basis.split(data.held)
    again = basis.split(basis.join(y, u))
    np.testing.assert_allclose(again[0], y, atol=1e-12)
    np.testing.assert_allclose(again[1], u, atol=1e-9)


def test_modes_are_the_principal_directions_of_what_features_leave(basis: Basis, data: Data) -> None:
    """No 12 columns explain more of the training residual, and their coefficients are white."""
    y, u = basis.split(data.train)
    rest = data.train - basis.join(y, np.zeros_like(u))
    values = np.linalg.eigvalsh(np.cov(rest.T))[::-1]
    left = np.cov((rest - u @ basis.modes.T).T).trace()
    assert left == pytest.approx(values[12:].sum(), rel=1e-3)
    np.testing.assert_allclose(np.cov(u.T), np.eye(12), atol=1e-6)


def test_the_regression_is_that_of_least_squares(basis: Basis, data: Data) -> None:
    y = data.train @ basis.weights.T
    slopes = np.linalg.lstsq(y - y.mean(axis=0), data.train - basis.mean, rcond=None)[0]
    np.testing.assert_allclose(basis.gain, slopes.T, atol=1e-7)


# ---- the hull


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 2**31))
def test_the_hull_holds_mixes_of_its_points_and_nothing_beyond(features: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((60, features)) * 10.0 ** rng.integers(-3, 3, features) + 7
    hull = feature_hull(y)
    inside = uniform_in_hull(hull["hull_vertices"], 200, rng)
    assert _beyond(hull, y).max() < 1e-9 and _beyond(hull, inside).max() < 1e-9
    away = y.mean(axis=0) + 1.001 * (hull["hull_vertices"] - y.mean(axis=0))
    assert (_beyond(hull, away) > 0).all()


def _beyond(hull: dict[str, np.ndarray], y: np.ndarray) -> np.ndarray:
    scaled = (y - hull["hull_centre"]) / hull["hull_scale"]
    return (scaled @ hull["hull_equations"][:, :-1].T + hull["hull_equations"][:, -1]).max(axis=1)


def test_draws_are_uniform_in_a_triangle() -> None:
    """Of a triangle, cut at half its height, the smaller part has a quarter of the draws."""
    draws = uniform_in_hull(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), 20_000, np.random.default_rng(0))
    assert np.mean(draws[:, 1] > 1) == pytest.approx(0.25, abs=0.015)
    np.testing.assert_allclose(draws.mean(axis=0), 2 / 3, atol=0.02)


# ---- network and training


def test_the_jacobian_is_that_of_autograd() -> None:
    torch.manual_seed(0)
    vae = ConditionalVae(torch.randn(4), torch.rand(4) + 0.5, torch.rand(6), 1e-3, latent=3, width=16)
    y, z = torch.randn(5, 4), torch.randn(5, 3)
    u, slope = DecoderJacobian(vae.decoder)(y, z)
    torch.testing.assert_close(u, vae.decoder(y, z))
    for row in range(5):
        expected = torch.autograd.functional.jacobian(
            lambda at, row=row: vae.decoder(y[row : row + 1], at[None])[0], z[row]
        )
        torch.testing.assert_close(slope[row].T, expected)


def test_a_trained_bundle_decodes_with_exact_features(trained: Path, data: Data) -> None:
    model = load(trained)
    assert model.features == NAMES and model.latent_size == 5
    y, z = model.encode(data.held.reshape(-1, 28, 28))
    vols = model.vols(y, z)
    np.testing.assert_allclose(vols.reshape(len(y), -1) @ model.arrays["weights"].T, y, atol=1e-12)
    flat = model.join(y, np.zeros((len(y), 8)))
    truth = data.held.reshape(vols.shape)
    assert np.square(vols - truth).mean() < np.square(flat - truth).mean()
    assert (model.beyond(data.train @ model.arrays["weights"].T) < 1e-9).all()
    card = json.loads((trained / "card.json").read_text())
    assert card["kind"] == "generation" and card["metrics"]["largest_feature_error"] < 1e-12
    assert not (trained / "checkpoint.pt").exists()


def test_a_broken_run_goes_on_with_the_same_result(
    data: Data, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(step: int, steps: int) -> float:
        if step == 70:
            raise KeyboardInterrupt
        return schedule(step, steps)

    schedule = train._schedule
    with monkeypatch.context() as patch:
        patch.setattr(train, "_schedule", breaks)
        with pytest.raises(KeyboardInterrupt):
            train_generator(data, tmp_path / "parts", "small", SMALL, quiet=True)
    parts = train_generator(data, tmp_path / "parts", "small", SMALL, quiet=True)
    for graph in bundles.GRAPHS:
        assert (parts / f"{graph}.onnx").read_bytes() == (trained / f"{graph}.onnx").read_bytes()


@pytest.mark.parametrize("features", [("level",), ("level", "skew", "term")])
def test_the_command_trains_fewer_features_from_a_file(
    data: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    features: tuple[str, ...],
) -> None:
    vols = data.train[:200].reshape(-1, 28, 28)
    np.savez(tmp_path / "data.npz", vols=vols, tenors=TENORS, moneyness=MONEYNESS)
    command = [str(tmp_path / "data.npz"), "--output", str(tmp_path / "mine"), "--steps", "2"]
    command += ["--samples", "50", "--features"]
    assert train.main([*command, *features]) == 0
    assert "mine in" in capsys.readouterr().out
    model = load(tmp_path / "mine")
    assert model.features == features
    y = model.centre + np.zeros((3, len(features)))
    z = np.random.default_rng(0).standard_normal((3, 5))
    rows = [va.features(va.Surface(v, TENORS, moneyness=MONEYNESS)).values for v in model.vols(y, z)]
    np.testing.assert_allclose(np.array(rows)[:, [NAMES.index(name) for name in features]], y, atol=1e-12)
    assert model.inside(y).all() and not model.inside(y + 100).any()


# ---- the shipped bundle


def test_the_shipped_bundle_reaches_its_figures(equity: Generator) -> None:
    """Surfaces that it has never seen (another seed): reconstruction, and features under any latent."""
    vols = np.concatenate(list(simulate_equity(150, seed=99)[0].values()))
    y, z = equity.encode(vols)
    assert 1e4 * np.sqrt(np.square(equity.vols(y, z) - vols).mean()) < 1.5
    far = equity.vols(y, 8 * np.sign(np.random.default_rng(0).standard_normal(z.shape)))
    np.testing.assert_allclose(far.reshape(len(y), -1) @ equity.arrays["weights"].T, y, atol=1e-12)


def test_draws_in_the_hull_have_no_arbitrage(equity: Generator) -> None:
    rng = np.random.default_rng(11)
    y = uniform_in_hull(equity.arrays["hull_vertices"], 1500, rng)
    assert equity.inside(y).all()
    vols = equity.vols(y, rng.standard_normal((len(y), equity.latent_size)))
    assert arbitrage_free(Rectangle(equity.tenors, equity.moneyness), vols).all()


def test_ranges_are_those_of_the_hull(equity: Generator) -> None:
    low, high = equity.ranges
    assert 0.09 < low[0] < 0.11 and 0.49 < high[0] < 0.51
    assert (low[1:] < 0).all() and (high[1:] > 0).all()


def test_slopes_are_the_derivative_of_vols(equity: Generator) -> None:
    y = equity.centre[None]
    z = np.random.default_rng(3).standard_normal((1, equity.latent_size))
    vols, slope = equity.vols_and_slope(y, z)
    np.testing.assert_allclose(vols, equity.vols(y, z), atol=1e-8)
    step = 0.05
    for k in range(equity.latent_size):
        moved = step * np.eye(equity.latent_size)[k]
        difference = (equity.vols(y, z + moved) - equity.vols(y, z - moved)) / (2 * step)
        np.testing.assert_allclose(slope[:, k], difference, atol=2e-5)
    np.testing.assert_allclose(
        slope[0].reshape(equity.latent_size, -1) @ equity.arrays["weights"].T, 0, atol=1e-12
    )


def test_kinds_are_told_apart() -> None:
    assert {"fx", "equity"} <= set(va.names())
    assert isinstance(va.load("equity"), Generator)
    with pytest.raises(va.BundleError, match="'fx' is for imputation; expected one for generation"):
        load("fx")
    with pytest.raises(va.BundleError, match="'equity' is for generation; expected one for imputation"):
        va.impute(va.Surface([[0.1, np.nan]], ["1M"], deltas=[0.5, 0.25]), model="equity")


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    shutil.copytree(bundles.SHIPPED / "equity", tmp_path / "copy")
    card = json.loads((tmp_path / "copy" / "card.json").read_text())
    (tmp_path / "copy" / "card.json").write_text(json.dumps(card | {"kind": "hedging"}))
    with pytest.raises(va.BundleError, match="is for 'hedging'; expected one for generation or imputation"):
        va.load(tmp_path / "copy")
