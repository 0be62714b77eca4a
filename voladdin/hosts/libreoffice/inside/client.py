"""Asks the local server for worksheet functions and commands; runs inside LibreOffice's own Python.

Standard library only, Python 3.8 or later, no import of voladdin: `extension.build` packs this file into the
.oxt as `voladdin_client.py`. A dead or hung server must not block the window: one call waits for one short
timeout, and the calls after it fail at once until a pause is over.
"""

from __future__ import annotations

import hashlib
import json
import logging
import marshal
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voladdin_connection import FAILURES, Server  # type: ignore[import-not-found]
from voladdin_formulas import SeenFormulas  # type: ignore[import-not-found]
from voladdin_values import from_calc  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Cells: TypeAlias = list[list[float | str | bool | None]]

COMMAND_TIMEOUT = 60.0  # seconds for a command of the menu; a repair may take ten
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds without asking; doubled at every failure in a row
MAX_CACHED_CELLS = 1_000_000
MOST_UNTOLD = 8  # books
_EXACT = 2  # marshal's last format without references, whose bytes follow from the values alone

log = logging.getLogger("voladdin.libreoffice")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class CommandError(Exception):
    """A command cannot be done; the message is for the user."""


class FunctionClient:
    """The local server, asked for worksheet functions, whose answers are kept, and for the menu's commands.

    home: the folder with server.json, token and install.json.
    """

    def __init__(self, home: Path) -> None:
        self._server = Server(home)
        self._answers = KeptAnswers()
        self._formulas = SeenFormulas()
        self._untold: OrderedDict[str, tuple[str, list[Any], dict[str, Any]]] = OrderedDict()
        self._pause = 0.0
        self._closed_until = 0.0
        self._why = ""

    def evaluate(
        self,
        name: str,
        arguments: list[Any],
        cached: bool = True,
        caller: Callable[[], dict[str, Any]] = dict,
        places_of: Callable[[], Any] | None = None,
    ) -> Cells:
        """The function's cells; one error cell where it fails, "#N/A" where no server answers.

        arguments: as `taken`, which is all that is done where the answer is known.
        cached: whether cells, but never errors, are remembered for these arguments, version and models.
        caller: gives the book and the references of the arguments, for what the server remembers of errors.
        places_of: gives the `CellPlaces` of the arguments, or None, for a function of which many are answered
            together.
        """
        open_ = time.monotonic() >= self._closed_until
        try:
            if open_ and self._server.replaced():
                self._server.connect()
            if open_ and not cached:
                self._tell()
            known = self._known(name, arguments, caller) if cached else None
            places = places_of() if known is None and open_ and places_of is not None else None
            if places is not None:
                known = self._ask_together(name, arguments, caller, places)
            if known is not None:
                return known
            if not open_:
                return self._unanswered(name)
            cells, answered = self._ask(name, arguments, caller())
            if cached and answered:
                self._answers.put(self._key(name, arguments), cells)
            return cells
        except FAILURES as error:
            self._close(error)
            return self._unanswered(name)

    def command(self, name: str, book: Any, blocks: list[Any]) -> Any:
        """What `menu_commands.run` answers. Raises CommandError with what to tell the user."""
        body = _json({"book": book, "blocks": blocks})
        try:
            status, answer = self._server.request("POST", f"/v1/commands/{name}", body, COMMAND_TIMEOUT)
            if status == 200:
                return answer
            message = f"{answer['error']['message']} [{answer['error'].get('reference', '')}]"
        except FAILURES as error:
            self._server.close()
            message = f"the local voladdin server does not answer ({type(error).__name__}: {error})"
        log.info("%s: %s", name, message)
        raise CommandError(message)

    def arrived(self, book: str, said: str) -> None:
        """Tells a page what became of the surface that it sent: "=" or "!" and words."""
        try:
            self._server.request("POST", "/v1/pages/arrived", f"{book}\n{said}".encode())
        except FAILURES as error:
            log.info("a page is not told of its surface: %s", error)

    def _known(self, name: str, arguments: list[Any], caller: Callable[[], dict[str, Any]]) -> Cells | None:
        key = self._key(name, arguments)
        if self._formulas.asked(key):
            self._shown(name, arguments, caller())
        return self._answers.get(key)

    def _ask_together(
        self, name: str, arguments: list[Any], caller: Callable[[], dict[str, Any]], places: Any
    ) -> Cells | None:
        """The answer, asked with what other formulas of the document will ask; None where there are none, or
        where it is an error, which the server remembers only if it is asked for alone.
        """
        if self._formulas.is_new(places.document):
            for one in places.discovered(name):
                self._formulas.met(places.document, name, one)
        self._formulas.met(places.document, name, list(zip(arguments, places.places)))  # noqa: B905
        others = self._formulas.others(places.document, places.read, self._is_expected)
        answers = iter(self._answers_of([(name, arguments), *(call for _, call in others)]) if others else ())
        own = next(answers, None)
        for (formula, call), answer in zip(others, answers):  # noqa: B905 (strict is not in Python 3.8)
            self._formulas.expect(formula, self._key(*call), answer is not None and answer["noted"])
            if answer is not None:
                self._answers.put(self._key(*call), answer["cells"])
        if own is None:
            return None
        if own["noted"]:
            self._shown(name, arguments, caller())
        self._answers.put(self._key(name, arguments), own["cells"])
        return own["cells"]  # type: ignore[no-any-return]

    def _answers_of(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        asked = [{"name": name, "arguments": [from_calc(one) for one in given]} for name, given in calls]
        status, answer = self._server.request("POST", "/v1/calls", _json({"calls": asked}))
        self._pause = 0.0
        return answer["answers"] if status == 200 else []

    def _shown(self, name: str, arguments: list[Any], caller: dict[str, Any]) -> None:
        """An answer with warnings, of which the server is told when somebody asks for them: a book's last."""
        self._untold.pop(caller.get("book", ""), None)
        self._untold[caller.get("book", "")] = name, arguments, caller
        if len(self._untold) > MOST_UNTOLD:
            self._untold.popitem(last=False)

    def _tell(self) -> None:
        while self._untold:
            self._ask(*self._untold.popitem()[1])

    def _is_expected(self, call: tuple[str, list[Any]]) -> bool:
        key = self._key(*call)
        return self._formulas.expected(key) or self._answers.get(key) is not None

    def _key(self, name: str, arguments: list[Any]) -> bytes:
        given = marshal.dumps(arguments, _EXACT)
        return hashlib.sha256(b"\0".join((self._server.identity, name.encode(), given))).digest()

    def _ask(self, name: str, arguments: list[Any], caller: dict[str, Any]) -> tuple[Cells, bool]:
        """The cells, and whether they are the function's, not an error's."""
        given = [from_calc(one) for one in arguments]
        asked = {"arguments": given, "caller": caller} if caller else {"arguments": given}
        status, answer = self._server.request("POST", f"/v1/functions/{name}", _json(asked))
        self._pause = 0.0
        if status == 200:
            return answer["cells"], True
        error, book = answer["error"], f" in [{caller['book']}]" if caller.get("book") else ""
        said = error["cell"], error["message"], error.get("reference", "")
        log.info("%s%s: %s %s [%s]", name, book, *said)
        return [[error["cell"]]], False

    def _unanswered(self, name: str) -> Cells:
        """What a cell shows without a server: VOLINFO, which is asked why, says it."""
        if name != "VOLINFO":
            return [["#N/A"]]
        again = max(self._closed_until - time.monotonic(), 0.0)
        return [[f"no local server: {self._why}; asked again in {again:.0f} s, or see `voladdin doctor`"]]

    def _close(self, error: Exception) -> None:
        self._server.close()
        self._why = f"{type(error).__name__}: {error}"
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        self._closed_until = time.monotonic() + self._pause
        log.warning("no server (%s); asking again in %g s", self._why, self._pause)


class KeptAnswers:
    """The most recently used answers, bounded by their number of cells."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, Cells] = OrderedDict()
        self._cells = 0

    def get(self, key: bytes) -> Cells | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: bytes, cells: Cells) -> None:
        self._cells -= sum(map(len, self._entries.pop(key, [])))
        self._entries[key] = cells
        self._cells += sum(map(len, cells))
        while self._cells > MAX_CACHED_CELLS:
            self._cells -= sum(map(len, self._entries.popitem(last=False)[1]))
