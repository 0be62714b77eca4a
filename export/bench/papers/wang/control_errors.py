"""Figures 3, 4, 11 and 16, and training on Heston alone: errors of the controlled features."""

from __future__ import annotations

from functools import partial

import numpy as np

from export.simulation.equity import simulate_equity
from voladdin._typing import FloatArray
from voladdin.feature_map import NAMES

from ...generation.control import PRINTED, feature_errors
from ...generation.generators import Generates
from ...generation.models import CONTROLS, OURS
from ...generation.paper import Budget as Epochs
from ...generation.paper import train_paper
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .generators_of import PAPER_PRINTED, PAPER_TUNED, generator, ran, surfaces_of

NETWORKS = OURS, PAPER_TUNED, PAPER_PRINTED
_LEAST = 1e-17


def _errors(bench: Bench, network: Generates) -> FloatArray:
    """[B, F] at the features of held-out surfaces."""
    found = surfaces_of(bench)
    targets = found.held_features[:, list(network.control)]
    return feature_errors(network, found, targets, np.random.default_rng(bench.seed))


def histograms(key: str, count: int, bench: Bench) -> Outcome:
    """log10 of the errors of each feature, network by network."""
    errors = {name: _errors(bench, generator(bench, name, count)) for name in NETWORKS}
    names = [NAMES[row] for row in CONTROLS[count]]
    with panels(bench, key, 1, count, sharey=True) as axes:
        for name, found in errors.items():
            for axis, column in zip(axes[0], found.T, strict=True):
                axis.hist(np.log10(np.maximum(column, _LEAST)), bins=40, alpha=0.7, label=name)
        for axis, name in zip(axes[0], names, strict=True):
            axis.set(title=name, xlabel="log10 |error|")
        axes[0, 0].legend(fontsize=5)
    rows = [
        [name, *(f"{column.max():.1e} / {column.mean():.1e}" for column in e.T)] for name, e in errors.items()
    ]
    rows.append(["*paper, largest of 1,000*", *(f"{PRINTED[count][name]:.1e}" for name in names)])
    table = Table("Largest / mean absolute error", ("generator", *names), rows)
    largest = {name: " / ".join(f"{column.max():.1e}" for column in e.T) for name, e in errors.items()}
    return Outcome(
        f"voladdin {largest[OURS]}; {PAPER_TUNED} {largest[PAPER_TUNED]}", ran(bench), [table], [key]
    )


def convergence(bench: Bench) -> Outcome:
    """Figure 3: log10 of the mean squared error of held-out surfaces, trained for more and more epochs."""
    found, folder = surfaces_of(bench), bench.folder / "wang"
    budgets = sorted({max(bench.budget.wang_epochs // part, 1) for part in (27, 9, 3, 1)})
    values = []
    for epochs in budgets:
        file = folder / f"convergence-{epochs}.pt"
        network = train_paper(
            found.train, found.train_features, CONTROLS[1], file, Epochs(epochs), quiet=True
        )
        gap = network.reconstructed(found.held, found.held_features[:, :1]) - found.held
        values.append(float(np.log10((gap**2).mean())))
        bench.deadline.check()
    with panels(bench, "004-figure-3") as axes:
        axes[0, 0].plot(budgets, values, marker=".")
        axes[0, 0].set(xscale="log", xlabel="epochs of the run", ylabel="log10 MSE")
    ours = ", ".join(f"{value:.1f} after {epochs}" for epochs, value in zip(budgets, values, strict=True))
    return Outcome(f"log10 MSE {ours} epochs", f"{ran(bench)}; its β, a run each", pictures=["004-figure-3"])


def heston_alone(bench: Bench) -> Outcome:
    """Section 5: the same network trained on Heston's surfaces alone."""
    found, budget = surfaces_of(bench), bench.budget
    heston = simulate_equity(budget.simulated, seed=bench.seed + 7)[0]["heston"]
    vols = heston.reshape(len(heston), -1)
    file = bench.folder / "wang" / "heston.pt"
    epochs = Epochs(budget.wang_epochs, beta=1.0)
    network = train_paper(vols, vols @ found.weights.T, CONTROLS[3], file, epochs, quiet=True)
    targets = (vols @ found.weights.T)[-1000:, list(network.control)]
    alone = feature_errors(network, found, targets, np.random.default_rng(bench.seed)).mean(axis=0)
    both = _errors(bench, generator(bench, PAPER_TUNED, 3)).mean(axis=0)
    words = [" / ".join(f"{value:.1e}" for value in values) for values in (alone, both)]
    return Outcome(f"mean error of level / skew / term: Heston alone {words[0]}, both {words[1]}", ran(bench))


def _largest(count: int) -> str:
    return "largest: " + " / ".join(f"{PRINTED[count][NAMES[row]]:.1e}" for row in CONTROLS[count])


_FIGURES = ((4, 1, "level"), (11, 3, "level, skew and term"), (16, 4, "all four features"))
ITEMS = (
    Item(
        "004-figure-3", ("figure 3",), "convergence, log10 MSE", "about -4 after 5,000 epochs", convergence, 2
    ),
    *(
        Item(
            f"004-figure-{number}",
            (f"figure {number}",),
            f"error of {what}, when controlled",
            _largest(count),
            partial(histograms, f"004-figure-{number}", count),
            3,
        )
        for number, count, what in _FIGURES
    ),
    Item(
        "004-heston",
        ("section 5, dataset",),
        "trained on Heston alone",
        "similar accuracy (no number)",
        heston_alone,
        2,
    ),
)
