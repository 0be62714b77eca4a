"""Raw SVI smiles about their ATM vol: those of SSVI, shifted, and lifted or lowered off their floor.

With h(y) = 1 + rho y + sqrt(y² + 2 rho y + 1) of an SSVI smile, y its scaled log-moneyness,

    vol² / ATM vol² = 1 + exp(lift) (h(y - shift) / h(-shift) - 1)

has the five numbers of an expiry in w = a + b (rho (k - m) + sqrt((k - m)² + sigma²)) (Gatheral and Jacquier
2014, section 3), and is SSVI's where shift and lift are 0.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ..processes import bending

_MOST_LIFT, _STEEPEST = 2.0, 20.0  # of lift, and of a logarithm of h
_LEAST = 0.02  # vol² over that at the money: a smile that falls lower is flat there
_PASSES, _MOST_RISE, _LONGEST = 5, 0.9, 0.5  # Newton steps to own deviations, and their bounds


def of_strikes(
    rho: FloatArray, y: FloatArray, shift: FloatArray, lift: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """ln(vol / ATM vol), and its derivatives by y, rho, shift and lift; all of one shape."""
    far, far_y, far_rho = bending.of_strikes(rho, y - shift)
    near, near_y, near_rho = bending.of_strikes(rho, -shift)
    grown = np.exp(np.clip(lift, -_MOST_LIFT, _MOST_LIFT))
    ratio = np.exp(np.clip(2.0 * (far - near), -_STEEPEST, _STEEPEST))
    square = 1.0 + grown * (ratio - 1.0)
    held = np.maximum(square, _LEAST)
    scale = np.where(square > _LEAST, grown / held, 0.0)
    moved = scale * ratio
    by_lift = 0.5 * scale * (ratio - 1.0)
    return 0.5 * np.log(held), moved * far_y, moved * (far_rho - near_rho), moved * (near_y - far_y), by_lift


def of_own(rho: FloatArray, y: FloatArray, shift: FloatArray, lift: FloatArray) -> FloatArray:
    """ln(vol / ATM vol) where y is of deviations of the cell's own vol: Newton's steps from SSVI's smile."""
    value = bending.of_own(rho, y)[0]
    for _ in range(_PASSES):
        there = y * np.exp(value)
        wanted, by_y, *_ = of_strikes(rho, there, shift, lift)
        rise = np.minimum(by_y * there, _MOST_RISE)
        value = value + np.clip((wanted - value) / (1.0 - rise), -_LONGEST, _LONGEST)
    return value
