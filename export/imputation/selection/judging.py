"""A network trained on a split, and judged by its bound and by what it says of hidden cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voladdin._typing import BoolArray, FloatArray

from ...history import Days
from ..imputers import IMPUTERS, Refit, completed, refitted
from ..networks.base import Network
from ..training.fit import Fitted, Options, fit
from ..training.slices import Deadline
from .splits import Split

HIDDEN_SHARE, CODES, BOUND_DRAWS = 0.1, 200, 20
_WAY = IMPUTERS["importance sampling, encoder refitted"]


@dataclass(frozen=True)
class Judged:
    """bound: negative ELBO of the validation days, nats a surface, encoder refitted on them.

    validation, test: mean absolute error of hidden cells, bp; NaN where a split has no test.
    """

    bound: float
    validation: float
    test: float


@dataclass(frozen=True)
class Budget:
    """How much a network is trained, and its encoder refitted; rate: the share of cells hidden."""

    options: Options
    refit: Refit
    rate: float = HIDDEN_SHARE
    codes: int = CODES


def judged(
    make: Callable[[int], Network], split: Split, budget: Budget, file: Path | None, deadline: Deadline
) -> Judged:
    """Trained on a split's training days, from its checkpoint where there is one, and judged.

    Raises Paused once the deadline has passed.
    """
    torch.manual_seed(budget.options.seed)
    vols = _rows(split.train)
    fitted = fit(make(vols.shape[1]), vols, split.train.tenors, budget.options, file, deadline)
    deadline.check()
    errors = [_error(fitted, part, budget) for part in (split.validation, split.test)]
    return Judged(_negative_bound(fitted, split.validation, budget), *errors)


def _rows(days: Days) -> FloatArray:
    return days.vols.reshape(len(days), -1)


def _negative_bound(fitted: Fitted, days: Days, budget: Budget) -> float:
    """Nats a surface, 2 pi included, of all quotes; the encoder is refitted on them (section 7.1.3)."""
    rows = fitted.standard.rows(_rows(days))
    x, seen = rows.nan_to_num(), torch.isfinite(rows)
    network = refitted(fitted.network, x, seen, budget.refit)
    torch.manual_seed(budget.options.seed)
    with torch.no_grad():
        bound = torch.stack([network.elbo(x, seen) for _ in range(BOUND_DRAWS)]).mean(0)
    return float((0.5 * math.log(2 * math.pi) * seen.sum(-1) - bound).mean())


def _error(fitted: Fitted, days: Days | None, budget: Budget) -> float:
    """MAE in bp of quotes that are hidden, by importance sampling with the encoder refitted on the others."""
    if days is None:
        return math.nan
    vols = _rows(days)
    hidden = hide(vols, budget.rate, budget.options.seed)
    rows: Tensor = fitted.standard.rows(np.where(hidden, np.nan, vols))
    seen, seed = torch.isfinite(rows), budget.options.seed
    x = rows.nan_to_num()
    found = completed(fitted.network, x, seen, _WAY, budget.codes, seed, budget.refit, draws=0)
    return float(1e4 * np.abs(np.exp(fitted.standard.logs(found.mean)) - vols)[hidden].mean())


def hide(vols: FloatArray, rate: float, seed: int) -> BoolArray:
    """[N, c] quotes to hide, `rate` of each surface's: one at least, and never its last."""
    quoted = np.isfinite(vols)
    ranks = np.where(quoted, np.random.default_rng(seed).random(vols.shape), np.inf).argsort(1).argsort(1)
    count = quoted.sum(1, keepdims=True)
    return np.asarray(quoted & (ranks < np.clip(np.round(rate * count), 1, count - 1)))
