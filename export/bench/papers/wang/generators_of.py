"""The generators of 1, 3 and 4 features: the paper's network and ours, from those of `bench generate`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from voladdin._typing import FloatArray
from voladdin.feature_map import NAMES

from ...generation import models
from ...generation.control import BASE
from ...generation.generators import Generates
from ...generation.models import OURS, TUNED_BETA, Training
from ...generation.paper import BATCH, BETA, EPOCHS
from ...generation.training_surfaces import TrainingSurfaces, surfaces
from ..items import Bench

HELD = 1_000
PAPER_PRINTED, PAPER_TUNED = f"paper's network, β {BETA:g}", f"paper's network, β {TUNED_BETA:g}"
COUNTS = 1, 3, 4


@lru_cache(maxsize=2)
def known(folder: Path, simulated: int) -> TrainingSurfaces:
    """Simulated surfaces to learn from, and held-out ones."""
    return surfaces(folder / "wang", min(HELD, simulated), None, simulated)


def surfaces_of(bench: Bench) -> TrainingSurfaces:
    return known(bench.folder, bench.budget.simulated)


def generator(bench: Bench, name: str, count: int) -> Generates:
    """OURS, PAPER_TUNED or PAPER_PRINTED with so many features; trained where it is not there."""
    bench.deadline.check()
    found, folder = surfaces_of(bench), bench.folder / "wang"
    training = Training(bench.budget.wang_epochs, bench.budget.wang_steps, quiet=True)
    if name == OURS:
        return models.ours(found, count, folder, training)
    beta = TUNED_BETA if name == PAPER_TUNED else BETA
    return models.paper(found, count, folder, training, beta)


def asked(generator: Generates, values: FloatArray, feature: str) -> FloatArray:
    """[n, F] the paper's features but `feature`, which takes these values."""
    y = np.tile(np.array(BASE), (len(values), 1))
    y[:, NAMES.index(feature)] = values
    return y[:, list(generator.control)]


def features_of(found: TrainingSurfaces, vols: FloatArray) -> FloatArray:
    """[n, 4] of vols [n, N]."""
    return np.asarray(vols @ found.weights.T)


def ran(bench: Bench) -> str:
    """The budget in words."""
    budget = bench.budget
    batches = budget.wang_epochs * -(-len(surfaces_of(bench).train) // BATCH)
    return (
        f"{2 * budget.simulated:,} of the paper's 60,000 surfaces; its network {budget.wang_epochs:,} of "
        f"{EPOCHS:,} epochs ({batches:,} batches; an epoch of its algorithm 1 is one), figures 4, 11 and 16 "
        f"with its β too; voladdin's {budget.wang_steps:,} steps, of four features the bundle that ships"
    )
