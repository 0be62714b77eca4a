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

_MOST_LIFT = 2.0  # of lift
_FLATTEST, _STEEPEST = np.exp([-20.0, 20.0])  # of h over that at the money
_LEAST = 0.02  # vol² over that at the money: a smile that falls lower is flat there
_PASSES, _MOST_RISE, _LONGEST = 5, 0.9, 0.5  # Newton steps to own deviations, and their bounds


def of_strikes(rho: FloatArray, y: FloatArray, shift: FloatArray, lift: FloatArray) -> tuple[FloatArray, ...]:
    """ln(vol / ATM vol), and its derivatives by y, rho, shift and lift; all of one shape."""
    return of_smiles(rho, y, *of_money(rho, shift, lift))


def of_money(rho: FloatArray, shift: FloatArray, lift: FloatArray) -> tuple[FloatArray, ...]:
    """What a smile has of all its strikes: shift, exp(lift), h(-shift), and the derivatives of half its
    logarithm by y and rho.
    """
    near, by_y, by_rho = bending.twice_squared(rho, -shift)
    grown = np.exp(np.minimum(np.maximum(lift, -_MOST_LIFT), _MOST_LIFT))
    return shift, grown, near, 0.5 * by_y / near, 0.5 * by_rho / near


def of_smiles(
    rho: FloatArray,
    y: FloatArray,
    shift: FloatArray,
    grown: FloatArray,
    near: FloatArray,
    near_y: FloatArray,
    near_rho: FloatArray,
) -> tuple[FloatArray, ...]:
    """`of_strikes`, of what `of_money` has."""
    far, far_y, far_rho = bending.twice_squared(rho, y - shift)
    ratio = np.minimum(np.maximum(far / near, _FLATTEST), _STEEPEST)
    more = ratio - 1.0
    square = 1.0 + grown * more
    held = np.maximum(square, _LEAST)
    scale = grown / held * (square > _LEAST)
    moved = scale * ratio
    far = 0.5 * moved / far
    by_y = far * far_y
    return (
        0.5 * np.log(held),
        by_y,
        far * far_rho - moved * near_rho,
        moved * near_y - by_y,
        0.5 * scale * more,
    )


def of_own(rho: FloatArray, y: FloatArray, shift: FloatArray, lift: FloatArray) -> FloatArray:
    """ln(vol / ATM vol) where y is of deviations of the cell's own vol: Newton's steps from SSVI's smile."""
    value, at_money = bending.of_own(rho, y)[0], of_money(rho, shift, lift)
    for _ in range(_PASSES):
        there = y * np.exp(value)
        wanted, by_y, *_ = of_smiles(rho, there, *at_money)
        rise = np.minimum(by_y * there, _MOST_RISE)
        value = value + np.clip((wanted - value) / (1.0 - rise), -_LONGEST, _LONGEST)
    return value
