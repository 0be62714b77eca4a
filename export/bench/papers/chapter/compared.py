"""Every network of `export.imputation.networks` at one budget: reconstruction, filling, draws, latents."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.imputation.networks import NETWORKS, Network
from export.imputation.training.slices import AdamSteps, Run
from voladdin._typing import FloatArray

from ..fx import Fx, fx, hidden_cells
from ..gopal.arbitrage_share import free_share
from ..gopal.collapse import ACTIVE, mean_variances
from ..gopal.mixtures import sliced_distance
from ..gopal.vaes import LN_2PI, frozen
from ..items import Bench, Item, Outcome, Table
from .marginals import FACTORS, factors, marginal_distances

RATE, DRAWN, KNOWN = 50, 1_000, 2
HEADER = (
    *("network", "bound, nats", "reconstruction, bp", "filled at 50%, bp", "sliced Wasserstein"),
    *(f"{name}'s" for name in FACTORS),
    *("free of arbitrage, %", "active units", "of"),
)


def entry(name: str, data: Fx, rows: Tensor, pairs: NDArray[np.str_]) -> Tensor:
    """Rows, with the one-hot of the pair after them for the conditional VAE."""
    if name != "conditional VAE":
        return rows
    known = np.stack([pairs == pair for pair in data.pairs[:KNOWN]], axis=-1)
    return torch.cat([rows, torch.tensor(known, dtype=torch.float32)], -1)


def network_of(bench: Bench, name: str) -> Network:
    """A network after `chapter_steps` steps on the training days, cells hidden at random."""
    data, steps = fx(bench.seed), bench.budget.chapter_steps
    torch.manual_seed(bench.seed)
    network = NETWORKS[name](data.nodes)
    plan = AdamSteps(steps, 64, 1e-3, warm_up=100, halved=steps // 2)
    run = Run(network, plan, bench.network_file(f"chapter-{name}"))
    history = data.split.train
    pairs = np.repeat(history.pairs, len(history.dates))

    def loss(x: Tensor, _step: int) -> Tensor:
        seen = torch.rand_like(x) < torch.rand(len(x), 1)
        seen[:, data.nodes :] = True
        return -network.elbo(x, seen).mean()

    run.train(entry(name, data, data.train(), pairs), loss, bench.deadline)
    frozen(network)
    return network


@torch.no_grad()
def row(bench: Bench, name: str) -> list[str]:
    """A row of HEADER, on test days."""
    data, network = fx(bench.seed), network_of(bench, name)
    tests = data.part("test", bench.budget.every)
    torch.manual_seed(bench.seed)
    x = entry(name, data, data.standard(tests.vols), tests.pair)
    errors = _errors(bench, name, network, x)
    drawn = _of_draws(data, network.sample(DRAWN), data.standard(tests.vols))
    variances = mean_variances(network, x)
    return [name, *errors, *drawn, str(int((variances > ACTIVE).sum())), str(len(variances))]


def _errors(bench: Bench, name: str, network: Network, x: Tensor) -> list[str]:
    """Bound of whole test surfaces x, and errors of their reconstructions and of hidden cells."""
    data = fx(bench.seed)
    tests = data.part("test", bench.budget.every)
    mask, whole = hidden_cells(tests, bench.seed)[RATE], torch.ones_like(x, dtype=torch.bool)
    shown = entry(name, data, data.standard(np.where(mask, np.nan, tests.vols)), tests.pair)
    bound = float(network.elbo(x, whole).mean()) - 0.5 * LN_2PI * data.nodes
    again = _vols(data, network.reconstruct(x, whole))
    filled = _vols(data, network.reconstruct(shown.nan_to_num(), torch.isfinite(shown)))
    errors = _mae(again, tests.vols), _mae(filled[mask], tests.vols[mask])
    return [f"{bound:.1f}" if name != "autoencoder" else "", *(f"{error:.1f}" for error in errors)]


def _of_draws(data: Fx, drawn: Tensor, real: Tensor) -> list[str]:
    """Distances of draws from real surfaces, both standardised, and their share without arbitrage."""
    draws, truth = drawn.double().numpy(), real.double().numpy()
    shape = data.split.test.axes.shape
    spread = [factors(data.mean + data.std * logs, shape) for logs in (draws, truth)]
    marginals = (f"{value:.2f}" for value in marginal_distances(*spread))
    free = free_share(data, _vols(data, drawn))
    return [f"{sliced_distance(draws, truth):.3f}", *marginals, f"{free:.1f}"]


def _vols(data: Fx, logs: Tensor) -> FloatArray:
    shape = data.split.test.axes.shape
    return np.asarray(np.exp(data.mean + data.std * logs.double().numpy()).reshape(-1, *shape))


def _mae(found: FloatArray, truth: FloatArray) -> float:
    return float(1e4 * np.abs(found - truth).mean())


def compared(columns: tuple[int, ...], best: int, unit: str, bench: Bench) -> Outcome:
    """One table of some columns; the row's number: the best network by one of them."""
    rows = [row(bench, name) for name in NETWORKS]
    first = min(rows, key=lambda cells: float(cells[best]))
    if unit == "units":
        collapsed = [cells[0] for cells in rows if int(cells[10]) < int(cells[11]) // 2]
        ours = f"less than half of the units active in {', '.join(collapsed) or 'none'}"
    else:
        ours = f"best of {len(rows)}: {first[0]}, {first[best]} {unit}"
    table = Table(
        "Networks",
        [HEADER[0], *(HEADER[k] for k in columns)],
        [[c[0], *(c[k] for k in columns)] for c in rows],
    )
    words = f"{fx(bench.seed).words}; {bench.budget.chapter_steps:,} steps each, cells hidden at random"
    return Outcome(ours, words, [table])


_PARTS = (
    (
        "000-reconstruction",
        "22.6 reconstruction",
        "reconstruction and filling by every network",
        (1, 2, 3),
        2,
        "bp",
    ),
    (
        "000-generation",
        "22.6 generation",
        "draws: sliced Wasserstein, marginals of level, skew, wings and term, arbitrage",
        (4, 5, 6, 7, 8, 9),
        4,
        "deviations",
    ),
    ("000-latent", "22.6 latent space", "active units, posterior collapse", (10, 11), 10, "units"),
)
ITEMS = tuple(
    Item(
        key, (place,), what, "names the measure, prints no number", partial(compared, columns, best, unit), 4
    )
    for key, place, what, columns, best, unit in _PARTS
)
