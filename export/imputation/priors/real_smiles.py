"""What the smiles of real surfaces have that those of simulated ones lack: features that are narrower.

Chosen on one half of a pool of public surfaces that nothing else was chosen on (indices, stocks, funds,
coins, commodities), and held on the other half and on those of `voladdin bench markets --set real`.
"""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray
from voladdin.imputation.processes.process import HYPERPARAMETERS

NARROWER = 0.4  # of the logarithm of how wide in u the residual process is
_MOVE = NARROWER * (np.array(HYPERPARAMETERS) == "residual_width")


def as_real(hyper: FloatArray) -> FloatArray:
    """Hyper-parameters [G, h] of candidates trained on simulated surfaces, as real ones have them."""
    return np.asarray(hyper - _MOVE)


def as_simulated(hyper: FloatArray) -> FloatArray:
    """The other way round: where training goes on from."""
    return np.asarray(hyper + _MOVE)
