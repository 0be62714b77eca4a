"""Figure 20: variances of the posterior's means over the data, the scree, and the units that are used."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from export.imputation.networks.base import Network
from export.imputation.networks.residual import Size
from voladdin._typing import FloatArray

from ..fx import fx
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .trained import fitted, in_words, vae_of
from .vaes import OF_LATENT

ACTIVE, EMBEDDING = 0.01, 64  # Burda et al. (2016): a unit is active above this variance


@torch.no_grad()
def mean_variances(model: Network, rows: Tensor) -> FloatArray:
    """[e] the variance over surfaces [N, c] of each unit's posterior mean, largest first."""
    means = model.encode(rows, torch.isfinite(rows)).mean
    return np.sort(means.var(0, correction=0).double().numpy())[::-1]


def units_for(variances: FloatArray, share: float) -> int:
    """How many units hold this share of the variance."""
    return int(np.searchsorted(np.cumsum(variances) / variances.sum(), share)) + 1


def collapse(bench: Bench) -> Outcome:
    data = fx(bench.seed)
    size = Size(latent=EMBEDDING)
    run = fitted(bench, data.train(), OF_LATENT, f"gopal-Sigma-{EMBEDDING}", size)
    variances = mean_variances(vae_of(run), data.train())
    active = int((variances > ACTIVE).sum())
    held = 100 * np.cumsum(variances) / variances.sum()
    with panels(bench, "002-figure-20", 1, 2) as axes:
        axes[0, 0].hist(variances, bins=20)
        axes[0, 0].set(xlabel="variance of a unit's mean", ylabel="units")
        axes[0, 1].plot(range(1, EMBEDDING + 1), held, marker=".")
        axes[0, 1].set(xlabel="units", ylabel="% of the variance", xlim=(0, 20))
    table = Table(
        "Scree",
        ("unit", "variance", "% held"),
        [[str(i + 1), f"{v:.3f}", f"{held[i]:.1f}"] for i, v in enumerate(variances[:12])],
    )
    ours = f"{active} of {EMBEDDING} active, {units_for(variances, 0.977)} hold 97.7%"
    words = f"{data.words}; {in_words(bench.budget.steps)}"
    return Outcome(ours, words, [table], ["002-figure-20"])


ITEMS = (
    Item(
        "002-figure-20",
        ("figure 20",),
        "units of the embedding of 64 that a Σ-VAE uses",
        "8 hold 97.7%, the others collapsed",
        collapse,
        9,
    ),
)
