"""The training loop's parts: choices, endless batches, and one run with its checkpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voladdin._typing import FloatArray
from voladdin.imputation.history.regimes import Regimes

from .density import SCALE_VARIANCE
from .network import Vae

WARM_UP = 200
CLIP = 50.0


@dataclass(frozen=True)
class Config:
    """Training choices; the defaults are what the bench was run with."""

    steps: int = 6000
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-4
    every: int = 1000
    patience: int = 3
    seed: int = 0


def batches(arrays: dict[str, FloatArray], config: Config, first: int) -> Iterator[torch.Tensor]:
    """Standardised surfaces from the smoothed density: the local Gaussian at a regime drawn by weight."""
    regimes = Regimes.of(arrays, "level")
    mean, covariance = regimes.near(regimes.mean)
    root = np.linalg.cholesky(covariance + SCALE_VARIANCE + 1e-8 * np.eye(mean.shape[1]))
    centre = torch.tensor((mean - arrays["mean"]) / arrays["std"], dtype=torch.float32)
    root_t = torch.tensor(root / arrays["std"][:, None], dtype=torch.float32)
    weight = torch.tensor(regimes.weight)
    for step in range(first, config.steps):
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        k = torch.multinomial(weight, config.batch, replacement=True, generator=generator)
        noise = torch.randn(config.batch, centre.shape[1], generator=generator)
        yield centre[k] + torch.einsum("bij,bj->bi", root_t[k], noise)


class Run:
    """One training run: from the Gaussian, or from `folder`/checkpoint.pt where that is of the same run."""

    def __init__(self, arrays: dict[str, FloatArray], folder: Path, config: Config) -> None:
        torch.manual_seed(config.seed)
        torch.set_num_threads(1)
        folder.mkdir(parents=True, exist_ok=True)
        self.config, self.checkpoint = config, folder / "checkpoint.pt"
        self.identity = {**asdict(config), "data": float(arrays["level_mean"].sum())}
        self.vae = Vae(len(arrays["mean"]))
        covariance = (Regimes.of(arrays, "level").whole[1] + SCALE_VARIANCE) / np.outer(
            arrays["std"], arrays["std"]
        )
        self.vae.start_at_gaussian(covariance + 1e-6 * np.eye(len(covariance)))
        groups: list[dict[str, Any]] = [
            {"params": [p for name, p in self.vae.named_parameters() if name != "whiten"]},
            {"params": [self.vae.whiten], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate, weight_decay=config.decay)
        self.state: dict[str, Any] = {"step": 0, "best_step": 0, "best_crps": math.inf, "log": []}
        if self.checkpoint.is_file():
            self._resume()

    def step(self, x: torch.Tensor) -> None:
        """One step of AdamW on the negative ELBO of a batch; warm-up, then cosine decay to 1%."""
        done = self.state["step"]
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done / self.config.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * min(1.0, (done + 1) / WARM_UP) * cosine
        loss = -self.vae.elbo(x).mean()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), CLIP)
        self.optimiser.step()
        self.state["step"] = done + 1

    def judge(self, score: float) -> float:
        """Log a validation score, and keep the weights where it is the best so far."""
        score = float(score)  # a checkpoint holds plain numbers and tensors only
        self.state["log"].append({"step": self.state["step"], "crps": score})
        if score < self.state["best_crps"]:
            best = {name: value.clone() for name, value in self.vae.state_dict().items()}
            self.state |= {"best_crps": score, "best_step": self.state["step"], "best": best}
        return score

    def save(self) -> None:
        """Write the checkpoint."""
        parts = {"vae": self.vae.state_dict(), "optimiser": self.optimiser.state_dict(), "state": self.state}
        torch.save(parts | {"identity": self.identity}, self.checkpoint)

    def _resume(self) -> None:
        stored = torch.load(self.checkpoint, weights_only=True)
        if stored["identity"] == self.identity:
            self.vae.load_state_dict(stored["vae"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.state = stored["state"]
