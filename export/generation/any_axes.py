"""Train a generator on any tenors and deltas: `voladdin train --generator`.

    voladdin train --generator HISTORY --name mydesk
    voladdin train --generator --markets POOL --output voladdin/models/markets

1. Log vols of many surfaces on one grid of tenors x deltas: simulated families, or a history's days with the
   nodes that it never quoted filled by an extension that the market simulator gives.
2. Principal modes u of them, of unit variance, and a VAE u = mu(z) + noise, its noise learned by mode.
3. The codes of training surfaces, whose smoothed bootstrap is the prior (Ghosh and others 2020, ex-post
   density), so that draws are like the data whatever the divergence term left.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.simulation.markets import FAMILIES, TABLED, draw_truth
from export.simulation.markets.grids import moneyness_at_deltas
from voladdin import bundles
from voladdin._typing import FloatArray
from voladdin.bundles.any_axes import SurfaceGenerator
from voladdin.home import folder as home_folder
from voladdin.imputation.history.observation import GridExtension
from voladdin.imputation.model import Bundle
from voladdin.surface import MAX_VOL

from ..bundle_writer import write_files
from ..history import Days, read_history
from ..imputation.density import complete
from ..imputation.extension import fit_extension
from ..onnx_export import export_modules
from .network import Trunk

TENORS = np.array(
    [1 / 365, 7 / 365, 14 / 365, 1 / 12, 1 / 6, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0]
)
DELTAS = np.array([0.02, 0.05, 0.1, 0.175, 0.25, 0.35, 0.5, 0.65, 0.75, 0.825, 0.9, 0.95, 0.98])
EXAMPLES = 2048
PARITY = 1e-4
_SPANNED = 1e-9  # variance of a mode, of the largest


@dataclass(frozen=True)
class Config:
    """Training choices."""

    modes: int = 24
    latent: int = 10
    width: int = 96
    blocks: int = 2
    steps: int = 8000
    batch: int = 256
    rate: float = 2e-3
    floor: float = 0.02  # least noise of a mode, in deviations
    each: int = 900  # surfaces of a family
    seed: int = 0


class Encoder(nn.Module):
    """u [B, U] -> mean and deviation [B, E] of z."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.trunk = Trunk(config.modes, 2 * config.latent, config.width, config.blocks)

    def forward(self, u: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = self.trunk(u).chunk(2, -1)
        return mean, F.softplus(spread) + 1e-4


class Vae(nn.Module):
    """Encoder, decoder z -> mu, and the noise of each mode."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Trunk(config.latent, config.modes, config.width, config.blocks)
        self.log_noise = nn.Parameter(torch.full((config.modes,), -1.0))
        self.floor = config.floor

    def loss(self, u: Tensor, draw: Tensor) -> Tensor:
        """[B] negative ELBO up to a constant."""
        mean, spread = self.encoder(u)
        noise = self.log_noise.exp() + self.floor
        misfit = (0.5 * ((u - self.decoder(mean + spread * draw)) / noise) ** 2 + noise.log()).sum(-1)
        loss: Tensor = misfit + (0.5 * (mean**2 + spread**2 - 1) - spread.log()).sum(-1)
        return loss


def simulated(pool: Path, config: Config) -> FloatArray:
    """[n, T * K] log vols of the families of simulated markets."""
    rng = np.random.default_rng(config.seed)
    parts = []
    for family in FAMILIES:
        truth = draw_truth(rng, family, config.each, pool if family in TABLED else None)
        years = np.broadcast_to(TENORS, (config.each, len(TENORS)))
        vols = truth.vols(years, moneyness_at_deltas(truth, years, DELTAS)).reshape(config.each, -1)
        parts.append(np.log(vols[(np.isfinite(vols) & (vols > 1e-3) & (vols < MAX_VOL / 4)).all(1)]))
    return np.concatenate(parts)


def from_history(days: Days) -> tuple[FloatArray, FloatArray, FloatArray]:
    """tenors, deltas and log vols [n, T * K] of the days, holes filled, on the grid of an extension."""
    extension = _extension(days)
    logs = complete(days.logs, np.ones(len(days)))
    return extension.tenors, extension.deltas, logs @ extension.matrix.T + extension.offset


def _extension(days: Days) -> GridExtension:
    """That of the shipped history model where it is of the same nodes, which spares the simulation."""
    shipped = bundles.load("fx", Bundle)
    grid = shipped.card["grid"]
    same = (
        grid["tenors_years"] == days.tenors.round(6).tolist() and grid["call_deltas"] == days.deltas.tolist()
    )
    return shipped.extension if same else fit_extension(days.tenors, days.deltas)[0]


def train(
    tenors: FloatArray, deltas: FloatArray, logs: FloatArray, folder: Path, name: str, config: Config
) -> Path:
    """Writes the bundle into `folder`. logs: [n, T * K]; of at most as many modes as they have."""
    mean = logs.mean(0)
    values, vectors = np.linalg.eigh(np.cov(logs.T))
    config = replace(config, modes=min(config.modes, int((values > _SPANNED * values[-1]).sum())))
    top = slice(-1, -config.modes - 1, -1)
    modes = vectors[:, top] * np.sqrt(values[top])
    u = torch.tensor((logs - mean) @ vectors[:, top] / np.sqrt(values[top]), dtype=torch.float32)
    vae = _fit(u, config)
    with torch.no_grad():
        codes, spread = (part.numpy().astype(float) for part in vae.encoder(u))
        back = mean + vae.decoder(torch.tensor(codes, dtype=torch.float32)).numpy() @ modes.T
    picked = np.random.default_rng(config.seed).permutation(len(u))[:EXAMPLES]
    inputs = {"z": torch.tensor(codes[:257]).float()}
    graphs, parity = export_modules({"decoder": (vae.decoder, inputs)}, {"decoder": ["u"]}, PARITY)
    arrays = {"tenors": tenors, "deltas": deltas, "mean": mean, "modes": modes}
    arrays |= {"codes": codes[picked], "spread": spread[picked]}
    card = {
        "grid": {"tenors_years": tenors.round(6).tolist(), "call_deltas": deltas.tolist()},
        "units": "log of decimal vols; forward call deltas; tenors in years",
        "training": {**vars(config), "surfaces": len(logs), "parity": parity},
        "metrics": {"reconstruction_rmse_of_log_vol": float(np.sqrt(((back - logs) ** 2).mean()))},
    }
    stored = {key: np.asarray(value, np.float32) for key, value in arrays.items()}
    return write_files(folder, name, SurfaceGenerator, stored, graphs, card)


def _fit(u: Tensor, config: Config) -> Vae:
    torch.manual_seed(config.seed)
    torch.set_num_threads(1)
    vae = Vae(config)
    optimiser = torch.optim.Adam(vae.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    for _ in range(config.steps):
        rows = torch.randint(len(u), (config.batch,))
        loss = vae.loss(u[rows], torch.randn(config.batch, config.latent)).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 50.0)
        optimiser.step()
        schedule.step()
    return vae.eval()


def main(argv: Sequence[str] | None = None) -> int:
    """`voladdin train --generator`."""
    parser = argparse.ArgumentParser(
        prog="voladdin train --generator",
        description="Train a generator from a history, or on simulated markets.",
    )
    parser.add_argument("history", nargs="?", help="as `voladdin train` takes it")
    parser.add_argument("--generator", action="store_true", help="a generator instead of a model that fills")
    parser.add_argument("--markets", type=Path, metavar="POOL", help="of export.simulation.markets instead")
    parser.add_argument("--name", help="the bundle's name, as in VOLGENERATE's model argument")
    parser.add_argument(
        "--output", type=Path, help="the bundle's folder; voladdin's home by name unless told"
    )
    parser.add_argument("--steps", type=int, default=Config.steps)
    options = parser.parse_args(argv)
    if (options.history is None) == (options.markets is None) or not (options.name or options.output):
        parser.error("give a history or --markets POOL, and --name or --output")
    config = Config(steps=options.steps)
    if options.history is None:
        tenors, deltas, logs = TENORS, DELTAS, simulated(options.markets, config)
    else:
        tenors, deltas, logs = from_history(read_history(options.history))
    folder = options.output or home_folder() / "models" / f"{options.name}{SurfaceGenerator.SUFFIX}"
    name = options.name or folder.name.removesuffix(SurfaceGenerator.SUFFIX)
    print(f"{len(logs)} surfaces: generator {name} in {train(tenors, deltas, logs, folder, name, config)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
