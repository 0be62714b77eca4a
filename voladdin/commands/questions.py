"""What a command asks its user: the host shows the question, and runs the command again with the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import InputError
from ..surface import MAX_WITH_HEADERS
from ..xlsx.references import box_of
from .ledger import quoted

if TYPE_CHECKING:
    import xlwings as xw

_PLACE = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!(.+)")
_OF_A_BOOK = re.compile(r"(?:.*[\\/])?\[([^\]]+)\](.*)")


@dataclass(frozen=True)
class Prompt:
    """kind: a "range" is chosen by mouse, a "text" typed. default: the answer shown. choices: of a text."""

    kind: Literal["range", "text"]
    words: str
    default: str = ""
    choices: tuple[str, ...] = ()


class Unanswered(BaseException):
    """A question without an answer yet; no Exception, so that no command takes it for a failure."""

    def __init__(self, question: Prompt) -> None:
        super().__init__(question.words)
        self.question = question


def ask(book: xw.Book, question: Prompt) -> str:
    """The answer; a choice may be given by its number, and blank is the default of choices.

    Raises Unanswered, for the host, and InputError where it is none of the choices.
    """
    given: str | None = next(book.api.answers, None)
    if given is None:
        raise Unanswered(question)
    answer = given.strip()
    return _chosen(question, answer or question.default) if question.choices else answer


def _chosen(question: Prompt, answer: str) -> str:
    known = {str(number): choice for number, choice in enumerate(question.choices, start=1)}
    known |= {choice.casefold(): choice for choice in question.choices}
    if answer.casefold() not in known:
        raise InputError(f"{answer!r} is none of {', '.join(question.choices)}")
    return known[answer.casefold()]


def ask_range(book: xw.Book, words: str, default: str = "") -> xw.Range:
    """The cells that the answer names, such as 'FX'!$A$1:$F$9. Raises InputError where it names none here."""
    answer = ask(book, Prompt("range", words, default))
    cells = cells_named(book, answer)
    if cells is None:
        raise InputError(f"{answer!r} names no cells of {book.name}; expected such as 'Sheet1'!$A$1:$F$9")
    return cells


def cells_named(book: xw.Book, text: str) -> xw.Range | None:
    """The cells of this book, of the active sheet unless named; None where the text is no such reference.

    Raises InputError for another book's, and for too many.
    """
    found = _PLACE.fullmatch(text)
    sheet, place = (found[1] or found[2], found[3]) if found else (book.sheets.active.name, text)
    name = sheet.replace("''", "'")
    of_book = _OF_A_BOOK.fullmatch(name)
    if of_book is not None:
        if of_book[1] != book.name:
            raise InputError(f"{text} is in the book {of_book[1]}; expected cells of {book.name}")
        name = of_book[2]
    box = box_of(place)
    if box is None or name.lower() not in (each.name.lower() for each in book.sheets):
        return None
    if box.size > MAX_WITH_HEADERS:
        raise InputError(f"{text} has {box.size} cells; expected at most {MAX_WITH_HEADERS}")
    return book.sheets[name].range((box.top, box.left), (box.bottom, box.right))


def reference(cells: xw.Range, seen_from: str) -> str:
    """The cells in a formula on the sheet `seen_from`."""
    place = str(cells.address).replace("$", "")
    name = cells.sheet.name
    return place if name == seen_from else f"{quoted(name)}!{place}"
