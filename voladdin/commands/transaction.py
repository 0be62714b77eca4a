"""All of a command's changes, or none: written with a way back, and into the book's ledger at the end."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from . import ledger
from .ledger import Place, Record

if TYPE_CHECKING:
    import xlwings as xw


class Transaction:
    """Changes of one command to a book; a `with` block that raises leaves the book as it was.

    Raises InputError where the host refuses a change (a protected sheet, merged cells).
    """

    def __init__(self, book: xw.Book, command: str) -> None:
        self.book, self.command = book, command
        self.records = ledger.load(book)
        self._loaded = list(self.records)
        self._undo: list[tuple[Place, str, Any]] = []
        self._added: list[str] = []
        self._doomed: list[str] = []

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._commit()
            except Exception as refused:
                self._roll_back()
                raise _refused("the book", refused) from refused
        else:
            self._roll_back()

    def write(self, place: Place, **attributes: Any) -> None:
        """Sets attributes (value, fill, font, format, note) of a run of cells, and remembers them."""
        if place.width > ledger.WIDEST:
            self._split(place, attributes)
            return
        record = self._record(place)
        for name, new in attributes.items():
            before = self._put(place, name, new)
            if name not in record.ours or not self._is_ours(place, name, before):
                record.before[name] = before
            record.ours[name] = [ledger.plain(value) for value in new] if name == "value" else new

    def write_rows(self, sheet: str, row: int, column: int, rows: list[list[Any]], **attributes: Any) -> None:
        """Writes rows of values below each other."""
        for i, values in enumerate(rows):
            self.write(Place(sheet, row + i, column, len(values)), value=values, **attributes)

    def take_back(self, records: Iterable[Record]) -> tuple[int, int]:
        """Restores what was there before these records, the last first: how many cells were, and were not.

        A cell that the user changed since is left as it is.
        """
        done = left = 0
        for record in reversed(list(records)):
            self.records = [other for other in self.records if other is not record]
            if "sheet" in record.ours:
                self._doomed.append(record.place.sheet)
                continue
            kept = [self._restore(record, name) for name in record.ours]
            left += not all(kept)
            done += all(kept)
        return done, left

    def sheet(self, name: str) -> str:
        """A sheet of this command's own, empty: the one it made before, or a new one of a free name."""
        mine = [r for r in self.records if r.command == self.command and "sheet" in r.ours]
        for record in mine:
            where = record.place.sheet
            self.take_back([r for r in self.records if r.place.sheet == where and r is not record])
            return where
        free = name
        for number in range(2, 100):
            if free not in self.book.sheets:
                break
            free = f"{name} {number}"
        active = self.book.sheets.active
        self._guard(Place(free, 1, 1), lambda: self.book.sheets.add(free, after=self.book.sheets[-1]))
        self._added.append(free)
        active.impl.activate()  # xlwings' own activate asks for the active app
        self.records.append(Record(Place(free, 1, 1), self.command, {"sheet": free}, {"sheet": None}))
        return free

    def link(self, place: Place, target: Place, text: str) -> None:
        """Makes a cell show `text` and lead to `target`."""
        record, cells = self._record(place), place.cells(self.book)
        before = ledger.get(cells, "value")
        self._undo.append((place, "value", before))
        where = str(Place("", target.row, target.column))[1:]
        goal = f"#'{target.sheet.replace(chr(39), 2 * chr(39))}'!{where}"
        self._guard(place, lambda: cells.add_hyperlink(goal, text, f"Go to {target}"))
        record.before["value"], record.ours["value"] = before, [text]

    def _split(self, place: Place, attributes: dict[str, Any]) -> None:
        for start in range(0, place.width, ledger.WIDEST):
            width = min(ledger.WIDEST, place.width - start)
            parts = {
                name: new[start : start + width] if name == "value" else new
                for name, new in attributes.items()
            }
            self.write(Place(place.sheet, place.row, place.column + start, width), **parts)

    def _record(self, place: Place) -> Record:
        for record in self.records:
            if record.place == place and record.command == self.command and "sheet" not in record.ours:
                return record
        self.records.append(Record(place, self.command))
        return self.records[-1]

    def _is_ours(self, place: Place, name: str, value: Any) -> bool:
        return any(
            record.place == place and name in record.ours and ledger.same(record.ours[name], value)
            for record in self.records
        )

    def _put(self, place: Place, name: str, new: Any) -> Any:
        """Writes one attribute; what was there before."""
        cells = place.cells(self.book)
        before = ledger.get(cells, name)
        self._undo.append((place, name, before))
        self._guard(place, lambda: ledger.put(cells, name, new))
        return before

    def _restore(self, record: Record, name: str) -> bool:
        ours, before = record.ours[name], record.before[name]
        now = ledger.get(record.place.cells(self.book), name)
        if ledger.same(now, ours):
            self._put(record.place, name, before)
            return True
        if name != "value":
            return False
        for i, value in enumerate(now):
            if ledger.same(value, ours[i]):
                cell = Place(record.place.sheet, record.place.row, record.place.column + i)
                self._put(cell, name, [before[i]])
        return False

    def _guard(self, place: Place, change: Any) -> None:
        try:
            change()
        except Exception as error:
            raise _refused(str(place), error) from error

    def _commit(self) -> None:
        if not (self._undo or self._added or self._doomed):
            return
        doomed = [name for name in self._doomed if self._is_empty(name)]
        if self.records:
            ledger.save(self.book, self.records)
        elif ledger.SHEET in self.book.sheets:
            doomed.append(ledger.SHEET)
        for name in doomed:
            self.book.sheets[name].delete()

    def _is_empty(self, name: str) -> bool:
        return all(not cell for row in ledger.formulas_of(self.book.sheets[name].used_range) for cell in row)

    def _roll_back(self) -> None:
        for place, name, before in reversed(self._undo):
            ledger.put(place.cells(self.book), name, before)
        for name in self._added:
            self.book.sheets[name].delete()
        if ledger.SHEET in self.book.sheets and not self._loaded:
            self.book.sheets[ledger.SHEET].delete()


def _refused(place: str, error: Exception) -> InputError:
    return InputError(
        f"{place} cannot be changed: {error}; expected cells that are neither protected nor merged"
    )
