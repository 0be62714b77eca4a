"""Gopal's networks trained at the bench's budget, each once, whichever items ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from export.imputation.networks.base import Vae
from export.imputation.networks.residual import Size
from export.imputation.training.slices import Run

from ..fx import Fx
from ..items import Bench
from .vaes import KINDS, STEPS, frozen, network, schedule, training_loss


def trained(bench: Bench, data: Fx, name: str, pair: str | None = None) -> Run:
    """Of all pairs, or of one; frozen."""
    kind, rows = KINDS[name], data.train(pair)
    where = f"gopal-{kind.file}" + (f"-{pair}" if pair else "")
    return fitted(bench, rows, name, where, Size(), steps_of(bench, name))


def fitted(bench: Bench, rows: Tensor, name: str, where: str, size: Size, steps: int) -> Run:
    """A network of one size trained on rows [N, c] in `steps` steps, or from its checkpoint."""
    torch.manual_seed(bench.seed)
    model = network(KINDS[name], rows.shape[1], size)
    run = Run(model, schedule(steps, bench.seed), bench.network_file(where))
    run.train(rows, training_loss(model, KINDS[name].draws), bench.clock)
    frozen(run.model)
    return run


def vae_of(run: Run) -> Vae:
    """The network of a run."""
    assert isinstance(run.model, Vae)
    return run.model


def steps_of(bench: Bench, name: str) -> int:
    """How many steps a model is trained."""
    return int(getattr(bench.budget, KINDS[name].budget))


def ran(bench: Bench, names: Iterable[str]) -> str:
    """The training budgets in words, and the one size."""
    size = Size()
    of = f"hidden {size.width}, {size.depth} layers, dropout {size.dropout:g}, embedding {size.latent}"
    budgets = in_words({name: steps_of(bench, name) for name in names})
    return f"{budgets}; {of} for all, where the paper tunes each"


def in_words(steps: Mapping[str, int]) -> str:
    """How many steps each network is trained, alike ones together, beside the paper's."""
    words = []
    for count in sorted(set(steps.values()), reverse=True):
        of = (
            f"{count:,} steps, the paper's" if count == STEPS else f"{count:,} of the paper's {STEPS:,} steps"
        )
        names = " and ".join(name for name, own in steps.items() if own == count)
        words.append(f"{names}: {of}" if len(set(steps.values())) > 1 else of)
    return "; ".join(words)
