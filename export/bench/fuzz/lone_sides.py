"""Fuzz of `impute` with bid and ask, of joint draws and of the answer as a function."""

from __future__ import annotations

from typing import Any

import numpy as np

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.surface import MAX_VOL

from .draws import LEAST_VOL, MOST_VOL, drawn
from .trial import Trial

_SAID = ("cannot stay", "can be arbitraged", "still add")  # where arbitrage or the market is given up
_EQUAL = 1e-6  # relative


def market(rng: np.random.Generator, trial: Trial) -> None:
    """Fills on their side of lone bids and asks, draws too; at the cells `at` is the answer."""
    grid = drawn(rng, (8, 9))
    surface = trial.call("Surface", grid.surface)
    half = grid.full * rng.uniform(0, rng.choice([0.005, 0.05, 0.2]), grid.full.shape)
    sides = [
        np.where(rng.random(half.shape) < 0.4, np.clip(vols, LEAST_VOL, MOST_VOL), np.nan)
        for vols in (grid.full - half, grid.full + half)
    ]
    result = trial.call("impute", va.impute, surface, bid=sides[0], ask=sides[1])
    trial.counts["answered"] += 1
    for name in ("filled", "mean", "low", "high"):
        values = getattr(result, name)
        trial.expect((values > 0) & (values <= MAX_VOL), f"market: {name} is no vol")
    trial.expect((result.low <= result.filled) & (result.filled <= result.high), "market: fill outside band")
    sound = not any(words in result.model for words in _SAID)
    if sound:
        trial.expect(_inside(result.filled, *sides), "market: fill beyond its side", result.model)
        _expect_draws(trial, surface, result)
    _expect_function(trial, surface, result, sound=sound)


def _expect_draws(trial: Trial, surface: va.Surface, result: va.Imputation) -> None:
    for one in trial.call("draws", result.draws, 3):
        trial.expect((one > 0) & (one <= MAX_VOL), "draws: no vol")
        trial.expect(trial.call("check", va.check, surface.replace(one)).ok, "draws: arbitrage")


def _expect_function(trial: Trial, surface: va.Surface, result: va.Imputation, *, sound: bool) -> None:
    axis: dict[str, Any] = {"deltas": surface.deltas}
    if surface.deltas is None:
        axis = {"moneyness": surface.log_moneyness}
    found = trial.call("at", result.at, surface.tenors, **axis)
    off = np.abs(found.mean / result.filled - 1.0)
    trial.expect(off <= _EQUAL, "at: a vol is not the answer's", off)
    off = np.abs(found.std - result.std) / result.filled
    trial.expect(~sound | (off <= _EQUAL), "at: a spread is not the answer's", off)


def _inside(vols: FloatArray, bid: FloatArray, ask: FloatArray) -> Any:
    return ~(vols < bid * (1.0 - _EQUAL)) & ~(vols > ask * (1.0 + _EQUAL))
