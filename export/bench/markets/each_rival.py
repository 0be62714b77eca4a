"""Ours over one rival on all rows: what a desk has that always uses this method."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from export.bench.report import rows_table

from .answers import OURS
from .scoring import Case, ratio_interval, scores_of


def each_rival_table(rows: Collection[Sequence[Case]], rivals: Sequence[str]) -> str:
    """A row a rival, over the rows of which it answers every case; "" where ours answers none."""
    shown = []
    for name in rivals:
        found = [one for row in rows if (one := _over(row, name)) is not None]
        if found:
            ratios, lows = np.array(found).T
            mean = f"**{np.exp(np.log(ratios).mean()):.2f}**"
            ahead = [f"{int((each > 1.0).sum())}" for each in (ratios, lows)]
            shown.append([name, f"{len(ratios)}", mean, *ahead, f"{ratios.max():.2f}"])
    header = [
        "rival",
        "rows",
        "ours / it, geometric mean",
        "rows it is ahead",
        "of these by the whole interval",
        "worst",
    ]
    return rows_table("Ours over each rival, the same one on every row", header, shown) if shown else ""


def _over(row: Sequence[Case], rival: str) -> tuple[float, float] | None:
    """The ratio of mean errors and the low end of its interval; None where either refuses a case."""
    ours, its = (scores_of(row, "error", name) for name in (OURS, rival))
    if not np.isfinite([ours, its]).all():
        return None
    ratio, low, _ = ratio_interval(ours, its)
    return ratio, low
