"""`voladdin bench speed`: what an answer costs by size, in time and in processor time.

Grids are smiles with noise, of which 40% (50% on strikes) of the cells are missing. Those on deltas that are
of no pair have their ATM vol of 3M set by hand, which is off on some: these are answered twice. Those of a
pair are drawn about the history's regimes. A book has a sheet a surface with VOLIMPUTE's fill and std,
VOLINTERP of one point and VOLCHECK of the fill.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.imputation.interpolation import interpolate_many
from voladdin.xlsx.runner import run

from .report import rows_table

LABELS, DELTAS = ["1W", "1M", "2M", "3M", "6M", "1Y", "2Y", "5Y"], [0.9, 0.75, 0.5, 0.25, 0.1]
CHAINS = ((12, 25), (20, 50), (28, 90), (100, 200))  # tenors x strikes
BATCH, SINGLE, CHAIN, POINTS, SHEETS = 400, 100, 5, 1_000, 100
_ROUND = 1e-8  # variance of log-vol, which keeps covariances definite
Row = list[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="voladdin bench speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small batches, no more than 1,000 cells")
    quick = parser.parse_args(argv).quick
    count = 20 if quick else BATCH
    rows = [_import(), *_pillars(count), *_chains(CHAINS[:2] if quick else CHAINS), *_points()]
    rows.append(_book(5 if quick else SHEETS))
    load = f", load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    title = f"Cost of an answer, on {os.cpu_count()} cores{load}"
    print(rows_table(title, ["asked", "p50, ms", "processor, ms"], rows))
    return 0


def _timed(name: str, ask: Callable[[int], Any], times: int, surfaces: int = 1) -> Row:
    """Medians of calls with 1, 2, ... after one with 0, which loads the models; surfaces: of a call."""
    ask(0)
    spent = []
    for number in range(1, times + 1):
        clocks = time.perf_counter(), time.process_time()
        ask(number)
        spent.append((time.perf_counter() - clocks[0], time.process_time() - clocks[1]))
    return [name, *(f"{1e3 * value / surfaces:.2f}" for value in np.median(spent, axis=0))]


def pillars(count: int, seed: int = 1) -> FloatArray:
    """[count, 8, 5] vols of a currency pair's shape, 40% of them missing."""
    rng, x = np.random.default_rng(seed), np.array(DELTAS) - 0.5
    level, skew, wings, term = rng.normal([-2.4, 0.0, 0.6, 0.0], [0.3, 0.1, 0.1, 0.04], (count, 4)).T
    late = np.log(_years())[:, None]
    shape = skew[:, None, None] * x + wings[:, None, None] * x**2 + term[:, None, None] * late
    noise = 0.003 * rng.standard_normal((count, 8, 5))
    vols = np.exp(level[:, None, None] + shape + noise)
    vols[rng.random(vols.shape) < 0.4] = np.nan
    vols[:, 3, 2] = np.exp(level)
    return np.asarray(vols)


def pairs(count: int, seed: int = 1) -> FloatArray:
    """[count, 8, 5] vols as a history's currency pairs have them, drawn about its regimes, 40% missing."""
    rng, history, years = np.random.default_rng(seed), va.load("fx", va.Bundle), _years()
    cells = tuple(np.repeat(years, 5).tolist()), tuple(np.tile(DELTAS, 8).tolist())
    levels, there = history.levels, history.observation(*cells)
    regime = rng.choice(len(levels.weight), count, p=levels.weight)
    mean, covariance = there.push(levels.mean[regime], levels.scatter[regime] + history.scale)
    roots = np.linalg.cholesky(covariance + _ROUND * np.eye(mean.shape[1]))
    vols = np.exp(mean + (roots @ rng.standard_normal(mean.shape)[..., None])[..., 0]).reshape(count, 8, 5)
    missing = rng.random(vols.shape) < 0.4
    missing[:, 3, 2] = False
    return np.where(missing, np.nan, vols)


def chain(tenors: int, strikes: int, seed: int = 1) -> va.Surface:
    """A listed index's shape at strikes of each expiry's own, half of them missing."""
    rng, years = np.random.default_rng(seed), np.geomspace(0.02, 3.0, tenors)
    z = np.linspace(-2.2, 1.6, strikes) * np.ones((tenors, 1))
    vols = 0.2 * np.exp(-0.13 * z + 0.03 * z**2 + 0.002 * rng.standard_normal(z.shape))
    vols[rng.random(z.shape) < 0.5] = np.nan
    return va.Surface(vols, years, moneyness=0.2 * z * np.sqrt(years)[:, None])


def _years() -> FloatArray:
    return va.Surface(np.full((8, 5), 0.1), LABELS, deltas=DELTAS).tenors


def _import() -> Row:
    code = "import time; t = time.perf_counter(), time.process_time(); import voladdin; "
    code += "print(time.perf_counter() - t[0], time.process_time() - t[1])"
    spent = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        ).stdout.split()
        for _ in range(5)
    ]
    return ["import voladdin", *(f"{1e3 * t:.0f}" for t in np.median(np.array(spent, dtype=float), axis=0))]


def _pillars(count: int) -> Iterator[Row]:
    for name, vols in (("8 x 5 deltas", pillars(count)), ("8 x 5 deltas of a pair", pairs(count))):
        several = [va.Surface(one, LABELS, deltas=DELTAS) for one in vols[: min(count, SINGLE)]]
        yield _timed(f"{name}, one", partial(_impute_one_of, several), len(several))
        yield _timed(f"{name}, each of {count}", partial(_impute_all, vols), 3, count)


def _impute_one_of(several: Sequence[va.Surface], number: int) -> va.Imputation:
    return va.impute(several[number % len(several)])


def _impute_all(vols: FloatArray, _: int) -> va.Imputation:
    return va.impute_batch(vols, LABELS, deltas=DELTAS)


def _chains(sizes: Sequence[tuple[int, int]]) -> Iterator[Row]:
    for tenors, strikes in sizes:
        several = [chain(tenors, strikes, seed) for seed in range(CHAIN + 1)]  # a fill that is known is kept
        yield _timed(f"{tenors * strikes:,} cells at strikes", partial(_impute_one_of, several), CHAIN)


def _points() -> Iterator[Row]:
    surface, rng = va.Surface(pillars(1)[0], LABELS, deltas=DELTAS), np.random.default_rng(1)
    years, deltas = rng.uniform(0.02, 4.0, POINTS), rng.uniform(0.05, 0.95, POINTS)
    for count in (1, POINTS):
        for kind, at in (("delta", deltas), ("moneyness", 0.2 * (deltas - 0.5))):
            yield _timed(
                f"VOLINTERP of a known surface, {count:,} by {kind}",
                partial(_interpolate, surface, years[:count], at[:count], kind),
                15,
            )


def _interpolate(surface: va.Surface, years: FloatArray, at: FloatArray, kind: str, _: int) -> FloatArray:
    return interpolate_many(surface, years, at, kind=kind)


def _book(sheets: int) -> Row:
    """Of a book that nothing was asked of before, once another has loaded the models."""
    with tempfile.TemporaryDirectory() as folder:
        books = [Path(folder, f"{name}.xlsx") for name in ("other", "book")]
        for seed, (book, count) in enumerate(zip(books, (1, sheets), strict=True), start=2):
            _write(book, pillars(count, seed))
        output = Path(folder, "output.xlsx")
        return _timed(f"book of {sheets} surfaces, {4 * sheets} formulas", lambda n: run(books[n], output), 1)


def _write(book: Path, vols: FloatArray) -> None:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for number, surface in enumerate(vols):
        sheet = workbook.create_sheet(f"PAIR{number}")
        sheet.append(["", "10P", "25P", "ATM", "25C", "10C"])
        for label, row in zip(LABELS, surface.tolist(), strict=True):
            sheet.append([label, *(None if vol != vol else vol for vol in row)])
        sheet["H1"] = ArrayFormula("H1:M9", "=VOLIMPUTE(A1:F9)")
        sheet["O1"] = ArrayFormula("O1:T9", '=VOLIMPUTE(A1:F9,"std")')
        sheet["A11"], sheet["A12"] = '=VOLINTERP(A1:F9,"4M","30P")', "=VOLCHECK(H1:M9)"
    workbook.save(book)


if __name__ == "__main__":
    raise SystemExit(main())
