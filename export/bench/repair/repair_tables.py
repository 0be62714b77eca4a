"""The tables and counts of `bench repair`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .damage import EXTREME, STALE_DAYS, WIDER, DamageCase
from .repairs import OURS, PRICES, RIVAL, VALID, Measured
from .rivals import LIMIT

MEASURES = "valid", "valid, old strikes", "mean", "largest", "price", "weighted", "over least", "worst", "ms"
COLUMNS = ("case", "violate", "method", *MEASURES)
LEGEND = f"""\
`violate`: surfaces with arbitrage among those drawn; the first {{keep}} (of 28 x 28, {{large}}) are repaired.
`valid`: share in % without arbitrage by a linear program over all convex, decreasing price functions ordered
in tenor, to {VALID:g} of the forward; on deltas, at the strikes of the new vols. `valid, old strikes`: the
same for the prices at the strikes before the repair; differs on deltas only, where strikes move with vols.
`mean`, `largest`: change of vol, bp. `price`: mean change of the calls at the old strikes, bp of the forward.
`weighted`: mean of |change of call|/vega, bp of vol. `prices (L1)` minimises it, on deltas `mean`;
arbitragerepair minimises `price`.
`over least`: `weighted` over the least that any prices without arbitrage at the old strikes need, less 1, by
sums; `worst`: the largest of one surface. On deltas that is the optimum at fixed strikes, which a repair of
deltas need not keep: arbitragerepair does, so its vols, put back on the deltas, are quotes of other options.
Changes are of results, valid or not; arbitragerepair has {LIMIT:g} s a surface. `ms`: p50 of single calls
(OMP_NUM_THREADS {{threads}}). Clipping: running maxima of total variance along tenor.

Vols are FX history on 8 x 5, Heston and SABR on 28 x 28. Noise is lognormal; a fat finger is one vol times or
over 1.5; crossed tenors have one tenor's total variance 3% below that of the tenor before; a stale row is one
tenor of {STALE_DAYS} days before; the smooth deformation, of degree 2, grows until a trade locks in
{EXTREME:g} of the forward; generated are the shipped equity model's surfaces before any repair, for features
in the box of its training ranges made {WIDER:.0%} wider.
"""

Results = dict[str, list[Measured]]


def case_rows(case: DamageCase, results: Results) -> list[list[str]]:
    """A row of COLUMNS for each method."""
    head = [case.name, f"{case.violating} of {case.drawn}"]
    if not case.surfaces:
        return [[*head, *[""] * (len(COLUMNS) - 2)]]
    rows = []
    for name, found in results.items():
        rows.append([*head, name, *_cells(found)])
        head = ["", ""]
    return rows


def _cells(found: Sequence[Measured]) -> list[str]:
    def mean(values: Iterable[float]) -> float:
        return float(np.mean(list(values)))

    answered = [m for m in found if np.isfinite(m.weighted)]
    valid = f"{100 * mean(m.valid for m in found):.0f}", f"{100 * mean(m.valid_kept for m in found):.0f}"
    ms = f"{1e3 * float(np.median([m.seconds for m in found])):.2f}"
    if not answered:
        return [*valid, *[""] * 6, ms]
    over = sum(m.weighted for m in answered) / sum(m.least for m in answered) - 1
    worst = max(m.weighted / m.least - 1 for m in answered)
    return [
        *valid,
        f"{mean(m.mean for m in answered):.2f}",
        f"{max(m.largest for m in answered):.1f}",
        f"{mean(m.price for m in answered):.3f}",
        f"{mean(m.weighted for m in answered):.3f}",
        f"{over:.1e}",
        f"{worst:.1e}",
        ms,
    ]


def summary(found: Mapping[str, Results], fixed: Mapping[str, bool]) -> str:
    """Valid results of ours, and whose change is the larger, counted over all surfaces.

    fixed: by case, whether strikes are given, not deltas.
    """
    lines = []
    for name in OURS:
        parts = [m for results in found.values() for m in results.get(name, [])]
        lines.append(f"{name}: {sum(m.valid for m in parts)} of {len(parts)} valid")
    kept = [m for case, r in found.items() if fixed[case] for m in r[PRICES] if np.isfinite(m.weighted)]
    worst = max((m.weighted / m.least - 1 for m in kept), default=np.nan)
    lines.append(f"{PRICES}, strikes given: at most {worst:.1e} over the least")
    lines += [_against_rival(found, fixed, given=given) for given in (True, False)]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _against_rival(found: Mapping[str, Results], fixed: Mapping[str, bool], *, given: bool) -> str:
    """On how many surfaces our change is the larger, in what we minimise: `weighted`, on deltas `mean`."""
    field = "weighted" if given else "mean"
    pairs = [
        (getattr(mine, field) > getattr(theirs, field) * (1 + 1e-6), theirs.valid)
        for case, results in found.items()
        if fixed[case] == given and RIVAL in results
        for mine, theirs in zip(results[PRICES], results[RIVAL], strict=True)
        if np.isfinite(theirs.weighted)
    ]
    valid = [more for more, good in pairs if good]
    every = [more for more, _ in pairs]
    return (
        f"{PRICES}, {'strikes given' if given else 'deltas'}: `{field}` above {RIVAL}'s on {sum(valid)} "
        f"of the {len(valid)} surfaces that it makes valid, on {sum(every)} of {len(every)} in all"
    )
