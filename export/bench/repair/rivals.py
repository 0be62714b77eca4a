"""Rivals of `va.repair`: arbitragerepair in an environment of its own, and clipping."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
PYTHON = "VOLADDIN_RIVALS"  # names the Python of the rivals' environment
LIMIT = 20.0  # seconds a call


def rivals_python() -> Path:
    """The Python that has arbitragerepair; raises UnavailableError where it is not there."""
    folder = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    found = Path(os.environ.get(PYTHON) or ROOT / ".venv-rivals" / folder)
    if not found.is_file():
        raise UnavailableError(
            f"arbitragerepair is not installed: {found} is absent; "
            f"expected `make bench-rivals`, or its Python in {PYTHON}"
        )
    return found


class ArbitrageRepair:
    """arbitragerepair in a process of its own; ends with the block."""

    def __init__(self) -> None:
        self._process = self._start()

    def __enter__(self) -> ArbitrageRepair:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def detect(self, tenors: FloatArray, strikes: FloatArray, calls: FloatArray) -> tuple[int, float]:
        """Number of breached constraints, and seconds."""
        found = self._ask("detect", tenors, strikes, calls)
        return int(found["breaches"]), float(found["seconds"])

    def repair(
        self, tenors: FloatArray, strikes: FloatArray, calls: FloatArray
    ) -> tuple[FloatArray | None, float]:
        """Calls [N] of least L1 change, None where it gives none or runs over LIMIT; and seconds."""
        found = self._ask("repair", tenors, strikes, calls)
        return (np.array(found["calls"]) if found["calls"] else None), float(found["seconds"])

    def _ask(self, task: str, *arrays: FloatArray) -> dict[str, Any]:
        names = ("tenors", "strikes", "calls")
        request = {"task": task, "limit": LIMIT} | {
            name: values.tolist() for name, values in zip(names, arrays, strict=True)
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            self._process = self._start()
            return {"calls": [], "breaches": -1, "seconds": LIMIT}
        found: dict[str, Any] = json.loads(line)
        return found

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        command = [str(rivals_python()), str(Path(__file__).with_name("rival_worker.py"))]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert process.stdout is not None
        if process.stdout.readline().strip() != '"ready"':
            error = process.communicate()[1].strip().splitlines()
            raise UnavailableError(
                f"{command[0]} cannot run arbitragerepair: {error[-1] if error else 'no word'}; "
                "expected the packages of export/bench/repair/rivals.txt"
            )
        return process


def clip(surface: va.Surface) -> tuple[FloatArray, float]:
    """Vols [T, K] of running maxima of total variance along tenor, and seconds.

    At equal delta on a delta axis; else at equal log-moneyness, the tenor before interpolated linearly in w
    and flat outside. Nothing is done about the smile of one tenor.
    """
    start = time.perf_counter()
    w = surface.vols**2 * surface.tenors[:, None]
    places: NDArray[Any] = surface.quoted_moneyness()
    for row in range(1, len(w)):
        before = w[row - 1]
        if surface.deltas is None:
            order = np.argsort(places[row - 1])
            before = np.interp(places[row], places[row - 1][order], before[order])
        w[row] = np.maximum(w[row], before)
    return np.sqrt(w / surface.tenors[:, None]), time.perf_counter() - start
