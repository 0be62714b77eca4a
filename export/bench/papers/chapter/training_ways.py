"""Section 22.5: annealing of the divergence, free bits and batch size, by active units and bound."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from export.imputation.networks.base import Vae
from export.imputation.training.beta import annealed
from export.imputation.training.divergence import free_bits
from export.imputation.training.slices import Run, Schedule

from ..fx import fx
from ..gopal.collapse import ACTIVE, mean_variances
from ..gopal.vaes import KINDS, LN_2PI, SIGMA_RESIDUAL, Size, frozen, network
from ..items import Bench, Item, Outcome, Table

HEADER = ("training", "active units of 32", "divergence, nats", "test bound, nats")


@dataclass(frozen=True)
class Way:
    """annealed: share of the steps over which the divergence's weight rises; free: nats a unit unpaid for."""

    annealed: float = 0.0
    free: float = 0.0
    batch: int = 64


WAYS = {
    "plain": Way(),
    "annealed over half": Way(annealed=0.5),
    "free bits, 0.1 nats": Way(free=0.1),
    "batch 16": Way(batch=16),
    "batch 256": Way(batch=256),
}


def trained(bench: Bench, name: str) -> Vae:
    """The residual σ-VAE, trained one way."""
    way, data, steps = WAYS[name], fx(bench.seed), bench.budget.search_steps
    torch.manual_seed(bench.seed)
    model = network(KINDS[SIGMA_RESIDUAL], data.nodes, Size())
    run = Run(
        model,
        Schedule(steps, way.batch, 1e-3, warm_up=100),
        bench.network_file(f"way-{list(WAYS).index(name)}"),
    )

    def loss(x: Tensor, step: int) -> Tensor:
        seen = torch.ones_like(x, dtype=torch.bool)
        code = model.encode(x, seen)
        z = code.draw()
        weight = annealed(step / steps, way.annealed) if way.annealed else 1.0
        return (
            weight * free_bits(code.divergence, way.free)
            - model.noise.log_density(x, model.decode(z), seen, z).mean()
        )

    run.train(data.train(), loss, bench.clock)
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
        f"{data.words}; {bench.budget.search_steps:,} steps",
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
