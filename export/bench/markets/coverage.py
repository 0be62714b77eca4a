"""Coverage of bands, and what that of a posterior without fault would be: of few surfaces much is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from export.bench.report import rows_table

from .answers import OURS
from .quoted import BoolArray, FloatArray
from .scoring import Case, scores_of

BAR = (0.86, 0.95)
_TITLE = "Coverage of the 90% band, %"
_LEVEL, _PICKS, _TAIL = 0.90, 4000, 0.05


def coverage_table(rows: Mapping[tuple[str, str], Sequence[Case]]) -> str:
    """Rows of a set and a mask. Where the answers offer joint draws, also the range of 90% of what ours would
    cover were a draw the truth, and how many rows would then lie outside the bar.
    """
    banded = list(dict.fromkeys(name for row in rows.values() for case in row for name in case.covered))
    cells = {key: [_covered(row, name) for name in banded] for key, row in rows.items()}
    lines = [[*key, *("" if np.isnan(one) else f"{100 * one:.0f}" for one in cells[key])] for key in rows]
    known = {key: _if_a_draw_were_true(row) for key, row in rows.items()}
    drawn = {key: shares for key, shares in known.items() if shares is not None}
    if not drawn:
        return rows_table(_TITLE, ["set", "mask", *banded], lines)
    lines = [[*line, _range(drawn.get(key))] for line, key in zip(lines, rows, strict=True)]
    words = _chance(drawn, [cells[key][banded.index(OURS)] for key in drawn]) + _beyond_draws(rows)
    return rows_table(_TITLE, ["set", "mask", *banded, "were a draw true"], lines) + words


def _chance(drawn: Mapping[tuple[str, str], FloatArray], ours: Sequence[float]) -> str:
    """How many rows are outside the bar, and would be were a draw true."""
    out = int(_outside(np.array(ours)).sum())
    chance = sum(float(_outside(shares).mean()) for shares in drawn.values())
    bar = " to ".join(f"{100 * end:.0f}" for end in BAR)
    return f"\nRows outside {bar}: {out} of {len(drawn)}; were a draw true {chance:.1f} of them.\n"


def _beyond_draws(rows: Mapping[tuple[str, str], Sequence[Case]]) -> str:
    """Of how many cases less, or more, is covered than of 95% of their draws, ties halved."""
    places = np.array([_place(case) for row in rows.values() for case in row if case.of_draws])
    less, more = (100.0 * float((each < _TAIL).mean()) for each in (places, 1.0 - places))
    words = "Cases of which less is covered than of 95% of their draws"
    return f"{words}: {less:.0f}%; more: {more:.0f}%; were a draw true, 5% at most.\n"


def _place(case: Case) -> float:
    """Share of a case's draws of which less is covered than is of the truth."""
    shares, own = np.array(case.of_draws), case.covered[OURS]
    return float((shares < own).mean() + 0.5 * np.isclose(shares, own).mean())


def _covered(row: Sequence[Case], name: str) -> float:
    """Of one method, over cells; NaN where it has no band."""
    values, weights = scores_of(row, "covered", name), np.array([float(case.cells) for case in row])
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan


def _if_a_draw_were_true(row: Sequence[Case]) -> FloatArray | None:
    """What would be covered over the row's cells, each case's truth one of its draws; None without draws."""
    if not all(case.of_draws for case in row):
        return None
    rng, weights = np.random.default_rng(0), np.array([float(case.cells) for case in row])
    picked = np.stack([rng.choice(np.array(case.of_draws), _PICKS) for case in row])
    return np.asarray(weights @ picked / weights.sum())


def _outside(shares: FloatArray) -> BoolArray:
    return np.asarray((np.round(shares, 2) < BAR[0]) | (np.round(shares, 2) > BAR[1]))


def _range(shares: FloatArray | None) -> str:
    if shares is None:
        return ""
    low, high = np.quantile(shares, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return f"{100 * low:.0f} to {100 * high:.0f}"
