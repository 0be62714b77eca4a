"""Cells as lines of text: every grid comes back as it was, and what is no call is refused by its line."""

from __future__ import annotations

import datetime as dt
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voladdin import journal
from voladdin.cells import ERROR_CELLS
from voladdin.errors import InputError
from voladdin.journal import Caller
from voladdin.worksheet import wire
from voladdin.worksheet.registry import evaluate
from voladdin.worksheet.wire import Call, read_answer, read_call, read_cell, write_answer, write_call

TEXTS = [
    'say "hi"',
    "a\tb",
    "a\nb\r\n",
    "\\t",
    "\\",
    "\\\\n\t",
    "Ünïcödé",
    "σ 波动率 волатильность",
    "🙂",
    "'1/4",
    "=A1",
]
TEXTS += [" ", "e#N/A", "n1", "x\ty", "0\t0", "\v\f\u2028\x85", "TRUE", "1,5", "d45000"]
GRID = [[None, "25P", "ATM"], ["1M", 0.09, None], ["1Y", None, 0.08]]


def random_cell(rng: random.Random) -> Any:
    kind = rng.randrange(9)
    if kind == 0:
        return None
    if kind == 1:
        return rng.choice(sorted(ERROR_CELLS))
    if kind == 2:
        return rng.random() < 0.5
    if kind == 3:
        return dt.date(1970, 1, 1) + dt.timedelta(days=rng.randrange(40_000))
    if kind == 4:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=rng.randrange(3_000_000_000))
        return moment if moment.time() != dt.time() else moment.date()
    if kind == 5:
        return rng.choice(TEXTS)
    if kind == 6:
        return "".join(chr(rng.choice((9, 10, 13, 34, 92, 116, 98, 0x3C3, 0x6CE2, 65))) for _ in range(9))
    if kind == 7:
        return rng.choice((0.0, 1.0, -3.0, 45_000.0, rng.random(), rng.gauss(0, 1e6)))
    return finite(rng.getrandbits(64))


def finite(bits: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return number if 1e-280 < abs(number) < 1e300 else 1.5


def test_10_000_random_grids_come_back() -> None:
    rng = random.Random(12)
    for _ in range(10_000):
        rows, columns = rng.randrange(1, 6), rng.randrange(1, 6)
        grid = [[random_cell(rng) for _ in range(columns)] for _ in range(rows)]
        said = [rng.choice(TEXTS)] if rng.random() < 0.3 else []
        found, told = read_answer(write_answer(grid, said))
        assert repr(found) == repr(grid) and told == said
        call = Call("VOLX", [grid, None, [["text"]]], Caller("böök.xlsx", "'it''s'!A1", ("S!A1:B2", "", "")))
        assert repr(read_call(write_call(call))) == repr(call)


@given(st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300))
def test_a_number_keeps_every_bit_in_parts_of_15_digits(number: float) -> None:
    text = wire.write_cell(number)
    assert read_cell(text) == (pytest.approx(number) if abs(number) < 1e-280 else number)
    for part in text[1:].split(" "):
        assert len(part.split("e")[0].replace(".", "").lstrip("-").lstrip("0")) <= 15


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_stays_on_its_line(text: str) -> None:
    written = wire.escaped(text)
    assert wire.plain(written) == text and not set(written) & set("\t\n\r")


def test_an_answer_is_what_evaluate_gives() -> None:
    journal.forget()
    caller = Caller("b.xlsx", "S!E1", ("S!A1:C3",))
    cells, said = read_answer(wire.answer(write_call(Call("VOLIMPUTE", [GRID], caller))))
    assert cells == evaluate("VOLIMPUTE", [GRID])
    assert all("surface" in line for line in said)


def test_an_error_is_its_cell_and_its_message_and_is_known_afterwards() -> None:
    caller = Caller("b.xlsx", "S!E1", ("S!A5:C7",))
    wrong = [*GRID[:2], ["3X", 0.1, 0.1]]
    cells, said = read_answer(wire.answer(write_call(Call("VOLCHECK", [wrong], caller))))
    assert cells == [["#VALUE!"]] and said[0].startswith("surface: cell S!A7 is '3X'")
    why, _ = read_answer(wire.answer(write_call(Call("VOLINFO", ["error"], Caller("b.xlsx", "S!F1")))))
    assert why[0][1] in said[0]


def test_what_a_host_refuses_is_an_error_of_its_cell() -> None:
    call = Call(
        "VOLIMPUTE", [], Caller("b.xlsx", "S!E2"), "surface is 2 areas, A1:B2,D1:E2; expected one range"
    )
    cells, said = read_answer(wire.answer(write_call(call)))
    assert cells == [["#VALUE!"]] and said[0].startswith("surface is 2 areas")
    assert "2 areas" in str(evaluate("VOLINFO", ["error"], Caller("b.xlsx")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VOLCHECK", "line 2 of the call is missing"),
        ("VOLCHECK\n\n2", "line 3 of the call is 1 fields"),
        ("VOLCHECK\n\n2\tx", "line 3 of the call is '2', 'x'"),
        ("VOLCHECK\n\n2\t1\nn1", "line 5 of the call is missing; expected cells"),
        ("VOLCHECK\n\n1\t2\nn1", "line 4 of the call is 1 fields"),
        ("VOLCHECK\n\n1\t1\nq1", "line 4 of the call is wrong: a cell is 'q1'"),
        ("VOLCHECK\n\n1\t1\nninf", "a value of the letter n"),
        ("VOLCHECK\n\n1\t1\nd99999999", "a value of the letter d"),
        ("VOLCHECK\n\n1\t1\nb2", "a value of the letter b"),
        ("VOLCHECK\n\n-1\t-1\n", "-1 x -1 cells"),
        ("VOLCHECK\n\n99999\t99999\n", "expected at most 100,000"),
    ],
)
def test_what_is_no_call_is_refused_by_its_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wire.answer(text)


def test_an_error_of_a_newer_excel_and_a_number_that_no_cell_has() -> None:
    assert read_cell("e#SPILL!") == "#VALUE!"
    assert [wire.write_cell(x) for x in (float("nan"), float("inf"))] == ["", "e#NUM!"]
