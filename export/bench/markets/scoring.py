"""Scores of every method on the same hidden cells, case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from export.imputation.validate import gaussian_crps
from export.simulation.markets import hide

from .answers import OURS, Method, MethodFill, timed
from .functionals import CoveredFunctional, covered_functionals
from .quoted import BoolArray, FloatArray, Quoted

TICK = 0.02  # % of the level: a fifth of a basis point of a vol of 10%
_RESAMPLES, _LEVEL = 1000, 0.90  # of the bootstrap


@dataclass(frozen=True)
class Case:
    """One surface under one mask: scores of each method that answered, in % of its level.

    error: mean absolute. inside: share of fills between bid and ask, NaN without one. covered: share in the
    90% band, NaN without one. notes: why a method did not answer, or what stood in for it. of_draws: the
    share of hidden cells of each of our joint draws that our own band covers. error_of_draws: what the
    error of each method would be were each of these draws the truth.
    """

    set: str
    mask: str
    name: str
    cells: int
    error: dict[str, float]
    crps: dict[str, float]
    covered: dict[str, float]
    inside: dict[str, float]
    ms: dict[str, float]
    notes: dict[str, str]
    functionals: tuple[CoveredFunctional, ...] = ()
    of_draws: tuple[float, ...] = ()
    error_of_draws: dict[str, tuple[float, ...]] = field(default_factory=dict)


def score_case(surface: Quoted, mask: str, hidden: BoolArray, methods: Mapping[str, Method]) -> Case:
    """Every method on one mask."""
    case = Case(surface.set, mask, surface.name, int(hidden.sum()), {}, {}, {}, {}, {}, {})
    joint: dict[str, Any] = {}
    fills: dict[str, FloatArray] = {}
    for name, method in methods.items():
        found = timed(method, surface, hidden)
        case.ms[name] = found.ms
        if found.note:
            case.notes[name] = found.note
        if found.fill is None:
            continue
        _score(case, name, surface, hidden, found)
        fills[name] = found.fill[hidden]
        if name == OURS and found.draws is not None:
            functionals = tuple(covered_functionals(surface, hidden, found.draws))
            joint = {"functionals": functionals, "of_draws": _covered_draws(hidden, found)}
            joint |= {"error_of_draws": _errors(fills, found.draws[:, hidden], surface.level / 100.0)}
    return replace(case, **joint)


def _errors(fills: Mapping[str, FloatArray], draws: FloatArray, unit: float) -> dict[str, tuple[float, ...]]:
    """Mean absolute errors of each method over hidden cells, one a draw [n, cells]."""
    return {name: tuple((np.abs(draws - fill).mean(axis=1) / unit).tolist()) for name, fill in fills.items()}


def _covered_draws(hidden: BoolArray, found: MethodFill) -> tuple[float, ...]:
    assert found.draws is not None and found.low is not None and found.high is not None
    inside = (found.draws >= found.low) & (found.draws <= found.high)
    return tuple(inside[:, hidden].mean(1).tolist())


def _score(case: Case, name: str, surface: Quoted, hidden: BoolArray, found: MethodFill) -> None:
    assert found.fill is not None
    truth, fill, unit = surface.truth[hidden], found.fill[hidden], surface.level / 100.0
    errors = np.abs(fill - truth)
    case.error[name] = float(errors.mean() / unit)
    case.crps[name] = case.error[name]
    if found.std is not None:
        std = np.maximum(found.std[hidden], 1e-9)
        case.crps[name] = float(gaussian_crps(truth, fill, std).mean() / unit)
    if found.low is not None and found.high is not None:
        case.covered[name] = float(((truth >= found.low[hidden]) & (truth <= found.high[hidden])).mean())
    if surface.bid is not None and surface.ask is not None:
        bid, ask = surface.bid[hidden], surface.ask[hidden]
        market = np.isfinite(bid) & np.isfinite(ask)
        if market.any():
            case.inside[name] = float(((fill >= bid) & (fill <= ask))[market].mean())


def masked(
    surfaces: Sequence[Quoted], masks: Sequence[str], repeats: int, rotate: int, seed: int
) -> Iterator[tuple[Quoted, str, BoolArray]]:
    """The cases: every mask `repeats` times, or (`rotate` above 0) so many masks a surface, in turn; a mask
    that repeats itself, such as ATM, once.
    """
    start = 0
    for number, surface in enumerate(surfaces):
        chosen = list(masks)
        if rotate:
            chosen = [masks[(start + i) % len(masks)] for i in range(rotate)]
            start += rotate
        for mask in chosen:
            rng = np.random.default_rng([seed, number, *mask.encode()])
            before: list[bytes] = []
            for _ in range(1 if rotate else repeats):
                hidden = hide(rng, mask, surface.quoted[None], surface.deltas_of_quotes()[None])[0]
                if hidden.any() and hidden.tobytes() not in before:
                    yield surface, mask, hidden
                before.append(hidden.tobytes())


def scores_of(cases: Sequence[Case], score: str, method: str) -> FloatArray:
    """[cases] one score of one method, NaN where it has none."""
    return np.array([getattr(case, score).get(method, np.nan) for case in cases])


def ratio_interval(top: FloatArray, bottom: FloatArray) -> tuple[float, float, float]:
    """Ratio of the means of two errors of the same cases, and its paired 90% bootstrap interval.

    Neither mean counts as less than TICK: below it, nobody sees a difference.
    """
    picks = np.random.default_rng(0).integers(len(top), size=(_RESAMPLES, len(top)))
    ratios = np.maximum(top[picks].mean(axis=1), TICK) / np.maximum(bottom[picks].mean(axis=1), TICK)
    low, high = np.quantile(ratios, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return max(float(top.mean()), TICK) / max(float(bottom.mean()), TICK), float(low), float(high)
