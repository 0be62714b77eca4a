"""Repair in the latent space of a generator (Wang, Liu and Vuik 2025, section 4.4 and algorithm 2).

The features y stay and z moves, by L-BFGS on

    weight * sum of (gain of each condition, in vol)+^2  +  mean of (vols - quoted)^2,

with the derivative of the decoder as an ONNX graph. The conditions are those of `check` on the grid, where
the paper has its density f >= 0 and the slope of total variance; squares, and a weight that grows, where it
has one sum, since that minimum leaves what it only penalises.

`repair(method="auto")` does not try it: `docs/experiments.md` says why.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...bundles.generator import Generator, load
from ..conditions import neighbours
from ..nodes import Rectangle, at_own_strikes
from ..verdicts import arbitrage_free
from .methods import Attempt, Problem

_WEIGHTS = (1e0, 1e2, 1e4, 1e6)
_SEARCH = {"maxiter": 60, "gtol": 1e-12, "ftol": 1e-9}  # L-BFGS, for each weight
_LEAST_SIZE = 1e-4  # of a condition's slope: a gain in vol is one in price over it
_MARGIN = 1e-5  # of vol
_SAME = 1e-9  # of an axis


class _Loss:
    """The loss of z and its derivative. quoted: [N] vols."""

    def __init__(self, generator: Generator, features: FloatArray, quoted: FloatArray) -> None:
        self._generator, self._features, self._quoted = generator, features[None], quoted
        axes = Rectangle(generator.tenors, generator.moneyness)
        self._nodes = at_own_strikes(axes, np.ones(axes.shape))
        self._conditions = neighbours(self._nodes.rows, self._nodes.strikes)
        rates = self._conditions.linear(self._nodes, generator.mean)[1]
        self._size = np.maximum(np.linalg.norm(rates, axis=0), _LEAST_SIZE)

    def __call__(self, z: FloatArray, weight: float) -> tuple[float, FloatArray]:
        vols, moves = self._generator.vols_and_slope(self._features, z[None])
        vols, moves = vols[0].ravel(), moves[0].reshape(len(z), -1)
        gain, rates = self._conditions.linear(self._nodes, np.maximum(vols, 1e-4))
        over = np.maximum(gain / self._size + _MARGIN, 0.0)
        away = vols - self._quoted
        push = -2 * weight * (over / self._size) @ self._conditions.matrix(rates, len(vols))
        slope = moves @ (push + 2 * away / len(vols))
        return weight * float(over @ over) + float(away @ away) / len(vols), slope


def repaired(
    generator: Generator, features: FloatArray, vols: FloatArray, z: FloatArray
) -> FloatArray | None:
    """[T, K] decoded vols with these features [F] that pass `check`, near to `vols` [T, K]; or None.

    z: [E] latent to start from. The result is what the decoder says of another z, so that the features of
    `vols` are kept where `features` are theirs.
    """
    from scipy.optimize import minimize

    axes = Rectangle(generator.tenors, generator.moneyness)
    loss = _Loss(generator, features, vols.ravel())
    for weight in _WEIGHTS:
        z = minimize(loss, z, (weight,), "L-BFGS-B", jac=True, options=_SEARCH).x
        decoded = generator.vols(features[None], z[None])
        if arbitrage_free(axes, np.nan_to_num(decoded))[0]:
            return np.asarray(decoded[0])
    return None


def by_latent(problem: Problem) -> Attempt:
    """Of a full surface on the generator's own grid; what it keeps is the features, not the residual."""
    surface, generator = problem.surface, load()
    on_grid = (
        surface.moneyness is not None
        and surface.shape == (len(generator.tenors), len(generator.moneyness))
        and np.allclose(surface.moneyness, generator.moneyness, rtol=0, atol=_SAME)
        and np.allclose(surface.tenors, generator.tenors, rtol=0, atol=_SAME)
    )
    if not on_grid or not surface.observed.all() or problem.fixed.any():
        shape = f"{len(generator.tenors)} x {len(generator.moneyness)}"
        note = f"latent repair needs a full {shape} grid of model 'equity', and no fixed quotes"
        return "latent", None, note
    features, z = generator.encode(surface.vols[None])
    vols = repaired(generator, features[0], surface.vols, z[0])
    note = "" if vols is not None else "no z was found whose surface has these features and no arbitrage"
    return "latent", vols, note
