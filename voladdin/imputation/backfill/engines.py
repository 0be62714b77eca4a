"""What runs the parts: processes of this machine, or a Dask cluster that sees the same files."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from ...errors import UnavailableError
from .part import Done, Job, fill_part
from .plan import RowRange

TRIES = 3
_START = get_context("spawn")
_AHEAD = 2  # parts that wait for each worker: their list does not grow with the history

Finished = Iterator[tuple[RowRange, Done]]


def here(job: Job, parts: Iterable[RowRange]) -> Finished:
    """In this process, one after the other."""
    for part in parts:
        yield part, fill_part(job, part)


def pool(job: Job, parts: Iterable[RowRange], processes: int) -> Finished:
    """In processes of this machine. Where one dies, the parts in work are done again, each in one of its own.

    Raises UnavailableError where a part's process dies each time, and what the filling raises.
    """
    waiting = iter(parts)
    while broken := (yield from _together(job, waiting, processes)):
        for part in broken:
            yield part, _alone(job, part)


def _together(
    job: Job, waiting: Iterator[RowRange], processes: int
) -> Generator[tuple[RowRange, Done], None, list[RowRange]]:
    """Gives parts as they end; returns those that were in work when a process died."""
    running: dict[Future[Done], RowRange] = {}
    with ProcessPoolExecutor(processes, mp_context=_START) as executor:
        try:
            while True:
                for part in itertools.islice(waiting, _AHEAD * processes - len(running)):
                    running[executor.submit(fill_part, job, part)] = part
                if not running:
                    return []
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done = future.result()
                    yield running.pop(future), done
        except BrokenProcessPool:
            return list(running.values())


def _alone(job: Job, part: RowRange) -> Done:
    for _ in range(TRIES):
        with ProcessPoolExecutor(1, mp_context=_START) as executor, contextlib.suppress(BrokenProcessPool):
            return executor.submit(fill_part, job, part).result()
    raise UnavailableError(
        f"the process of part {part.number} (rows {part.start} to {part.stop}) died {TRIES} times; "
        "expected it to end: is there memory for it?"
    )


def dask(job: Job, parts: Iterable[RowRange], scheduler: str) -> Finished:
    """On the workers of a Dask scheduler, which read the history and write the parts in the same places.

    Raises UnavailableError where there is no such scheduler or no `distributed`, and what the filling raises.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError:
        raise UnavailableError(
            "dask needs the package distributed; expected pip install voladdin[dask]"
        ) from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"no Dask scheduler answers at {scheduler!r} ({error}); expected its address"
        ) from None
    with client:
        yield from _on(client, as_completed, job, iter(parts))


def _on(client: Any, as_completed: Any, job: Job, waiting: Iterator[RowRange]) -> Finished:
    running: dict[Any, RowRange] = {}

    def submit(part: RowRange) -> Any:
        key = f"backfill-{part.number}"
        future = client.submit(fill_part, job, part, key=key, pure=False, retries=TRIES)
        running[future.key] = part
        return future

    width = max(_AHEAD * sum(client.nthreads().values()), _AHEAD)
    queue = as_completed([submit(part) for part in itertools.islice(waiting, width)])
    for future in queue:
        done = future.result()
        for part in itertools.islice(waiting, 1):
            queue.add(submit(part))
        yield running.pop(future.key), done
