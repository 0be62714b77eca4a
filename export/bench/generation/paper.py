"""The network of Wang, Liu and Vuik (2025), re-implemented from the paper: figure 2, table 1, algorithm 1.

784 vols as they are, ReLU, hidden [256, 128] and [128, 256], latent 5, a linear shortcut from input to output
of both networks, squared error plus beta times the divergence, Adam at 3e-4, batches of 64. Beta is printed
for three features, and "the same" for four; one feature takes it too. Not as in the paper: the epochs (5,000
there, each of one batch as algorithm 1 has it), and a rate that falls to 0 along a cosine, without which so
few epochs end on the noise of the steps.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from export.imputation.training.devices import CPU, trained_on, training_device
from voladdin._typing import FloatArray

HIDDEN = (256, 128)
LATENT = 5
EPOCHS = 5000  # in the paper
BATCH = 64
BETA = 5e-8


@dataclass(frozen=True)
class Budget:
    """Training choices; all but epochs are the paper's."""

    epochs: int
    batch: int = BATCH
    rate: float = 3e-4
    beta: float = BETA
    seed: int = 0


class Shortcut(nn.Module):
    """Linear layers with ReLU between, plus a linear map from input to output."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.shortcut = nn.Linear(sizes[0], sizes[-1], bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x) + self.shortcut(x)
        return out


class Standard(nn.Module):
    """Standardised columns, and back."""

    centre: Tensor
    unit: Tensor

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", values.mean(0))
        self.register_buffer("unit", values.std(0))

    def forward(self, values: Tensor) -> Tensor:
        scaled: Tensor = (values - self.centre) / self.unit
        return scaled

    def back(self, scaled: Tensor) -> Tensor:
        values: Tensor = self.centre + self.unit * scaled
        return values


class PaperDecoder(nn.Module):
    """y [B, F], z [B, E] -> vols [B, N]."""

    def __init__(self, vols: Standard, features: Standard) -> None:
        super().__init__()
        self.vols, self.features = vols, features
        self.body = Shortcut(LATENT + len(features.centre), *reversed(HIDDEN), len(vols.centre))

    def forward(self, y: Tensor, z: Tensor) -> Tensor:
        return self.vols.back(self.body(torch.cat([z, self.features(y)], -1)))


class PaperVae(nn.Module):
    """Encoder of (x, y), decoder of (z, y); standardises by x [n, N] and y [n, F]."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        super().__init__()
        self.vols, self.features = Standard(x), Standard(y)
        self.encoder = Shortcut(x.shape[1] + y.shape[1], *HIDDEN, 2 * LATENT)
        self.decoder = PaperDecoder(self.vols, self.features)

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance [B, E] of z."""
        mean, log_variance = self.encoder(torch.cat([self.vols(x), self.features(y)], -1)).chunk(2, -1)
        return mean, log_variance

    def loss(self, x: Tensor, y: Tensor, draw: Tensor, beta: float) -> Tensor:
        """[B] equation 47 with the one half of algorithm 1, one draw [B, E] ~ N(0, I)."""
        mean, log_variance = self.encode(x, y)
        again = self.decoder(y, mean + (0.5 * log_variance).exp() * draw)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)
        loss: Tensor = 0.5 * (((x - again) / self.vols.unit) ** 2).sum(-1) + beta * divergence
        return loss


@dataclass(frozen=True, eq=False)
class PaperNetwork:
    """The trained network. control: rows of `feature_map.NAMES` that it is given."""

    vae: PaperVae
    control: tuple[int, ...]
    latent_size: int = LATENT

    def vols(self, features: FloatArray, z: FloatArray) -> FloatArray:
        """[B, N] decoded vols of features [B, F] and latents [B, E]."""
        with torch.no_grad():
            found = self.vae.decoder(_tensor(features), _tensor(z))
        return np.asarray(found.numpy().astype(float))

    def reconstructed(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        """[B, N] vols through encoder (its mean) and decoder."""
        with torch.no_grad():
            mean = self.vae.encode(_tensor(vols), _tensor(features))[0]
        return self.vols(features, mean.numpy())


def train_paper(
    vols: FloatArray,
    features: FloatArray,
    control: tuple[int, ...],
    file: Path,
    budget: Budget,
    *,
    quiet: bool = False,
) -> PaperNetwork:
    """Train on vols [n, N] and features [n, 4], keeping weights and progress in `file`; resumes from it."""
    torch.manual_seed(budget.seed)
    torch.set_num_threads(1)
    x, y = _tensor(vols), _tensor(features[:, control])
    vae = PaperVae(x, y)
    optimiser = torch.optim.Adam(vae.parameters(), budget.rate, fused=True)
    identity = {**asdict(budget), "control": control, "data": float(vols.sum())}
    first, seconds = _resume(file, identity, vae, optimiser)
    left, started = range(first, budget.epochs), time.process_time() - seconds
    bar = {"initial": first, "total": budget.epochs, "unit": "epoch", "file": sys.stderr}
    where = training_device()
    with trained_on(where, vae, optimiser):
        for epoch in tqdm(left, disable=quiet, **bar):
            _epoch(vae, optimiser, x.to(where), y.to(where), budget, epoch)
            if (epoch + 1) % 10 == 0 or epoch + 1 == budget.epochs:
                spent = time.process_time() - started
                progress = {"epoch": epoch + 1, "seconds": spent, "surfaces": len(x)}
                _save(file, vae, optimiser, {"identity": identity, **progress})
    return PaperNetwork(vae.eval(), control)


def _epoch(
    vae: PaperVae, optimiser: torch.optim.Optimizer, x: Tensor, y: Tensor, budget: Budget, epoch: int
) -> None:
    generator = torch.Generator(CPU).manual_seed(budget.seed * 1_000_003 + epoch)
    order = torch.randperm(len(x), generator=generator, device=CPU)
    batches = order.split(budget.batch)
    for number, rows in enumerate(batches):
        done = (epoch + number / len(batches)) / budget.epochs
        optimiser.param_groups[0]["lr"] = budget.rate * 0.5 * (1 + math.cos(math.pi * done))
        draw = torch.randn(len(rows), LATENT, generator=generator, device=CPU).to(x.device)
        loss = vae.loss(x[rows], y[rows], draw, budget.beta).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _resume(
    file: Path, identity: dict[str, Any], vae: PaperVae, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """The epoch to go on from, that of the file where it is of the same run, and the seconds so far."""
    stored: dict[str, Any] = (
        torch.load(file, CPU, weights_only=True) if file.is_file() else {"identity": None}
    )
    if stored["identity"] != identity:
        return 0, 0.0
    vae.load_state_dict(stored["vae"])
    optimiser.load_state_dict(stored["optimiser"])
    return int(stored["epoch"]), float(stored.get("seconds", 0.0))


def _save(file: Path, vae: PaperVae, optimiser: torch.optim.Optimizer, progress: dict[str, Any]) -> None:
    """Write beside the old file, then replace that."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {"vae": vae.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save(state | progress, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)


def _tensor(array: FloatArray) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)
