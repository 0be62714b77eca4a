"""Ours over the best rival of each row, named after the fact, and what it would be were a draw of ours true.

The best of ten methods on few surfaces is partly the luckiest. How much is told by our own joint draws: with
one of them for the truth of each case, and every fill as it is, ours is the answer of the very model that
makes the truths, and what is above 1 then is luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from export.bench.report import rows_table
from export.simulation.markets import FAMILIES

from .answers import HISTORY, OURS, TOLD
from .quoted import FloatArray
from .scoring import TICK, Case, ratio_interval, scores_of

MOST = 1.20  # the bar of one row
_TITLE = "Ours over the best rival of each row, after the fact"
_HEADER = ["set", "mask", "cases", "best", "its error", "ours", "ours / best", "90%", "of medians"]
_HEADER += ["/ fx model", "/ told"]
_PICKS, _RANGE = 2000, (0.05, 0.95)
_Row = Sequence[Case]


@dataclass(frozen=True)
class _Ratio:
    """Of one row: of means, of medians, and [picks] of means were draws of ours the truth; None without."""

    mean: float
    middle: float
    if_drawn: FloatArray | None


def ratio_table(rows: Mapping[tuple[str, str], _Row], rivals: Sequence[str]) -> str:
    """A line a row of a set and a mask, the means over the rows, and how much of both is luck."""
    lines: list[list[str]] = []
    kept: dict[str, list[_Ratio]] = {}
    for (group, mask), row in rows.items():
        some = [case for case in row if OURS in case.error]
        refused = f" (+{len(row) - len(some)} refused)" if len(some) < len(row) else ""
        if not some:
            lines.append([group, mask, f"0{refused}", *[""] * 9])
            continue
        ratio, words = _row(some, rivals)
        kept.setdefault(averaged_with(group), []).append(ratio)
        lines.append([group, mask, f"{len(some)}{refused}", *words, _range(ratio.if_drawn)])
    drawn = any(one.if_drawn is not None for each in kept.values() for one in each)
    lines += [_mean_line(name, each) for name, each in kept.items()]
    header = [*_HEADER, "were a draw true"] if drawn else _HEADER
    table = rows_table(_TITLE, header, [line[: len(header)] for line in lines])
    return table + "".join(_luck(name, each) for name, each in kept.items())


def _row(row: _Row, rivals: Sequence[str]) -> tuple[_Ratio, list[str]]:
    name, error = best_rival(row, rivals, np.mean)
    ours = scores_of(row, "error", OURS)
    mean, low, high = ratio_interval(ours, scores_of(row, "error", name))
    middle = max(float(np.median(ours)), TICK) / max(best_rival(row, rivals, np.median)[1], TICK)
    numbers = [f"{error:.3f}", f"{ours.mean():.3f}", f"{mean:.2f}", f"[{low:.2f}, {high:.2f}]"]
    over = [_over(ours, scores_of(row, "error", other)) for other in (HISTORY, TOLD)]
    return _Ratio(mean, middle, _if_drawn(row, rivals)), [name, *numbers, f"{middle:.2f}", *over]


def best_rival(row: _Row, rivals: Sequence[str], statistic: Callable[..., float]) -> tuple[str, float]:
    """The rival of least error that answered every case, and that error."""
    scores = {name: scores_of(row, "error", name) for name in rivals}
    full = {name: float(statistic(values)) for name, values in scores.items() if np.isfinite(values).all()}
    name = min(full, key=lambda rival: full[rival])
    return name, full[name]


def _if_drawn(row: _Row, rivals: Sequence[str]) -> FloatArray | None:
    """[picks] ours over the best rival of the row, each case's truth one of its draws; None without draws."""
    full = [name for name in rivals if all(name in case.error_of_draws for case in row)]
    if not full or not all(OURS in case.error_of_draws for case in row):
        return None
    rng, total = np.random.default_rng(0), np.zeros((1 + len(full), _PICKS))
    for case in row:
        errors = np.array([case.error_of_draws[name] for name in (OURS, *full)])
        total += errors[:, rng.integers(errors.shape[1], size=_PICKS)]
    mean = np.maximum(total / len(row), TICK)
    return np.asarray(mean[0] / mean[1:].min(axis=0))


def _mean_line(name: str, ratios: Sequence[_Ratio]) -> list[str]:
    mean, middle = (float(np.mean([getattr(one, which) for one in ratios])) for which in ("mean", "middle"))
    worst = f"worst {max(one.mean for one in ratios):.2f}"
    numbers = [f"**{mean:.2f}**", worst, f"{middle:.2f}", "", ""]
    return [f"**mean of {name}**", "", "", "", "", "", *numbers, _range(_of_rows(ratios, np.mean))]


def _luck(name: str, ratios: Sequence[_Ratio]) -> str:
    """Rows above the bar, and the worst, beside what they would be were a draw true; "" without draws."""
    drawn = [one for one in ratios if one.if_drawn is not None]
    if not drawn:
        return ""
    above, worst = _of_rows(drawn, _above), _of_rows(drawn, np.max)
    found = np.array([one.mean for one in drawn])
    words = (
        f"Rows of {name} above {MOST:.2f}: {_above(found):.0f} of {len(drawn)}, the worst {found.max():.2f}"
    )
    return f"\n{words}; were a draw true {_range(above, '.0f')}, the worst {_range(worst)}.\n"


def _above(ratios: FloatArray, axis: int | None = None) -> FloatArray:
    return np.asarray((ratios > MOST).sum(axis))


def _of_rows(ratios: Sequence[_Ratio], statistic: Callable[..., FloatArray]) -> FloatArray | None:
    """[picks] of the rows together, of those that have draws."""
    drawn = [one.if_drawn for one in ratios if one.if_drawn is not None]
    return np.asarray(statistic(np.stack(drawn), axis=0)) if drawn else None


def _range(values: FloatArray | None, style: str = ".2f") -> str:
    if values is None:
        return ""
    low, high = np.quantile(values, _RANGE)
    return f"{low:{style}} to {high:{style}}"


def _over(ours: FloatArray, other: FloatArray) -> str:
    return f"{ours.mean() / other.mean():.2f}" if np.isfinite(other).all() else ""


def averaged_with(group: str) -> str:
    """Which mean of the table a set counts in: of the simulated, of FX, or of the others."""
    if group in FAMILIES:
        return "simulated"
    return group if group.startswith("FX") else "real beyond FX"
