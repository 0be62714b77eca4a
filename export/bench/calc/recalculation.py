"""`voladdin bench calc`: how long LibreOffice Calc takes to recalculate a book of VOLIMPUTE formulas.

A real headless LibreOffice with the extension, in a profile, a voladdin home and a server of its own. The
book has 500 (`--formulas`) array formulas over different 8 x 5 grids with two cells in five missing. Rivals
in the same LibreOffice and run: a built-in array formula that fills each hole with the grid's mean;
VOLINFO, which asks the server and computes nothing; and as many no-op requests without Calc.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from voladdin.cells import Cells
from voladdin.errors import InputError, UnavailableError
from voladdin.hosts import libreoffice
from voladdin.hosts.libreoffice.inside.values import to_calc
from voladdin.service.client import Client
from voladdin.service.process import ensure_running, stop
from voladdin.worksheet.registry import evaluate

from ..report import table
from .office import Calc

TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "3Y")
DELTAS = ("10P", "25P", "ATM", "25C", "10C")
MISSING = 0.4
CHANGE = 1.001  # times every vol
HEIGHT = len(TENORS) + 2  # rows from one grid to the next
OURS, ALONE = "VOLIMPUTE", "VOLIMPUTE, a formula in each grid"
FORMULAS = {
    OURS: "=VOLIMPUTE(A{top}:F{bottom})",
    ALONE: "=VOLIMPUTE(A{top}:F{bottom})",
    "VOLINFO": '=VOLINFO(IF(COUNT(B{body}:F{bottom})<0,"","version"))',
    "mean of the grid (built in)": (
        "=IF(ISBLANK(A{top}:F{bottom}),AVERAGE(B{body}:F{bottom}),A{top}:F{bottom})"
    ),
}
REQUESTS = "no-op requests, without Calc"
COLUMNS = ("load and calculate", "new vols", "unchanged again")
WHOLE_BAR, AGAIN_BAR = 1.5, 0.1  # seconds, of 500 formulas on two quiet cores
LEGEND = """\
Seconds are the median of {repeats} runs [least, most].
"Load and calculate" opens the .xlsx and calculates all of it; "new vols" pastes other vols over every grid
at once, and all is calculated; "unchanged again" recalculates all with nothing changed. Add-in, server and
model have been used once before. A grid with a formula in it (="" in its corner) is asked for alone, in its
turn, and others many at once. Expected of 500 formulas on two quiet cores: new vols at most {whole:g} s,
unchanged again at most {again:g} s.
"""


@dataclass(frozen=True)
class Step:
    """One measured step: wall seconds, requests to the server and its processor seconds."""

    seconds: float
    calls: int
    cpu: float


Steps = dict[str, list[Step]]


def grid(rng: np.random.Generator) -> Cells:
    """An 8 x 5 grid of vols with headers; two cells in five are missing, at least one is there."""
    smile = 0.004 * (np.arange(5) - 2.0) ** 2
    vols = (
        rng.uniform(0.05, 0.2) + smile + 0.002 * np.arange(8)[:, None] + 0.001 * rng.standard_normal((8, 5))
    )
    holes = rng.random((8, 5)) < MISSING
    holes[rng.integers(8), rng.integers(5)] = False
    rows: Cells = [[None if hole else round(float(vol), 5) for vol, hole in zip(*row, strict=True)]
                   for row in zip(vols, holes, strict=True)]  # fmt: skip
    return [[None, *DELTAS], *([tenor, *row] for tenor, row in zip(TENORS, rows, strict=True))]


def write_book(path: Path, formula: str, grids: Sequence[Cells]) -> Path:
    """A book with the grids one below the other in A:F, each with its array formula in H:M."""
    book = Workbook()
    sheet = book.worksheets[0]
    for index, cells in enumerate(grids):
        top = HEIGHT * index + 1
        bottom = top + len(TENORS)
        for row in [*cells, []]:
            sheet.append(row)
        place = f"H{top}:M{bottom}"
        sheet[f"H{top}"] = ArrayFormula(place, formula.format(top=top, body=top + 1, bottom=bottom))
    book.save(path)
    return path


class Bench:
    """The steps of each formula, measured in one LibreOffice against one server."""

    def __init__(self, calc: Calc, server: Client, folder: Path, formulas: int) -> None:
        self._calc, self._server, self._folder, self._formulas = calc, server, folder, formulas
        self._rng = np.random.default_rng(0)

    def warm_up(self) -> None:
        """Loads add-in, connection and model, and checks that Calc shows what `evaluate` gives."""
        for name in FORMULAS:
            self._open(name, 1)
            self._calc.tell("close")
        self._check()

    def formula(self, name: str) -> Steps:
        """Each of COLUMNS for a book of different grids, never seen before."""
        steps = {COLUMNS[0]: [self._step(lambda: self._open(name, self._formulas))]}
        self._calc.tell("scale", HEIGHT * self._formulas, CHANGE)
        for column, command in zip(COLUMNS[1:], ("paste", "calculate"), strict=True):
            steps[column] = [self._step(functools.partial(self._calc.tell, command))]
        self._calc.tell("close")
        return steps

    def requests(self) -> Steps:
        """The same number of requests that ask for nothing, one after the other."""

        def ask() -> float:
            start = time.perf_counter()
            for _ in range(self._formulas):
                self._server.request("GET", "/v1/health")
            return time.perf_counter() - start

        return {COLUMNS[1]: [self._step(ask)]}

    def _check(self) -> None:
        cells = grid(np.random.default_rng(1))
        self._calc.tell("load", write_book(self._folder / "check.xlsx", FORMULAS[OURS], [cells]))
        got = self._calc.tell("read", f"H1:M{len(cells)}")
        self._calc.tell("close")
        expected = list(map(list, to_calc(evaluate(OURS, [cells]))))
        if got != expected:
            raise UnavailableError(f"Calc shows {got[1]} in its first row of vols; expected {expected[1]}")

    def _open(self, name: str, count: int) -> float:
        grids = [grid(self._rng) for _ in range(count)]
        for cells in grids if name == ALONE else ():
            cells[0][0] = '=""'
        book = write_book(self._folder / "book.xlsx", FORMULAS[name], grids)
        seconds: float = self._calc.tell("load", book)
        return seconds

    def _step(self, action: Callable[[], float]) -> Step:
        before = self._server.request("GET", "/v1/health")[1]
        seconds = action()
        after = self._server.request("GET", "/v1/health")[1]
        calls = after["requests"] - before["requests"] - 1
        return Step(seconds, calls, after["cpu_seconds"] - before["cpu_seconds"])


def run(formulas: int, repeats: int, say: Callable[[str], None]) -> dict[str, Steps]:
    """The steps of every formula, `repeats` times, in a LibreOffice and a home of their own."""
    found: dict[str, Steps] = {name: {} for name in (*FORMULAS, REQUESTS)}
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder, "home")):
        libreoffice.install(Path(folder, "profile"))
        state = ensure_running()
        try:
            with Client(state) as server, Calc(Path(folder, "profile")) as calc:
                bench = Bench(calc, server, Path(folder), formulas)
                bench.warm_up()
                for repeat in range(repeats):
                    say(f"run {repeat + 1} of {repeats}")
                    for name in FORMULAS:
                        _add(found[name], bench.formula(name))
                    _add(found[REQUESTS], bench.requests())
        finally:
            stop(state)
    return found


def _add(steps: Steps, more: Steps) -> None:
    for name, measured in more.items():
        steps.setdefault(name, []).extend(measured)


@contextmanager
def own_home(folder: Path) -> Iterator[None]:
    """VOLADDIN_HOME is this folder in the block."""
    before = os.environ.get("VOLADDIN_HOME")
    os.environ["VOLADDIN_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["VOLADDIN_HOME"]
        else:
            os.environ["VOLADDIN_HOME"] = before


def render(found: dict[str, Steps], formulas: int) -> str:
    """The tables as markdown: seconds, ratios to the rivals, calls and processor time of the server."""

    def seconds(name: str, column: str) -> str:
        times = [step.seconds for step in found[name].get(column, [])]
        return f"{statistics.median(times):.2f} [{min(times):.2f}, {max(times):.2f}]" if times else ""

    def ratio(name: str, column: str) -> str:
        if column not in found[name]:
            return ""
        ours, theirs = (statistics.median(s.seconds for s in found[n][column]) for n in (OURS, name))
        return f"{ours / theirs:.1f}"

    def cost(name: str, column: str) -> str:
        steps = found[name].get(column, [])
        return f"{steps[-1].calls}; {statistics.median(step.cpu for step in steps):.2f}" if steps else ""

    rivals = [name for name in found if name != OURS]
    return "\n".join(
        [
            table(f"{formulas} formulas, s", list(found), COLUMNS, seconds),
            table(f"{OURS} over each rival, ratio of the medians", rivals, COLUMNS, ratio),
            table("The server: calls; processor time, s", list(found), COLUMNS, cost),
        ]
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voladdin bench calc", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--formulas", type=int, default=500, help="array formulas in the book (default: 500)")
    parser.add_argument("--repeats", type=int, default=3, help="runs, each with new grids (default: 3)")
    parser.add_argument("--output", type=Path, help="write the tables to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error.

    Raises UnavailableError where LibreOffice or a Python with uno is absent.
    """
    options = parser().parse_args(argv)
    if min(options.formulas, options.repeats) < 1:
        raise InputError(f"--formulas {options.formulas} --repeats {options.repeats}; expected 1 or more")
    machine = f"{os.cpu_count()} processors, load {load_average()}"
    found = run(options.formulas, options.repeats, lambda line: print(line, file=sys.stderr, flush=True))
    legend = LEGEND.format(repeats=options.repeats, whole=WHOLE_BAR, again=AGAIN_BAR)
    text = f"{legend}Machine: {machine} before, {load_average()} after.\n\n{render(found, options.formulas)}"
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    return 0


def load_average() -> str:
    """Processes that wanted to run in the last minute; other programs' work shows in the seconds."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
