"""What a document's other formulas will ask, to be asked in one request with what one of them asks now.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_formulas.py`. Calc asks for one
formula after the other, and the server fills many grids together in a fraction of the time. So each formula
whose answer is not known leaves here where its arguments are, and takes along those that were looked at the
longest ago: a calculation that has not come to them yet will. Answers are kept by what was asked, so that a
wrong guess costs time and is never shown; who is wrong again and again is left alone.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Place: TypeAlias = tuple[int, int, int, int, int]
    """A range of cells: sheet, left, top, right, bottom, from 0."""
    Call: TypeAlias = tuple[str, list[Any]]

MOST_DOCUMENTS, MOST_FORMULAS = 8, 2_000
MOST_CELLS = 600  # of a formula's arguments: a larger grid is not filled faster among others
REQUEST_CELLS = 10_000  # of all that is asked at once: half a second of computation, or so
FEWEST, MOST = 8, 128  # formulas that are looked at for one that asks
WRONG = 3  # guesses in a row


class SeenFormula:
    """A call as it was last made: its arguments, each with its place, None for one that is no range."""

    def __init__(self) -> None:
        self.name = ""
        self.arguments: list[tuple[Any, Place | None]] = []
        self.guess = b""  # the key of what it is expected to ask
        self.noted = False  # whether the answer to that comes with warnings
        self.wrong = 0

    def now(self, read: Callable[[Place], Any]) -> list[Any] | None:
        """Its arguments with the cells as they are; None where some cannot be read."""
        found = []
        for value, place in self.arguments:
            found.append(value if place is None else read(place))
            if place is not None and found[-1] is None:
                return None
        return found


class SeenDocument:
    """The formulas of one document, those first that were not looked at for the longest."""

    def __init__(self) -> None:
        self.formulas: OrderedDict[Any, SeenFormula] = OrderedDict()
        self.looks = FEWEST


class SeenFormulas:
    """Of all documents."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, SeenDocument] = OrderedDict()
        self._guesses: dict[bytes, SeenFormula] = {}

    def asked(self, key: bytes) -> bool:
        """A formula asks what has this key: who was expected to was understood. Whether it has warnings."""
        formula = self._guesses.pop(key, None)
        if formula is not None:
            formula.wrong = 0
        return formula is not None and formula.noted

    def is_new(self, document: str) -> bool:
        """Whether no formula of the document was met."""
        return document not in self._documents

    def met(self, document: str, name: str, arguments: list[tuple[Any, Place | None]]) -> None:
        """Remembers a formula that has to be asked for; arguments: each with its place."""
        if sum(_cells(value) for value, _ in arguments) > MOST_CELLS:
            return
        found = self._document(document).formulas
        identity = name, *(place or (value if isinstance(value, str) else None) for value, place in arguments)
        formula = found.setdefault(identity, SeenFormula())
        formula.name = name
        formula.arguments = [(None if place else value, place) for value, place in arguments]
        formula.wrong = formula.wrong + 1 if self._given_up(formula) else max(formula.wrong - 1, 0)
        found.move_to_end(identity)
        if len(found) > MOST_FORMULAS:
            self._given_up(found.popitem(last=False)[1])

    def others(
        self, document: str, read: Callable[[Place], Any], known: Callable[[Call], bool]
    ) -> list[tuple[SeenFormula, Call]]:
        """What other formulas of the document will ask, as their cells are now, and is not known.

        read: the cells of a place, None where they cannot be read now.
        """
        here, found, cells = self._document(document), [], 0
        for identity in list(here.formulas)[: min(here.looks, len(here.formulas) - 1)]:
            formula = here.formulas[identity]
            here.formulas.move_to_end(identity)
            arguments = formula.now(read) if formula.wrong < WRONG else None
            size = sum(map(_cells, arguments or ()))
            if arguments is None or size > MOST_CELLS or known((formula.name, arguments)):
                continue
            found.append((formula, (formula.name, arguments)))
            cells += size
            if cells > REQUEST_CELLS:
                break
        here.looks = min(4 * here.looks, MOST) if found else FEWEST
        return found

    def expect(self, formula: SeenFormula, key: bytes, noted: bool) -> None:
        """The formula is expected to ask what has this key, and whether the answer has warnings."""
        formula.wrong += self._given_up(formula)
        formula.guess, formula.noted = key, noted
        self._guesses[key] = formula

    def expected(self, key: bytes) -> bool:
        """Whether some formula is expected to ask this."""
        return key in self._guesses

    def _given_up(self, formula: SeenFormula) -> bool:
        """Whether the formula was expected to ask something that it did not."""
        waiting = self._guesses.get(formula.guess) is formula
        if waiting:
            del self._guesses[formula.guess]
        return waiting

    def _document(self, name: str) -> SeenDocument:
        found = self._documents.setdefault(name, SeenDocument())
        self._documents.move_to_end(name)
        if len(self._documents) > MOST_DOCUMENTS:
            for formula in self._documents.popitem(last=False)[1].formulas.values():
                self._given_up(formula)
        return found


def _cells(argument: Any) -> int:
    return len(argument) * len(argument[0]) if isinstance(argument, tuple) and argument else 1
