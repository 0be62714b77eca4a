"""Markdown tables of scores, method by mask."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .metrics import Score, Scores, ratio_interval

RIVAL = "scale-augmented Gaussian"
PRIOR_RIVAL = "Gaussian on daily changes"

LEGEND = """\
Errors are of hidden cells only, in bp (1e-4) of vol; every method sees the same quotes. Columns: the share of
cells hidden at random; `tenor`, one whole tenor; `wings`, both outermost deltas of half the tenors; `sides`,
everything but ATM of half the tenors; `atm`, everything but ATM; `atm+rr`, everything but ATM and both
25-delta cells. The CRPS of a method without a band is its MAE. Intervals are paired bootstraps over days.
"""

Cell = Callable[[str, str], str]


@dataclass(frozen=True)
class Result:
    """Everything measured on one split.

    scores: by (method, mask), over all surfaces; fitted: the fitted models', over `rows` of them only.
    one_ms: median time of one surface at a time. day, pair: [N], of the surfaces.
    """

    title: str
    scores: Scores
    fitted: Scores
    rows: NDArray[np.int64]
    one_ms: dict[str, float]
    day: NDArray[np.int64]
    pair: NDArray[np.str_]

    @property
    def masks(self) -> list[str]:
        """Mask names, in order."""
        return list(dict.fromkeys(mask for _, mask in self.scores))

    @property
    def methods(self) -> list[str]:
        """Names of the methods scored on every surface."""
        return list(dict.fromkeys(method for method, _ in self.scores))


def rows_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One markdown table with a bold title; the first column is text, the others numbers."""
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def table(title: str, methods: Sequence[str], masks: Sequence[str], cell: Cell) -> str:
    """One markdown table with a bold title; cell(method, mask) gives the text."""
    rows = [[method, *(cell(method, mask) for mask in masks)] for method in methods]
    return rows_table(title, ["method", *masks], rows)


def render(result: Result) -> str:
    """All tables of one split."""
    parts = [f"## {result.title}\n", *_score_tables(result), *_ratio_tables(result), *_fitted_tables(result)]
    return "\n".join([*parts, _time_table(result)])


def _score_tables(result: Result) -> list[str]:
    scores, masks = result.scores, result.masks
    bands = [m for m in result.methods if np.isfinite(scores[m, masks[0]].coverage)]
    return [
        table("MAE, bp", result.methods, masks, lambda m, k: f"{scores[m, k].mae:.2f}"),
        table("CRPS, bp", result.methods, masks, lambda m, k: f"{scores[m, k].mean_crps:.2f}"),
        table("Coverage of the 90% band, %", bands, masks, lambda m, k: f"{scores[m, k].coverage:.1f}"),
    ]


def _ratio_tables(result: Result) -> list[str]:
    tables = [
        ratio_table(result, _over(metric, RIVAL), result.methods, RIVAL, metric) for metric in ("MAE", "CRPS")
    ]
    with_prior = [m for m in result.methods if m == "voladdin + prior"]
    alone = [m for m in ("voladdin", "locally weighted Gaussian") if m in result.methods]
    if with_prior:
        tables += [
            ratio_table(result, _over(metric, PRIOR_RIVAL), with_prior, PRIOR_RIVAL, metric)
            for metric in ("MAE", "CRPS")
        ]
    pairs = sorted(set(result.pair))
    for pair in pairs if len(pairs) > 1 else []:
        for methods, rival in ((alone, RIVAL), (with_prior, PRIOR_RIVAL)):
            if methods:
                title, keep = f"{pair}: {_over('MAE', rival)}", result.pair == pair
                tables.append(ratio_table(result, title, methods, rival, "MAE", keep))
    return tables


def ratio_table(
    result: Result,
    title: str,
    methods: Sequence[str],
    reference: str,
    metric: str,
    keep: NDArray[np.bool_] | None = None,
) -> str:
    """Ratios to `reference` on the surfaces `keep` (default all), with intervals."""
    chosen = np.ones(len(result.day), bool) if keep is None else keep

    def sums(method: str, mask: str) -> NDArray[np.float64]:
        score = result.scores[method, mask]
        return (score.error if metric == "MAE" else score.crps)[chosen]

    def cell(method: str, column: str) -> str:
        if column in means:
            pairs = [(sums(method, k).sum(), sums(reference, k).sum()) for k in means[column]]
            return f"{np.mean([top / bottom for top, bottom in pairs if bottom > 0]):.3f}"
        ratio, low, high = ratio_interval(sums(method, column), sums(reference, column), result.day[chosen])
        return "" if np.isnan(ratio) else f"{ratio:.3f} [{low:.2f}, {high:.2f}]"

    means = {
        "mean, random": [k for k in result.masks if k.endswith("%")],
        "mean, holes": [k for k in result.masks if not k.endswith("%")],
    }
    return table(title, [m for m in methods if m != reference], [*result.masks, *means], cell)


def _over(metric: str, reference: str) -> str:
    return f"{metric} over that of the {reference} [90% interval]"


def _fitted_tables(result: Result) -> list[str]:
    fitted = list(dict.fromkeys(method for method, _ in result.fitted))
    if not fitted:
        return []
    masks = list(dict.fromkeys(mask for _, mask in result.fitted))
    others = [m for m in ("voladdin", "voladdin + prior", RIVAL) if m in result.methods]

    def score(method: str, mask: str) -> Score:
        own = result.fitted.get((method, mask))
        return own if own is not None else result.scores[method, mask].rows(result.rows)

    def share(method: str, mask: str) -> str:
        return f"{score(method, mask).mae / min(score(m, mask).mae for m in fitted):.2f}"

    count = len(result.rows)
    title = f"Fitted models, MAE in bp on {count} of the surfaces, same masks"
    return [
        table(title, [*fitted, *others], masks, lambda m, k: f"{score(m, k).mae:.2f}"),
        table("MAE over that of the best of the fitted models", others, masks, share),
    ]


def _time_table(result: Result) -> str:
    def cell(method: str, column: str) -> str:
        score = {**result.fitted, **result.scores}[method, "50%"]
        value = result.one_ms.get(method, np.nan) if column == "one at a time, p50" else score.ms
        return "" if np.isnan(value) else f"{value:.2f}"

    methods = [*result.methods, *dict.fromkeys(method for method, _ in result.fitted)]
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    title = f"ms a surface, half the cells missing (OMP_NUM_THREADS {threads})"
    return table(title, methods, ["one at a time, p50", "in a batch"], cell)
