"""Section 22.5: annealing of the divergence, free bits and batch size, by active units and bound."""

from __future__ import annotations

import torch
from torch import Tensor

from export.imputation.networks.base import Vae
from export.imputation.networks.residual import Size
from export.imputation.training.fit import Options, objective
from export.imputation.training.slices import AdamSteps, Run

from ..fx import fx
from ..gopal.collapse import ACTIVE, mean_variances
from ..gopal.vaes import KINDS, LN_2PI, SIGMA_RESIDUAL, frozen, network
from ..items import Bench, Item, Outcome, Table

HEADER = ("training", "active units of 32", "divergence, nats", "test bound, nats")


WAYS = {
    "plain": Options(),
    "annealed over half": Options(schedule="annealed"),
    "free bits, 0.1 nats": Options(free=0.1),
    "batch 16": Options(batch=16),
    "batch 256": Options(batch=256),
}


def trained(bench: Bench, name: str) -> Vae:
    """The residual σ-VAE, trained one way."""
    way, data, steps = WAYS[name], fx(bench.seed), bench.budget.chapter_steps
    torch.manual_seed(bench.seed)
    model = network(KINDS[SIGMA_RESIDUAL], data.nodes, Size())
    file = bench.network_file(f"way-{name}")
    run = Run(model, AdamSteps(steps, way.batch, 1e-3, warm_up=100), file)

    def loss(x: Tensor, step: int) -> Tensor:
        seen = torch.ones_like(x, dtype=torch.bool)
        return objective(model, x, seen, seen, step / steps, way)

    run.train(data.train(), loss, bench.deadline)
    frozen(model)
    return model


def ways(bench: Bench) -> Outcome:
    data, rows = fx(bench.seed), []
    test = data.standard(data.part("test", bench.budget.every).vols)
    seen = torch.ones_like(test, dtype=torch.bool)
    for name in WAYS:
        model = trained(bench, name)
        with torch.no_grad():
            divergence = float(model.encode(test, seen).divergence.sum(-1).mean())
            bound = float(model.elbo(test, seen).mean()) - 0.5 * LN_2PI * data.nodes
        active = int((mean_variances(model, test) > ACTIVE).sum())
        rows.append([name, str(active), f"{divergence:.1f}", f"{bound:.1f}"])
    ours = "; ".join(f"{row[0]} {row[1]}" for row in rows)
    return Outcome(
        f"active units: {ours}",
        f"{data.words}; {bench.budget.chapter_steps:,} steps",
        [Table("Test days", HEADER, rows)],
    )


ITEMS = (
    Item(
        "000-training",
        ("22.5 annealing, free bits, batch size",),
        "what training does to the latent",
        "names the methods, prints no number",
        ways,
        2,
    ),
)
