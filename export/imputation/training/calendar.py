"""The calendar penalty on decoded surfaces (Mama 2022, equation 24), of what violates it alone."""

from __future__ import annotations

from torch import Tensor


def calendar_penalty(vols: Tensor, tenors: Tensor) -> Tensor:
    """[B] sum of squares of min(dw/dT, 0), total variance w differenced along tenors at each delta.

    vols: [B, T, K]; tenors: [T] years. Mama prints the square of all of dw/dT; that would also flatten a
    surface that is free of arbitrage, so the part that falls is what is squared here.
    """
    w = vols.square() * tenors[:, None]
    slope = w.diff(dim=1) / tenors.diff()[:, None]
    return slope.clamp_max(0.0).square().sum((1, 2))
