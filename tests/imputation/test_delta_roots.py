"""Smiles at given deltas: against a bisection, from near and far, smooth, bent and of one vol."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtri

from voladdin._typing import FloatArray, IntArray
from voladdin.imputation.smiles.delta_roots import total_vols_at

SMILES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "flat": lambda k: np.full_like(k, 0.2),
    "skewed": lambda k: np.sqrt(0.01 + 0.2 * (np.sqrt(k**2 + 0.02) - 0.4 * k)),
    "kinked": lambda k: 0.2 + 0.1 * np.abs(k - 0.03),
    "steep": lambda k: np.sqrt(0.01 + 0.9 * np.abs(k)),
}
DELTAS = np.array([0.001, 0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 0.999])


def expected(smile: str, target: float) -> float:
    def gap(k: float) -> float:
        s = float(SMILES[smile](np.array([k]))[0])
        return 0.5 * s - k / s - target

    root = brentq(gap, -60.0, 60.0, xtol=1e-15, rtol=1e-14)
    return float(SMILES[smile](np.array([root]))[0])


@pytest.mark.parametrize("smile", SMILES)
@pytest.mark.parametrize("near", [0.02, 0.19, 0.21, 1.5])
@pytest.mark.parametrize("times", [1, 3])  # few at a time, and many
def test_the_root_is_that_of_a_bisection(smile: str, near: float, times: int) -> None:
    target: FloatArray = np.tile(ndtri(DELTAS), times)
    found = total_vols_at(lambda _, k: SMILES[smile](k), target, np.full_like(target, near))
    right = [expected(smile, x) for x in target.tolist()]
    np.testing.assert_allclose(found, right, rtol=1e-12)


def test_a_smooth_smile_is_asked_twice_from_near() -> None:
    asked: list[int] = []

    def smile(at: IntArray, k: FloatArray) -> FloatArray:
        asked.append(len(at))
        return np.asarray(SMILES["skewed"](k))

    target = ndtri(np.array([0.3]))
    near = np.array([1.002 * expected("skewed", float(target[0]))])
    total_vols_at(smile, target, near)
    assert len(asked) == 2
