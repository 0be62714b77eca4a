"""The Σ-VAE with residual blocks of Gopal (2024), imputing by importance sampling with a refitted encoder.

The network, its training and its imputation are those of `export.imputation`. Smaller than in the paper:
6,000 training steps instead of 100,000 (from ten times its learning rate down along a cosine, without which
so few end on noise), 1,500 refit steps of 10 codes instead of 10,000 of 50, and 1,000 codes instead of
10,000. `voladdin bench papers` runs the paper's own budget.
"""

from __future__ import annotations

import numpy as np
import torch

from export.imputation.imputers import IMPUTERS, Refit, completed
from export.imputation.networks.residual import Size, sized
from export.imputation.training.fit import Options, fit
from voladdin._typing import FloatArray
from voladdin.errors import InputError

from ..data import DeltaAxes, History
from ..methods import Prediction

RATE, CODES_OF_REFIT = 2e-3, 10


class SigmaVAE:
    """See the module. Deterministic for a seed; one thread."""

    uses_prior = False

    def __init__(
        self,
        steps: int = 6000,
        refit_steps: int = 1500,
        samples: int = 1000,
        size: Size | None = None,
        seed: int = 0,
    ) -> None:
        self.options = Options(steps, rate=RATE, halved=1.0, cosine=True, seed=seed)
        self.refit = Refit(refit_steps, CODES_OF_REFIT)
        self.samples, self.size = samples, size or Size(width=128)
        self.name = f"Σ-VAE, refitted ({steps:,} steps)"

    def fit(self, history: History) -> None:
        torch.manual_seed(self.options.seed)
        self.axes, nodes = history.axes, int(np.prod(history.axes.shape))
        network = sized(nodes, None, self.size)
        self.fitted = fit(network, history.vols.reshape(-1, nodes), history.axes.tenors, self.options)

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        """Raises InputError for other axes than those of training."""
        if not axes.same(self.axes):
            raise InputError(
                f"axes are {axes.shape}; expected those of the training history, {self.axes.shape}"
            )
        standard, way = self.fitted.standard, IMPUTERS["importance sampling, encoder refitted"]
        rows = standard.rows(vols.reshape(len(vols), -1))
        seen = torch.isfinite(rows)
        asked = (rows.nan_to_num(), seen, way, self.samples, self.options.seed, self.refit)
        found = completed(self.fitted.network, *asked, draws=0)
        mean, std = standard.logs(found.mean), standard.std * found.std.double().numpy()
        return Prediction.from_log(mean.reshape(vols.shape), std.reshape(vols.shape))
