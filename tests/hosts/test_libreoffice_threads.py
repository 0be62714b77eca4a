"""Commands of another thread run on LibreOffice's main thread, which alone lets UNO objects go."""

from __future__ import annotations

import importlib
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

MODULES = {  # what the menu imports of LibreOffice's own Python
    "unohelper": {
        "Base": type("Base", (), {}),
        "ImplementationHelper": lambda: SimpleNamespace(addImplementation=lambda *_: None),
    },
    "com.sun.star.awt": {"XCallback": type("XCallback", (), {})},
    "com.sun.star.frame": {
        name: type(name, (), {})
        for name in ("DispatchResultEvent", "XDispatchProvider", "XNotifyingDispatch")
    },
    "com.sun.star.frame.DispatchResultState": {"SUCCESS": 1, "FAILURE": 0},
    "com.sun.star.lang": {name: type(name, (), {}) for name in ("XInitialization", "XServiceInfo")},
    "voladdin_calc": {"describe": None, "read": None},
    "voladdin_arrivals": {"watch": None},
    "voladdin_client": {
        "FunctionClient": lambda home: None,
        "CommandError": type("CommandError", (Exception,), {}),
    },
    "voladdin_edits": {"apply": None},
    "voladdin_questions": {"Asked": type("Asked", (BaseException,), {}), "ask": None},
    "voladdin_machine": {"keep_log": lambda home: None},
}
INSIDE = "voladdin.hosts.libreoffice.inside"


class Office:
    """A context whose AsyncCallback calls back when its main thread, the test's, has time."""

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self.ServiceManager = SimpleNamespace(createInstanceWithContext=lambda name, context: self)

    def addCallback(self, callback: Any, data: Any) -> None:
        self.waiting.append(callback)

    def rest(self) -> None:
        while self.waiting:
            self.waiting.popleft().notify(None)


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The menu's module, its commands being the name of the thread that runs them."""
    for name, members in MODULES.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("main_thread", "menu"):
        sys.modules.pop(f"{INSIDE}.{name}", None)
    thread = importlib.import_module(f"{INSIDE}.main_thread")
    monkeypatch.setitem(sys.modules, "voladdin_main_thread", thread)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_text", lambda *_: "0")
        found = importlib.import_module(f"{INSIDE}.menu")
    monkeypatch.setattr(
        found.Menu, "_run", lambda self, name, answers: (True, threading.current_thread().name)
    )
    yield found
    for name in ("main_thread", "menu"):
        sys.modules.pop(f"{INSIDE}.{name}", None)


class Listener:
    """Hears how a dispatch ended; gone, it says on which thread."""

    def __init__(self, ended: list[str], gone: list[str]) -> None:
        self.ended = ended
        weakref.finalize(self, lambda: gone.append(threading.current_thread().name))

    def dispatchFinished(self, event: Any) -> None:
        self.ended.append(event.Result)


def on_another_thread(work: Callable[[], None]) -> None:
    worker = threading.Thread(target=work, name="worker")
    worker.start()
    worker.join()


def test_commands_of_other_threads_run_on_the_main_one_and_leave_nothing_to_theirs(menu: Any) -> None:
    office, ended, gone = Office(), [], []
    entry = menu.Menu(office)
    office.rest()  # it learns which thread is the main one

    def work() -> None:
        listener = Listener(ended, gone)
        entry.dispatchWithNotification(SimpleNamespace(Path="fill"), (), listener)

    for _ in range(3):
        on_another_thread(work)
        assert office.waiting
        office.rest()
    here = threading.current_thread().name
    assert ended == [here] * 3
    assert gone == [here] * 2  # the last one's is kept until the next command


def test_the_main_thread_runs_its_commands_at_once(menu: Any) -> None:
    office, ended = Office(), []
    entry = menu.Menu(office)
    office.rest()
    entry.dispatchWithNotification(SimpleNamespace(Path="fill"), (), Listener(ended, []))
    assert ended == [threading.current_thread().name] and not office.waiting
    entry.dispatch(SimpleNamespace(Path="fill"), ())
    assert not office.waiting
