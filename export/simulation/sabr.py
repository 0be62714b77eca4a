"""SABR vols by Hagan's expansion."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray


def hagan_vol(
    log_moneyness: FloatArray,
    years: FloatArray,
    alpha: FloatArray,
    beta: FloatArray,
    rho: FloatArray,
    nu: FloatArray,
) -> FloatArray:
    """Lognormal SABR vols of a forward of 1, broadcasting; log_moneyness ln(K/F), years.

    An expansion in nu^2 T: a rough answer beyond nu^2 T of about 1, where far-wing densities may turn
    negative. `alpha` is the normalised at-the-money level (alpha F^(beta-1)).
    Source: Hagan, Kumar, Lesniewski, Woodward (2002), equation 2.17a.
    """
    m, b = np.asarray(log_moneyness, dtype=float), 1.0 - np.asarray(beta)
    power = np.exp(0.5 * b * m)
    z = -nu / alpha * power * m
    small = np.abs(z) < 1e-6
    safe = np.where(small, 1.0, z)
    root = np.sqrt(1 - 2 * rho * safe + safe**2)
    chi = np.log((root + safe - rho) / (1 - rho))
    ratio = np.where(small, 1.0 - 0.5 * rho * z, safe / chi)
    expansion = 1 + (b * m) ** 2 / 24 + (b * m) ** 4 / 1920
    first = (b * alpha / power) ** 2 / 24
    second = rho * beta * nu * alpha / power / 4
    third = (2 - 3 * rho**2) * nu**2 / 24
    return np.asarray(alpha / (power * expansion) * ratio * (1 + (first + second + third) * years))
