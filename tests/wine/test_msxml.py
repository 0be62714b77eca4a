"""The add-in's own VBA that speaks HTTP, as VBScript, by Wine's MSXML to the server on Windows' loop."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest

from export.bench.hosts.wine import DRIVE, HOME, windows
from tests.stubs.function_calls import CALLS, QUOTES
from voladdin.hosts.excel import addin
from voladdin.worksheet.registry import evaluate
from voladdin.worksheet.wire import Call, read_answer, write_call

PROCEDURES = ("Asked", "WithoutProxy", "IsPlain")
MAIN = """
Dim http, port, token, i, said, since
Set http = CreateObject("MSXML2.ServerXMLHTTP.6.0")
port = {port}
token = ""
If InStr(Asked("GET", "/v1/proof/{challenge}", "", 5000), "{proof}") = 0 Then WScript.Quit 3
token = "{token}"
"""
ANSWER = """
since = Timer
said = Asked("POST", "/v1/cells", {call}, 10000)
For i = 1 To 20: Asked "POST", "/v1/cells", {call}, 10000: Next
WScript.Echo Codes(said) & ";" & (Timer - since) * 1000 / 21
"""
CODES = """
Function Codes(text)
    Dim at
    For at = 1 To Len(text)
        Codes = Codes & " " & Asc(Mid(text, at, 1))
    Next
End Function
"""


def as_vbscript(name: str) -> str:
    """A procedure of the add-in without what VBScript lacks: types and their marks (and Wine's, AscW)."""
    text = addin.module().source
    found = re.search(rf"^Private (Sub|Function) {name}\(.*?^End \1$", text, re.M | re.S)
    assert found is not None
    code = re.sub(r" As \w+", "", found[0])
    return re.sub(r"^( *Next) \w+$", r"\1", code.replace("$(", "(").replace("AscW(", "Asc("), flags=re.M)


def literal(text: str) -> str:
    """A text of Latin-1 as VBScript writes it, what is not plain by its number."""
    quoted = text.replace('"', '""')
    return '"' + re.sub(r"[^ -~]", lambda found: f'" & Chr({ord(found[0])}) & "', quoted) + '"'


def asked(calls: Sequence[str]) -> list[tuple[str, float]]:
    """The answer to each call, and the milliseconds it takes."""
    state = json.loads((HOME / "server.json").read_text())
    head = 'Const CONNECT_MS = 2000, LONGEST_HEADER = 8000\nConst PROJECT_NAME = "voladdin"\n'
    body = MAIN.format(**state, token=(HOME / "token").read_text().strip())
    asks = "".join(ANSWER.format(call=literal(call)) for call in calls)
    script = "\n".join([head, *map(as_vbscript, PROCEDURES), CODES, body, asks])
    (DRIVE / "c" / "asked.vbs").write_text(script.replace("\n", "\r\n"))
    said = windows("cscript.exe", "//nologo", r"C:\c\asked.vbs")
    lines = [line.strip() for line in said.splitlines() if ";" in line]
    assert len(lines) == len(calls), said
    return [
        ("".join(chr(int(code) & 0xFFFF) for code in codes.split()), float(ms.replace(",", ".")))
        for codes, ms in (line.split(";") for line in lines)
    ]


@pytest.fixture(scope="module")
def answers(server: object) -> dict[str, tuple[str, float]]:
    names = [*CALLS, "letters"]
    calls = [write_call(Call(name, given)) for name, given in CALLS.items()]
    calls.append(write_call(Call("VOLCHECK", [[*QUOTES[:2], ["3é", 0.1, 0.1, 0.1]]])))
    return dict(zip(names, asked(calls), strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_a_function_answers_as_on_this_system(name: str, answers: dict[str, tuple[str, float]]) -> None:
    cells, _ = read_answer(answers[name][0])
    for row, wanted in zip(cells, evaluate(name, CALLS[name]), strict=True):
        assert row == [pytest.approx(c, rel=1e-5, abs=1e-7) if isinstance(c, float) else c for c in wanted]


def test_other_letters_go_in_the_body(answers: dict[str, tuple[str, float]]) -> None:
    cells, said = read_answer(answers["letters"][0])
    assert cells == [["#VALUE!"]] and "'3é'" in said[0]


def test_the_times_of_an_answer(answers: dict[str, tuple[str, float]]) -> None:
    """Printed, not judged."""
    print({name: f"{ms:.1f} ms" for name, (_, ms) in answers.items()})
