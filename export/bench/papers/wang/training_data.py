"""Tables 1, 4 and 5 and figure 22: the network's settings, the simulated surfaces' ranges and features."""

from __future__ import annotations

from functools import partial

import numpy as np

from export.simulation.equity import RANGES
from voladdin.feature_map import DEGREE, NAMES, feature_weights

from ...generation.paper import HIDDEN, LATENT, Budget
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .generators_of import ran, surfaces_of

_PRINTED = {  # least, largest, mean, deviation, appendix A
    "level": ("0.098", "0.500", "0.343", "0.096"),
    "skew": ("-0.564", "0.388", "-0.110", ""),
    "curv": ("-0.576", "1.375", "0.185", "0.249"),
    "term": ("-0.184", "0.250", "0.0069", "0.0483"),
}


def settings(bench: Bench) -> Outcome:
    """Table 1."""
    plan = Budget(bench.budget.wang_epochs)
    layers = f"784 in, latent {LATENT}, {list(HIDDEN)} and back"
    ours = f"{layers}, batch {plan.batch}, rate {plan.rate:g}, {plan.epochs} epochs"
    return Outcome(ours, "the same but for the epochs, and a rate that falls to 0")


def ranges(model: str, _: Bench) -> Outcome:
    """Tables 4 and 5."""
    words = ", ".join(f"{name} [{low:g}, {high:g}]" for name, (low, high) in RANGES[model].items())
    return Outcome(words, "the paper's; it prints no range of Heston's v0")


def features(bench: Bench) -> Outcome:
    """Figure 22, by our degree and by the one that the paper's moments match."""
    found, rows = surfaces_of(bench), []
    for degree in (DEGREE, 2):
        values = found.train @ feature_weights(found.tenors[:, None], found.moneyness, degree).T
        for name, column in zip(NAMES, values.T, strict=True):
            moments = column.min(), column.max(), column.mean(), column.std()
            rows.append([f"{name}, degree {degree}", *(f"{value:.3f}" for value in moments), *_PRINTED[name]])
    with panels(bench, "004-figure-22", 1, len(NAMES)) as axes:
        for axis, name, column in zip(axes[0], NAMES, found.train_features.T, strict=True):
            axis.hist(column, bins=50)
            axis.set_title(name, fontsize=8)
    header = (
        "feature",
        "least",
        "largest",
        "mean",
        "std",
        *(f"paper: {w}" for w in ("least", "largest", "mean", "std")),
    )
    means = ", ".join(f"{name} {np.mean(column):.3f}" for name, column in zip(NAMES, values.T, strict=True))
    return Outcome(
        f"means, degree 2: {means}", ran(bench), [Table("Features", header, rows)], ["004-figure-22"]
    )


ITEMS = (
    Item(
        "004-table-1",
        ("table 1", "figure 2"),
        "settings of the network",
        "784 in, latent 5, [256, 128] and [128, 256], batch 64, rate 3e-4, 5,000 epochs",
        settings,
    ),
    Item(
        "004-table-4",
        ("table 4",),
        "ranges of Heston's parameters",
        "rho [-0.9, -0.1], theta [0.1, 0.3], kappa [1, 2], xi [0.1, 0.9]",
        partial(ranges, "heston"),
    ),
    Item(
        "004-table-5",
        ("table 5",),
        "ranges of SABR's parameters",
        "beta [0.1, 1], alpha [0.1, 0.5], rho [-0.9, 0.9], nu [0.1, 0.9]",
        partial(ranges, "sabr"),
    ),
    Item(
        "004-figure-22",
        ("figure 22",),
        "features of the training surfaces",
        "means: level 0.343, skew -0.110, curv 0.185, term 0.0069",
        features,
    ),
)
