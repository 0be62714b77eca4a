"""What went wrong last in this process, for VOLINFO("error"); a defect becomes an error that says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import VoladdinError

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # a host decides where tracebacks of defects go, never the terminal
_lock = threading.Lock()
_last: dict[str, tuple[str, VoladdinError]] = {}
_warnings: list[str] = []


@contextmanager
def recorded(name: str) -> Iterator[None]:
    """Keeps the error of the block, of the function or command `name`.

    Raises VoladdinError, also in the place of any other error, whose traceback is logged.
    """
    try:
        yield
    except VoladdinError as error:
        _record(name, error)
        raise
    except Exception as error:
        _log.exception("%s failed", name)
        wrapped = VoladdinError(
            f"{name} failed: {type(error).__name__}: {error}; this is a defect, please report"
        )
        _record(name, wrapped)
        raise wrapped from error


def record_warnings(warnings: list[str]) -> None:
    """Keeps the warnings of the last parse."""
    with _lock:
        _warnings[:] = warnings


def last_error() -> tuple[str, VoladdinError] | None:
    """The function or command that failed last, and its error."""
    with _lock:
        return _last.get("error")


def last_warnings() -> list[str]:
    """Those of the last parse."""
    with _lock:
        return list(_warnings)


def _record(name: str, error: VoladdinError) -> None:
    with _lock:
        _last["error"] = (name, error)
