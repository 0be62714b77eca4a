"""What the bench asks of a generator, and our own: the shipped one, and those of fewer features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from export.generation.train import Config, Data, train_generator
from voladdin._typing import FloatArray
from voladdin.bundles.generator import Generator, load
from voladdin.errors import BundleError
from voladdin.feature_map import NAMES

from .training_surfaces import TrainingSurfaces


class Generates(Protocol):
    """A generator of vols [B, N] of features [B, F] and latents [B, E] ~ N(0, I).

    control: rows of `feature_map.NAMES` that it is given. latent_size: E.
    """

    @property
    def control(self) -> tuple[int, ...]: ...

    @property
    def latent_size(self) -> int: ...

    def vols(self, features: FloatArray, z: FloatArray) -> FloatArray: ...

    def reconstructed(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        """[B, N] vols from what its own latent keeps of them."""
        ...


@dataclass(frozen=True, eq=False)
class Ours:
    """A bundle of `voladdin.bundles.generator`; decoded only, without the repair of `va.generate`."""

    generator: Generator

    @property
    def control(self) -> tuple[int, ...]:
        return tuple(NAMES.index(name) for name in self.generator.features)

    @property
    def latent_size(self) -> int:
        return self.generator.latent_size

    def vols(self, features: FloatArray, z: FloatArray) -> FloatArray:
        return self.generator.vols(features, z).reshape(len(features), -1)

    def reconstructed(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        grid = vols.reshape(len(vols), len(self.generator.tenors), len(self.generator.moneyness))
        return self.vols(features, self.generator.encode(grid)[1])


def train_ours(
    surfaces: TrainingSurfaces, control: tuple[int, ...], folder: Path, steps: int, *, quiet: bool
) -> Ours:
    """Our generator of other features, from its bundle in `folder` where that is of the same run."""
    config = Config(features=tuple(NAMES[row] for row in control), steps=steps, samples=1000)
    try:
        found = load(folder)
        training = found.card["training"]
        same = training["steps"] == steps and training["surfaces"] == len(surfaces.train)
    except BundleError:
        same = False
    if not same:
        data = Data(surfaces.tenors, surfaces.moneyness, surfaces.train, surfaces.held[:1000])
        train_generator(data, folder, folder.name, config, quiet=quiet)
        found = load(folder)
    return Ours(found)


def draw(generator: Generates, count: int, rng: np.random.Generator) -> FloatArray:
    """[count, E] latents ~ N(0, I)."""
    return rng.standard_normal((count, generator.latent_size))
