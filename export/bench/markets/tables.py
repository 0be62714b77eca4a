"""The tables of `voladdin bench markets`: one row a set and mask, ours over the best rival of the row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from export.bench.report import rows_table

from .answers import OWN, REFUSED
from .coverage import coverage_table
from .each_rival import each_rival_table
from .left_out import left_out_table
from .network_rows import network_table
from .ratio_rows import ratio_table
from .scoring import Case, scores_of

LEGEND = """\
Errors are of hidden cells only, in per cent of the surface's median vol; every method sees the same quotes.
A row is a set under a mask; `best` is the rival with the least mean error of the row, named after the fact,
and `ours / best` the ratio of mean errors with its paired 90% bootstrap interval over cases. Masks: shares
hidden at random; `expiry`, one whole expiry; `wings`, the outer quarter on both sides of half the expiries;
`three`, three quotes an expiry are left; `atm`, one; `liquid`, a listed chain with its liquid strikes alone.
Not trained under: `money`, no quote of 40 to 60 delta is left; `outer`, none of 20 to 80; `puts` and `calls`,
the money and that side are left; so are, of the expiries, `alternate` every second, `ends` the first and the
last, `short` and `long` that half; `one` quote an expiry, and `six` in all.
Mean errors below 0.02% (a fifth of a basis point of a vol of 10%) count as that in ratios. The fx model is
our own history model and no rival: the column `/ fx model` is ours over it. Where families were left out of
training, `told` is our model of the same budget that was trained on them too, and `/ told` ours over it.
Cells of a surface err together, and the best of ten is partly the luckiest: `were a draw true` has 5% to
95% of what our bands would cover, and of what ours over the best rival would be, of a truth drawn from our
own posterior, one draw a case, with every fill as it is. Over each rival the mean is geometric, over the rows
on which it answers every case; it is ahead by the whole interval where all of the interval is above 1.
"""


def groups(cases: Sequence[Case]) -> dict[tuple[str, str], list[Case]]:
    """Cases by set and mask, in order."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.set, case.mask), []).append(case)
    return found


def render(cases: Sequence[Case], methods: Sequence[str]) -> str:
    """Every table."""
    rivals = [name for name in methods if name not in OWN]
    parts = [
        left_out_table(cases, rivals),
        network_table(cases),
        each_rival_table(groups(cases).values(), rivals),
        ratio_table(groups(cases), rivals),
        _error_table(cases, methods, "error", "Mean error, % of level"),
    ]
    parts += [_error_table(cases, methods, "crps", "CRPS, % of level (of a point: its error)")]
    parts += [coverage_table(groups(cases)), _inside_table(cases, methods), _functional_table(cases)]
    parts += [_time_table(cases, methods), _notes(cases, methods)]
    return "\n".join(part for part in parts if part)


def _error_table(cases: Sequence[Case], methods: Sequence[str], score: str, title: str) -> str:
    rows = []
    for (group, mask), row in groups(cases).items():
        values = [scores_of(row, score, name) for name in methods]
        rows.append([group, mask, *("" if np.isnan(v).all() else f"{np.nanmean(v):.3f}" for v in values)])
    return rows_table(title, ["set", "mask", *methods], rows)


def _inside_table(cases: Sequence[Case], methods: Sequence[str]) -> str:
    some = [case for case in cases if case.inside]
    if not some:
        return ""
    rows = [
        [group, *(f"{100 * np.nanmean(scores_of(row, 'inside', name)):.0f}" for name in methods)]
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
            covered = [found.covered for case in row for found in case.functionals if found.kind == kind]
            cells.append(f"{100 * np.mean(covered):.0f} of {len(covered)}" if covered else "")
        rows.append([group, *cells])
    return rows_table("Coverage of sums and differences by 90% of the joint draws, %", ["set", *kinds], rows)


def _time_table(cases: Sequence[Case], methods: Sequence[str]) -> str:
    rows = [
        [group, *(f"{np.nanmedian(scores_of(row, 'ms', name)):.1f}" for name in methods)]
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
