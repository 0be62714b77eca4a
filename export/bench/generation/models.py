"""The generators of the bench, by number of features, trained or read from the cache."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from voladdin.bundles.generator import load

from .generators import Generates, Ours, train_ours
from .paper import BETA, Budget, PaperNetwork, train_paper
from .pca_gaussian import fit_gaussian
from .training_surfaces import TrainingSurfaces

CONTROLS = {1: (0,), 3: (0, 1, 3), 4: (0, 1, 2, 3)}
OURS, PCA, PCA_EXACT = "voladdin", "PCA-Gaussian", "PCA-Gaussian, projected"
PAPER, TUNED_BETA = "paper's network", 1.0
PAPER_TUNED = f"paper's network, beta {TUNED_BETA:g}"


@dataclass(frozen=True)
class Training:
    """Budgets of what is trained. epochs: of the paper's networks. steps: of ours of 1 and 3 features."""

    epochs: int
    steps: int
    model: str = "equity"
    quiet: bool = False


def models(surfaces: TrainingSurfaces, folder: Path, training: Training) -> dict[tuple[int, str], Generates]:
    """By (number of features, name). Ours of four features is the bundle `training.model`."""
    found: dict[tuple[int, str], Generates] = {}
    for count, control in CONTROLS.items():
        print(f"generators of {count} features", file=sys.stderr, flush=True)
        found[count, OURS] = ours(surfaces, count, folder, training)
        found[count, PAPER] = paper(surfaces, count, folder, training)
        found[count, PAPER_TUNED] = paper(surfaces, count, folder, training, TUNED_BETA)
        for name, projected in ((PCA, False), (PCA_EXACT, True)):
            found[count, name] = fit_gaussian(surfaces.train, surfaces.weights, control, projected=projected)
    return found


def ours(surfaces: TrainingSurfaces, count: int, folder: Path, training: Training) -> Ours:
    """The bundle of four features, or one trained into `folder`."""
    if count == 4:
        return Ours(load(training.model))
    bundle = folder / f"ours-{count}"
    return train_ours(surfaces, CONTROLS[count], bundle, training.steps, quiet=training.quiet)


def paper(
    surfaces: TrainingSurfaces, count: int, folder: Path, training: Training, beta: float = BETA
) -> PaperNetwork:
    """The paper's network, trained into `folder`."""
    file = folder / f"paper-{count}-{beta:g}.pt"
    budget, vols, features = Budget(training.epochs, beta=beta), surfaces.train, surfaces.train_features
    return train_paper(vols, features, CONTROLS[count], file, budget, quiet=training.quiet)
