"""Where the arguments of a call are on the sheet, and messages that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..cells import address

_REFERENCE = re.compile(
    r"(?:(?P<sheet>'(?:[^']|'')+'|[^\W\d][\w.]*)!)?\$?(?P<column>[A-Za-z]{1,3})\$?(?P<row>\d{1,7})"
    r"(?::(?:(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)?\$?[A-Za-z]{1,3}\$?\d{1,7})?"
)
_OF_THE_RANGE = re.compile(r"\b([A-Z]{1,3})([0-9]+)( to [A-Z]{1,3}[0-9]+)? of the (?:range|argument (\w+))\b")
_PLAIN_NAME = re.compile(r"[^\W\d][\w.]*")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]+)")


def argument_references(formula: str, function: str, sheet: str) -> tuple[str, ...]:
    """The reference that each argument of a function is in a formula, as "Sheet!A5:F13", or "".

    sheet: of the formula. () where the formula calls the function twice, or not plainly.
    """
    calls = [m.end() for m in re.finditer(rf"(?<![\w.]){re.escape(function)}\s*\(", formula, re.IGNORECASE)]
    if len(calls) != 1:
        return ()
    return tuple(_qualified(text.strip(), sheet) for text in _arguments(formula, calls[0]))


def on_sheet(message: str, reference: str) -> str:
    """A message about "cell B3 of the range" with that cell's address, where the range is `reference`."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return message
    sheet = f"{_quoted(found['sheet'])}!" if found["sheet"] else ""
    top, left = int(found["row"]), _column(found["column"].upper())
    return placed_at(message, top, left, sheet)


def placed_at(message: str, top: int, left: int, sheet: str = "") -> str:
    """The same where the range's upper left cell is in row `top` and column `left`, from 1."""

    def named(match: re.Match[str]) -> str:
        if match[4]:  # another argument's cells
            return match[0]
        first, last = (_CELL.sub(there, part or "") for part in (match[1] + match[2], match[3]))
        return f"{sheet}{first}{last}"

    def there(cell: re.Match[str]) -> str:
        return address(int(cell[2]) + top - 2, _column(cell[1]) + left - 2)

    return _OF_THE_RANGE.sub(named, message)


def explained(message: str, names: Sequence[str], references: Sequence[str]) -> str:
    """A message of a function with addresses on the sheet; names: of its arguments, by their references."""
    argument = message.partition(":")[0]
    places = dict(zip(names, references, strict=False))
    return on_sheet(message, places.get(argument, ""))


def _arguments(formula: str, start: int) -> Iterator[str]:
    """The texts between the separators of the call whose bracket opens before `start`."""
    depth, quoted, begin = 0, "", start
    for at in range(start, len(formula)):
        letter = formula[at]
        if quoted:
            quoted = "" if letter == quoted else quoted
        elif letter in "\"'":
            quoted = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}" and depth:
            depth -= 1
        elif letter == ")" or (letter in ",;" and not depth):
            yield formula[begin:at]
            begin = at + 1
            if letter == ")":
                return


def _qualified(text: str, sheet: str) -> str:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return ""
    cells = ":".join(part.rpartition("!")[2] for part in text.rsplit(":", 1)).replace("$", "")
    return f"{_quoted(found['sheet'] or sheet)}!{cells}"


def _quoted(sheet: str) -> str:
    """A sheet's name as formulas have it: quoted where it needs to be."""
    name = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
    return name if _PLAIN_NAME.fullmatch(name) else "'" + name.replace("'", "''") + "'"


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number
