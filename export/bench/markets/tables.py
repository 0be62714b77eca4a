"""The tables of `voladdin bench markets`: one row a set and mask, ours over the best rival of the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from export.bench.report import rows_table

from .answers import HISTORY, OURS, REFUSED
from .scoring import Case, ratio_interval, totals

LEGEND = """\
Errors are of hidden cells only, in per cent of the surface's median vol; every method sees the same quotes.
A row is a set under a mask; `best` is the rival with the least mean error of the row, named after the fact,
and `ours / best` the ratio of mean errors with its paired 90% bootstrap interval over cases. Masks: shares
hidden at random; `expiry`, one whole expiry; `wings`, the outer quarter on both sides of half the expiries;
`three`, three quotes an expiry are left; `atm`, one; `liquid`, a listed chain with its liquid strikes alone.
"""


def groups(cases: Sequence[Case]) -> dict[tuple[str, str], list[Case]]:
    """Cases by set and mask, in order."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.set, case.mask), []).append(case)
    return found


def best_rival(
    cases: Sequence[Case], rivals: Sequence[str], statistic: Callable[..., float]
) -> tuple[str, float]:
    """The rival of least error that answered every case, and that error."""
    scores = {name: totals(cases, "error", name) for name in rivals}
    full = {name: float(statistic(values)) for name, values in scores.items() if np.isfinite(values).all()}
    name = min(full, key=lambda rival: full[rival])
    return name, full[name]


def render(cases: Sequence[Case], methods: Sequence[str]) -> str:
    """Every table."""
    rivals = [name for name in methods if name not in (OURS, HISTORY)]
    parts = [_ratio_table(cases, rivals), _error_table(cases, methods, "error", "Mean error, % of level")]
    parts += [_error_table(cases, methods, "crps", "CRPS, % of level (of a point: its error)")]
    parts += [_coverage_table(cases), _inside_table(cases, methods), _functional_table(cases)]
    parts += [_time_table(cases, methods), _notes(cases, methods)]
    return "\n".join(part for part in parts if part)


def _ratio_table(cases: Sequence[Case], rivals: Sequence[str]) -> str:
    rows, ratios, middles = [], [], []
    for (group, mask), row in groups(cases).items():
        name, error = best_rival(row, rivals, np.mean)
        ours = totals(row, "error", OURS)
        answered = np.isfinite(ours)
        if not answered.any():
            rows.append([group, mask, str(len(row)), name, f"{error:.3f}", "refused", "", "", ""])
            continue
        some = [case for case, kept in zip(row, answered, strict=True) if kept]
        name, error = best_rival(some, rivals, np.mean)
        ratio, low, high = ratio_interval(ours[answered], totals(some, "error", name))
        middle = float(np.median(ours[answered])) / max(best_rival(some, rivals, np.median)[1], 1e-12)
        ratios.append(ratio)
        middles.append(middle)
        interval = f"[{low:.2f}, {high:.2f}]"
        refused = len(row) - len(some)
        count = f"{len(some)}" + (f" (+{refused} refused)" if refused else "")
        ours_mean = f"{ours[answered].mean():.3f}"
        rows.append(
            [group, mask, count, name, f"{error:.3f}", ours_mean, f"{ratio:.2f}", interval, f"{middle:.2f}"]
        )
    if ratios:
        summary = ["**mean of rows**", "", "", "", "", "", f"**{np.mean(ratios):.2f}**"]
        rows.append([*summary, f"worst {max(ratios):.2f}", f"{np.mean(middles):.2f}"])
    header = ["set", "mask", "cases", "best", "its error", "ours", "ours / best", "90%", "medians"]
    return rows_table("Ours over the best rival of each row, after the fact", header, rows)


def _error_table(cases: Sequence[Case], methods: Sequence[str], score: str, title: str) -> str:
    rows = []
    for (group, mask), row in groups(cases).items():
        values = [totals(row, score, name) for name in methods]
        rows.append([group, mask, *("" if np.isnan(v).all() else f"{np.nanmean(v):.3f}" for v in values)])
    return rows_table(title, ["set", "mask", *methods], rows)


def _coverage_table(cases: Sequence[Case]) -> str:
    banded = list(dict.fromkeys(name for case in cases for name in case.covered))
    rows = []
    for (group, mask), row in groups(cases).items():
        weights = np.array([case.cells for case in row], dtype=float)
        cells = []
        for name in banded:
            values = totals(row, "covered", name)
            known = np.isfinite(values)
            cells.append(
                f"{100 * np.average(values[known], weights=weights[known]):.0f}" if known.any() else ""
            )
        rows.append([group, mask, *cells])
    return rows_table("Coverage of the 90% band, %", ["set", "mask", *banded], rows)


def _inside_table(cases: Sequence[Case], methods: Sequence[str]) -> str:
    some = [case for case in cases if case.inside]
    if not some:
        return ""
    rows = [
        [group, *(f"{100 * np.nanmean(totals(row, 'inside', name)):.0f}" for name in methods)]
        for group, row in _by_set(some).items()
    ]
    return rows_table("Fills inside bid and ask, % (surfaces that have them)", ["set", *methods], rows)


def _by_set(cases: Sequence[Case]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.set, []).append(case)
    return found


def _functional_table(cases: Sequence[Case]) -> str:
    """Coverage of sums and differences by joint draws; "" where the answers offer none."""
    kinds = sorted({found.kind for case in cases for found in case.functionals})
    if not kinds:
        return ""
    rows = []
    for group, row in _by_set(cases).items():
        cells = []
        for kind in kinds:
            inside = [found.inside for case in row for found in case.functionals if found.kind == kind]
            cells.append(f"{100 * np.mean(inside):.0f} of {len(inside)}" if inside else "")
        rows.append([group, *cells])
    return rows_table("Coverage of sums and differences by 90% of the joint draws, %", ["set", *kinds], rows)


def _time_table(cases: Sequence[Case], methods: Sequence[str]) -> str:
    rows = [
        [group, *(f"{np.nanmedian(totals(row, 'ms', name)):.1f}" for name in methods)]
        for group, row in _by_set(cases).items()
    ]
    return rows_table("ms a surface, median", ["set", *methods], rows)


def _notes(cases: Sequence[Case], methods: Sequence[str]) -> str:
    rows = []
    for name in methods:
        notes = [case.notes[name] for case in cases if name in case.notes]
        refused = sum(note.startswith(REFUSED) for note in notes)
        if notes:
            rows.append([name, str(refused), str(len(notes) - refused), notes[0][:90]])
    return rows_table(
        "Refused, or answered by linear instead", ["method", "refused", "linear", "such as"], rows
    )
