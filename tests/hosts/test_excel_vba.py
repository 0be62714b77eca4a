"""The add-in's VBA, run by LibreOffice: the way to Python over HTTP, its failures, ranges, buttons, help."""

from __future__ import annotations

import datetime as dt
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stubs.server import LocalServer
from tests.stubs.vba_in_office import configure, run_vba
from tests.worksheet.test_wire import random_cell
from voladdin.hosts import excel
from voladdin.hosts.excel import addin, names
from voladdin.worksheet.registry import FUNCTIONS

ANSWERS = [
    r"Const ANSWER_MS As Long = 10000",
    "Const ANSWER_MS As Long = 2500",
]  # Basic's Timer counts whole seconds
BROKEN = "Dim i As Integer\nFor i = 1 To 20: a = VOLCHECK(1): Next i"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return excel.build(tmp_path_factory.mktemp("addin") / "voladdin.xlam")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The user's folder with the add-in's configuration."""
    configure(tmp_path)
    return tmp_path


@pytest.fixture
def office(file: Path, tmp_path_factory: pytest.TempPathFactory, profile: Path) -> Callable[..., Any]:
    """`run_vba` of the add-in."""
    return lambda *body, **options: run_vba(
        file, tmp_path_factory.mktemp("office"), profile, *body, **options
    )


@pytest.fixture
def server(profile: Path) -> Iterator[Callable[..., LocalServer]]:
    """Starts a server of the user's folder, that answers calls with what a function makes of them."""
    started: list[LocalServer] = []

    def start(evaluate: Callable[[str, Any], Any]) -> LocalServer:
        started.append(LocalServer(profile / ".voladdin", evaluate))
        return started[0]

    yield start
    for one in started:
        one.die()


def test_libreoffice_loads_every_module_and_every_function_reaches_the_server(
    office: Any, server: Any, file: Path
) -> None:
    called = server(lambda name, arguments: [[name, len(arguments), "#N/A", True, None]])
    body = []
    for function in FUNCTIONS.values():
        given = ", ".join(f'"{a.name}"' for a in function.arguments)
        required = ", ".join(f'"{a.name}"' for a in function.arguments if not a.optional)
        body += [
            f"Test = Test & Shown({function.name}({given})) & Chr(10)",
            f"a = {function.name}({required})",
        ]
    found = office(*body)
    for module in addin.modules():
        expected = [line for line in _lines(module.source) if line and not line.startswith("Attribute ")]
        loaded = [line for line in _lines(found["modules"][module.name]) if line]
        assert loaded[2:] == expected and loaded[1] == "Option VBASupport 1"
    shown = [
        f"String {f.name};Double {len(f.arguments)};Error 2042;Boolean True;String ;"
        for f in FUNCTIONS.values()
    ]
    assert found["result"].splitlines() == shown
    for function, whole, least in zip(FUNCTIONS.values(), called.calls[::2], called.calls[1::2], strict=True):
        assert whole == (function.name, [[[a.name]] for a in function.arguments])
        assert least == (function.name, [None if a.optional else [[a.name]] for a in function.arguments])


def _lines(code: str) -> list[str]:
    return code.replace("\r\n", "\n").split("\n")


def test_grids_come_to_vba_and_go_back_as_they_were(office: Any, server: Any) -> None:
    rng = random.Random(7)
    grids = [[[random_cell(rng) for _ in range(5)] for _ in range(4)] for _ in range(150)]
    called = server(lambda name, arguments: grids[int(arguments[0][0][0])] if name == "VOLINFO" else [[1.0]])
    last = len(grids) - 1
    office(f"Dim i As Integer\nFor i = 0 To {last}: a = VOLIMPUTE(VOLINFO(i)): Next i")
    returned = [arguments[0] for name, arguments in called.calls if name == "VOLIMPUTE"]
    assert len(returned) == len(grids) and len(grids) <= called.headed < len(called.calls)
    for there, back in zip(grids, returned, strict=True):
        assert list(map(repr, back)) == list(map(repr, there))


def test_without_python_one_wait_then_na_at_once_until_a_server_is_there(
    office: Any, server: Any, profile: Path
) -> None:
    server(lambda name, arguments: [[42.0]])
    state = profile / ".voladdin" / "server.json"
    later = state.rename(state.with_name("later.json"))
    found = office(
        "Test = Shown(VOLCHECK(1)) & Chr(10)",
        BROKEN,
        'Test = Test & Scheduled & " " & Status & Chr(10) & Shown(VOLINFO("error")) & Chr(10)',
        f'FileCopy "{later}", "{state}"',
        "Test = Test & Shown(VOLCHECK(1)) & Chr(10)",
        'Said = "": Pressed "reconnect"',
        "Test = Test & Said",
    )
    first, tries, why, mended, pressed = found["result"].splitlines()
    assert first == "Error 2042"
    assert tries.startswith("1 voladdin: the local server does not run, and Windows' task voladdin me")
    assert "; Python did not start: no library; Reconnect on its tab asks again" in tries
    assert why.startswith("String error;") and "Python did not start: no library" in why
    assert mended == "Double 42"
    assert pressed.startswith("dirty [b]S!$A$1;") and pressed.endswith("voladdin:64:Python answers by http")
    assert "answers by http" in (profile / ".voladdin" / "excel.log").read_text()


def test_a_call_that_hangs_ends_at_its_limit_and_no_later_one_waits(office: Any, server: Any) -> None:
    def hang(name: str, arguments: Any) -> Any:
        if name == "VOLSHIFT":
            called.hang()
        return [[1.0]]

    called = server(hang)
    found = office(
        "Test = Shown(VOLCHECK(1)) & Shown(VOLSHIFT(1))",
        BROKEN,
        "Test = Test & Scheduled & Status",
        replace=[ANSWERS],
    )
    assert found["result"].startswith("Double 1Error 20421voladdin: ")
    assert [name for name, _ in called.calls] == ["VOLCHECK", "VOLSHIFT"]


def test_a_call_that_takes_too_long_is_na_and_the_next_is_answered(office: Any, server: Any) -> None:
    called = server(lambda name, arguments: time.sleep(4.0 * (name == "VOLSHIFT")) or [[1.0]])
    found = office("Test = Shown(VOLSHIFT(1)) & Shown(VOLCHECK(1)) & Scheduled", replace=[ANSWERS])
    assert found["result"] == "Error 2042Double 10"
    assert [name for name, _ in called.calls][:2] == ["VOLSHIFT", "VOLCHECK"]


def test_a_stranger_on_the_port_is_not_told_the_token(office: Any, server: Any, profile: Path) -> None:
    called, log = server(lambda name, arguments: [[1.0]]), profile / ".voladdin" / "excel.log"
    called.token = "another"
    log.write_text("of another day\n" * 20_000)  # it begins anew
    found = office('Test = Shown(VOLCHECK(1)) & Shown(VOLINFO("error"))')
    assert found["result"].startswith("Error 2042") and called.calls == []
    assert "another program has the local server's port" in log.read_text()
    assert "of another day" not in log.read_text()


def test_nothing_is_called_while_a_dialog_is_open(office: Any, server: Any) -> None:
    called = server(lambda name, arguments: [[1.0]])
    found = office(
        "Dialog = True", "Test = Shown(VOLCHECK(1))", "Dialog = False", "Test = Test & VOLCHECK(1)"
    )
    assert found["result"] == "Error 20421" and len(called.calls) == 1


def test_ranges(office: Any, server: Any) -> None:
    """Whole columns end at the last used cell; too many cells and several areas are refused unread."""
    called = server(lambda name, arguments: [[1.0]])
    found = office(
        "Dim row As New range_of_basic, early As Boolean",
        'ActiveSheet.Range("B2").Value = "1M": ActiveSheet.Range("C3").Value = 0.25',
        'a = VOLIMPUTE(ActiveSheet.Range("A:F"), ActiveSheet.Range("C3"))',
        'a = VOLIMPUTE(ActiveSheet.Range("A1:A20000"))',
        'ActiveSheet.Range("F8000").Value = 1',
        'a = VOLIMPUTE(ActiveSheet.Range("A:F"))',
        'a = VOLIMPUTE(ActiveSheet.Range("A1:B2,D1:E2"))',
        "row.Value2 = Array(1): a = ValuesOf(row, early): Test = early",
        "Dim table(1 To 2, 1 To 1): table(1, 1) = 1: row.Value2 = table",
        "a = ValuesOf(row, early): Test = Test & early",
        "row.Uncalculated = True: a = ValuesOf(row, early): Test = Test & early",
    )
    assert found["result"] == "FalseFalseTrue"
    whole, tall, refused, areas = (text.split("\n") for text in called.texts)
    assert whole[1].split("\t")[2:4] == ["'voladdin'!A1:C3", "'voladdin'!C3"]
    assert whole[2:6] == ["3\t3", "\t\t", "\tt1M\t", "\t\tn.25"] and whole[6:8] == ["1\t1", "n.25"]
    assert tall[2] == "3\t1"
    assert refused[2] == "x\tA1:F8000 has 8000 x 6 cells; expected at most 40002"
    assert areas[2] == "x\tit is 2 areas, A1:B2,D1:E2; expected one"


def test_dates_of_a_1904_book_are_dates(office: Any) -> None:
    """Whose serial numbers are others'; those of any other book are numbers."""
    found = office(
        "Dim row As Object, early As Boolean: Set row = New range_of_basic",
        "row.Value2 = 39000: row.Value = CDate(40462)",
        "Test = CellText(ValuesOf(row, early))",
        "Of1904 = True",
        'Test = Test & " " & CellText(ValuesOf(row, early))',
    )
    assert found["result"] == "n39000 d40462"


def test_grids_where_the_decimal_sign_is_a_comma(office: Any, server: Any) -> None:
    """There and back as they were, small and large numbers and dates too."""
    grid = [[0.0925, 1e-12, -1.25e300], [1234.5678, "1,5", dt.datetime(2026, 11, 29, 12)]]
    called = server(lambda name, arguments: grid if name == "VOLINFO" else [[0.5]])
    found = office(
        "a = VOLIMPUTE(VOLINFO(1.5))", 'Test = CStr(1.5) & " " & (a + 1) & " " & CellText(a)', locale="de-DE"
    )
    assert found["result"] == "1,5 1,5 n.5"
    assert [(name, given[0]) for name, given in called.calls] == [("VOLINFO", [[1.5]]), ("VOLIMPUTE", grid)]


def test_by_com_where_http_cannot_be_had(office: Any, profile: Path) -> None:
    found = office(
        "Set Com = New python_of_basic",
        "Test = Shown(VOLCHECK(1.5))",
        'Pressed "fill"',
        "Test = Test & Chr(10) & Said & Chr(10) & Com.Said & Scheduled & Chr(10)",
        'Com.Broken = True: Com.Said = "": Set Com = Nothing',
        "Test = Test & Shown(VOLCHECK(1)) & Shown(VOLCHECK(1))",
    )
    value, said, *asked, broken = found["result"].split("\n")
    assert value == "String answered"
    start, _, shown = said.partition(";import xlwings")
    assert start.startswith(f'"{sys.executable}" -B -c "import sys;sys.path.insert(0,') and "/x\\'s" in start
    assert "cmd" not in start and shown.endswith("voladdin:64:fill done")
    module = names.PYTHON_MODULE
    assert asked[0] == f"{module}.answered(VOLCHECK" and asked[2:4] == ["1\t1", "n1.5"]
    assert f"xlwings._xlwindows.BOOK_CALLER=voladdin.xlam;{module}.commanded(fill)" in "\n".join(asked)
    assert broken == "Error 2042Error 2042"


def test_a_button_over_http(office: Any, server: Any) -> None:
    called = server(lambda name, arguments: [[1.0]])
    called.command = "=3 cells filled"
    found = office('Pressed "fill"', "Test = Said")
    assert found["result"] == "voladdin:64:3 cells filled"
    command, handle, book = called.texts[0].split("\n")
    assert (command, handle) == ("fill", "42") and book.endswith("voladdin.xlam")


def test_what_a_page_sends_is_written_while_the_page_is_open(office: Any, server: Any) -> None:
    """Plot begins to look, by the clock; the last page that closes ends it."""
    called = server(lambda name, arguments: [[1.0]])
    called.command = lambda text: "=wrote" if text.startswith("receive") else "=shown"
    called.pages = [{"state": "open"}, {"state": "sent"}, {}, {"state": "open"}, {"state": "closed"}]
    looks = ["VoladdinArrivals"] * 4
    found = office('Pressed "plot"', 'Pressed "plot"', 'Said = Said & "|"', *looks, "Test = Said & watched")
    pressed, looked = found["result"].split("|")
    later = "later 'voladdin.xlam'!VoladdinArrivals;"
    assert pressed == f"{later}voladdin:64:shownvoladdin:64:shown" and looked == later * 3
    asked = [text.split("\n") for text in called.texts if text.startswith("/v1/pages")]
    book = "voladdin.xlam"
    waiting = ["/v1/pages/waiting", book]
    assert asked == [waiting, waiting, ["/v1/pages/arrived", book, "=wrote"], waiting, waiting]


def test_a_server_that_is_gone_is_no_longer_asked_for_pages(office: Any, server: Any) -> None:
    server(lambda name, arguments: [[1.0]]).command = "=shown"
    found = office('Pressed "plot"', 'Said = "": port = 1', "VoladdinArrivals", "Test = watched & Said")
    assert found["result"] == ""


@pytest.mark.parametrize("refused", ["", "text", "range"])
def test_the_user_is_asked_until_the_command_is_done(office: Any, server: Any, refused: str) -> None:
    """A text, then a range by mouse; where a question is refused the command ends without a word."""
    asked = ["?text\nVOLIMPUTE\nWhich\nfunction?", "?range\n$A$1\nsurface", "=done"]
    called = server(lambda name, arguments: [[1.0]])
    called.command = lambda text: asked[text.split("\n")[0].count("\t")]
    replies = {"text": "VOLCHECK", "range": "B3:G6"} | {refused: "cancel"}
    found = office(
        f'Replies = "{"|".join(replies.values())}"',
        'Pressed "insert"',
        'Test = Said & "#" & Replace(Questions, Chr(10), "/")',
    )
    said, questions = found["result"].split("#")
    kept = ["", "text", "range"].index(refused) or 2
    assert questions == "".join(["2:VOLIMPUTE:Which/function?|", "8:$A$1:surface|"][:kept])
    assert said == ("" if refused else "voladdin:64:done")
    commands = [text.split("\n")[0].split("\t") for text in called.texts]
    whole = ["insert", "VOLCHECK", "[b]S!$B$3:$G$6"]
    assert commands == [whole[:count] for count in range(1, 4 if not refused else kept + 1)]


@pytest.mark.parametrize("broken", [False, True])
def test_excel_is_quiet_while_a_command_runs_and_as_before_after_it(
    office: Any, server: Any, broken: bool
) -> None:
    """Also where Python breaks meanwhile."""
    server(lambda name, arguments: [[1.0]]).command = "=3 cells filled"
    quiet = "Application.ScreenUpdating & Application.EnableEvents & "
    quiet += "(Application.Calculation = xlCalculationManual)"
    breaks = 'Err.Raise 5, "x", "gone"' if broken else "DoneQuietly = Done(command)"
    within = [r"DoneQuietly = Done\(command\)", f"Said = Said & {quiet}: {breaks}"]
    now = f'Test = Test & {quiet} & " "'
    found = office(now, 'Pressed "fill"', now, "Test = Test & Said", replace=[within])
    before, after, said = found["result"].split(" ", 2)
    assert before == after == "TrueTrueFalse" and said.startswith("FalseFalseTruevoladdin:")
    assert said.endswith(":Python did not run the command: gone" if broken else "64:3 cells filled")


def test_the_notes_of_a_command_are_written_in_one_call(office: Any) -> None:
    found = office(
        'ActiveSheet.Range("B2").AddComment "old"',
        'VoladdinNotes ActiveSheet, "B2" & vbLf & "C5", "a\\nb" & vbLf & "90% band \\b"',
        'Test = ActiveSheet.Range("B2").Comment.Text & "|" & ActiveSheet.Range("C5").Comment.Text',
    )
    assert found["result"] == "a\nb|90% band \\"


def test_the_looks_of_cells_are_read_in_one_call(office: Any) -> None:
    found = office(
        'ActiveSheet.Range("C2").Interior.Color = 255',
        'ActiveSheet.Range("B3").Font.Color = 65280',
        'ActiveSheet.Range("C3").NumberFormat = "0.00%"',
        'ActiveSheet.Range("B2").AddComment "a" & vbLf & "b"',
        'For Each a In Array("fill", "font", "format", "note")',
        'Test = Test & VoladdinSeen(ActiveSheet.Range("B2:C3"), a) & "|"',
        "Next a",
    )
    fill, font, form, note, _ = (text.split("\n") for text in found["result"].split("|"))
    assert fill == ["", "255", "", ""] and font == ["-1", "-1", "65280", "-1"]  # Excel's automatic is 0
    assert form == ["General"] * 3 + ["0.00%"] and note == ["a\\nb", "", "", ""]


def test_the_texts_of_the_function_wizard_reach_excel(office: Any, profile: Path) -> None:
    found = office("Dim done As Boolean", "DescribeFunctions done", "Test = done & Chr(10) & Said")
    done, *described = found["result"].splitlines()
    assert done == "True"
    for function, text in zip(FUNCTIONS.values(), described, strict=True):
        macro, category, help_, *texts = text.split(";", 3)
        assert Path(help_) == profile / ".voladdin" / "help" / f"{function.name}.html"
        assert macro.endswith(f"'!{function.name}") and category == "voladdin"
        assert texts == [";".join(t[:255] for t in (function.help, *(a.help for a in function.arguments)))]


def test_the_texts_are_given_once_and_as_soon_as_excel_takes_them(office: Any) -> None:
    """The events of ThisWorkbook; `taken` says when Excel takes the texts."""
    events = """
    Private host
    Private taken As Boolean
    Private asked As Integer

    Private Sub DescribeFunctions(done)
        asked = asked + 1: done = taken
    End Sub

    Public Function Test() As String
        Workbook_Open
        Test = asked & " " & (host Is Nothing)
        host_WorkbookActivate ActiveWorkbook
        Test = Test & ", " & asked & " " & (host Is Nothing)
        taken = True
        host_WorkbookActivate ActiveWorkbook
        Test = Test & ", " & asked & " " & (host Is Nothing)
    End Function
    """
    options = {"module": "ThisWorkbook", "add": events, "from": "Private Sub Workbook_Open()"}
    assert office(**{**options, "replace": None})["result"] == "1 False, 2 False, 3 True"
