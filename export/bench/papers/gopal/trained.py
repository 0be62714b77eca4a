"""Gopal's networks trained at the bench's budget, each once, whichever items ask for them."""

from __future__ import annotations

from collections.abc import Iterable

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
    """The training budgets in words, alike ones together, and the one size."""
    steps = sorted({steps_of(bench, name) for name in names}, reverse=True)
    words = [_budget(count, [name for name in names if steps_of(bench, name) == count]) for count in steps]
    size = Size()
    of = f"hidden {size.width}, {size.depth} layers, dropout {size.dropout:g}, embedding {size.latent}"
    return "; ".join(
        [*(words if len(words) > 1 else [words[0].split(": ")[1]]), f"{of}: not tuned, as it does"]
    )


def _budget(steps: int, names: list[str]) -> str:
    of = f"{STEPS:,} steps, the paper's" if steps == STEPS else f"{steps:,} of the paper's {STEPS:,} steps"
    return f"{' and '.join(names)}: {of}"
