"""What went wrong or was assumed, by book and cell, for VOLINFO; a defect becomes an error that says so.

A host says where a function is called from as far as it knows (`Caller`); what one book's formulas and
commands said is never told to another book.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .errors import VoladdinError

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # a host decides where tracebacks of defects go, never the terminal
_lock = threading.Lock()
_WARNED = "warned"  # the last call from a cell that is not known
_MOST_BOOKS, _MOST_CELLS = 50, 2_000


@dataclass(frozen=True)
class Caller:
    """Where a function or command is called from; "" is what the host does not know.

    book: its name. cell: such as "EURUSD!L18". arguments: the reference each argument is, such as
    "EURUSD!A5:F13", "" where it is none.
    """

    book: str = ""
    cell: str = ""
    arguments: tuple[str, ...] = ()


NOBODY = Caller()
Whence = Caller | Callable[[], Caller]
"""A caller, or how to find it where that costs something."""
Later = Callable[[], Sequence[str]]
"""One warning or more, found when somebody reads them."""
Note = str | Later


@dataclass(frozen=True)
class Entry:
    """What one call said: its error or what it noted. shown: what its first cell shows."""

    function: str
    caller: Caller
    shown: object
    error: VoladdinError | None = None
    notes: tuple[Note, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes, as text."""
        each = ([note] if isinstance(note, str) else note() for note in self.notes)
        return tuple(itertools.chain.from_iterable(each))


_books: OrderedDict[str, OrderedDict[str, Entry]] = OrderedDict()  # by cell, as far as it is known


@contextmanager
def recorded(name: str, caller: Whence = NOBODY) -> Iterator[None]:
    """Keeps the error of the block, of the function or command `name`.

    Raises VoladdinError, also in the place of any other error, whose traceback is logged.
    """
    try:
        yield
    except VoladdinError as error:
        _failed(name, caller, error)
        raise
    except Exception as error:
        wrapped = VoladdinError(
            f"{name} failed: {type(error).__name__}: {error}; this is a defect, please report"
        )
        _log.exception("%s", _line(name, _found(caller), wrapped))
        _keep(Entry(name, _found(caller), wrapped.cell_error, wrapped))
        raise wrapped from error


def record(name: str, caller: Whence, shown: object, notes: Sequence[Note]) -> None:
    """Keeps what a call that succeeded warned of; one without a warning takes back what its cell said."""
    if notes or _books:
        _keep(Entry(name, _found(caller), shown, notes=tuple(notes)))


def last_error(book: str = "") -> Entry | None:
    """The last failure in a book that was not mended since."""
    return next((entry for entry in reversed(entries(book)) if entry.error), None)


def last_warnings(book: str = "") -> Entry | None:
    """The last call in a book that warned."""
    return next((entry for entry in reversed(entries(book)) if entry.notes), None)


def entries(book: str) -> list[Entry]:
    """What is known of a book, the last at the end."""
    with _lock:
        return list(_books.get(book, {}).values())


def said_by(book: str, cell: str) -> Entry | None:
    """What the formula in a cell such as "EURUSD!L18" said."""
    return next((entry for entry in entries(book) if _same(entry.caller.cell, cell)), None)


def warned_at(caller: Caller) -> tuple[str, ...]:
    """What the last call from this cell warned of."""
    with _lock:
        entry = (_books.get(caller.book) or OrderedDict()).get(caller.cell.casefold())
    return entry.warnings if entry and caller.cell else ()


def noted_at(caller: Caller) -> tuple[str, ...]:
    """What the last call from this cell warned of, without what is found once somebody reads it."""
    with _lock:
        entry = (_books.get(caller.book) or OrderedDict()).get(caller.cell.casefold())
    return tuple(note for note in entry.notes if isinstance(note, str)) if entry and caller.cell else ()


def forget() -> None:
    """Forgets every book."""
    with _lock:
        _books.clear()


def _failed(name: str, caller: Whence, error: VoladdinError) -> None:
    where = _found(caller)
    _log.warning("%s", _line(name, where, error))
    _keep(Entry(name, where, error.cell_error, error))


def _found(caller: Whence) -> Caller:
    if isinstance(caller, Caller):
        return caller
    try:
        return caller()
    except Exception:
        _log.debug("the caller cannot be found", exc_info=True)
        return NOBODY


def _keep(entry: Entry) -> None:
    key = entry.caller.cell.casefold() or (f"{entry.function} failed" if entry.error else _WARNED)
    with _lock:
        book = _books.setdefault(entry.caller.book, OrderedDict())
        book.pop(key, None)
        if entry.error is not None or entry.notes:
            book[key] = entry
        if len(book) > _MOST_CELLS:
            book.popitem(last=False)
        _books.move_to_end(entry.caller.book)
        if not book:
            del _books[entry.caller.book]
        if len(_books) > _MOST_BOOKS:
            _books.popitem(last=False)


def _same(one: str, other: str) -> bool:
    first, second = (cell.replace("$", "").replace("'", "").casefold() for cell in (one, other))
    return first == second


def _line(name: str, caller: Caller, error: VoladdinError) -> str:
    """As the log has it, on one line; `commands.helping` reads the book back."""
    at = f" at {caller.cell}" if caller.cell else ""
    book = f" in [{caller.book}]" if caller.book else ""
    return f"{name}{at}{book}: {' '.join(str(error).split())} ({error.reference})"
