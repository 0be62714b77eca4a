"""The same quotes said in other units, another order or beside other surfaces have the same answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import voladdin as va

TENORS = np.array([0.04, 0.25, 1.0, 1.5, 2.0, 3.0, 10.0, 30.0])
SHOWN = {"one quote a tenor": 1 / 12, "a third": 0.33}


def quoted(name: str, seed: int, columns: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Log-moneyness [T, K] and vols with holes."""
    rng = np.random.default_rng(seed)
    m = np.sort(rng.normal(0.0, 0.1, (len(TENORS), columns)), axis=1) * np.sqrt(TENORS)[:, None]
    vols = 0.11 - 0.02 * m / np.sqrt(TENORS)[:, None] + 0.02 * m**2 + 0.005 * rng.standard_normal(m.shape)
    shown = rng.random(m.shape) < SHOWN[name]
    shown[np.arange(len(TENORS)), rng.integers(0, columns, len(TENORS))] = True
    if name == "one quote a tenor":
        shown &= np.cumsum(shown, axis=1) == 1
    return m, np.where(shown, vols, np.nan)


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("seed", range(2))
def test_units_and_order(name: str, seed: int) -> None:
    m, vols = quoted(name, seed)
    forwards = 1.3 * np.exp(0.02 * TENORS)
    prior = 0.12 + 0.0 * vols if seed else None
    axes: list[dict[str, Any]] = [
        {"strikes": unit * forwards[:, None] * np.exp(m), "forwards": unit * forwards} for unit in (1.0, 1e3)
    ]
    axes.append({"moneyness": m})

    def answer(axis: dict[str, Any], turn: int = 1) -> va.Imputation:
        earlier = None if prior is None else va.Surface(prior[:, ::turn], TENORS, **axis)
        return va.impute(va.Surface(vols[:, ::turn], TENORS, **axis), prior=earlier)

    first = answer(axes[0])
    turned = answer({"moneyness": m[:, ::-1]}, -1)
    others = [answer(axis) for axis in axes[1:]]
    for part in ("filled", "std", "low", "high"):
        expected = getattr(first, part)
        np.testing.assert_allclose(getattr(turned, part)[:, ::-1], expected, rtol=2e-5)
        for other in others:
            np.testing.assert_allclose(getattr(other, part), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_units_of_normal_vols(seed: int) -> None:
    """Rates in decimals and in basis points, at one quote a tenor and at more; forwards below zero too."""
    rng = np.random.default_rng(seed)
    forwards = 0.01 * rng.standard_normal(4)
    strikes, tenors = np.linspace(-0.02, 0.02, 5), np.array([0.25, 1.0, 5.0, 10.0])
    vols = 0.008 * (1.0 + 10.0 * np.abs(strikes - forwards[:, None]))
    shown = np.where((np.arange(5) == 2) | (rng.random((4, 5)) < 0.3 * seed), vols, np.nan)

    def answer(unit: float) -> va.Imputation:
        axes: dict[str, Any] = {"strikes": unit * strikes, "forwards": unit * forwards, "vol_type": "normal"}
        return va.impute(va.Surface(unit * shown, tenors, **axes))

    one, other = answer(1.0), answer(1e4)
    for part in ("filled", "std"):
        np.testing.assert_allclose(getattr(other, part) / 1e4, getattr(one, part), rtol=1e-4, atol=1e-12)
