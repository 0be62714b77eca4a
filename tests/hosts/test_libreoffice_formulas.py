"""What other formulas of a document will ask is asked with what one of them asks now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stubs.server import LocalServer
from voladdin.errors import InputError
from voladdin.hosts.libreoffice.inside import connection, formulas, places
from voladdin.hosts.libreoffice.inside.client import FunctionClient
from voladdin.hosts.libreoffice.inside.formulas import FEWEST, MOST, WRONG
from voladdin.hosts.libreoffice.inside.values import from_calc
from voladdin.service import process
from voladdin.worksheet.registry import evaluate


def answer(name: str, arguments: list[Any]) -> list[list[Any]]:
    if name == "VOLINFO":
        return [["told"]]
    if arguments[0] == [["bad"]]:
        raise InputError("bad is bad")
    return [[name, *arguments[0][0], *arguments[1:]]]


class Book:
    """A document of one column whose rows are the places of its formulas' cells."""

    def __init__(self, asked: FunctionClient, rows: int, name: str = "book") -> None:
        self.asked, self.name = asked, name
        self.cells: list[Any] = [float(n) for n in range(rows)]
        self.formulas: set[int] = set()  # rows that hold one
        self.read: list[int] = []
        self.known: list[Any] = []  # what is discovered as it is opened

    def value(self, row: int, *more: Any) -> list[list[Any]]:
        """What the formula on this row shows, asked as Calc asks."""

        class Sheets:
            document, places = self.name, ((0, 0, row, 0, row), *(None for _ in more))

            @staticmethod
            def discovered(name: str) -> list[Any]:
                return self.known

            @staticmethod
            def read(place: tuple[int, ...]) -> Any:
                self.read.append(place[2])
                return None if place[2] in self.formulas or place[2] >= rows else ((self.cells[place[2]],),)

        rows = len(self.cells)
        caller = {"book": self.name, "arguments": [f"A{row}"]}
        return self.asked.evaluate("F", [((self.cells[row],),), *more], True, lambda: caller, Sheets)

    def calculate(self, rows: list[int] | None = None, *more: Any) -> None:
        """Every formula, each against what it is alone."""
        for row in range(len(self.cells)) if rows is None else rows:
            expected = [["#VALUE!"]] if self.cells[row] == "bad" else [["F", self.cells[row], *more]]
            assert self.value(row, *more) == expected

    def change(self) -> None:
        self.cells = [cell + 1000.0 if isinstance(cell, float) else cell for cell in self.cells]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    server = LocalServer(tmp_path, answer)
    yield server
    server.die()


@pytest.fixture
def book(asked: FunctionClient, server: LocalServer) -> Callable[..., Book]:
    def opened(rows: int, name: str = "book") -> Book:
        found = Book(asked, rows, name)
        found.calculate()
        server.calls.clear()
        found.read.clear()
        return found

    return opened


@pytest.mark.parametrize(
    "order", [list(range(300)), list(range(300))[::-1], [n * 7 % 300 for n in range(300)]]
)
def test_new_vols_take_a_few_requests(
    book: Callable[..., Book], server: LocalServer, order: list[int]
) -> None:
    """In whatever order Calc calculates."""
    here = book(300)
    here.change()
    here.calculate(order)
    assert len(server.calls) == 300
    assert server.together == [1 + FEWEST, 1 + 4 * FEWEST, 1 + MOST, 300 - 3 - 5 * FEWEST - MOST]
    here.calculate()
    assert len(server.calls) == 300


def test_one_new_grid_asks_one_thing(book: Callable[..., Book], server: LocalServer) -> None:
    here = book(300)
    here.cells[17] = 5000.0
    here.calculate()
    assert [arguments for _, arguments in server.calls] == [[[[5000.0]]]]
    assert len(here.read) == FEWEST and not server.together


def test_cells_with_formulas_are_not_read_ahead(book: Callable[..., Book], server: LocalServer) -> None:
    here = book(20)
    here.formulas = set(range(0, 20, 2))
    here.change()
    here.calculate()
    assert len(server.calls) == 20
    assert [n for n in range(20) if sum(server.together)] and sum(server.together) <= 10 + len(
        server.together
    )


def test_errors_do_not_spoil_the_others_and_are_asked_alone(
    book: Callable[..., Book], server: LocalServer, asked: FunctionClient
) -> None:
    here = book(6)
    here.change()
    here.cells[3] = "bad"
    here.calculate()
    assert server.together == [6]
    assert [arguments for _, arguments in server.calls[6:]] == [[[["bad"]]]]
    here.calculate()
    assert len(server.calls) == 8


def test_a_wrong_guess_is_asked_again(book: Callable[..., Book], server: LocalServer) -> None:
    """The cells change between the guess and the formula's own call."""
    here = book(5)
    here.change()
    assert here.value(0) == [["F", 1000.0]]
    here.change()
    here.calculate([1, 2, 3, 4])


def test_who_is_wrong_again_and_again_is_left_alone(book: Callable[..., Book], server: LocalServer) -> None:
    """Such as formulas with a number from another cell, which changes with the vols."""
    here = book(5)
    here.calculate(None, 0.0)
    asked = []
    for spot in range(1, 9):
        server.calls.clear()
        here.change()
        here.calculate(None, float(spot))
        asked.append(len(server.calls))
    assert asked[0] == 5 + 4 + 5  # the formulas, as they were with the last number, and as they once were
    assert sorted(asked[WRONG + 1 :]) == [5, 5, 9, 9]


def test_documents_know_nothing_of_each_other(book: Callable[..., Book], server: LocalServer) -> None:
    one, other = book(5, "one"), book(5, "other")
    one.change()
    other.cells = [cell + 500.0 for cell in other.cells]
    one.calculate()
    assert {arguments[0][0][0] for _, arguments in server.calls} == set(one.cells)


def test_what_is_remembered_is_bounded(
    asked: FunctionClient, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formulas, "MOST_DOCUMENTS", 2)
    monkeypatch.setattr(formulas, "MOST_FORMULAS", 10)
    for name in "abc":
        here = Book(asked, 30, name)
        here.cells = [ord(name) * 100.0 + n for n in range(30)]
        for _ in range(3):
            here.change()
            here.calculate()
    kept = asked._formulas
    assert list(kept._documents) == ["b", "c"]
    assert all(len(document.formulas) <= 10 for document in kept._documents.values())
    known = {id(one) for document in kept._documents.values() for one in document.formulas.values()}
    assert all(id(formula) in known for formula in kept._guesses.values())


def test_large_grids_are_asked_alone(asked: FunctionClient, server: LocalServer) -> None:
    large = tuple((float(n),) for n in range(formulas.MOST_CELLS + 1))

    class Sheets:
        document, places, read = "book", [(0, 0, 0, 0, len(large))], None
        discovered = staticmethod(lambda name: [])

    for shift in range(3):
        rows = [[float(n + shift)] for n in range(len(large))]
        asked.evaluate("F", [tuple(map(tuple, rows))], True, dict, Sheets)
    assert not asked._formulas._documents["book"].formulas


def test_a_request_asks_for_a_bounded_number_of_cells(
    book: Callable[..., Book], server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formulas, "REQUEST_CELLS", 3)
    here = book(20)
    here.change()
    here.calculate()
    assert max(server.together) == 5


def test_warnings_are_told_when_somebody_asks(
    book: Callable[..., Book], server: LocalServer, asked: FunctionClient
) -> None:
    """Once VOLINFO is asked the server knows the last warning that a book shows, and of nothing not shown."""
    here = book(6)
    here.change()
    server.noted = [{"name": "F", "arguments": [[[1000.0 + n]]]} for n in (1, 2, 5)]
    here.calculate([0, 1, 2, 3])
    assert server.together == [6] and len(server.calls) == 6
    for expected in ([("F", [[[1002.0]]]), ("VOLINFO", ["error"])], [("VOLINFO", ["error"])]):
        server.calls.clear()
        assert asked.evaluate("VOLINFO", ["error"], cached=False) == [["told"]]
        assert server.calls == expected


def test_a_hung_server_costs_one_silence(
    book: Callable[..., Book], server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = book(9)
    monkeypatch.setattr(connection, "SILENCE", 0.2)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.05)
    here.change()
    server.hang()
    assert [here.value(n) for n in range(9)] == [[["#N/A"]]] * 9


@pytest.mark.parametrize(
    "said", [{"answers": []}, {"answers": [None] * 99}, {"error": {}}, {"answers": [{}]}]
)
def test_an_answer_that_is_none_shows_no_wrong_value(
    book: Callable[..., Book], server: LocalServer, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    here = book(5)
    here.change()
    monkeypatch.setattr(server, "_together", lambda calls: said)
    shown = [here.value(n) for n in range(5)]
    assert all(cells in ([["F", 1000.0 + n]], [["#N/A"]]) for n, cells in enumerate(shown))


STEP = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 11), st.sampled_from([(), ("std",), (0.5,), (1.5,)])),
    st.tuples(st.just("set"), st.integers(0, 11), st.sampled_from([1.0, 2.0, 3.0, "bad"])),
    st.tuples(st.just("formula"), st.integers(0, 11), st.none()),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    server = LocalServer(home, answer)
    yield home
    server.die()


@settings(max_examples=60)
@given(st.lists(STEP, max_size=60))
def test_whatever_happens_each_formula_shows_what_it_is_alone(shared: Path, steps: list[Any]) -> None:
    asked = FunctionClient(shared)
    here = Book(asked, 12)
    for kind, row, what in steps:
        if kind == "ask":
            here.calculate([row], *what)
        elif kind == "set":
            here.cells[row] = what
        else:
            here.formulas ^= {row}
    asked._server.close()


def test_the_local_server_answers_many_as_it_does_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "home"))
    grids = [
        (
            ("", "25P", "ATM", "25C"),
            ("1M", 0.09 + n / 999, 0.08 + n / 999, ""),
            ("1Y", "", 0.09, 0.1 + n / 999),
        )
        for n in range(12)
    ]
    state = process.ensure_running()
    asked = FunctionClient(tmp_path / "home")
    try:
        for n, grid in enumerate(grids):

            class Sheets:
                document, places = "book", ((0, 0, 3 * n, 3, 3 * n + 2),)
                discovered = staticmethod(
                    lambda name: [[(None, (0, 0, 3 * m, 3, 3 * m + 2))] for m in range(12)]
                )
                read = staticmethod(lambda place: grids[place[2] // 3])

            cells = asked.evaluate("VOLIMPUTE", [grid], True, dict, Sheets)
            for row, expected in zip(cells, evaluate("VOLIMPUTE", [from_calc(grid)]), strict=True):
                assert row == [
                    pytest.approx(x, rel=0, abs=1e-9) if isinstance(x, float) else x for x in expected
                ]
            assert len(asked._answers._entries) == (1 + FEWEST if n <= FEWEST else 12)
    finally:
        asked._server.close()
        process.stop(state)


def cells_of(*, formulas: int = 0, data: Any = ((1.0, ""),)) -> SimpleNamespace:
    """A range of Calc's with so many cells that are formulas."""
    address = SimpleNamespace(Sheet=1, StartColumn=0, StartRow=4, EndColumn=1, EndRow=4)
    found = SimpleNamespace(getCount=lambda: formulas)
    return SimpleNamespace(
        getRangeAddress=lambda: address, getDataArray=lambda: data, queryContentCells=lambda flags: found
    )


def test_places_are_numbers_and_cells_with_formulas_are_not_read() -> None:
    read: list[Any] = []

    def sheet(index: int) -> Any:
        one = cells_of(formulas=index)
        return SimpleNamespace(getCellRangeByPosition=lambda *corners: read.append(corners) or one)

    document = SimpleNamespace(RuntimeUID="7", Sheets=SimpleNamespace(getByIndex=sheet))
    here = places.places_of(document, (cells_of(), None, "std", 1.0))
    assert here is not None and here.document == "7"
    assert here.places == [(1, 0, 4, 1, 4), None, None, None]
    assert here.read((0, 0, 4, 1, 4)) == ((1.0, ""),)
    assert here.read((1, 0, 4, 1, 4)) is None
    assert read == [(0, 4, 1, 4)] * 2
    document.Sheets.getByIndex = None  # the sheet is gone
    assert here.read((0, 0, 4, 1, 4)) is None and not here.discovered("VOLIMPUTE")


def test_no_document_no_places() -> None:
    assert places.places_of(None, (cells_of(),)) is None
