"""What runs the parts: processes of this machine, or a Dask cluster that sees the same files."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any
from uuid import uuid4

from ...errors import UnavailableError
from .part import Done, Job, fill_part
from .plan import RowRange

TRIES = 3
_START = get_context("spawn")
_AHEAD = 2  # parts that wait for each worker: their list does not grow with the history
_QUEUED = 16  # at least, on a cluster: one that grows with its queue may begin without a worker

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
    with _processes(processes) as executor:
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
        with _processes(1) as executor, contextlib.suppress(BrokenProcessPool):
            return executor.submit(fill_part, job, part).result()
    raise _died(part, TRIES)


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=_START, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for its next part for ever."""

    def follow() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _died(part: RowRange, times: int) -> UnavailableError:
    return UnavailableError(
        f"the process of part {part.number} (rows {part.start} to {part.stop}) died {times} times; "
        "expected it to end: is there memory for it?"
    )


def dask(job: Job, parts: Iterable[RowRange], scheduler: str) -> Finished:
    """On the workers of a Dask scheduler, which read the history and write the parts in the same places.

    Raises UnavailableError where there is no such scheduler or no `distributed`, where a part's workers die
    each time, and what the filling raises.
    """
    try:
        from distributed import Client
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
        yield from _on(client, job, iter(parts))


def _on(client: Any, job: Job, waiting: Iterator[RowRange]) -> Finished:
    """Keys are of this run alone: of two tasks of one key a scheduler does one, whoever asks."""
    from distributed import KilledWorker, as_completed

    running: dict[str, RowRange] = {}
    run, queue = uuid4().hex, as_completed()

    def submit() -> None:
        """What the workers there are now have threads for."""
        width = max(_AHEAD * sum(client.nthreads().values()), _QUEUED)
        for part in itertools.islice(waiting, width - len(running)):
            running[key := f"backfill-{run}-{part.number}"] = part
            queue.add(client.submit(fill_part, job, part, key=key, pure=False, retries=TRIES))

    submit()
    for future in queue:
        part = running.pop(future.key)
        try:
            done = future.result()
        except KilledWorker as error:
            raise _died(part, error.allowed_failures + 1) from None
        submit()
        yield part, done
