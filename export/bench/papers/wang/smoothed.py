"""The paper's network read off the polynomial that section 3.3 fits to every surface.

The paper does not say how it takes the derivatives of what is decoded. At the nodes, the second ones are
those of the decoder's errors of single nodes; of the polynomial, they are those of the surface's shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voladdin._typing import FloatArray
from voladdin.feature_map import DEGREE, MONOMIALS

from ...generation.paper import PaperNetwork
from ...generation.training_surfaces import TrainingSurfaces


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A network whose vols [B, N] are those of the polynomial fitted to them; hat [N, N]: the projection."""

    network: PaperNetwork
    hat: FloatArray

    @classmethod
    def of(cls, network: PaperNetwork, found: TrainingSurfaces) -> Smoothed:
        tau, m = (axis.ravel() for axis in np.meshgrid(found.tenors, found.moneyness, indexing="ij"))
        columns = np.stack([tau**i * m**j for i, j in MONOMIALS if i + j <= DEGREE], axis=1)
        basis = np.linalg.qr(columns)[0]
        return cls(network, basis @ basis.T)

    @property
    def control(self) -> tuple[int, ...]:
        return self.network.control

    @property
    def latent_size(self) -> int:
        return self.network.latent_size

    def decoder(self, features: Tensor, z: Tensor) -> Tensor:
        decoded: Tensor = self.network.vae.decoder(features, z)
        return decoded @ torch.tensor(self.hat, dtype=decoded.dtype)

    def vols(self, features: FloatArray, z: FloatArray) -> FloatArray:
        return self.network.vols(features, z) @ self.hat

    def reconstructed(self, vols: FloatArray, features: FloatArray) -> FloatArray:
        return self.network.reconstructed(vols, features) @ self.hat
