"""Independent surfaces over broad parameter ranges: every regime an FX desk may meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voladdin._typing import FloatArray

from .axes import MASTER_DELTAS, MASTER_TENORS
from .smile import MODELS, model_vols

_MAX_DRAWS = 20
_ANCHORS = np.array([1e-6, 1 / 52, 0.5, 2.0, 10.0])


def simulate_surfaces(
    count: int,
    *,
    seed: int = 0,
    models: Sequence[str] = ("heston", "bates", "heston++", "sabr"),
    tenors: ArrayLike = MASTER_TENORS,
    deltas: ArrayLike = MASTER_DELTAS,
) -> FloatArray:
    """`count` independent vol surfaces [count, T, K], the models in equal shares and shuffled.

    At-the-money levels run from about 3% to 60%, risk reversals take either sign, term structures are
    upward, flat or inverted; implausible draws are replaced. tenors: [T] years; deltas: [K] forward call
    deltas. The same seed gives the same surfaces.

    Raises ValueError (unknown model).
    """
    unknown = [model for model in models if model not in MODELS]
    if unknown or not models:
        raise ValueError(f"models has {unknown or 'nothing'}; expected names from {', '.join(MODELS)}")
    rng = np.random.default_rng(seed)
    years, axis = np.asarray(tenors, dtype=float), np.asarray(deltas, dtype=float)
    vols = np.empty((count, len(years), len(axis)))
    for model, rows in zip(models, np.array_split(rng.permutation(count), len(models)), strict=True):
        for _ in range(_MAX_DRAWS):
            params = random_parameters(rng, len(rows), model, years)
            drawn = model_vols(model, params, years, deltas=axis)
            vols[rows] = drawn
            rows = rows[~_plausible(drawn)]
            if not len(rows):
                break
    return vols


def _plausible(vols: FloatArray) -> NDArray[np.bool_]:
    """[n]: all vols of 1% to 200%, no smile whose dearest vol is over 3.5 times its cheapest."""
    ratio = vols.max(axis=2) / vols.min(axis=2)
    return np.asarray(
        (vols.min(axis=(1, 2)) > 0.01) & (vols.max(axis=(1, 2)) < 2.0) & (ratio.max(axis=1) < 3.5)
    )


def random_parameters(
    rng: np.random.Generator, count: int, model: str, years: FloatArray
) -> dict[str, FloatArray]:
    """Parameters of `count` surfaces for `model_vols`; those that differ by expiry are [count, T]."""
    long_vol = np.exp(rng.triangular(np.log(0.04), np.log(0.10), np.log(0.45), count))
    rho = rng.choice([-1.0, 1.0], count) * rng.beta(1.2, 1.6, count) * 0.9
    if model == "sabr":
        return _sabr(rng, long_vol, rho, years)
    slope = np.clip(rng.normal(-0.15, 0.4, count), -0.9, 0.7)
    params = {"v0": (long_vol * np.exp(slope)) ** 2, "theta": long_vol**2, "rho": rho}
    params["kappa"] = np.exp(rng.uniform(np.log(0.3), np.log(6.0), count))
    params["xi"] = long_vol * np.sqrt(params["kappa"]) * np.exp(rng.uniform(np.log(0.7), np.log(3.0), count))
    if model.startswith("bates"):
        params |= _jumps(rng, long_vol, rho)
        params["xi"] = params["xi"] * 0.8
    if model.endswith("++"):
        params["shift"] = _shift(rng, long_vol, years)
        params["v0"] = params["v0"] * 0.6
    return params


def _jumps(rng: np.random.Generator, level: FloatArray, rho: FloatArray) -> dict[str, FloatArray]:
    count = len(level)
    return {
        "intensity": np.exp(rng.uniform(np.log(0.2), np.log(4.0), count)),
        "jump_mean": level * (0.25 * rho + rng.normal(0, 0.06, count)),
        "jump_std": level * np.exp(rng.uniform(np.log(0.08), np.log(0.5), count)),
    }


def _shift(rng: np.random.Generator, level: FloatArray, years: FloatArray) -> FloatArray:
    """Integrated shift [n, T]: a piecewise-constant forward variance, events at the short end included."""
    edges = np.append(0.0, np.unique(years))
    shape = (len(level), len(edges) - 1)
    bumps = 0.2 * level[:, None] ** 2 * np.exp(0.7 * rng.standard_normal(shape))
    event = rng.random(shape) < 0.05
    bumps *= np.where(event & (np.diff(edges) < 0.1), np.exp(rng.uniform(0, 2.5, shape)), 1.0)
    integrated = np.cumsum(np.pad(bumps * np.diff(edges), ((0, 0), (1, 0))), axis=1)
    return integrated[:, np.searchsorted(edges, years)]


def _sabr(
    rng: np.random.Generator, level: FloatArray, rho: FloatArray, years: FloatArray
) -> dict[str, FloatArray]:
    """SABR by expiry: alpha from a smooth term structure, nu falling with expiry as quoted smiles do."""
    count, log_years = len(level), np.log(years)
    knots = np.log(_ANCHORS)
    steps = rng.normal(0, [0.25, 0.15, 0.12, 0.12, 0.10], (count, len(knots)))
    slope = np.clip(rng.normal(0.03, 0.06, count), -0.12, 0.12)[:, None] * (log_years - np.log(10))
    term = np.stack([np.interp(log_years, knots, row) for row in np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]])
    power = rng.uniform(0.4, 0.55, count)[:, None]
    nu = np.exp(rng.uniform(np.log(0.2), np.log(1.0), count))[:, None] * np.maximum(years, 7 / 365) ** -power
    by_expiry = rho[:, None] * (0.6 + 0.4 * np.minimum(1.0, np.sqrt(years)))
    return {
        "alpha": level[:, None] * np.exp(term + slope),
        "beta": np.broadcast_to(rng.choice([0.5, 1.0], count)[:, None], by_expiry.shape),
        "rho": by_expiry,
        "nu": nu,
    }
