"""Imputation as Gopal (2024) does it: encoder refitted on what is to be filled, then importance sampling.

The encoder of a model is refitted once for a split, on its surfaces under all nine missing rates together.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from export.imputation.networks.base import Vae
from export.imputation.networks.noise import Diagonal
from export.imputation.training.slices import Run, Schedule
from voladdin._typing import FloatArray

from ..fx import Fx, hidden_cells
from ..items import Bench
from .trained import trained, vae_of
from .vaes import KINDS, log_weights, weighted_bound

CHUNK = 100_000  # decoded surfaces at a time


@dataclass(frozen=True, eq=False)
class Filled:
    """Mean and standard deviation [N, T, K] of vols, all cells, observed ones as the model has them."""

    mean: FloatArray
    std: FloatArray


def refitted(bench: Bench, model: Vae, hidden: Tensor, where: str) -> Vae:
    """The model with its encoder trained on hidden surfaces [N, c] (NaN hidden), the decoder frozen."""
    model = copy.deepcopy(model)
    model.encoder.requires_grad_()
    budget = bench.budget
    file = bench.network_file(where)
    run = Run(_Encoder(model.encoder), Schedule(budget.refit_steps, 32, 2e-4, warm_up=100), file)

    def loss(rows: Tensor, _step: int) -> Tensor:
        model.eval()
        seen = torch.isfinite(rows)
        return -weighted_bound(model, rows.nan_to_num(), seen, budget.refit_draws).mean()

    run.train(hidden, loss, bench.clock)
    model.requires_grad_(requires_grad=False)
    return model.eval()


class _Encoder(nn.Module):
    """What a checkpoint of a refit holds."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder


@torch.no_grad()
def filled(model: Vae, hidden: Tensor, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation [N, c] of p(x | seen), equation 6.1, by `samples` weighted codes a surface."""
    torch.manual_seed(seed)
    size = max(CHUNK // samples, 1)
    parts = [_filled(model, hidden[i : i + size], samples) for i in range(0, len(hidden), size)]
    return torch.cat([mean for mean, _ in parts]), torch.cat([std for _, std in parts])


def _filled(model: Vae, rows: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    seen = torch.isfinite(rows)
    weights, z = log_weights(model, rows.nan_to_num(), seen, samples)
    share = torch.softmax(weights, 0)[..., None]
    flat = z.flatten(0, 1)
    decoded = model.decode(flat).view(samples, len(rows), -1)
    assert isinstance(model.noise, Diagonal)
    spread = model.noise.spread(flat).expand(len(flat), decoded.shape[-1]).view_as(decoded)
    mean = (share * decoded).sum(0)
    variance = (share * (spread**2 + decoded**2)).sum(0) - mean**2
    return mean, variance.clamp_min(1e-12).sqrt()


def imputed(bench: Bench, data: Fx, name: str, part: str) -> dict[int, Filled]:
    """By rate, the part's surfaces filled by one of Gopal's models."""
    model, tests = vae_of(trained(bench, data, name)), data.part(part, bench.budget.every)
    masks = hidden_cells(tests, bench.seed)
    hidden = {rate: data.standard(np.where(mask, np.nan, tests.vols)) for rate, mask in masks.items()}
    model = refitted(bench, model, torch.cat([*hidden.values()]), f"refit-{KINDS[name].file}-{part}")
    found = {}
    for rate, rows in hidden.items():
        bench.clock.check()
        mean, std = filled(model, rows, bench.budget.samples, bench.seed)
        found[rate] = as_vols(data, mean, std, tests.vols.shape)
    return found


def as_vols(data: Fx, mean: Tensor, std: Tensor, shape: tuple[int, ...]) -> Filled:
    """Moments of vols from those of standardised log-vols, lognormal: the paper's are of vols themselves."""
    log_mean, log_std = data.mean + data.std * mean.double().numpy(), data.std * std.double().numpy()
    centre = np.exp(log_mean + 0.5 * log_std**2)
    return Filled(np.exp(log_mean).reshape(shape), (centre * np.sqrt(np.expm1(log_std**2))).reshape(shape))
