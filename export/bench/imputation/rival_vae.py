"""The Σ-VAE with residual blocks of paper 002, imputing by importance sampling with a refitted encoder.

As in the paper: LayerNorm-SiLU residual blocks (appendix B.1), diagonal noise as a function of z, Adam with
weight decay 1e-5, the encoder refitted on the surfaces to impute with the decoder frozen (section 6.2) and
self-normalised importance sampling from it (section 6.1). Smaller than in the paper: 6,000 training steps
instead of 100,000 (at ten times its learning rate, cosine), 1,500 refit steps with k = 10 instead of
10,000 with k = 50, and 1,000 samples instead of 10,000. Hidden cells enter as zeros beside their mask.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction, pooled_log_vols

MIN_STD = 1e-3  # of standardised log-vol


class Block(nn.Module):
    """h + W2 SiLU(W1 LN(h))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
        )

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.inner(h)
        return out


class GaussianHead(nn.Module):
    """Residual network to the mean and standard deviation of a diagonal Gaussian."""

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, width), *(Block(width, dropout) for _ in range(blocks)))
        self.mean, self.scale = nn.Linear(width, outputs), nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.mean(h), F.softplus(self.scale(h)) + MIN_STD


def log_normal(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Elementwise log density of N(mean, std²) at x."""
    return -0.5 * ((x - mean) / std) ** 2 - torch.log(std) - 0.5 * math.log(2 * math.pi)


class SigmaVAE:
    """See the module. Deterministic for a seed; one thread."""

    uses_prior = False

    def __init__(
        self,
        steps: int = 6000,
        refit_steps: int = 1500,
        samples: int = 1000,
        width: int = 128,
        latent: int = 32,
        seed: int = 0,
    ) -> None:
        self.steps, self.refit_steps, self.samples = steps, refit_steps, samples
        self.width, self.latent, self.seed = width, latent, seed
        self.name = f"Σ-VAE, refitted ({steps:,} steps)"

    def fit(self, history: History) -> None:
        torch.manual_seed(self.seed)
        self.axes, logs = history.axes, pooled_log_vols(history)
        self.mean, self.std = logs.mean(axis=0), logs.std(axis=0)
        x = torch.tensor((logs - self.mean) / self.std, dtype=torch.float32)
        cells = x.shape[1]
        self.encoder = GaussianHead(2 * cells, self.latent, self.width, 2, 0.1)
        self.decoder = GaussianHead(self.latent, cells, self.width, 2, 0.1)
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=2e-3, weight_decay=1e-5)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        ones = torch.ones(64, cells)
        for _ in range(self.steps):
            loss = -self._elbo(self.encoder, x[torch.randint(len(x), (64,))], ones, 1).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 50.0)
            optimizer.step()
            schedule.step()
        self.decoder.eval().requires_grad_(requires_grad=False)

    def _rate(self, step: int) -> float:
        """Linear warm-up over 300 steps, times a cosine."""
        return min(1.0, (step + 1) / 300) * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def _elbo(self, encoder: GaussianHead, x: Tensor, observed: Tensor, k: int) -> Tensor:
        """Importance-weighted bound of log p(observed cells), [B], from k draws."""
        mean, std = encoder(torch.cat([x * observed, observed], dim=1))
        z = mean + std * torch.randn(k, *mean.shape)
        return torch.logsumexp(self._log_weights(z, mean, std, x, observed)[0], dim=0) - math.log(k)

    def _log_weights(
        self, z: Tensor, mean: Tensor, std: Tensor, x: Tensor, observed: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """log p(x_o | z) p(z) / q(z) for z [k, B, e], with the decoded means and deviations [k, B, n]."""
        decoded, noise = self.decoder(z)
        likelihood = (observed * log_normal(x, decoded, noise)).sum(-1)
        ones = torch.ones_like(z)
        prior = log_normal(z, 0 * ones, ones).sum(-1)
        return likelihood + prior - log_normal(z, mean, std).sum(-1), decoded, noise

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        if not axes.same(self.axes):
            raise ValueError("the VAE knows only the axes of its training history")
        torch.manual_seed(self.seed)
        logs = (np.log(vols).reshape(len(vols), -1) - self.mean) / self.std
        observed = torch.tensor(np.isfinite(logs), dtype=torch.float32)
        x = torch.tensor(np.nan_to_num(logs), dtype=torch.float32)
        encoder = self._refit(x, observed)
        with torch.no_grad():
            parts = [self._impute(encoder, x[i : i + 8], observed[i : i + 8]) for i in range(0, len(x), 8)]
        mean, std = (torch.cat(part).double().numpy() for part in zip(*parts, strict=True))
        mean, std = self.mean + self.std * mean, self.std * std
        return Prediction.from_log(mean.reshape(vols.shape), std.reshape(vols.shape))

    def _refit(self, x: Tensor, observed: Tensor) -> GaussianHead:
        encoder = copy.deepcopy(self.encoder).eval()
        optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-4)
        for step in range(self.refit_steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-4 * min(1.0, (step + 1) / 100)
            rows = torch.randint(len(x), (32,))
            loss = -self._elbo(encoder, x[rows], observed[rows], 10).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return encoder

    def _impute(self, encoder: GaussianHead, x: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [B, n] of the posterior mixture, by self-normalised weights."""
        mean, std = encoder(torch.cat([x * observed, observed], dim=1))
        z = mean + std * torch.randn(self.samples, *mean.shape)
        log_weights, decoded, noise = self._log_weights(z, mean, std, x, observed)
        weights = torch.softmax(log_weights, dim=0)[:, :, None]
        first = (weights * decoded).sum(0)
        variance = (weights * (noise**2 + (decoded - first) ** 2)).sum(0)
        return first, variance.clamp_min(1e-12).sqrt()
