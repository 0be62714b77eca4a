"""Errors of every method on missing and observed cells by rate, pair and tenor: one file a part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from voladdin._typing import BoolArray, FloatArray

from ...data import TestSet
from ..fx import Fx, fx, hidden_cells
from ..items import Bench
from .imputing import imputed
from .rivals import (
    FITTED,
    SAME_DAYS,
    VOLADDIN,
    absolute_errors,
    batched,
    few,
    fitted_fill,
    mean_where,
    own_fill,
)
from .vaes import KINDS, OF_LATENT, SIGMA, SIGMA_RESIDUAL

ON_BOTH = (OF_LATENT, SIGMA_RESIDUAL, SIGMA)
_OF_DAYS = ("every", "fits", "bundle_steps")
_OF_NETWORKS = ("steps", "refit_steps", "refit_draws", "samples")
ON_TEST = (*ON_BOTH, "β-VAE (β = 1), no residual", "Σ-IWAE, residual")


@dataclass(frozen=True, eq=False)
class Errors:
    """Mean absolute errors in bp: by[method][kind, rate, pair] or [kind, rate, pair, tenor], as text keys."""

    by: dict[str, dict[str, float]]

    def at(self, method: str, kind: str, rate: int, pair: str, tenor: int | None = None) -> float:
        """kind: "missing" or "observed"; tenor: its row."""
        where = f"{kind} {rate} {pair}"
        return self.by[method].get(where if tenor is None else f"{where} {tenor}", float("nan"))

    @property
    def methods(self) -> list[str]:
        return list(self.by)


def errors_of(bench: Bench, part: str) -> Errors:
    """On "validation" or "test", method by method, from the file where a method is already there."""
    data = fx(bench.seed)
    file = bench.folder / "errors" / f"{part}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    stored = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    of, by = stored.get("budget", {}), stored.get("by", {})
    known = {name: errors for name, errors in by.items() if of.get(name) == _identity(bench, name)}
    for name, errors in _missing_methods(bench, data, part, known):
        known[name] = known.get(name, {}) | errors
        budgets = {name: _identity(bench, name) for name in known}
        file.write_text(json.dumps({"budget": budgets, "by": known}, ensure_ascii=False), encoding="utf-8")
    return Errors({name: known[name] for name in sorted(known, key=_place)})


def _place(name: str) -> int:
    """Of a method's row: the paper's networks, voladdin, what is learned, what is fitted to a surface."""
    first, last = (*ON_TEST, VOLADDIN), (*FITTED, SAME_DAYS)
    if name in first:
        return first.index(name)
    return len(first) + (1 + last.index(name) if name in last else 0)


def _identity(bench: Bench, name: str) -> dict[str, int]:
    """What the errors of a method depend on."""
    read = (*_OF_DAYS, *(_OF_NETWORKS if name in KINDS else ()))
    return {field: getattr(bench.budget, field) for field in read} | {"seed": bench.seed}


def _missing_methods(
    bench: Bench, data: Fx, part: str, known: dict[str, Any]
) -> Iterator[tuple[str, dict[str, float]]]:
    tests = data.part(part, bench.budget.every)
    masks = hidden_cells(tests, bench.seed)
    shown = {rate: np.where(mask, np.nan, tests.vols) for rate, mask in masks.items()}
    for name in ON_TEST if part == "test" else ON_BOTH:
        if name not in known:
            means = {rate: found.mean for rate, found in imputed(bench, data, name, part).items()}
            yield name, _by_cell(tests, masks, means)
    for name, fill in batched(bench, data).items():
        if name not in known:
            means = {rate: fill(vols, tests.axes) for rate, vols in shown.items()}
            yield name, _by_cell(tests, masks, means)
    rows = few(tests, bench.budget.fits)
    yield from _on_few(bench, data, tests.subset(rows), {rate: m[rows] for rate, m in masks.items()}, known)


def _on_few(
    bench: Bench, data: Fx, tests: TestSet, masks: dict[int, BoolArray], known: dict[str, Any]
) -> Iterator[tuple[str, dict[str, float]]]:
    """The models fitted to a surface each, and voladdin on the same days: a method and a rate at a time."""
    some = list(masks.items())[:: bench.budget.every_rate]
    for name, (rate, mask) in product((*FITTED, SAME_DAYS), some):
        if f"missing {rate} {tests.pair[0]}" not in known.get(name, {}):
            bench.deadline.check()
            shown = np.where(mask, np.nan, tests.vols)
            own = name == SAME_DAYS
            fill = own_fill(bench, data) if own else partial(fitted_fill, name)
            yield name, _by_cell(tests, {rate: mask}, {rate: fill(shown, tests.axes)})


def _by_cell(tests: TestSet, masks: dict[int, BoolArray], means: dict[int, FloatArray]) -> dict[str, float]:
    found: dict[str, float] = {}
    for rate, mask in masks.items():
        errors = absolute_errors(means[rate], tests.vols)
        for pair in dict.fromkeys(tests.pair):
            own = (tests.pair == pair)[:, None, None]
            for kind, cells in (("missing", mask & own), ("observed", ~mask & own)):
                found[f"{kind} {rate} {pair}"] = mean_where(errors, cells)
                for tenor in range(errors.shape[1]):
                    found[f"{kind} {rate} {pair} {tenor}"] = mean_where(errors[:, tenor], cells[:, tenor])
    return found
