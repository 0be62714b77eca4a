"""Experiment III: arbitrage of surfaces in the hull of the training features, in the rectangle, in the tails.

In the hull every |z| is at most 3, as in the paper. The paper's rectangle is "extended", it does not say by
how much: here it spans the training features. In the tails one latent, drawn at random, is beyond 3.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

import voladdin as va
from voladdin._typing import BoolArray, FloatArray
from voladdin.arbitrage.nodes import Rectangle
from voladdin.arbitrage.repair.latent_repair import repaired
from voladdin.arbitrage.verdicts import arbitrage_free
from voladdin.errors import InfeasibleError

from .generators import Generates, Ours
from .smooth_violations import violations
from .training_surfaces import TrainingSurfaces

REGIONS = ("hull", "rectangle", "tails")
CENTRAL = 3.0
COLUMNS = ("region", "generator", "features", "grid, %", "f < 0, %", "dw/dtau < 0, %", "any, %")
USER_COLUMNS = (
    *("region", "surfaces", "decoded with arbitrage", "of these asked for", "returned, moved", "refused"),
    *("violations returned", "feature error", "moved, bp p50", "ms p50", "ms max"),
)
LATENT_COLUMNS = ("region", "features", "tried", "repaired", "repaired, %", "moved, bp p50", "ms p50")
_BLOCK = 10_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """Targets [B, F] and latents [B, E] of one region."""

    targets: FloatArray
    z: FloatArray

    def __getitem__(self, rows: slice | FloatArray | BoolArray) -> Drawn:
        return Drawn(self.targets[rows], self.z[rows])


def drawn(
    region: str, generator: Generates, surfaces: TrainingSurfaces, count: int, rng: np.random.Generator
) -> Drawn:
    """What a region asks of a generator."""
    where = surfaces.in_hull if region == "hull" else surfaces.in_rectangle
    targets = where(generator.control, count, rng)
    z = rng.standard_normal((count, generator.latent_size))
    if region == "hull":
        z = ndtri(rng.uniform(ndtr(-CENTRAL), ndtr(CENTRAL), z.shape))
    if region == "tails":
        far = -ndtri(rng.uniform(0, ndtr(-CENTRAL), count))
        z[np.arange(count), rng.integers(z.shape[1], size=count)] = far * rng.choice([-1.0, 1.0], count)
    return Drawn(targets, z)


def decoded(generator: Generates, surfaces: TrainingSurfaces, asked: Drawn) -> dict[str, BoolArray]:
    """[B] which decoded surfaces violate what."""
    parts = []
    for start in range(0, len(asked.z), _BLOCK):
        block = asked[slice(start, start + _BLOCK)]
        vols = surfaces.grid(generator.vols(block.targets, block.z))
        parts.append(violations(vols, surfaces.tenors, surfaces.moneyness))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def decoded_row(region: str, name: str, generator: Generates, found: dict[str, BoolArray]) -> list[str]:
    """A row of COLUMNS; `any` is of f and dw/dtau, as the paper counts."""
    shares = [found["grid"], found["f"], found["calendar"], found["f"] | found["calendar"]]
    return [region, name, str(len(generator.control)), *(f"{100 * share.mean():.2f}" for share in shares)]


@dataclass(frozen=True, eq=False)
class Served:
    """What `va.generate` did with the surfaces asked for.

    returned: [R, T, K]. targets: [R, 4] theirs. refused: messages. moved: bp, of the repaired. seconds: of
    single calls.
    """

    returned: FloatArray
    targets: FloatArray
    refused: list[str]
    moved: list[float]
    seconds: list[float]


def served(asked: Drawn, bad: BoolArray, sample: int, model: str, rng: np.random.Generator) -> Served:
    """All decoded surfaces without arbitrage in one call, and `sample` of the others one by one."""
    fine = asked[~bad]
    batch = va.generate(*fine.targets.T, latent=fine.z, model=model) if len(fine.z) else None
    vols = [] if batch is None else [batch.vols]
    targets = [fine.targets]
    refused: list[str] = []
    moved: list[float] = []
    seconds: list[float] = []
    rows = np.flatnonzero(bad)
    for row in rng.permutation(rows)[:sample]:
        start = time.perf_counter()
        try:
            one = va.generate(*asked.targets[row], latent=asked.z[row], model=model)
            vols.append(one.vols)
            targets.append(asked.targets[row][None])
            moved.append(float(one.moved[0]))
        except InfeasibleError as error:
            refused.append(str(error))
        seconds.append(time.perf_counter() - start)
    return Served(np.concatenate(vols), np.concatenate(targets), refused, moved, seconds)


def served_row(region: str, surfaces: TrainingSurfaces, bad: BoolArray, found: Served) -> list[str]:
    """A row of USER_COLUMNS."""
    invalid = int((~arbitrage_free(Rectangle(surfaces.tenors, surfaces.moneyness), found.returned)).sum())
    got = found.returned.reshape(len(found.returned), -1) @ surfaces.weights.T
    ms = 1e3 * np.array(found.seconds)
    return [
        region,
        f"{len(bad):,}",
        f"{int(bad.sum()):,}",
        f"{len(found.seconds):,}",
        f"{len(found.moved):,}",
        f"{len(found.refused):,}",
        str(invalid),
        f"{np.abs(got - found.targets).max():.1e}",
        _of(np.median, np.array(found.moved), "{:.1f}"),
        _of(np.median, ms, "{:.0f}"),
        _of(np.max, ms, "{:.0f}"),
    ]


def latent_row(
    region: str, ours: Ours, asked: Drawn, bad: BoolArray, sample: int, rng: np.random.Generator
) -> list[str]:
    """Algorithm 2 of the paper on at most `sample` of the decoded surfaces with arbitrage."""
    moved, seconds = [], []
    rows = rng.permutation(np.flatnonzero(bad))[:sample]
    for row in rows:
        target, z = asked.targets[row], asked.z[row]
        vols = ours.generator.vols(target[None], z[None])[0]
        start = time.perf_counter()
        found = repaired(ours.generator, target, vols, z)
        seconds.append(time.perf_counter() - start)
        if found is not None:
            moved.append(1e4 * float(np.abs(found - vols).max()))
    return [
        *(region, str(len(ours.control)), str(len(rows)), str(len(moved))),
        f"{100 * len(moved) / len(rows):.1f}" if len(rows) else "",
        _of(np.median, np.array(moved), "{:.1f}"),
        _of(np.median, 1e3 * np.array(seconds), "{:.0f}"),
    ]


def _of(statistic: Callable[[FloatArray], float], values: FloatArray, form: str) -> str:
    return form.format(statistic(values)) if len(values) else ""
