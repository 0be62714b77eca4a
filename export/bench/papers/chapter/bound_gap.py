"""The fundamental identity: log p = ELBO + KL(q || p(z | x)): the bound's gap, by weighted bounds."""

from __future__ import annotations

import torch

from export.imputation.networks import Vae

from ..fx import fx
from ..gopal.trained import ran, trained, vae_of
from ..gopal.vaes import LN_2PI, OF_LATENT, weighted_bound
from ..items import Bench, Item, Outcome, Table
from .compared import network_of

DRAWS = (1, 10, 100, 1_000)


@torch.no_grad()
def bounds(model: Vae, rows: torch.Tensor, seed: int) -> list[float]:
    """The mean bound of rows [N, c] by number of draws."""
    torch.manual_seed(seed)
    seen = torch.ones_like(rows, dtype=torch.bool)
    found = []
    for draws in DRAWS:
        parts = [
            weighted_bound(model, x, s, draws) for x, s in zip(rows.split(20), seen.split(20), strict=True)
        ]
        found.append(float(torch.cat(parts).mean()))
    return found


def gap(bench: Bench) -> Outcome:
    data = fx(bench.seed)
    rows = data.standard(data.part("test", max(bench.budget.every, 10)).vols)
    linear, deep = network_of(bench, "linear VAE"), vae_of(trained(bench, data, OF_LATENT))
    assert isinstance(linear, Vae)
    exact = (
        float(linear.elbo(rows, torch.ones_like(rows, dtype=torch.bool)).mean()) - 0.5 * LN_2PI * data.nodes
    )
    found = {"linear VAE": bounds(linear, rows, bench.seed), OF_LATENT: bounds(deep, rows, bench.seed)}
    cells = [[name, *(f"{v:.2f}" for v in values)] for name, values in found.items()]
    cells[0].append(f"{exact:.2f}")
    cells[1].append("")
    header = ("network", *(f"{draws:,} draws" for draws in DRAWS), "exact")
    ours = "; ".join(f"{name} {values[-1] - values[0]:.2f}" for name, values in found.items())
    diagonal = f"a code is diagonal, the linear VAE's posterior is not: its exact density is {exact:.2f}"
    words = f"{data.words}; {OF_LATENT}: {ran(bench)}; {diagonal}"
    table = Table("Log density of full test surfaces, nats", header, cells)
    return Outcome(f"nats between 1 and 1,000 draws: {ours}", words, [table])


ITEMS = (
    Item(
        "000-bound",
        ("22.2 fundamental identity",),
        "the bound's gap",
        "log p = ELBO + KL to the true posterior (no number)",
        gap,
        1,
    ),
)
