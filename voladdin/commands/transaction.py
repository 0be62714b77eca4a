"""All of a command's changes, or none: written with a way back, and into the book's ledger at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from . import ledger
from .ledger import CellRun, Record

if TYPE_CHECKING:
    import xlwings as xw


class Transaction:
    """Changes of one command to a book; a `with` block that raises leaves the book as it was.

    Raises InputError where the host refuses a change (a protected sheet, merged cells).
    """

    def __init__(self, book: xw.Book, command: str) -> None:
        self.book, self.command = book, command
        self.records = ledger.load(book)
        self._before = list(self.records)
        self._at: dict[CellRun, list[Record]] = {}
        for record in self.records:
            self._at.setdefault(record.place, []).append(record)
        self._had_ledger = ledger.has(book, ledger.SHEET)
        self._undo: list[Callable[[], object]] = []
        self._doomed: list[str] = []
        self._ranges: dict[CellRun, xw.Range] = {}
        self._whole: set[str] = set()
        self._shown = ""

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

    def write(self, place: CellRun, **attributes: Any) -> None:
        """Sets attributes (value, fill, font, format, note) of a run of cells, and remembers them."""
        record = self._record(place)
        for name, new in attributes.items():
            before = self._put(place, name, new)
            if name not in record.ours or not self._is_ours(place, name, before):
                record.before[name] = _plain(before)
            record.ours[name] = _plain(new)

    def write_rows(self, sheet: str, row: int, column: int, rows: list[list[Any]]) -> None:
        """Writes rows of values below each other, all at once; text stays the text it is."""
        if not rows:
            return
        last = row + len(rows) - 1, column + len(rows[0]) - 1
        cells = self.book.sheets[sheet].range((row, column), last)
        before = ledger.contents(cells)
        texts = [[_literal(value) for value in values] for values in rows]
        self._change(CellRun(sheet, row, column), lambda: _fill(cells, texts), lambda: _fill(cells, before))
        for i, (new, old) in enumerate(zip(rows, before, strict=True)):
            for start in range(0, len(new), ledger.WIDEST):
                part = slice(start, start + ledger.WIDEST)
                place = CellRun(sheet, row + i, column + start, len(new[part]))
                ours, was = {"value": _plain(new[part])}, {"value": _plain(old[part])}
                self._add(Record(place, self.command, ours, was))

    def enter_array(self, corner: CellRun, size: tuple[int, int], formula: str) -> None:
        """Makes blank cells, rows x columns, one array formula."""
        sheet, last = corner.sheet, (corner.row + size[0] - 1, corner.column + size[1] - 1)
        cells = self.book.sheets[sheet].range((corner.row, corner.column), last)
        self._change(corner, lambda: ledger.enter_array(cells, formula), lambda: _blank(cells))
        for i in range(size[0]):
            for start in range(0, size[1], ledger.WIDEST):
                width = min(ledger.WIDEST, size[1] - start)
                place = CellRun(sheet, corner.row + i, corner.column + start, width)
                ours, was = {"value": [formula] * width}, {"value": [None] * width}
                self._add(Record(place, self.command, ours, was))

    def take_back(self, records: Iterable[Record]) -> tuple[int, int]:
        """Restores what was there before these records, the last first: how many were, and were not.

        A cell that the user changed since is left as it is.
        """
        done = left = 0
        gone = list(records)
        self._remove(gone)
        for record in reversed(gone):
            if "sheet" in record.ours:
                self._doom(record)
                continue
            kept = [self._restore(record, name) for name in record.ours]
            left += not all(kept)
            done += all(kept)
        return done, left

    def sheet(self, name: str, *, several: bool = False) -> str:
        """A sheet of this command's own: the one it made before, its cells taken back, or a new one.

        several: the command has more than one; then only what it made for this name counts.
        """
        for record in self.records:
            mine = record.command == self.command and "sheet" in record.ours
            if mine and (not several or record.before["sheet"] == name):
                where = record.place.sheet
                self.take_back([r for r in self.records if r.place.sheet == where and r is not record])
                return where
        return self.fresh_sheet(name)

    def fresh_sheet(self, name: str, extent: list[int] | None = None) -> str:
        """A new sheet of this name, or the name with a number.

        extent: rows and columns that are written without a record of each cell; the sheet goes as a whole
        while no more than these are used.
        """
        names = (name, *(f"{name} {number}" for number in range(2, 1000)))
        free = next(each for each in names if not ledger.has(self.book, each))
        place, active = CellRun(free, 1, 1), self.book.sheets.active
        self._change(place, lambda: _add_sheet(self.book, free), lambda: self.book.sheets[free].delete())
        ledger.activate(active)
        ours: dict[str, Any] = {"sheet": free} | ({} if extent is None else {"extent": extent})
        self.records.append(Record(place, self.command, ours, {"sheet": name}))
        return free

    def cells(self, place: CellRun) -> xw.Range:
        """The cells at a place, asked for once: each question costs a host several calls."""
        if place not in self._ranges:
            self._ranges[place] = place.cells(self.book)
        return self._ranges[place]

    def show(self, name: str) -> None:
        """Makes a sheet the active one at the end."""
        self._shown = name

    def link(self, place: CellRun, target: CellRun, text: str) -> None:
        """Makes a cell show `text` and lead to `target`."""
        record, cells = self._record(place), self.cells(place)
        before = ledger.get(cells, "value")
        goal = f"#{ledger.quoted(target.sheet)}!{target.address}"
        self._change(
            place,
            lambda: cells.add_hyperlink(goal, text, f"Go to {target}"),
            lambda: ledger.put(cells, "value", before),
        )
        record.before["value"], record.ours["value"] = _plain(before), [text]

    def _doom(self, record: Record) -> None:
        """Its sheet goes in the end, if nothing else is on it."""
        name, extent = record.place.sheet, record.ours.get("extent")
        self._doomed.append(name)
        if extent is not None:
            used = self.book.sheets[name].used_range
            bottom, right = used.row + used.shape[0] - 1, used.column + used.shape[1] - 1
            if bottom <= extent[0] and right <= extent[1]:
                self._whole.add(name)

    def _record(self, place: CellRun) -> Record:
        for record in self._at.get(place, ()):
            if record.command == self.command and "sheet" not in record.ours:
                return record
        return self._add(Record(place, self.command))

    def _add(self, record: Record) -> Record:
        self.records.append(record)
        self._at.setdefault(record.place, []).append(record)
        return record

    def _remove(self, records: list[Record]) -> None:
        gone = {id(record) for record in records}
        self.records = [record for record in self.records if id(record) not in gone]
        for record in records:
            self._at[record.place] = [r for r in self._at[record.place] if r is not record]

    def _is_ours(self, place: CellRun, name: str, value: Any) -> bool:
        return any(
            name in record.ours and ledger.as_written(name, value, record.ours[name])
            for record in self._at.get(place, ())
        )

    def _put(self, place: CellRun, name: str, new: Any) -> Any:
        """Writes one attribute; what was there before."""
        cells = self.cells(place)
        before = ledger.get(cells, name)
        self._change(place, lambda: ledger.put(cells, name, new), lambda: ledger.put(cells, name, before))
        return before

    def _change(self, place: CellRun, change: Callable[[], object], back: Callable[[], object]) -> None:
        try:
            change()
        except Exception as error:
            raise _refused(str(place), error) from error
        self._undo.append(back)

    def _restore(self, record: Record, name: str) -> bool:
        ours, before = record.ours[name], record.before[name]
        now = ledger.get(self.cells(record.place), name)
        if ledger.as_written(name, now, ours):
            self._put(record.place, name, before)
            return True
        if name == "value":
            for i, value in enumerate(now):
                if ledger.same(value, ours[i]):
                    cell = CellRun(record.place.sheet, record.place.row, record.place.column + i)
                    self._put(cell, name, [before[i]])
        return False

    def _commit(self) -> None:
        if self._undo or self._doomed:
            doomed = [name for name in self._doomed if name in self._whole or self._is_empty(name)]
            if self.records:
                ledger.save(self.book, self.records)
            for name in doomed:
                with suppress(Exception):  # one that the host keeps is blank
                    self.book.sheets[name].delete()
            if not self.records and self._had_ledger:
                self._drop_ledger()
        if self._shown:
            ledger.activate(self.book.sheets[self._shown])

    def _drop_ledger(self) -> None:
        """One that the host keeps is blank."""
        try:
            self.book.sheets[ledger.SHEET].delete()
        except Exception:
            ledger.save(self.book, [])

    def _is_empty(self, name: str) -> bool:
        return all(not cell for row in ledger.formulas_of(self.book.sheets[name].used_range) for cell in row)

    def _roll_back(self) -> None:
        for back in reversed(self._undo):
            back()
        if self._had_ledger:
            if self.records != self._before:
                ledger.save(self.book, self._before)
        elif ledger.has(self.book, ledger.SHEET):
            self.book.sheets[ledger.SHEET].delete()


def _add_sheet(book: xw.Book, name: str) -> None:
    """A new last sheet; none where the host refuses its name."""
    before = {sheet.name for sheet in book.sheets}
    try:
        book.sheets.add(name, after=book.sheets[-1])
    except Exception:
        for sheet in [one for one in book.sheets if one.name not in before]:
            sheet.delete()
        raise


def _fill(cells: xw.Range, rows: list[list[Any]]) -> None:
    cells.value = rows


def _blank(cells: xw.Range) -> None:
    cells.value = None


def _plain(attribute: Any) -> Any:
    """As JSON has it."""
    return [ledger.plain(value) for value in attribute] if isinstance(attribute, list) else attribute


def _literal(value: Any) -> Any:
    """With the mark of a text: Excel would read 1/4 as a date, and a text with = as a formula."""
    return f"'{value}" if isinstance(value, str) and value else value


def _refused(place: str, error: Exception) -> InputError:
    return InputError(
        f"{place} cannot be changed: {error}; expected cells that are neither protected nor merged"
    )
