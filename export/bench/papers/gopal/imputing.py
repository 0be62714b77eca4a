"""Imputation as Gopal (2024) does it: encoder refitted on what is to be filled, then importance sampling.

The encoder of a model is refitted once for a split, on its surfaces under all nine missing rates together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.imputation import imputers
from export.imputation.imputers import IMPUTERS, Refit, completed
from export.imputation.networks.base import Vae
from voladdin._typing import FloatArray

from ..fx import Fx, hidden_cells
from ..items import Bench
from .trained import trained, vae_of
from .vaes import KINDS


@dataclass(frozen=True, eq=False)
class Filled:
    """Median and standard deviation [N, T, K] of vols, all cells, observed ones as the model has them.

    The median is called mean, as the other methods' answer of least absolute error is.
    """

    mean: FloatArray
    std: FloatArray


def refitted(bench: Bench, model: Vae, shown: Tensor, where: str) -> Vae:
    """The model with its encoder trained on surfaces [N, c], NaN where hidden, the decoder frozen."""
    budget = bench.budget
    refit, seen = Refit(budget.refit_steps, budget.refit_draws), torch.isfinite(shown)
    again = imputers.refitted(
        model, shown.nan_to_num(), seen, refit, bench.network_file(where), bench.deadline
    )
    assert isinstance(again, Vae)
    return again


def filled(model: Vae, shown: Tensor, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation [N, c] of p(x | seen), equation 6.1, by `samples` weighted codes a surface."""
    way, seen = IMPUTERS["importance sampling"], torch.isfinite(shown)
    found = completed(model, shown.nan_to_num(), seen, way, samples, seed, draws=0)
    return found.smooth, found.scatter


def shown_rows(bench: Bench, data: Fx, part: str) -> dict[int, Tensor]:
    """By rate, the part's surfaces [N, c], NaN hidden."""
    tests = data.part(part, bench.budget.every)
    masks = hidden_cells(tests, bench.seed)
    return {rate: data.standard(np.where(mask, np.nan, tests.vols)) for rate, mask in masks.items()}


def refitted_on(bench: Bench, data: Fx, name: str, part: str) -> Vae:
    """One of Gopal's models, refitted on a part under all rates."""
    rows = torch.cat([*shown_rows(bench, data, part).values()])
    return refitted(bench, vae_of(trained(bench, data, name)), rows, f"refit-{KINDS[name].file}-{part}")


def imputed(bench: Bench, data: Fx, name: str, part: str) -> dict[int, Filled]:
    """By rate, the part's surfaces filled by one of Gopal's models."""
    model, found = refitted_on(bench, data, name, part), {}
    shape = data.part(part, bench.budget.every).vols.shape
    for rate, rows in shown_rows(bench, data, part).items():
        bench.deadline.check()
        mean, std = filled(model, rows, bench.budget.samples, bench.seed)
        found[rate] = as_vols(data, mean, std, shape)
    return found


def as_vols(data: Fx, mean: Tensor, std: Tensor, shape: tuple[int, ...]) -> Filled:
    """Median and lognormal deviation of vols from moments of their logs; the paper's are of vols."""
    log_mean, log_std = data.mean + data.std * mean.double().numpy(), data.std * std.double().numpy()
    centre = np.exp(log_mean + 0.5 * log_std**2)
    return Filled(np.exp(log_mean).reshape(shape), (centre * np.sqrt(np.expm1(log_std**2))).reshape(shape))
