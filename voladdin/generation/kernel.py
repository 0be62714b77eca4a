"""How much each training surface counts where some of four numbers are given."""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray

_FEWEST = 40.0  # effective training surfaces
_WIDTHS = 0.1 * 1.5 ** np.arange(24)  # of the kernel, in deviations


def kernel_weights(examples: FloatArray, given: FloatArray, known: BoolArray) -> tuple[FloatArray, float]:
    """[S] weights, of sum 1, of a Gaussian kernel at the numbers given, and its width in deviations.

    As narrow as leaves an effective 40 of them. examples: [S, F]; given, known: [F].
    """
    if not known.any():
        return np.full(len(examples), 1.0 / len(examples)), float(_WIDTHS[0])
    away = (examples[:, known] - given[known]) / examples[:, known].std(0)
    distance = (away**2).sum(1)
    for width in _WIDTHS.tolist():
        weight = np.exp(-0.5 * (distance - distance.min()) / width**2)
        weight /= weight.sum()
        if 1 / (weight**2).sum() >= _FEWEST:
            break
    return weight, width
