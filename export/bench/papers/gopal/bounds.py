"""Table 1: negative ELBO and weighted bound, training and validation, encoder refitted on the latter."""

from __future__ import annotations

import torch

from export.imputation.networks.base import Vae

from ..fx import fx
from ..items import Bench, Item, Outcome, Table
from .imputing import refitted
from .trained import ran, trained, vae_of
from .vaes import KINDS, OF_LATENT, SIGMA, SIGMA_RESIDUAL, weighted_bound

PRINTED = {  # training, validation
    SIGMA: (27.0, 39.2),
    "σ-IWAE, no residual": (12.9, 50.4),
    SIGMA_RESIDUAL: (-6.9, 24.7),
    "σ-IWAE, residual": (-19.8, 67.6),
    OF_LATENT: (-19.1, 9.4),
    "Σ-IWAE, residual": (-28.1, 12.3),
}
HEADER = (
    "model",
    "train, ELBO",
    "validation, ELBO",
    "train, IWAE",
    "validation, IWAE",
    "paper: train",
    "paper: validation",
)
_BLOCK = 256


@torch.no_grad()
def negative_bound(model: Vae, rows: torch.Tensor, draws: int, seed: int) -> float:
    """Mean over full surfaces [N, c] of minus the bound from `draws` codes; of the ELBO for 1."""
    torch.manual_seed(seed)
    blocks = [weighted_bound(model, x, torch.isfinite(x), draws) for x in rows.split(_BLOCK)]
    return -float(torch.cat(blocks).mean())


def bounds(bench: Bench) -> Outcome:
    data = fx(bench.seed)
    training = data.train()[:: max(bench.budget.every // 2, 1)]
    validation = data.standard(data.part("validation", 1).vols)
    draws, rows, shown = bench.budget.refit_draws, [], []
    for name, printed in PRINTED.items():
        model = vae_of(trained(bench, data, name))
        again = refitted(bench, model, validation, f"refit-{KINDS[name].file}-full-validation")
        pairs = ((model, training), (again, validation))
        elbo, weighted = ([negative_bound(m, x, k, bench.seed) for m, x in pairs] for k in (1, draws))
        rows.append([name, *(f"{value:.1f}" for value in (*elbo, *weighted, *printed))])
        shown.append(f"{name} {elbo[0]:.1f} / {elbo[1]:.1f}")
    table = Table(f"Nats a surface; weighted bound of {draws} draws", HEADER, rows)
    words = f"{data.words}; {ran(bench)}; nats of standardised log-vols, the paper's unit is not given"
    return Outcome("; ".join(shown), words, [table])


ITEMS = (
    Item(
        "002-table-1",
        ("table 1",),
        "negative ELBO, train / validation",
        "; ".join(f"{name} {train} / {held}" for name, (train, held) in PRINTED.items()),
        bounds,
        58,
    ),
)
