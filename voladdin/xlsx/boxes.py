"""Rectangles of cells with something attached, found by the cells they meet."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Generic, TypeVar

from .references import Box, SheetRange

T = TypeVar("T")
_Entry = tuple[int, int, int]  # top, bottom, key


class Boxes(Generic[T]):
    """An index by column, sorted by row: adding, removing and finding cost the logarithm of what it holds.

    A query costs more only where a tall box stands in the same columns.
    """

    def __init__(self) -> None:
        self._columns: dict[str, dict[int, list[_Entry]]] = {}
        self._heights: dict[tuple[str, int], int] = {}
        self._items: dict[int, T] = {}

    def add(self, sheet: str, box: Box, key: int, item: T) -> None:
        """`key` names the item in `remove`."""
        self._items[key] = item
        columns = self._columns.setdefault(sheet, {})
        for column in box.columns:
            insort(columns.setdefault(column, []), (box.top, box.bottom, key))
            self._heights[sheet, column] = max(self._heights.get((sheet, column), 0), len(box.rows))

    def remove(self, sheet: str, box: Box, key: int) -> None:
        """What was added with these very arguments."""
        columns = self._columns.get(sheet, {})
        for column in box.columns:
            entries = columns.get(column, [])
            at = bisect_left(entries, (box.top, box.bottom, key))
            if at < len(entries) and entries[at] == (box.top, box.bottom, key):
                del entries[at]
                if not entries:
                    del columns[column]

    def meeting(self, place: SheetRange) -> Iterator[T]:
        """The items whose boxes meet a range; one may come once a column."""
        columns, box = self._columns.get(place.sheet, {}), place.box
        few = len(columns) < len(box.columns)
        for column in [c for c in columns if c in box.columns] if few else box.columns:
            entries = columns.get(column, [])
            tallest = self._heights.get((place.sheet, column), 0)
            first = bisect_left(entries, (box.top - tallest + 1, 0, 0))
            for top, bottom, key in entries[first : bisect_right(entries, (box.bottom, 1 << 21, 0))]:
                if bottom >= box.top and top <= box.bottom:
                    yield self._items[key]

    def first(self, place: SheetRange) -> T | None:
        return next(self.meeting(place), None)
