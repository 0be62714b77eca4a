"""Families left out of training, one row a family: over the rivals, and over a model told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from export.bench.report import rows_table
from export.simulation.markets import FAMILIES

from .answers import OURS, TOLD
from .quoted import FloatArray
from .scoring import TICK, Case, scores_of

_BAR = 1.05  # of one row
_ITSELF = {"ssvi": "SSVI", "essvi": "SSVI", "events": "SSVI", "sabr": "SABR"}  # rivals that are the family


def left_out_table(cases: Sequence[Case], rivals: Sequence[str]) -> str:
    """Geometric means over masks of ratios of mean errors; "" where no model was told of the families."""
    if not any(TOLD in case.error for case in cases):
        return ""
    rows: list[list[str]] = []
    whole: list[FloatArray] = []
    for family in FAMILIES:
        ratios = np.array([_ratios(family, row, rivals) for row in _by_mask(cases, family)])
        if len(ratios):
            whole.append(ratios)
            rows.append([family, *_shown(ratios, lambda x: float(np.exp(np.log(x).mean())))])
    every = np.concatenate(whole)
    rows.append(["**all**", *_shown(every, lambda x: float(np.exp(np.log(x).mean())))])
    rows.append(["mean of rows", *_shown(every, lambda x: float(x.mean()))])
    rows.append(["worst row", *_shown(every, lambda x: float(x.max()))])
    rows.append([f"rows above {_BAR:.2f}, of {len(every)}", *map(str, (every > _BAR).sum(0).tolist())])
    header = ["family", "over the best rival", "over the best that is not the family itself", "over told"]
    return rows_table("Families left out of training, geometric means over masks", header, rows)


def _by_mask(cases: Sequence[Case], family: str) -> list[list[Case]]:
    mine = [case for case in cases if case.set == family and {OURS, TOLD} <= case.error.keys()]
    return [[case for case in mine if case.mask == mask] for mask in dict.fromkeys(c.mask for c in mine)]


def _ratios(family: str, row: Sequence[Case], rivals: Sequence[str]) -> tuple[float, float, float]:
    error = {name: float(scores_of(row, "error", name).mean()) for name in (*rivals, OURS, TOLD)}
    full = {name: error[name] for name in rivals if np.isfinite(error[name])}
    others = {name: value for name, value in full.items() if name != _ITSELF.get(family)}
    bases = min(full.values()), min(others.values()), error[TOLD]
    first, second, told = (max(error[OURS], TICK) / max(base, TICK) for base in bases)
    return first, second, told


def _shown(ratios: FloatArray, statistic: Callable[[FloatArray], float]) -> list[str]:
    return [f"{statistic(column):.2f}" for column in ratios.T]
