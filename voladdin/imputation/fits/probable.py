"""Quotes that no fit is to follow: single ones that the others make improbable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..._typing import FloatArray
from ..history.posterior import Posterior, log_density
from ..processes.evidence import FARTHEST_HEARD, MOST_UNHEARD


def probable(flat: FloatArray, found: Posterior) -> tuple[FloatArray, Posterior]:
    """Log-vols [B, N] and what is known of them, both as if improbable quotes were missing."""
    quoted = np.isfinite(flat)
    odd = quoted & (np.abs(np.where(quoted, found.zscore, 0.0)) > FARTHEST_HEARD)
    odd &= (odd.sum(1) <= MOST_UNHEARD * quoted.sum(1))[:, None]
    if not odd.any():
        return flat, found
    spread = spread_of_quotes(found)
    mean = np.where(odd, found.mean - found.zscore * spread, found.mean)
    std = np.where(odd, spread, found.std)
    zscore, density = (np.where(odd, np.nan, each) for each in (found.zscore, found.density))
    return np.where(odd, np.nan, flat), replace(found, mean=mean, std=std, zscore=zscore, density=density)


def spread_of_quotes(known: Posterior) -> FloatArray:
    """[B, N] standard deviation of each quote as the others foretell it; NaN elsewhere."""
    return np.asarray(np.exp(log_density(known.zscore, np.ones(1)) - known.density))
