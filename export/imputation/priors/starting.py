"""Where training of the priors starts: a ladder of smooth candidates, and random ones about a smile."""

from __future__ import annotations

import math

import numpy as np

from voladdin._typing import FloatArray
from voladdin.imputation.processes.bending import NUMBERS
from voladdin.imputation.processes.process import HYPERPARAMETERS

BASIS = 9
_SCALES = (1.0, 0.15, 0.05, 0.12, 0.05, 0.08, 0.03, 0.03, 0.02)  # of the trends at the start
_START = {
    "level_std": (0.2, 0.5),
    "level_length": (2.0, 0.3),
    "event_std": (0.03, 0.7),
    "event_length": (0.5, 0.4),
    "event_growth": (-0.2, 0.2),
    "skew_std": (0.07, 0.7),
    "curvature_std": (0.05, 0.7),
    "wing_std": (0.02, 0.7),
    "smile_length": (2.5, 0.3),
    "smile_growth": (0.0, 0.1),
    "residual_std": (0.02, 1.0),
    "residual_width": (1.5, 0.3),
    "residual_length": (1.0, 0.4),
    "residual_wings": (0.37, 0.3),
    "residual_growth": (0.0, 0.2),
    "rough_std": (0.005, 1.0),
    "rough_width": (0.8, 0.3),
    "rough_length": (0.3, 0.4),
    "rough_wings": (0.37, 0.3),
    "noise_std": (0.002, 1.2),
    "noise_wings": (0.14, 0.5),
    "degrees": (8.0, 0.2),
    "logit": (0.0, 0.0),
}  # value and spread at the start; of logarithms but for growths and the logit
PLAIN = ("event_growth", "smile_growth", "residual_growth", "logit")
_SMOOTH = {
    "level_std": 0.15,
    "level_length": 4.0,
    "event_std": 1e-3,
    "skew_std": 0.03,
    "curvature_std": 0.03,
} | {
    "wing_std": 0.01,
    "smile_length": 4.0,
    "residual_wings": 0.05,
    "rough_std": 1e-3,
    "rough_width": 0.6,
    "rough_length": 1.0,
    "rough_wings": 0.1,
    "noise_wings": 0.1,
}
_BEND_SPREAD = (0.5, 0.2, 0.4, 0.2)  # of z at the start
_LITTLE = np.array(
    [1.0, 1.0, 1.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]
)  # of linear trends beside a smile that bends
_STRAIGHT = -4.0  # ln c of the others
_SMOOTH_SCALES = (1.0, 0.3, 0.1, 0.15, 0.08, 0.1, 0.05, 0.05, 0.03)


def starting(smooth: int, random: int, bent: int, seed: int, scale: float) -> dict[str, FloatArray]:
    """Values before training, as `Priors` names them."""
    rng = np.random.default_rng(seed)
    hyper = np.concatenate([_smooth_table(smooth), _random_table(random, rng)])
    for index, name in enumerate(HYPERPARAMETERS):
        hyper[:, index] += math.log(scale) if name.endswith("_std") else 0.0
    spread = np.exp(0.3 * rng.standard_normal((random, BASIS))) * _SCALES
    trend = 0.5 * rng.standard_normal((random, BASIS)) * _SCALES * (np.arange(BASIS) > 0)
    spread[random - bent :] *= _LITTLE
    trend[random - bent :] *= _LITTLE
    spread = np.concatenate([np.tile(_SMOOTH_SCALES, (smooth, 1)), spread])
    trend = np.concatenate([np.zeros((smooth, BASIS)), trend])
    return {
        "hyper": hyper,
        "trend": scale * trend,
        "root": scale * spread[:, :, None] * np.eye(BASIS),
        "bend": _bends(len(trend) - bent, bent, rng),
        "bend_root": np.tile(np.diag(_BEND_SPREAD), (len(trend), 1, 1)),
    }


def _bends(straight: int, bent: int, rng: np.random.Generator) -> FloatArray:
    """[G, 4] z at the start."""
    z = np.zeros((straight + bent, NUMBERS))
    z[:straight, 2] = _STRAIGHT
    z[straight:, 0] = rng.uniform(-1.0, 0.5, bent)
    z[straight:, 2] = rng.uniform(-1.2, 0.4, bent)
    return z


def _table(values: dict[str, float]) -> FloatArray:
    return np.array([v if name in PLAIN else math.log(v) for name, v in values.items()])


def _random_table(count: int, rng: np.random.Generator) -> FloatArray:
    middle = _table({name: value for name, (value, _) in _START.items()})
    spread = np.array([s for _, s in _START.values()])
    return middle + 1.3 * spread * rng.standard_normal((count, len(middle)))


def _smooth_table(count: int) -> FloatArray:
    """Residuals of all sizes and long lengths, without noise to speak of and with some."""
    ladder = [(n, s, r) for n in (2e-4, 2e-3) for s in (0.03, 0.12, 0.4) for r in (2.0, 5.0)][:count]
    start = {name: value for name, (value, _) in _START.items()} | _SMOOTH | {"event_growth": 0.0}
    rows = [
        _table(start | {"noise_std": n, "residual_std": s, "residual_width": r, "residual_length": r})
        for n, s, r in ladder
    ]
    return np.stack(rows) if rows else np.zeros((0, len(start)))
