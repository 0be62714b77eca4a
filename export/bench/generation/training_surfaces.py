"""The surfaces that the bench learns from and tests on, kept in a folder so that a second run is quick."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from export.generation.hull import feature_hull, uniform_in_hull
from export.generation.train import Config, Data
from export.simulation.equity import COUNT, MONEYNESS, TENORS, simulate_equity
from voladdin._typing import FloatArray
from voladdin.errors import InputError
from voladdin.feature_map import feature_weights

TRAIN_SEED, HELD_SEED = 0, 1


@dataclass(frozen=True, eq=False)
class TrainingSurfaces:
    """Vols [n, N] to learn from and held-out ones [m, N], in random order, on one grid of N = T K cells.

    weights: [4, N], the features of a surface are weights @ vols.
    """

    tenors: FloatArray
    moneyness: FloatArray
    train: FloatArray
    held: FloatArray

    @cached_property
    def weights(self) -> FloatArray:
        return feature_weights(self.tenors[:, None], self.moneyness)

    @cached_property
    def train_features(self) -> FloatArray:
        return np.asarray(self.train @ self.weights.T)

    @cached_property
    def held_features(self) -> FloatArray:
        return np.asarray(self.held @ self.weights.T)

    def grid(self, vols: FloatArray) -> FloatArray:
        """[B, T, K] of vols [B, N]."""
        return vols.reshape(-1, len(self.tenors), len(self.moneyness))

    def in_hull(self, control: tuple[int, ...], count: int, rng: np.random.Generator) -> FloatArray:
        """[count, F] uniform in the convex hull of the training surfaces' features."""
        vertices = feature_hull(self.train_features[:, control])["hull_vertices"]
        return uniform_in_hull(vertices, count, rng)

    def in_rectangle(self, control: tuple[int, ...], count: int, rng: np.random.Generator) -> FloatArray:
        """[count, F] uniform between the least and the largest of each of them."""
        y = self.train_features[:, control]
        return rng.uniform(y.min(axis=0), y.max(axis=0), (count, len(control)))


def surfaces(folder: Path, held: int, data: Path | None = None, count: int = COUNT) -> TrainingSurfaces:
    """Training surfaces as the generator is trained on, and `held` held-out ones of another seed.

    data: an .npz of `python -m export.simulation.equity`; simulated into `folder` where it is not given. The
    rivals learn from the share of it that the shipped generator learned from. Raises InputError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = data or _simulated(folder / "equity.npz", count, TRAIN_SEED)
    if not given.is_file():
        raise InputError(f"data is {given}; expected an .npz of python -m export.simulation.equity")
    learned = Data.read(given, Config())
    each = -(-held * 11 // 20)  # of each model: some are left out for arbitrage
    with np.load(_simulated(folder / f"held-{each}.npz", each, HELD_SEED)) as stored:
        vols = stored["vols"].reshape(len(stored["vols"]), -1)
    order = np.random.default_rng(HELD_SEED).permutation(len(vols))[:held]
    return TrainingSurfaces(learned.tenors, learned.moneyness, learned.train, vols[order])


def _simulated(file: Path, count: int, seed: int) -> Path:
    if not file.is_file():
        print(f"simulating {count:,} surfaces of each model", file=sys.stderr, flush=True)
        vols = np.concatenate(list(simulate_equity(count, seed=seed)[0].values()))
        part = file.with_suffix(".part.npz")
        np.savez(part, vols=vols, tenors=TENORS, moneyness=MONEYNESS, seed=seed)
        part.replace(file)
    return file
