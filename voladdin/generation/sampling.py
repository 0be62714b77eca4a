"""Random realistic surfaces: features as in training, residual z ~ N(0, I)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..bundles.generator import Generator
from ..errors import InputError
from ..threads import on_one_thread
from . import latents
from .generating import MAX_CELLS, Generation, frame_of, generated, generator_named

_BANDWIDTH = 0.1  # of the kernel, in standard deviations of the features
_BLOCK = 1024


@on_one_thread
def sample(
    count: int,
    seed: int,
    *,
    tenors: Sequence[str | float] | FloatArray | None = None,
    moneyness: ArrayLike | None = None,
    model: str | Path = "equity",
) -> Generation:
    """Random surfaces as the model was trained on: B = count, free of static arbitrage.

    The features are a smoothed bootstrap of training surfaces' (Silverman and Young 1987, variance kept) that
    stays inside their hull, and z ~ N(0, I). The same seed gives the same surfaces on every machine, and more
    of them begin with the same ones. tenors, moneyness: as `generate`.

    Raises InputError, LabelError (axes), BundleError (no such model).
    """
    count = latents.whole_number("count", count)
    generator = generator_named(model)
    frame = frame_of(generator, tenors, moneyness)
    if not 1 <= count * frame.base.size <= MAX_CELLS:
        raise InputError(
            f"count is {count}, of {frame.base.size} cells each; expected at least 1 surface, at most "
            f"{MAX_CELLS:,} cells in all"
        )
    features, z = _drawn(generator, latents.whole_number("seed", seed), count)
    return generated(generator, frame, features, z)


def _drawn(generator: Generator, seed: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Features [count, 4] inside the hull, latents [count, E]."""
    parts: list[tuple[FloatArray, FloatArray]] = []
    found, block = 0, 0
    while found < count:
        features, z = _block(generator, seed, block)
        inside = generator.inside(features)
        parts.append((features[inside], z[inside]))
        found, block = found + int(inside.sum()), block + 1
    features, z = (np.concatenate(part)[:count] for part in zip(*parts, strict=True))
    return features, z


def _block(generator: Generator, seed: int, block: int) -> tuple[FloatArray, FloatArray]:
    examples = generator.arrays["examples"]
    centre = examples.mean(axis=0)
    u = latents.uniforms(latents.SAMPLES + block, seed, (_BLOCK, 5 + generator.latent_size))
    picked = examples[(u[:, 0] * len(examples)).astype(int)] - centre
    noise = scipy.special.ndtri(u[:, 1:5]) @ np.linalg.cholesky(np.cov(examples.T)).T
    smooth = centre + np.sqrt(1 - _BANDWIDTH**2) * picked + _BANDWIDTH * noise
    return smooth, np.asarray(scipy.special.ndtri(u[:, 5:]))
