"""Train the generator of surfaces; reads from top to bottom.

    python -m export.simulation.equity DATA.npz
    python -m export.generation DATA.npz --output voladdin/models/equity

1. Features y = P x of the training surfaces, the linear part that makes them exact, and the modes (`basis`).
2. A conditional VAE of the mode coefficients given the features (`network`), with checkpoints; a broken run
   goes on where it was, with the same result.
3. The hull of the training features (`hull`).
4. ONNX, with parity; what the card says is measured on the graphs that ship.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from voladdin._typing import FloatArray
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.bundles.generator import Generator
from voladdin.feature_map import NAMES, feature_weights

from ..bundle_writer import write_files
from ..onnx_export import export_modules
from .basis import Basis
from .hull import feature_hull, uniform_in_hull
from .network import ConditionalVae, DecoderJacobian

OUTPUTS = {"encoder": ["mean", "spread"], "decoder": ["u"], "decoder_jacobian": ["u", "slope"]}
WARM_UP, CLIP = 200, 50.0
PARITY = 1e-4  # of a mode's deviation: below 0.003 bp of vol
EXAMPLES = 2048


@dataclass(frozen=True)
class Config:
    """Training choices; the defaults are those of the shipped bundle."""

    features: tuple[str, ...] = NAMES
    modes: int = 24
    latent: int = 5
    width: int = 128
    floor: float = 3e-5  # least noise of a mode, in vol: with a tenth of it draws z ~ N(0, I) miss the data
    steps: int = 25_000
    batch: int = 512
    rate: float = 2e-3
    every: int = 2000
    held: float = 0.05  # share of the surfaces that is held out
    samples: int = 60_000  # drawn in the hull for the card
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """Surfaces to learn and held-out ones, [n, N], on the grid of tenors [T] and log-moneyness [K]."""

    tenors: FloatArray
    moneyness: FloatArray
    train: FloatArray
    held: FloatArray

    @classmethod
    def read(cls, path: Path, config: Config) -> Data:
        """From an .npz of vols [n, T, K], tenors and moneyness."""
        with np.load(path) as stored:
            vols = stored["vols"].reshape(len(stored["vols"]), -1)
            order = np.random.default_rng(config.seed).permutation(len(vols))
            cut = len(vols) - max(1, round(config.held * len(vols)))
            return cls(stored["tenors"], stored["moneyness"], vols[order[:cut]], vols[order[cut:]])


def train_generator(
    data: Data, folder: Path, name: str, config: Config | None = None, *, quiet: bool = False
) -> Path:
    """Train on `data`, write the bundle into `folder` and return it; resumes from `folder`/checkpoint.pt."""
    config = config or Config()
    control = np.array([NAMES.index(feature) for feature in config.features])
    weights = feature_weights(data.tenors[:, None], data.moneyness)[control]
    basis = Basis.fit(data.train, weights, config.modes)
    vae, latents = _fit(basis, data.train, folder, config, quiet=quiet)
    graphs, parity = _graphs(vae, basis, data.held[:257])
    arrays = {
        "tenors": data.tenors,
        "moneyness": data.moneyness,
        "control": control,
        **{key: getattr(basis, key) for key in ("mean", "centre", "weights", "gain", "modes")},
        **feature_hull(data.train @ weights.T),
        "latent_std": latents.std(axis=0),
        "examples": data.train[:EXAMPLES] @ weights.T,  # the surfaces are in random order
    }
    generator = Generator({"name": name}, "", arrays, graphs)
    training = {**asdict(config), "surfaces": len(data.train), "parity": parity}
    card = _card(generator, training, measure(generator, data.held, config))
    written = write_files(folder, name, Generator, arrays, graphs, card)
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    return written


def _card(generator: Generator, training: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    return {
        "grid": {
            "tenors_years": generator.tenors.round(6).tolist(),
            "log_moneyness": generator.moneyness.round(6).tolist(),
        },
        "units": "decimal vols; ln(K/F); tenors in years; features as voladdin.feature_map has them",
        "features": list(generator.features),
        "training": {"data": "simulated Heston and SABR, see export.simulation.equity", **training},
        "metrics": metrics,
    }


def _fit(
    basis: Basis, vols: FloatArray, folder: Path, config: Config, *, quiet: bool
) -> tuple[ConditionalVae, FloatArray]:
    """The trained network, and the mean latents [n, E] of the training surfaces."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(1)
    y, u = map(_tensor, basis.split(vols))
    scale = _tensor(np.sqrt((basis.modes**2).mean(axis=0)))
    vae = ConditionalVae(
        _tensor(basis.centre), _tensor(basis.spread), scale, config.floor, config.latent, config.width
    )
    optimiser = torch.optim.Adam(vae.parameters(), config.rate, fused=True)
    identity = {**asdict(config), "data": float(vols.sum())}
    folder.mkdir(parents=True, exist_ok=True)
    first = _resume(folder / "checkpoint.pt", identity, vae, optimiser)
    with tqdm(total=config.steps, initial=first, disable=quiet, unit="step", file=sys.stderr) as progress:
        for step in range(first, config.steps):
            generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
            rows = torch.randint(len(y), (config.batch,), generator=generator)
            draw = torch.randn(config.batch, config.latent, generator=generator)
            optimiser.param_groups[0]["lr"] = config.rate * _schedule(step, config.steps)
            loss = vae.loss(y[rows], u[rows], draw).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), CLIP)
            optimiser.step()
            progress.update()
            if (step + 1) % config.every == 0:
                progress.set_postfix(loss=f"{loss.item():.2f}")
                _save(folder / "checkpoint.pt", identity, vae, optimiser, step + 1)
    vae.eval()
    with torch.no_grad():
        return vae, vae.encoder(y, u)[0].numpy().astype(float)


def _resume(
    checkpoint: Path, identity: dict[str, Any], vae: ConditionalVae, optimiser: torch.optim.Optimizer
) -> int:
    """The step to go on from: that of the checkpoint where it is of the same run."""
    stored: dict[str, Any] = {"identity": None}
    if checkpoint.is_file():
        stored = torch.load(checkpoint, weights_only=True)
    if stored["identity"] != identity:
        return 0
    vae.load_state_dict(stored["vae"])
    optimiser.load_state_dict(stored["optimiser"])
    return int(stored["step"])


def _save(
    checkpoint: Path, identity: dict[str, Any], vae: nn.Module, optimiser: torch.optim.Optimizer, step: int
) -> None:
    """Write the checkpoint beside the old one, then replace that."""
    state = {"vae": vae.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    torch.save(state | {"identity": identity}, checkpoint.with_suffix(".new"))
    checkpoint.with_suffix(".new").replace(checkpoint)


def _schedule(step: int, steps: int) -> float:
    """Warm-up, then cosine decay to 0.2%."""
    return min(1.0, (step + 1) / WARM_UP) * (0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _tensor(array: FloatArray) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)


def _graphs(vae: ConditionalVae, basis: Basis, vols: FloatArray) -> tuple[dict[str, bytes], float]:
    """The three graphs, and their largest difference from PyTorch at these surfaces."""
    y, u = map(_tensor, basis.split(vols))
    with torch.no_grad():
        z = vae.encoder(y, u)[0]
    modules = {
        "encoder": (vae.encoder, {"y": y, "u": u}),
        "decoder": (vae.decoder, {"y": y, "z": z}),
        "decoder_jacobian": (DecoderJacobian(vae.decoder), {"y": y, "z": z}),
    }
    return export_modules(modules, OUTPUTS, PARITY)


def measure(generator: Generator, held: FloatArray, config: Config) -> dict[str, float]:
    """What the graphs that ship do: held-out surfaces through encoder and decoder, and draws in the hull."""
    rng = np.random.default_rng(config.seed)
    grid = generator.tenors, generator.moneyness
    truth = held.reshape(-1, *map(len, grid))
    y, z = generator.encode(truth)
    errors = 1e4 * (generator.vols(y, z) - truth)
    truncated = 1e4 * (generator.join(*generator.split(truth)) - truth)
    y = uniform_in_hull(generator.arrays["hull_vertices"], config.samples, rng)
    drawn = generator.vols(y, rng.standard_normal((len(y), config.latent)))
    features = drawn.reshape(len(y), -1) @ generator.arrays["weights"].T
    return {
        "held_out_surfaces": len(truth),
        "reconstruction_rmse_bp": float(np.sqrt((errors**2).mean())),
        "reconstruction_largest_bp": float(np.abs(errors).max()),
        "modes_rmse_bp": float(np.sqrt((truncated**2).mean())),
        "hull_samples": len(y),
        "hull_samples_with_arbitrage": int((~arbitrage_free(Rectangle(*grid), drawn)).sum()),
        "largest_feature_error": float(np.abs(features - y).max()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m export.generation`."""
    parser = argparse.ArgumentParser(
        prog="python -m export.generation", description="Train a generator of surfaces on simulated ones."
    )
    parser.add_argument("data", type=Path, help=".npz of python -m export.simulation.equity")
    parser.add_argument(
        "--output", type=Path, required=True, help="the bundle's folder; its name is the model's"
    )
    parser.add_argument("--features", nargs="+", choices=NAMES, default=NAMES, help="those to control")
    parser.add_argument("--steps", type=int, default=Config.steps)
    parser.add_argument("--samples", type=int, default=Config.samples, help="draws in the hull for the card")
    parser.add_argument("--seed", type=int, default=Config.seed)
    options = parser.parse_args(argv)
    config = Config(
        features=tuple(options.features), steps=options.steps, samples=options.samples, seed=options.seed
    )
    folder = train_generator(Data.read(options.data, config), options.output, options.output.name, config)
    print(f"{options.output.name} in {folder}")
    return 0
