"""What a network adds, one row a set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from export.bench.report import rows_table
from export.simulation.markets import FAMILIES

from .answers import ALONE, BOTH, NETWORK, OURS, PRIORS
from .scoring import TICK, Case, scores_of

_PAIRS = ((NETWORK, ALONE), (NETWORK, PRIORS), (BOTH, PRIORS), (NETWORK, OURS))


def network_table(cases: Sequence[Case]) -> str:
    """Geometric means over masks of ratios of mean errors, and of mean CRPS; "" without a network."""
    known = {name for case in cases for name in case.error}
    if NETWORK not in known:
        return ""
    pairs = [pair for pair in _PAIRS if known.issuperset(pair)]
    names = [f"{a} / {b}" for a, b in pairs]
    rows = [_row(title, some, pairs) for title, some in _groups(cases) if some]
    header = ["set", *names, *(f"CRPS, {name}" for name in names)]
    return rows_table("Network and process, geometric means over sets and masks", header, rows)


def _groups(cases: Sequence[Case]) -> Iterator[tuple[str, list[Case]]]:
    for group in dict.fromkeys(case.set for case in cases):
        yield group, [case for case in cases if case.set == group]
    yield "**all simulated**", [case for case in cases if case.set in FAMILIES]
    yield "**all others**", [case for case in cases if case.set not in FAMILIES]


def _row(title: str, cases: Sequence[Case], pairs: Sequence[tuple[str, str]]) -> list[str]:
    by_row = dict.fromkeys((case.set, case.mask) for case in cases)
    parts = [[case for case in cases if (case.set, case.mask) == key] for key in by_row]
    return [title, *(_ratio(parts, score, *pair) for score in ("error", "crps") for pair in pairs)]


def _ratio(parts: Sequence[Sequence[Case]], score: str, top: str, bottom: str) -> str:
    means = np.array([[scores_of(part, score, name).mean() for name in (top, bottom)] for part in parts])
    logs = np.log(np.maximum(means, TICK))
    return f"{np.exp((logs[:, 0] - logs[:, 1]).mean()):.3f}"
