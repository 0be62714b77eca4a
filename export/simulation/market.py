"""Joint histories of FX pairs: latent factors in time drive a Bates++ model of each, plus quote noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from voladdin._typing import FloatArray

from .axes import MASTER_DELTAS, MASTER_TENORS
from .factors import common_factors, mix, ou_path
from .smile import model_vols

_SHIFT_EDGES = np.array([0.0, 7 / 365, 1 / 12, 2 / 12, 0.25, 0.5, 0.75, 1.0, 3.0, 100.0])


@dataclass(frozen=True)
class Pair:
    """A currency pair's long-run character.

    level: long vol. rho: mean correlation of spot and variance, negative where puts are dear.
    jump_mean: mean log jump as a fraction of level.
    """

    name: str
    level: float
    rho: float
    jump_mean: float


PAIRS = {
    pair.name: pair
    for pair in (
        Pair("AUDUSD", 0.138, -0.58, -0.45),
        Pair("EURUSD", 0.115, -0.26, -0.25),
        Pair("GBPUSD", 0.120, -0.32, -0.25),
        Pair("USDCAD", 0.112, 0.32, 0.20),
        Pair("USDJPY", 0.115, -0.25, -0.30),
        Pair("USDMXN", 0.175, 0.60, 0.40),
    )
}


@dataclass(frozen=True)
class SimulatedHistory:
    """A simulated history: vols with quote noise, and `clean` without, both [P, days, T, K]."""

    pairs: tuple[str, ...]
    tenors: FloatArray
    deltas: FloatArray
    vols: FloatArray
    clean: FloatArray


def simulate_market(
    days: int,
    *,
    pairs: Sequence[str] = ("AUDUSD", "EURUSD", "USDCAD"),
    seed: int = 0,
    tenors: ArrayLike = MASTER_TENORS,
    deltas: ArrayLike = MASTER_DELTAS,
) -> SimulatedHistory:
    """A joint history of `days` business days of the vol surfaces of `pairs`.

    tenors: [T] years; deltas: [K] forward call deltas. The pairs share factors of level, skew and term
    structure, and crises. The same seed gives the same market.

    Raises ValueError (a pair that is not in PAIRS).
    """
    unknown = [name for name in pairs if name not in PAIRS]
    if unknown:
        raise ValueError(f"pairs has {unknown[0]!r}; expected names from {', '.join(PAIRS)}")
    rng = np.random.default_rng(seed)
    years, axis = np.asarray(tenors, dtype=float), np.asarray(deltas, dtype=float)
    common = common_factors(rng, days)
    clean, quoted = [], []
    for name in pairs:
        params = pair_parameters(rng, PAIRS[name], common, years)
        vols = model_vols("bates++", params, years, deltas=axis)
        level = np.sqrt(params["v0"])
        vols = vols * np.exp(misspecification(rng, days, years, axis))
        clean.append(vols)
        quoted.append(vols * np.exp(quote_noise(rng, level, years, axis)))
    return SimulatedHistory(tuple(pairs), years, axis, np.stack(quoted), np.stack(clean))


def pair_parameters(
    rng: np.random.Generator, pair: Pair, common: dict[str, FloatArray], years: FloatArray
) -> dict[str, FloatArray]:
    """Bates++ parameters [days] (shift [days, T]) of one pair from the common and its own factors."""
    days = len(common["short"])

    def own(half_life: float) -> FloatArray:
        return ou_path(rng, days, half_life)

    short, crisis = mix(common["short"], own(60), 0.7), common["crisis"] * rng.uniform(0.5, 1.5)
    long, skew = mix(common["long"], own(300), 0.9), mix(common["skew"], own(20), 0.6)
    theta = (pair.level * np.exp(0.12 * long)) ** 2
    xi = np.sqrt(theta) * 1.5 * np.exp(0.15 * own(40) + 0.05 * short)
    side = np.sign(pair.rho)
    return {
        "v0": 0.28 * theta * np.exp(0.36 * short + 0.4 * crisis),
        "kappa": 0.5 * np.exp(0.25 * own(150)),
        "theta": theta,
        "xi": xi,
        "rho": np.tanh(np.arctanh(pair.rho) + 0.18 * skew + side * (0.04 * short + 0.10 * crisis)),
        "intensity": 0.20 * np.exp(0.4 * own(120) + 0.5 * crisis),
        "jump_mean": pair.level * (pair.jump_mean + 0.15 * mix(common["skew"], own(90), 0.5)),
        "jump_std": pair.level * 0.65 * np.exp(0.2 * own(200)),
        "shift": _shift(rng, theta, short, years),
    }


def _shift(rng: np.random.Generator, theta: FloatArray, short: FloatArray, years: FloatArray) -> FloatArray:
    """Integrated deterministic variance [days, T]: forward variance that is constant between pillars."""
    spread = np.array([0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.2])
    size = np.array([0.12, 0.10, 0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.06])
    forward = size * theta[:, None] * np.exp(spread * ou_path(rng, len(theta), 15, len(spread)))
    forward *= np.exp(0.3 * short)[:, None]
    integrated = np.cumsum(np.pad(forward * np.diff(_SHIFT_EDGES), ((0, 0), (1, 0))), axis=1)
    return np.stack([np.interp(years, _SHIFT_EDGES, row) for row in integrated])


def _wing(deltas: FloatArray) -> FloatArray:
    """1 at the 10-delta put, 0 at the money, -1 at the 10-delta call."""
    return np.asarray(ndtri(deltas) / ndtri(0.9))


def misspecification(
    rng: np.random.Generator, days: int, years: FloatArray, deltas: FloatArray
) -> FloatArray:
    """What no Bates model explains, [days, T, K] of log-vol.

    Slow factors of level, skew and curvature, smooth in log-tenor (Gaussian kernel, width 0.9).
    """
    log_years, wing = np.log(years), _wing(deltas)
    kernel = np.exp(-0.5 * ((log_years[:, None] - log_years) / 0.9) ** 2) + 1e-8 * np.eye(len(years))
    mixing = np.linalg.cholesky(kernel).T
    vols = np.zeros((days, len(years), len(deltas)))
    for size, shape in ((0.013, np.ones_like(wing)), (0.016, wing), (0.009, wing**2)):
        vols += size * (ou_path(rng, days, 15, len(years)) @ mixing)[..., None] * shape
    return vols


def noise_width(years: FloatArray) -> FloatArray:
    """Standard deviation [T] of the at-the-money quote noise in vol at a level of 10%.

    Widest overnight, least between 3M and 1Y (about 2 bp), wider again at illiquid long tenors.
    """
    return 1e-4 * (1.5 + 0.35 * np.maximum(years, 1 / 365) ** -0.5 + 0.4 * years**0.7)


def quote_noise(
    rng: np.random.Generator, level: FloatArray, years: FloatArray, deltas: FloatArray
) -> FloatArray:
    """Noise of one day's quotes, independent in time, [days, T, K] of log-vol, for ATM levels [days].

    Errors of the at-the-money vol, risk reversal and butterfly as `noise_width`, and of each cell.
    """
    wing = _wing(deltas)
    size = noise_width(years) / 0.10 * np.clip(level / 0.10, 0.5, 2.0)[:, None] ** -0.3
    shape = (len(level), len(years))
    atm, risk_reversal, butterfly = rng.standard_normal((3, *shape, 1)) * size[..., None]
    cell = 0.3 * size[..., None] * rng.standard_normal((*shape, len(deltas)))
    return np.asarray(atm + 0.35 * risk_reversal * wing + 0.5 * butterfly * wing**2 + cell)
