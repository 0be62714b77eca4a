"""The order in which the formulas of a workbook are evaluated: each after those it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .boxes import Boxes
from .contents import Formula
from .references import SheetRange

Visit = Callable[[Formula], None]


class Schedule:
    """Visits every formula once, depth first and without recursion, so that no chain is too long.

    visit: evaluates a formula whose `places` need nothing more.
    discover: the places a formula reads that are only known once its other places have their values.
    circle: gives up on formulas that need each other, in the order of their need.
    """

    def __init__(
        self,
        visit: Visit,
        discover: Callable[[Formula], list[SheetRange]],
        circle: Callable[[list[Formula]], None],
    ) -> None:
        self._visit, self._discover, self._circle = visit, discover, circle
        self._waiting: Boxes[Formula] = Boxes()
        self._running: set[int] = set()
        self._done: set[int] = set()
        self._discovered: set[int] = set()

    def run(self, formulas: Iterable[Formula], progress: Callable[[], None]) -> None:
        """One round over formulas in the order of the file."""
        listed = [(formula, formula.box) for formula in formulas]
        self._boxes = {formula.key: box for formula, box in listed}
        for formula, box in listed:
            self._waiting.add(formula.sheet, box, formula.key, formula)
        for formula, _ in listed:
            self._settle(formula)
            progress()

    def _settle(self, first: Formula) -> None:
        stack = [first] if first.key not in self._done else []
        while stack:
            formula = stack[-1]
            self._running.add(formula.key)
            needed = self._needed(formula)
            if needed is None:
                self._visit(formula)
                self._finish(stack.pop())
            elif needed.key in self._running:
                members = stack[stack.index(needed) :]
                del stack[stack.index(needed) :]
                self._circle(members)
                for member in members:
                    self._finish(member)
            else:
                stack.append(needed)

    def _needed(self, formula: Formula) -> Formula | None:
        """A formula that has to be visited before; this one itself where it reads what it covers."""
        for place in formula.places:
            if found := self._waiting.first(place):
                return found
        if formula.key in self._discovered:
            return None
        self._discovered.add(formula.key)
        formula.places += self._discover(formula)
        return self._needed(formula)

    def _finish(self, formula: Formula) -> None:
        self._running.discard(formula.key)
        self._done.add(formula.key)
        self._waiting.remove(formula.sheet, self._boxes[formula.key], formula.key)
