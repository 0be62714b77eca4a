"""Time and verdicts of `va.check`, against arbitragerepair's detection and the linear program."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

import voladdin as va

from ..report import rows_table
from .random_grids import compare
from .rivals import ArbitrageRepair
from .truth import TOLERANCE, prices


def check_table(surfaces: Sequence[va.Surface], process: ArbitrageRepair | None) -> str:
    """Time of one check in ms, by axis; the surfaces are those repaired."""
    rows = []
    for name, deltas in (("deltas", True), ("strikes", False)):
        grids = [surface for surface in surfaces if (surface.deltas is not None) == deltas]
        if grids:
            rows.append([name, str(len(grids)), *_times(grids, process)])
    header = ("axis", "surfaces", "voladdin check, ms p50", "arbitragerepair detect, ms p50", "ratio")
    return rows_table("Check of 8 x 5", header, rows)


def _times(grids: Sequence[va.Surface], process: ArbitrageRepair | None) -> list[str]:
    """Both in turns, grid by grid, so that other work on the machine slows both; ours the median of three."""
    mine, theirs = [], []
    for surface in grids:
        mine.append(np.median([_seconds(surface) for _ in range(3)]))
        if process is not None:
            ranks, strikes, calls = prices(surface)
            theirs.append(process.detect(surface.tenors[ranks], strikes, calls)[1])
    ours = float(np.median(mine))
    if not theirs:
        return [f"{1e3 * ours:.3f}", "", ""]
    rival = float(np.median(theirs))
    return [f"{1e3 * ours:.3f}", f"{1e3 * rival:.2f}", f"{rival / ours:.0f}"]


def _seconds(surface: va.Surface) -> float:
    start = time.perf_counter()
    va.check(surface)
    return time.perf_counter() - start


def verdict_line(count: int, seed: int) -> str:
    """Agreement of `check` with the linear program on `count` random grids, half near the boundary."""
    rng = np.random.default_rng([seed, 20])
    agreed, bad, close, worst = 0, 0, 0, 0.0
    for number in range(count):
        ok, size, slack = compare(rng, near=number % 2 == 1)
        agreed += ok == (slack <= TOLERANCE)
        bad += not ok
        close += 1e-10 < slack < 1e-4
        worst = max(worst, abs(size - slack) if not ok else 0.0)
    return (
        f"Verdicts of check and of the linear program on {count} random grids, 1 x 1 to 6 x 8: {agreed} "
        f"agree; {bad} have arbitrage, {close} of less than 1e-4; sizes differ by at most {worst:.1e}.\n"
    )
