"""The bundle of a generator: surfaces with given features, exactly, from a conditional VAE.

    x = mean + gain (y - centre) + modes u(y, z),     P gain = 1,   P modes = 0

x are the vols of the grid [T, K] in rows, y = P x its features and z the latent, N(0, I). The network only
says u, so its float32 costs the features nothing: the rest is float64.

Graphs, all float32, B surfaces:
  encoder           y [B, F], u [B, U]  ->  mean [B, E], spread [B, E] of z given the surface
  decoder           y [B, F], z [B, E]  ->  u [B, U]
  decoder_jacobian  y [B, F], z [B, E]  ->  u [B, U], slope [B, E, U], which is du/dz

basis.npz, all float64:
  tenors [T] years, moneyness [K] ln(K/F); mean [N] vols with N = T K; centre [F] their features;
  weights [F, N], P; gain [N, F]; modes [N, U]; control [F], rows of `feature_map.NAMES` that y holds;
  hull_centre, hull_scale [F] and hull_equations [H, F + 1]: y is in the hull of the training features where
  equations[:, :F] @ ((y - hull_centre) / hull_scale) + equations[:, F] <= 0; hull_vertices [V, F], features;
  latent_std [E], deviation of the training surfaces' mean z: near 1 carries shape, near 0 nothing;
  examples [S, F], features of training surfaces drawn at random, from which `sample` draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import bundles
from .._typing import FloatArray
from ..feature_map import NAMES

_ROUNDING = 1e-12
_BLOCK = 50  # rows at a time: the distances stay in the cache, and BLAS wakes no threads for so few


@dataclass(frozen=True, eq=False)
class Generator(bundles.AnyBundle):
    """A bundle that generates; see the module for its graphs and arrays."""

    KIND = "generation"
    FILE = "basis.npz"
    ARRAYS: ClassVar[Mapping[str, str]] = {
        "tenors": "T",
        "moneyness": "K",
        "control": "F",
        "mean": "T*K",
        "centre": "F",
        "weights": "F T*K",
        "gain": "T*K F",
        "modes": "T*K U",
        "hull_centre": "F",
        "hull_scale": "F",
        "hull_equations": "H G",
        "hull_vertices": "V F",
        "latent_std": "E",
        "examples": "S F",
    }
    POSITIVE = frozenset({"tenors", "mean", "hull_scale"})

    def probe(self) -> FloatArray:
        """Decodes the trained mean and codes it again."""
        a = self.arrays
        known = np.isin(a["control"], range(len(NAMES))).all()
        if not known or a["hull_equations"].shape[1] != len(a["centre"]) + 1:
            raise ValueError("its control or hull_equations are of other features")
        for name in ("tenors", "moneyness"):
            if not (np.diff(a[name]) > 0).all():
                raise ValueError(f"its {name} are not in order")
        y, z = self.centre[None], np.zeros((1, self.latent_size))
        (vols, slope), coded = self.vols_and_slope(y, z), self.encode(self.vols(y, z))[1]
        if vols.shape != slope.shape[:1] + slope.shape[2:] or coded.shape != z.shape:
            raise ValueError(f"its graphs answer in shapes {vols.shape}, {slope.shape}, {coded.shape}")
        if not (np.isfinite(slope).all() and np.isfinite(coded).all() and ((vols > 0) & (vols < 10)).all()):
            raise ValueError("its answer is no vol")
        return np.concatenate([vols.mean(axis=-1).ravel(), slope.sum(axis=-1).ravel(), coded.ravel()])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that y holds, in order."""
        return tuple(NAMES[int(row)] for row in self.arrays["control"])

    @property
    def tenors(self) -> FloatArray:
        """[T] years."""
        return self.arrays["tenors"]

    @property
    def moneyness(self) -> FloatArray:
        """[K] ln(K/F)."""
        return self.arrays["moneyness"]

    @property
    def mean(self) -> FloatArray:
        """[N] mean vols of the training surfaces."""
        return self.arrays["mean"]

    @property
    def gain(self) -> FloatArray:
        """[N, F] how vols move with the features on average."""
        return self.arrays["gain"]

    @property
    def modes(self) -> FloatArray:
        """[N, U] what else moves them, of unit variance."""
        return self.arrays["modes"]

    @property
    def centre(self) -> FloatArray:
        """[F] features of the mean."""
        return self.arrays["centre"]

    @property
    def latent_size(self) -> int:
        """Length E of z."""
        return len(self.arrays["latent_std"])

    def decode(self, y: FloatArray, z: FloatArray) -> FloatArray:
        """[B, U] mode coefficients of features y [B, F] and latent z [B, E]."""
        return self.run("decoder", y=y, z=z)[0]

    def vols(self, y: FloatArray, z: FloatArray) -> FloatArray:
        """[B, T, K] vols whose features are y [B, F]; latent z [B, E]. They may have arbitrage."""
        return self.join(y, self.decode(y, z))

    def join(self, y: FloatArray, u: FloatArray) -> FloatArray:
        """[B, T, K] vols of features y [B, F] and mode coefficients u [B, U]."""
        flat = self.mean + (y - self.centre) @ self.gain.T + u @ self.modes.T
        return np.asarray(flat.reshape(-1, len(self.tenors), len(self.moneyness)))

    def vols_and_slope(self, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[B, T, K] vols and their derivative [B, E, T, K] by z; no derivative moves a feature."""
        u, slope = self.run("decoder_jacobian", y=y, z=z)
        vols = self.join(y, u)
        moved = np.asarray(slope @ self.modes.T)
        return vols, moved.reshape(*moved.shape[:2], *vols.shape[1:])

    def split(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Features y [B, F] and mode coefficients u [B, U] of vols [B, T, K] on the grid."""
        flat = vols.reshape(len(vols), -1)
        y = flat @ self.arrays["weights"].T
        rest = flat - self.mean - (y - self.centre) @ self.gain.T
        return np.asarray(y), np.asarray(rest @ self._readout)

    def encode(self, vols: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Features y [B, F] and the mean latent z [B, E] of vols [B, T, K] on the grid."""
        y, u = self.split(vols)
        return y, self.run("encoder", y=y, u=u)[0]

    def beyond(self, y: FloatArray) -> FloatArray:
        """[B] how far outside the hull of the training features y [B, F] is; 0 or less is inside.

        The largest distance from a facet, with each feature in its standard deviations.
        """
        a = self.arrays
        scaled = (y - a["hull_centre"]) / a["hull_scale"]
        normals, offsets = a["hull_equations"][:, :-1].T, a["hull_equations"][:, -1]
        parts = [scaled[start : start + _BLOCK] for start in range(0, len(scaled), _BLOCK)]
        return np.concatenate([(part @ normals + offsets).max(axis=1) for part in parts] or [np.empty(0)])

    def inside(self, y: FloatArray) -> NDArray[np.bool_]:
        """[B] whether features y [B, F] are in the hull of the training features."""
        return self.beyond(y) <= _ROUNDING

    @property
    def ranges(self) -> FloatArray:
        """[2, F]: least and largest trained value of each feature."""
        vertices = self.arrays["hull_vertices"]
        return np.stack([vertices.min(axis=0), vertices.max(axis=0)])

    @cached_property
    def _readout(self) -> FloatArray:
        return np.asarray(np.linalg.pinv(self.modes).T)


def load(name: str | Path = "equity") -> Generator:
    """The generator of that name or folder. Raises BundleError as `bundles.load` does."""
    return bundles.load(name, Generator)
