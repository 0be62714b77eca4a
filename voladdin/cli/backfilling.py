"""`voladdin backfill`: a history of surfaces, filled."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import InputError, UnavailableError

EVERY = 10.0  # seconds between lines of progress


def add(commands: Any) -> None:
    """The command, for argparse's `commands`."""
    backfill = commands.add_parser(
        "backfill", help="fill every surface of a history, a .parquet file or folder"
    )
    backfill.add_argument(
        "history",
        type=Path,
        help="a row a surface (1M|25P, …) or a row a cell (tenor, …, vol); folders such as underlying=EURUSD "
        "are columns",
    )
    backfill.add_argument("-o", "--output", type=Path, required=True, help="the folder of the filled parts")
    backfill.add_argument("--model", default="fx", help="name of a model bundle (default: fx)")
    backfill.add_argument("--no-prior", action="store_true", help="do not use the day before")
    backfill.add_argument("--units", choices=["percent", "decimal"], help="by the first vols unless told")
    backfill.add_argument("--processes", type=int, default=os.cpu_count(), help="(default: one a processor)")
    backfill.add_argument("--engine", choices=["processes", "dask"], default="processes")
    backfill.add_argument("--scheduler", help="address of the Dask scheduler, such as tcp://host:8786")
    backfill.add_argument("--surfaces", type=int, help="of a part (default: 1024 to 6144, by the history)")
    backfill.epilog = "The exit status is 1 where a surface stayed as it was; its column `flags` says why."
    backfill.set_defaults(command=_backfill)


def _backfill(options: argparse.Namespace) -> int:
    try:
        from ..imputation.backfill.folder import BackfillRequest, backfill, unit_of
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"backfill needs the package {error.name}; expected pip install voladdin[backfill]"
        ) from None
    if (options.engine == "dask") != (options.scheduler is not None):
        raise InputError(
            f"engine {options.engine} and scheduler {options.scheduler}; expected both for Dask, or none"
        )
    for name in ("processes", "surfaces"):
        if (told := getattr(options, name)) is not None and told < 1:
            raise InputError(f"--{name} is {told}; expected at least 1")
    names = ("history", "output", "model", "units", "surfaces", "processes", "scheduler")
    asked = BackfillRequest(prior=not options.no_prior, **{name: getattr(options, name) for name in names})
    done = backfill(asked, _Progress())
    refused = f"; {done.refused} stayed as they were" if done.refused else ""
    units = "decimals" if unit_of(options.output) == 1.0 else "percent points"
    print(f"{done.surfaces} surfaces in {options.output}, vols in {units}{refused}")
    return int(done.refused > 0)


class _Progress:
    """Lines of stderr, one in ten seconds at most: how many surfaces, how fast, how long yet."""

    def __init__(self) -> None:
        self._start = self._told = (time.monotonic(), 0)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told[0] < EVERY and done < total:
            return
        rate = (done - self._start[1]) / max(now - self._start[0], 1e-9)
        left = (total - done) / max(rate, 1e-9)
        words = f"{done:,} of {total:,} surfaces, {rate:,.0f} a second, {left:,.0f} s left"
        print(words, file=sys.stderr, flush=True)
        self._told = now, done
