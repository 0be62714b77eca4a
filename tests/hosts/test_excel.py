"""The functions of the Excel add-in: xlwings' real decorators, wrapper and call path, with COM stubbed."""

from __future__ import annotations

import datetime as dt
import importlib
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.stubs import win32
from tests.stubs.win32 import MISSING, ExcelRange, values
from voladdin.errors import UnavailableError
from voladdin.hosts.excel import addin, names
from voladdin.worksheet.registry import FUNCTIONS, Argument, Function, evaluate

MODULE = "voladdin.hosts.excel.udfs"
GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 0.089, None, 0.081, None, None],
    ["1M", 0.093, 0.086, 0.082, 0.083, None],
    ["1Y", None, "#N/A", 0.089, None, 0.098],
]


@pytest.fixture(scope="module")
def excel_host() -> Iterator[Any]:
    """xlwings as on Windows, and the UDF module imported under it."""
    sys.modules.pop(MODULE, None)
    with win32.installed() as host:
        host.module = importlib.import_module(MODULE)
        yield host
    sys.modules.pop(MODULE, None)


@pytest.fixture(scope="module")
def call(excel_host: Any) -> Any:
    """What Excel gets: the COM server's CallUDF, which unpacks a single cell and a single row."""
    return lambda name, *arguments: excel_host.server.CallUDF(MODULE, name, arguments)


def test_without_windows_the_module_imports_and_the_wrappers_are_written(monkeypatch: Any) -> None:
    # first in this file: the stubs of the other tests last to its end
    module = importlib.import_module(MODULE)
    try:
        assert module.VOLIMPUTE(GRID) == evaluate("VOLIMPUTE", [GRID])
        written = addin.wrapper_text()
    finally:
        sys.modules.pop(MODULE, None)
    assert not {"pythoncom", "pywintypes", "win32com", "xlwings.udfs"} & set(sys.modules)
    with win32.installed():
        assert addin.wrapper_text() == written  # as where pywin32 is


def test_every_function_is_registered_as_the_table_says(excel_host: Any) -> None:
    for function in FUNCTIONS.values():
        registered = getattr(excel_host.module, function.name).__xlfunc__
        assert registered["name"] == function.name
        assert registered["category"] == "voladdin"
        assert registered["ret"]["doc"] == function.help[:255]
        assert not registered["volatile"] and not registered["call_in_wizard"] and not registered["sub"]
        assert registered["async_mode"] is None and "expand" not in registered["ret"]["options"]
        for argument, expected in zip(registered["args"], function.arguments, strict=True):
            assert argument["name"] == expected.name
            assert argument["doc"] == expected.help[:255]
            assert ("optional" in argument) == expected.optional
            assert argument["options"] == {"ndim": 2, "err_to_str": True}


def test_a_grid_equals_evaluate(call: Any) -> None:
    expected = [["" if cell is None else cell for cell in row] for row in evaluate("VOLIMPUTE", [GRID])]
    assert call("VOLIMPUTE", values(GRID), *[MISSING] * 8) == expected


def test_omitted_arguments_are_none_and_others_arrive_in_place(call: Any) -> None:
    std = call("VOLIMPUTE", values(GRID), "std", MISSING, MISSING, MISSING, values([["fx"]]))
    assert std == [["" if c is None else c for c in row] for row in evaluate("VOLIMPUTE", [GRID, "std"])]


def test_a_range_object_is_read_as_its_values_are(call: Any) -> None:
    assert call("VOLIMPUTE", ExcelRange(values(GRID))) == call("VOLIMPUTE", values(GRID))


def test_currency_and_date_values(call: Any, excel_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(excel_host.module, "evaluate", lambda name, a, _: seen.extend(a) or [[1.0]])
    call("VOLIMPUTE", values([[win32.ComDate(2026, 11, 21), Decimal("1.0850")], [True, ""]]))
    assert seen == [[[dt.datetime(2026, 11, 21), 1.085], [True, None]]]
    assert type(seen[0][0][1]) is float


def test_the_cell_and_the_book_of_a_call_are_known(call: Any) -> None:
    wrong = [[None, "25P", "ATM"], ["1M", 0.1, 0.1], ["3X", 0.1, 0.1]]
    count = len(FUNCTIONS["VOLCHECK"].arguments) - 1
    whence = "\n".join(["fx.xlsx", "'My book'!L18", "'My book'!C5:E7", *[""] * count])
    assert call("VOLCHECK", values(wrong), *[MISSING] * count, whence) == "#VALUE!"
    asked = "\n".join(["fx.xlsx", "S!A1", "", "'My book'!L18"])
    found = dict(call("VOLINFO", "why", "#VALUE!", asked))
    assert found["error"].startswith("surface: cell 'My book'!C7 is '3X'")
    assert found["cell"] == "'My book'!L18"
    other = call("VOLINFO", "error", MISSING, "other.xlsx\nS!A1\n\n")
    assert "none" in str(other)


@pytest.mark.parametrize(
    ("grid", "error"),
    [
        ([["x", "y"], ["z", "w"]], "#VALUE!"),
        ([[None]], "#VALUE!"),
        ([["#N/A"]], "#VALUE!"),
        ([[None, "25P", "ATM"], ["1M", 0.08, 0.08], ["1M", 0.08, 0.08]], "#VALUE!"),
    ],
)
def test_bad_input_is_an_error_text_for_the_wrapper(call: Any, grid: list[list[Any]], error: str) -> None:
    assert call("VOLIMPUTE", values(grid)) == error


def test_an_unknown_model_is_not_available(call: Any) -> None:
    assert call("VOLIMPUTE", values(GRID), MISSING, MISSING, MISSING, MISSING, "nosuchmodel") == "#N/A"


def test_wrapper_has_one_function_an_entry_and_error_values() -> None:
    text = addin.wrapper_text()
    for function in FUNCTIONS.values():
        arguments = [f"Optional {a.name}" if a.optional else a.name for a in function.arguments]
        head = f"\nFunction {function.name}({', '.join(arguments)})\n"
        assert f"{head}Attribute {function.name}.VB_Description = " in f"\n{text}"
        array = ", ".join(f"Values({a.name})" for a in function.arguments)
        array += f", Whence({', '.join(a.name for a in function.arguments)})"
        call = f'XLPy.CallUDF("{MODULE}", "{function.name}", Array({array}), Nothing, Application.Caller)'
        assert f"{function.name} = WithErrors({call})\n" in text
        assert f'{function.name} = CallFailed("{function.name}", Err.Description)\n' in text
    wizard = 'If (Not Application.CommandBars("Standard").Controls(1).Enabled) Then Exit Function'
    assert text.count(wizard) == len(FUNCTIONS)
    assert not re.search(r"= Err\.Description", text)


def test_help_texts_of_the_function_wizard() -> None:
    text = addin.module().source
    macro = text[text.index("Sub DescribeFunctions(") :]
    assert macro.count("Application.MacroOptions") == len(FUNCTIONS) and macro.endswith("End Sub\n")
    for statement, function in zip(
        macro.split("Application.MacroOptions")[1:], FUNCTIONS.values(), strict=True
    ):
        assert statement.count(" _\n") <= 24  # VBA's most continuations
        assert f"'!{function.name}\"" in statement
        for argument in function.arguments:
            assert argument.help[:255] in _read(statement)


def test_long_texts_quotes_and_other_letters_of_the_wizard(monkeypatch: pytest.MonkeyPatch) -> None:
    help_ = 'σ of "K" ' + "x" * 300
    function = Function("VOLX", help_, (Argument("vol", help_, "value"),), "", lambda: [[1.0]])
    monkeypatch.setattr(addin, "FUNCTIONS", {"VOLX": function})
    text = addin.module().source
    assert _read(text).count(f'"{help_[:255]}"') == 2
    described = re.search(r'^Attribute VOLX\.VB_Description = "(.*)"$', text, re.M)
    assert described is not None
    assert described[1] == help_[:255].replace('"', '""').replace("σ", "?")


def _read(vba: str) -> str:
    """Text with its strings as VBA reads them."""
    return re.sub(r'" & ChrW\((\d+)\) & "', lambda found: chr(int(found[1])), vba).replace('""', '"')


def test_every_vba_procedure_is_closed() -> None:
    text = addin.module().source.removeprefix(
        f'Attribute VB_Name = "{names.VBA_MODULE}"\n{addin.runtime_text()}'
    )
    assert text.startswith("Function ")
    opened = re.findall(r"^(?:Private |Public )?(Function|Sub) ", text, re.M)
    assert max(map(len, text.splitlines())) < 1024  # VBA's longest line
    assert sorted(opened) == sorted(re.findall(r"^End (Function|Sub)", text, re.M))


def test_argument_names_are_not_words_of_vba() -> None:
    words = "date name next set type string object error input open print range stop get let end loop to step"
    for function in FUNCTIONS.values():
        assert not {a.name.lower() for a in function.arguments} & set(words.split()), function.name


def test_another_wrapper_of_xlwings_is_refused(excel_host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_host.udfs, "generate_vba_wrapper", lambda *_: None)
    with pytest.raises(UnavailableError, match="0 calls and 0 error lines"):
        addin.wrapper_text()


def test_expiry_dates_go_in_and_come_back(call: Any) -> None:
    dated = [[dt.datetime(2026, 1, 15), "25P", "ATM"], [dt.datetime(2026, 2, 15), 0.09, None]]
    dated += [[dt.datetime(2027, 1, 15), None, 0.09]]
    cells = call("VOLIMPUTE", values(dated), *[MISSING] * 8)
    assert [row[0].replace(tzinfo=None) for row in cells] == [row[0] for row in dated]
    assert cells[1][1] == 0.09 and 0.05 < cells[1][2] < 0.09
    vol = call("VOLINTERP", values(dated), dt.datetime(2026, 7, 15), "ATM", *[MISSING] * 5)
    assert isinstance(vol, float) and cells[1][2] < vol < 0.09
