"""Gopal's networks trained at the bench's budget, each once, whichever items ask for them."""

from __future__ import annotations

import torch
from torch import Tensor

from export.imputation.networks.base import Vae
from export.imputation.networks.residual import Size
from export.imputation.training.slices import Run

from ..fx import Fx
from ..items import Bench
from .vaes import KINDS, STEPS, adam, frozen, network, training_loss


def trained(bench: Bench, data: Fx, name: str) -> Run:
    """Of all pairs together; frozen."""
    return fitted(bench, data.train(), name, f"gopal-{KINDS[name].file}", Size())


def fitted(bench: Bench, rows: Tensor, name: str, where: str, size: Size) -> Run:
    """A network of one size trained on rows [N, c], or from its checkpoint."""
    torch.manual_seed(bench.seed)
    model = network(KINDS[name], rows.shape[1], size)
    run = Run(model, adam(bench.budget.steps, bench.seed), bench.network_file(where))
    run.train(rows, training_loss(model, KINDS[name].draws), bench.deadline)
    frozen(run.model)
    return run


def vae_of(run: Run) -> Vae:
    """The network of a run."""
    assert isinstance(run.model, Vae)
    return run.model


def ran(bench: Bench) -> str:
    """The training budget in words, and the one size."""
    size = Size()
    of = f"hidden {size.width}, {size.depth} layers, dropout {size.dropout:g}, embedding {size.latent}"
    return f"{in_words(bench.budget.steps)}; {of} for all, where the paper tunes each"


def in_words(steps: int) -> str:
    """Steps of training beside the paper's."""
    return f"{steps:,} steps, the paper's" if steps == STEPS else f"{steps:,} of the paper's {STEPS:,} steps"
