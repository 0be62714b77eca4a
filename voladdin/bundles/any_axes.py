"""The bundle of a generator on any tenors and strikes: a VAE of log vols on a grid of tenors x deltas.

    log vol = mean + modes u(z),     z = codes[i] + spread[i] e,   e ~ N(0, I),   i one of S training surfaces

Graph, float32: decoder z [B, E] -> u [B, U].
surfaces.npz: tenors [T] years and deltas [K], increasing; mean [T*K]; modes [T*K, U]; codes, spread [S, E].
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from .. import bundles
from .._typing import FloatArray


class SurfaceGenerator(bundles.AnyBundle):
    """A bundle that generates on any axes; see the module for its graphs and arrays."""

    KIND = "surfaces"
    SUFFIX = "-generation"
    FILE = "surfaces.npz"
    ARRAYS: ClassVar[Mapping[str, str]] = {
        "tenors": "T",
        "deltas": "K",
        "mean": "T*K",
        "modes": "T*K U",
        "codes": "S E",
        "spread": "S E",
    }
    GRAPHS = ("decoder",)
    POSITIVE = frozenset({"tenors", "deltas", "spread"})

    def probe(self) -> FloatArray:
        """Decodes the first code."""
        a = self.arrays
        if not all((np.diff(a[name]) > 0).all() for name in ("tenors", "deltas")) or a["deltas"][-1] >= 1:
            raise ValueError("its axes are not in order")
        logs = self.logs(a["codes"][:1])
        if logs.shape != (1, len(a["mean"])):
            raise ValueError(f"its graph answers in shape {logs.shape}")
        if not (np.abs(logs) < np.log(1e3)).all():
            raise ValueError("its answer is no vol")
        return np.asarray(self.run("decoder", z=a["codes"][:1])[0].ravel())

    def logs(self, z: FloatArray) -> FloatArray:
        """[B, T * K] log vols of latents z [B, E]."""
        decoded = self.run("decoder", z=z)[0]
        return np.asarray(self.arrays["mean"] + decoded @ self.arrays["modes"].T)

    @cached_property
    def examples(self) -> FloatArray:
        """[S, T * K] log vols of the training surfaces' codes."""
        return self.logs(self.arrays["codes"])
