"""Damped Newton for many small systems side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._typing import FloatArray

_MAX_STEPS = 60
_MAX_HALVINGS = 12
_BUMP = 1e-7
_MAX_CONDITION = 1e12


def newton(error: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    """Rows x [T, P] that bring error(x) [T, P] to rounding, or as near as steps that improve it go.

    error: acts on each row by itself; not finite where a row is outside its domain. The caller checks the
    result.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        value = error(x)
        for _ in range(_MAX_STEPS):
            step = _step(error, x, value)
            trial, trial_value = _damped(error, x, value, step)
            better = (_size(trial_value) < _size(value))[:, None]
            if not better.any():
                break
            x, value = np.where(better, trial, x), np.where(better, trial_value, value)
    return x


def _step(error: Callable[[FloatArray], FloatArray], x: FloatArray, value: FloatArray) -> FloatArray:
    jacobian = np.empty((*x.shape, x.shape[1]))
    for column in range(x.shape[1]):
        bumped = x.copy()
        bumped[:, column] += _BUMP
        jacobian[:, :, column] = (error(bumped) - value) / _BUMP
    regular = np.asarray(np.isfinite(jacobian).all(axis=(1, 2)))
    jacobian[~regular] = 0.0
    regular &= np.linalg.cond(jacobian) < _MAX_CONDITION
    step = np.full_like(x, np.nan)
    step[regular] = -np.linalg.solve(jacobian[regular], value[regular][:, :, None])[:, :, 0]
    return step


def _damped(
    error: Callable[[FloatArray], FloatArray], x: FloatArray, value: FloatArray, step: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The step, halved in each row until it improves the row."""
    factor = np.ones((len(x), 1))
    for _ in range(_MAX_HALVINGS):
        trial = x + factor * step
        trial_value = error(trial)
        worse = (_size(trial_value) >= _size(value)) & (_size(value) > 1e-13)
        if not worse.any():
            break
        factor = np.where(worse[:, None], factor / 2, factor)
    return trial, trial_value


def _size(value: FloatArray) -> FloatArray:
    return np.asarray(np.nan_to_num(np.abs(value), nan=np.inf).max(axis=1, initial=0.0))
