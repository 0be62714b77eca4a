"""The menu's protocol handler: `vnd.voladdin:fill` and the other commands, on the document of its window.

Runs inside LibreOffice's own Python, packed into the .oxt as `python/voladdin_menu.py`. The command itself
runs in the local server, on cells that this sends as they are asked for; its edits come back all at once.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import unohelper
from com.sun.star.frame import (
    DispatchResultEvent,
    XDispatchProvider,
    XNotifyingDispatch,
)
from com.sun.star.frame.DispatchResultState import FAILURE, SUCCESS
from com.sun.star.lang import XInitialization, XServiceInfo
from voladdin_arrivals import watch  # type: ignore[import-not-found]
from voladdin_calc import describe, read  # type: ignore[import-not-found]
from voladdin_client import CommandError, FunctionClient  # type: ignore[import-not-found]
from voladdin_edits import apply  # type: ignore[import-not-found]
from voladdin_machine import keep_log  # type: ignore[import-not-found]
from voladdin_main_thread import is_main, later, learn  # type: ignore[import-not-found]
from voladdin_questions import Asked, ask  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPLEMENTATION = "org.voladdin.calc.Menu"
SERVICES = ("com.sun.star.frame.ProtocolHandler",)
PROTOCOL = "vnd.voladdin:"
HOME = Path(os.environ.get("VOLADDIN_HOME") or Path.home() / ".voladdin")
VERSION = Path(__file__).with_name("version").read_text("ascii")
MOST_BLOCKS = 200  # of cells that one command may ask for, one after the other
INFO, DANGER = 0, 3  # com.sun.star.frame.InfobarType

log = logging.getLogger("voladdin.libreoffice")
client = FunctionClient(HOME)


def run(name: str, document: Any, answers: Sequence[str] = ()) -> str:
    """Runs a command on a document; what it did, in words. Where it raises, nothing has changed.

    answers: to what it asks. Raises Asked where it asks more.
    """
    if document.isReadonly():
        raise CommandError("the document is read-only; save it under another name first")
    book = describe(document) | {"extension": VERSION, "answers": list(answers)}
    blocks: list[Any] = []
    for _ in range(MOST_BLOCKS):
        answer = client.command(name, book, blocks)
        if "ask" in answer:
            raise Asked(answer["ask"])
        if "need" not in answer:
            if answer["edits"]:
                apply(document, answer["edits"], f"voladdin: {answer['label']}")
            return str(answer["message"])
        blocks.append(read(document, answer["need"]["sheet"], answer["need"]["area"]))
    raise CommandError(f"{name} asks for more than {MOST_BLOCKS} blocks of cells")


def show(controller: Any, message: str, kind: int) -> None:
    """A bar above the sheet, which goes when it is closed or the next command ends."""
    try:
        if controller.hasInfobar("voladdin"):
            controller.removeInfobar("voladdin")
        controller.appendInfobar("voladdin", "voladdin", message, kind, (), True)
    except Exception as error:  # a window without a place for it
        log.warning("no infobar: %s", error)


def done_by(name: str, document: Any, answers: Sequence[str] = ()) -> tuple[bool, str]:
    """Runs a command and says in a bar what it did, or why it could not. Raises Asked as `run`."""
    try:
        done, message = True, run(name, document, answers)
    except CommandError as error:
        done, message = False, str(error)
    except Exception as error:
        log.exception("%s: %s", name, error)
        done, message = False, f"{name} failed: {error}; nothing was changed"
    show(document.getCurrentController(), message, INFO if done else DANGER)
    return done, message


def take(context: Any, identifier: str) -> None:
    """Writes what a page has sent to a document that is still open, and tells the page."""
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    components = desktop.Components.createEnumeration()
    while components.hasMoreElements():
        document = components.nextElement()
        if getattr(document, "RuntimeUID", "") == identifier:
            done, message = done_by("receive", document)
            client.arrived(document.getTitle(), ("=" if done else "!") + message)
            return


class Menu(unohelper.Base, XDispatchProvider, XNotifyingDispatch, XInitialization, XServiceInfo):  # type: ignore[misc]
    """One for each window."""

    def __init__(self, context: Any, *arguments: Any) -> None:
        super().__init__()
        self.context = context
        self.frame: Any = None
        learn(context)

    def initialize(self, arguments: tuple[Any, ...]) -> None:
        self.frame = arguments[0] if arguments else None

    def queryDispatch(self, url: Any, target: str, flags: int) -> Any:
        return self if url.Protocol == PROTOCOL else None

    def queryDispatches(self, requests: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(self.queryDispatch(r.FeatureURL, r.FrameName, r.SearchFlags) for r in requests)

    def dispatch(self, url: Any, arguments: tuple[Any, ...]) -> None:
        self.dispatchWithNotification(url, arguments, None)

    def dispatchWithNotification(self, url: Any, arguments: tuple[Any, ...], listener: Any) -> None:
        """On the main thread, also where another one asks, such as a macro from outside."""
        name, answers = url.Path, [str(one.Value) for one in arguments if one.Name == "answer"]
        if is_main():
            self._finish(name, answers, listener)
        else:
            held = (url, arguments, listener)
            later(self.context, lambda: self._finish(name, answers, listener), held)

    def _finish(self, name: str, answers: list[str], listener: Any) -> None:
        done, message = self._run(name, answers)
        if listener is not None:
            event = DispatchResultEvent()
            event.Source, event.State, event.Result = self, SUCCESS if done else FAILURE, message
            listener.dispatchFinished(event)

    def _run(self, name: str, answers: list[str]) -> tuple[bool, str]:
        document = self.frame.getController().getModel()
        try:
            done, message = done_by(name, document, answers)
        except Asked as asked:

            def go_on(answer: str) -> None:
                self._run(name, [*answers, answer])

            ask(self.context, document.getCurrentController(), asked.question, go_on)
            return True, str(asked)
        if done and name == "plot":
            watch(self.context, HOME, document, partial(take, self.context))
        return done, message

    def addStatusListener(self, listener: Any, url: Any) -> None:
        """The commands are always there."""

    def removeStatusListener(self, listener: Any, url: Any) -> None:
        """None was kept."""

    def getImplementationName(self) -> str:
        return IMPLEMENTATION

    def supportsService(self, name: str) -> bool:
        return name in SERVICES

    def getSupportedServiceNames(self) -> tuple[str, ...]:
        return SERVICES


keep_log(HOME)
g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Menu, IMPLEMENTATION, SERVICES)
