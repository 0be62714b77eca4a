"""What the add-in's VBA asks of Python, through xlwings' real COM server with COM stubbed; its wrappers."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.stubs import calc, excel, win32
from voladdin.errors import InputError, UnavailableError
from voladdin.hosts.excel import addin, calls, names
from voladdin.journal import Caller
from voladdin.worksheet import wire
from voladdin.worksheet.registry import FUNCTIONS, Argument, Function, evaluate
from voladdin.worksheet.wire import Call, read_answer, write_call

GRID: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 0.089, None, 0.081, None, None],
    ["1M", 0.093, 0.086, 0.082, 0.083, None],
    ["1Y", None, "#N/A", 0.089, None, 0.098],
]
Ask = Callable[[str, str], str]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """A function of the add-in's Python module, through the calls of connection.bas on the COM server."""
    with win32.installed() as host:
        for name in ("FromVariant", "ToVariant"):
            monkeypatch.setattr(f"xlwings.com_server.{name}", lambda value: value)
        python = host.server

        def ask(name: str, text: str) -> str:
            called = python.Call(python.Module(names.PYTHON_MODULE), name, python.Tuple(text))
            return str(python.Str(called))

        yield ask


def test_a_formula_through_the_com_server(ask: Ask) -> None:
    cells, said = read_answer(ask("answered", write_call(Call("VOLIMPUTE", [GRID]))))
    assert cells == evaluate("VOLIMPUTE", [GRID]) and said == []
    caller = Caller("fx.xlsx", "'My book'!L18", ("'My book'!C5:E7",))
    wrong = [[None, "25P", "ATM"], ["1M", 0.1, 0.1], ["3X", 0.1, 0.1]]
    cells, said = read_answer(ask("answered", write_call(Call("VOLCHECK", [wrong], caller))))
    assert cells == [["#VALUE!"]] and said[0].startswith("surface: cell 'My book'!C7 is '3X'")
    assert read_answer(ask("answered", "nonsense"))[0] == [["#VALUE!"]]


def test_the_vba_makes_these_calls() -> None:
    text = addin.module().source
    assert "python.Str(python.Call(python.Module(PYTHON_MODULE), name, python.Tuple(body)))" in text
    assert f'PYTHON_MODULE As String = "{calls.__name__}"' in text
    asked = set(re.findall(r'AnsweredByCom\("(\w+)"', text))
    assert asked == {"answered", "commanded"} and all(callable(getattr(calls, name)) for name in asked)


def test_a_call_that_hangs_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LIMIT", 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(wire, "answer", lambda text: time.sleep(1.0) or text)
        assert read_answer(calls.answered("x")) == ([["#N/A"]], ["no answer within 0.2 s"])
    monkeypatch.setattr(calls, "LIMIT", 10.0)
    cells, _ = read_answer(calls.answered(write_call(Call("VOLINFO", ["version"]))))
    assert cells == evaluate("VOLINFO", ["version"])  # the next does not wait


def test_a_wrapper_a_function_which_hands_over_its_arguments() -> None:
    text = addin.wrapper_text()
    for function in FUNCTIONS.values():
        given = [f"{'Optional ' * a.optional}ByVal {a.name} As Variant" for a in function.arguments]
        head = f"Public Function {function.name}({', '.join(given)}) As Variant\n"
        assert f"{head}Attribute {function.name}.VB_Description = " in text
        array = ", ".join(a.name for a in function.arguments)
        assert f'    {function.name} = Called("{function.name}", Array({array}))\n' in text


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
    text = addin.module().source
    opened = re.findall(r"^(?:Private |Public )(Function|Sub) ", text, re.M)
    assert max(map(len, text.splitlines())) < 1024  # VBA's longest line
    assert sorted(opened) == sorted(re.findall(r"^End (Function|Sub)", text, re.M))


def test_argument_names_are_not_words_of_vba() -> None:
    words = "date name next set type string object error input open print range stop get let end loop to step"
    for function in FUNCTIONS.values():
        assert not {a.name.lower() for a in function.arguments} & set(words.split()), function.name


def test_another_xlwings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import xlwings

    (tmp_path / "xlwings_custom_addin.bas").write_text("no notice")
    monkeypatch.setattr(xlwings, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(UnavailableError, match="no notice of its licence"):
        addin.starter_text()


class App:
    """An Excel application as xlwings shows it."""

    def __init__(self) -> None:
        self.impl = SimpleNamespace(hwnd=42)
        self.books: list[Any] = []


@pytest.fixture
def excel_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    app = App()
    workbook = excel.Workbook(calc.opened({"S": {"A1": [[1.0]]}}))
    workbook.FullName = "C:\\b.xlsx"
    app.books = [SimpleNamespace(app=app, name="b.xlsx", impl=SimpleNamespace(xl=workbook))]
    with win32.installed():
        import pythoncom  # type: ignore[import-not-found,import-untyped]
        import xlwings

        monkeypatch.setattr(pythoncom, "CoUninitialize", lambda: None, raising=False)
        monkeypatch.setattr(xlwings, "apps", [app])
        yield app


def test_a_command_on_the_book_of_a_window(excel_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(name: str, book: Any) -> str:
        assert book.name == "b.xlsx"
        if name == "fail":
            raise InputError("B2 is 0.3; expected at most 0.2")
        if name == "break":
            raise KeyError("x")
        return "3 cells filled"

    monkeypatch.setattr(calls, "execute", execute)
    assert calls.in_excel("fill\n42\nC:\\b.xlsx") == "=3 cells filled"
    assert calls.in_excel("fail\n42\nC:\\b.xlsx").startswith("!B2 is 0.3; expected at most 0.2 (VA-")
    with pytest.raises(KeyError):
        calls.in_excel("break\n42\nC:\\b.xlsx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fill", "expected a command, a window handle and a book"),
        ("fill\nx\nC:\\b.xlsx", "expected a command, a window handle and a book"),
        ("fill\n42\nC:\\other.xlsx", "is not open in an Excel"),
        ("fill\n43\nC:\\b.xlsx", "is not open in an Excel"),
    ],
)
def test_no_such_book(text: str, message: str, excel_app: App) -> None:
    with pytest.raises(InputError, match=message):
        calls.in_excel(text)


def test_without_windows_nothing_of_pywin32_is_imported() -> None:
    assert not {"pythoncom", "pywintypes", "win32com", "xlwings.udfs"} & set(sys.modules)
