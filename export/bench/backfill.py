"""`voladdin bench backfill`: surfaces a second and memory of `voladdin backfill`, by size and processes."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from export.simulation.surfaces import simulate_surfaces
from voladdin.imputation.backfill.filled import Filled
from voladdin.imputation.backfill.folder import BackfillRequest, backfill
from voladdin.imputation.backfill.long_form import SameAxes
from voladdin.labels import parse_tenor

from .report import rows_table

TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "2Y")
DELTAS = (0.1, 0.25, 0.5, 0.75, 0.9)
UNDERLYINGS, HIDDEN, DAILY = 40, 0.3, 0.02
_PROFILED = 10_000  # surfaces, at most
_STAGES = {  # of a part: the functions whose time it is
    "rows read and sorted": ("table", "surfaces_of"),
    "history model": ("by_history",),
    "universal model": ("levels_alone", "_changes"),
    "SVI fits": ("with_parametric",),
    "arbitrage guard": ("guard",),
    "rows written": ("_write",),
}
_MEASURED = """\
import resource, runpy, sys
sys.argv = ["voladdin", *sys.argv[1:]]
if "--unfilled" in sys.argv:
    sys.argv.remove("--unfilled")
    from export.bench.backfill import unfilled
    from voladdin.imputation.backfill import part
    part.filled = unfilled
try: runpy.run_module("voladdin", run_name="__main__")
except SystemExit: pass
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak, spent = max(own, used[1].ru_maxrss), sum(one.ru_utime + one.ru_stime for one in used)
print(peak, spent, file=sys.stderr)
"""  # VmHWM: a program's own ru_maxrss begins with that of the one which started it


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="voladdin bench backfill", description=__doc__)
    parser.add_argument("--surfaces", type=int, nargs="+", default=[10_000, 20_000], help="sizes of history")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--priors", choices=["yes", "no"], nargs="+", default=["yes", "no"])
    parser.add_argument(
        "--unfilled", action="store_true", help="no model: what reads, plans and writes, on one process"
    )
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        if options.unfilled:
            print(_unfilled(Path(folder), options.surfaces))
            return 0
        print(_rates(Path(folder), options.surfaces, options.processes, options.priors))
        print(_stages(Path(folder), min(_PROFILED, *options.surfaces)))
    return 0


def history(count: int, path: Path, seed: int = 0) -> Path:
    """A wide history of `count` daily surfaces of 40 underlyings, 30% of the cells missing."""
    rng = np.random.default_rng(seed)
    days = -(-count // UNDERLYINGS)
    base = simulate_surfaces(UNDERLYINGS, seed=seed, tenors=_years(), deltas=DELTAS).reshape(UNDERLYINGS, -1)
    level = np.cumsum(DAILY * rng.standard_normal((days, UNDERLYINGS, 1)), axis=0)
    vols = base * np.exp(np.clip(level, -1.0, 1.0))
    vols[rng.random(vols.shape) < HIDDEN] = np.nan
    vols[:, :, 2] = base[:, 2] * np.exp(np.clip(level[:, :, 0], -1.0, 1.0))
    keys = pd.MultiIndex.from_product(
        [pd.bdate_range("1990-01-01", periods=days), [f"U{index:02d}" for index in range(UNDERLYINGS)]],
        names=["date", "underlying"],
    )
    nodes = [f"{tenor}|{delta:g}" for tenor in TENORS for delta in DELTAS]
    table = pd.DataFrame(vols.reshape(-1, len(nodes)), index=keys, columns=nodes).reset_index()
    table.iloc[:count].to_parquet(path, index=False, row_group_size=50_000)
    return path


def _years() -> list[float]:
    return [parse_tenor(tenor) for tenor in TENORS]


def _rates(folder: Path, sizes: Sequence[int], processes: Sequence[int], priors: Sequence[str]) -> str:
    rows = []
    for size in sizes:
        path = history(size, folder / f"{size}.parquet")
        for count in processes:
            for prior in priors:
                extra = [] if prior == "yes" else ["--no-prior"]
                out = str(folder / f"{size}-{count}-{prior}")
                seconds, spent, peak = spent_by([str(path), "-o", out, "--processes", str(count), *extra])
                rates = [f"{size / each:,.0f}" for each in (seconds, spent)]
                rows.append([f"{size:,}", str(count), prior, *rates, f"{peak:,.0f}"])
    header = ["surfaces", "processes", "day before as prior", "a second", "a second of processor"]
    header.append("MB of the largest process")
    return rows_table("8 × 5 surfaces, 30% missing, the start of the processes included", header, rows)


def _unfilled(folder: Path, sizes: Sequence[int]) -> str:
    rows = []
    for size in sizes:
        path = history(size, folder / f"{size}.parquet")
        out = str(folder / f"{size}")
        seconds, spent, peak = spent_by([str(path), "-o", out, "--processes", "1", "--unfilled"])
        rows.append(
            [f"{size:,}", *(f"{1e6 * each / size:,.0f}" for each in (seconds, spent)), f"{peak:,.0f}"]
        )
    header = ["surfaces", "µs a surface", "µs of processor", "MB"]
    return rows_table("Read, planned and written, not filled: one process, 40 underlyings", header, rows)


def unfilled(grid: SameAxes, *_: object) -> Filled:
    """The surfaces as they are, in the place of what fills them."""
    count = len(grid.vols)
    kinds = np.zeros(grid.vols.shape, dtype=np.int64)
    return Filled(grid.vols, grid.vols, kinds, [""] * count, np.ones(count, dtype=np.bool_))


def spent_by(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Seconds of a `voladdin backfill`, those of the processors, and the MB of its largest process."""
    command = [sys.executable, "-c", _MEASURED, "backfill", *arguments]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, spent = map(float, done.stderr.split()[-2:])
    return time.perf_counter() - start, spent, peak / 1024


def _stages(folder: Path, size: int) -> str:
    """Where the time of one process goes."""
    path, profile = history(size, folder / "stages.parquet"), cProfile.Profile()
    profile.runcall(backfill, BackfillRequest(path, folder / "stages"))
    stats = pstats.Stats(profile)
    spent = {name: 0.0 for name in _STAGES}
    for (_, _, function), (_, _, _, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        for name, functions in _STAGES.items():
            spent[name] += cumulative if function in functions else 0.0
    rows = [[name, f"{seconds / stats.total_tt:.0%}"] for name, seconds in spent.items()]  # type: ignore[attr-defined]
    return rows_table("Share of the time of one process, profiled", ["part", "share"], rows)
