"""LibreOffice's main thread: what is called there later, and UNO objects that only it may let go.

A thread that lets the last reference to an object of LibreOffice's go may need LibreOffice's own lock while
it holds Python's; where the main thread holds the former and waits for the latter, neither goes on. Runs
inside LibreOffice's own Python, packed into the .oxt as `voladdin_main_thread.py`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import unohelper
from com.sun.star.awt import XCallback

if TYPE_CHECKING:
    from collections.abc import Callable

_main: list[int] = []  # the main thread's number, once it is known
_kept: list[Any] = []  # what the last call was given: let go by the next one, on the main thread too


class _Later(unohelper.Base, XCallback):  # type: ignore[misc]
    def __init__(self, function: Callable[[], None], held: Any) -> None:
        super().__init__()
        self.function, self.held = function, held

    def notify(self, data: Any) -> None:
        _kept.clear()
        _kept.append(self.held)
        self.function()


def later(context: Any, function: Callable[[], None], held: Any = None) -> None:
    """Calls a function on the main thread, when that is free; `held` is let go there too."""
    caller = context.ServiceManager.createInstanceWithContext("com.sun.star.awt.AsyncCallback", context)
    caller.addCallback(_Later(function, (held, function, caller)), None)


def learn(context: Any) -> None:
    """Finds out which thread is the main one."""
    if not _main:
        later(context, lambda: _main.append(threading.get_ident()))


def is_main() -> bool:
    """Whether this is the main thread, as far as it is known."""
    return not _main or threading.get_ident() in _main
