"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import codecs
import csv
import importlib
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from voladdin.cli import addins, main
from voladdin.errors import InputError
from voladdin.hosts.doctor import program as doctor
from voladdin.worksheet import registry
from voladdin.xlsx.tables import format_grid, format_table, read_cells, write_cells

GRID = [["", "25P", "ATM"], ["1M", 9.1, None], ["1Y", None, 9.5]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `evaluate` was asked for; its answer fills holes with 0.5."""
    calls: list[Any] = []

    def evaluate(name: str, arguments: list[Any], *_: Any) -> Any:
        calls.append((name, arguments))
        if name == "VOLINFO":
            return [["version", "1.2.3"]]
        return [[0.5 if cell in (None, "") and i and j else cell for j, cell in enumerate(row)]
                for i, row in enumerate(arguments[0])]  # fmt: skip

    monkeypatch.setattr(registry, "evaluate", evaluate)
    return calls


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.csv"
    path.write_text(",25P,ATM\n1M,9.1,\n1Y,,9.5\n")
    return path


def test_run_prints_a_summary_and_writes_the_book(
    seen: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Workbook()
    for row in GRID:
        book.worksheets[0].append(row)
    book.worksheets[0]["F1"] = "=VOLIMPUTE(A1:C3)"
    book.worksheets[0]["F9"] = "=VOLIMPUTE(MYADDIN(A1:C3))"
    book.worksheets[0]["G9"] = "=1+1"
    book.save(tmp_path / "book.xlsx")
    assert main(["run", str(tmp_path / "book.xlsx")]) == 1  # F9
    said = capsys.readouterr().out
    assert "Sheet!F1  ok" in said
    assert "Sheet!F9  skipped" in said
    assert "1 other formulas evaluated" in said
    assert load_workbook(tmp_path / "book-filled.xlsx", data_only=True).worksheets[0]["H2"].value == 0.5


def test_run_says_when_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Workbook().save(tmp_path / "book.xlsx")
    assert main(["run", str(tmp_path / "book.xlsx"), "-o", str(tmp_path / "out.xlsx")]) == 0
    assert "no VOL… formula found" in capsys.readouterr().out


def test_impute_prints_a_grid(seen: list[Any], grid: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["impute", str(grid)]) == 0
    assert capsys.readouterr().out.splitlines() == ["     25P   ATM", "1M  9.10  0.50", "1Y  0.50  9.50"]
    [(name, arguments)] = seen
    assert name == "VOLIMPUTE"
    assert arguments == [[[None, "25P", "ATM"], *GRID[1:]], "fill", None, None, None, "fx", None, None, 1.0]


def test_impute_prints_what_the_units_are_whatever_way_they_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (
        "EURUSD;Fwd;25P;ATM\n1M;1,085;9,1;8,7\n",
        ",Fwd,25P,ATM\n1M,1.085,0.091,0.087\n",
        "EURUSD vols,,,\n,Fwd,25P,ATM\n1M,1.085,9.1%,8.7%\n",
    ):
        (tmp_path / "grid.csv").write_text(text)
        assert main(["impute", str(tmp_path / "grid.csv")]) == 0
        assert capsys.readouterr().out.split()[-4:] == ["1M", "1.085", "9.10", "8.70"]


def test_impute_passes_its_options(seen: list[Any], grid: Path) -> None:
    options = ["--std", "--prior", str(grid), "--prior-age", "3", "--model", "mydesk", "--units", "percent"]
    assert main(["impute", str(grid), *options]) == 0
    [(_, arguments)] = seen
    assert arguments[1] == "std"
    assert arguments[2] == arguments[0]
    assert arguments[5:] == ["mydesk", "percent", None, 3.0]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_impute_writes_what_it_can_read(seen: list[Any], grid: Path, suffix: str) -> None:
    output = grid.with_name("filled" + suffix)
    assert main(["impute", str(grid), "-o", str(output)]) == 0
    assert read_cells(str(output)) == [[None, "25P", "ATM"], ["1M", 9.1, 0.5], ["1Y", 0.5, 9.5]]


def test_impute_reads_a_range_of_a_workbook(seen: list[Any], tmp_path: Path) -> None:
    book = Workbook()
    desk = book.create_sheet("My desk")
    for i, row in enumerate(GRID, start=3):
        for j, cell in enumerate(row, start=2):
            desk.cell(i, j, cell or None)
    book.save(tmp_path / "book.xlsx")
    assert main(["impute", str(tmp_path / "book.xlsx"), "--range", "'My desk'!B3:D5"]) == 0
    assert seen[0][1][0] == [[None, "25P", "ATM"], *GRID[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (";25P;ATM\n1M;0,091;1,085\n", [[None, "25P", "ATM"], ["1M", 0.091, 1.085]]),
        ("\t25P\n1M\t9.1%\n\n", [[None, "25P"], ["1M", "9.1%"]]),
        ("\ufeff,25P\r\n1M,9.1,extra\r\n", [[None, "25P", None], ["1M", 9.1, "extra"]]),
        (",25P\n\n1M,9.1\n\n \n", [[None, "25P"], [None, None], ["1M", 9.1]]),
        (
            "desk, mid, indicative\n;25P\n1M;9,1",
            [["desk, mid, indicative", None], [None, "25P"], ["1M", 9.1]],
        ),
        ("", []),
    ],
)
def test_csv_as_desks_write_it(text: str, expected: Any, tmp_path: Path) -> None:
    (tmp_path / "grid.csv").write_text(text, encoding="utf-8", newline="")
    assert read_cells(str(tmp_path / "grid.csv")) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le-sig", "cp1252", "utf-8-sig"])
def test_csv_in_the_encodings_of_excel(encoding: str, tmp_path: Path) -> None:
    text = "Échéance\t25P\n1M\t9,1\n"
    data = codecs.BOM_UTF16_LE + text.encode("utf-16-le") if "le" in encoding else text.encode(encoding)
    (tmp_path / "grid.csv").write_bytes(data)
    assert read_cells(str(tmp_path / "grid.csv")) == [["Échéance", "25P"], ["1M", "9,1"]]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["run", "absent.xlsx"], "absent.xlsx"),
        (["run", "book.ods"], "'book.ods'; expected one of .xlsx"),
        (["impute", "absent.csv"], "absent.csv cannot be read"),
        (["impute", "grid.txt"], "expected a .csv or .xlsx file"),
        (["info", "weather"], "topic is 'weather'; expected one of"),
    ],
)
def test_an_error_is_one_line_with_its_reference(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert message in said.err
    assert "(VA-" in said.err


@pytest.mark.parametrize("data", [b"\xff\xfe\0", b"a\0b\n"])
def test_a_csv_that_is_no_text(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grid.csv").write_bytes(data)
    assert main(["impute", str(tmp_path / "grid.csv")]) == 2
    assert capsys.readouterr().err.startswith("voladdin: ")


def test_info(seen: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    assert capsys.readouterr().out == "version  1.2.3\n"


@pytest.mark.parametrize(
    ("argv", "module", "rest"),
    [
        (["serve", "--port", "0"], "server.run", ["--port", "0"]),
        (
            ["train", "history.csv", "--name", "desk"],
            "export.imputation.train",
            ["history.csv", "--name", "desk"],
        ),
        (["bench", "impute", "--quick"], "export.bench.imputation.impute", ["--quick"]),
    ],
)
def test_commands_that_live_elsewhere(
    argv: list[str], module: str, rest: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(main=lambda argv: given.append(argv)))
    assert main(argv) == 0
    assert given == [rest]


def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("voladdin.cli.program.importlib.import_module", absent)
    assert main(["train", "history.csv"]) == 2
    said = capsys.readouterr().err
    assert "train needs the module torch; expected pip install -e '.[train]' in the clone" in said


@pytest.mark.parametrize("host", addins.HOSTS)
@pytest.mark.parametrize("action", ["install", "uninstall"])
def test_hosts_are_installed_by_name(host: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"voladdin.hosts.{host}")
    done: list[str] = []
    monkeypatch.setattr(module, action, lambda **options: done.append(action))
    monkeypatch.setattr(doctor, "summarise", lambda _: 0)
    assert main([action, host]) == 0
    assert done == [action]


def test_python_dash_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["voladdin", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("voladdin", run_name="__main__")
    assert caught.value.code == 0
    said = capsys.readouterr().out
    for command in ("run", "impute", "serve", "train", "bench", "install", "uninstall", "info"):
        assert command in said


def test_grids_are_shown_in_percent() -> None:
    decimals = [["", 0.75, "ATM"], ["1M", 0.0912, None], [0.5, "", 0.1]]
    assert format_grid(decimals, percent=True).splitlines() == [
        "     0.75    ATM",
        "1M   9.12      ·",
        "0.5     ·  10.00",
    ]
    assert format_table([["a", None], [1, True]]) == "a\n1  True"


def test_write_refuses_other_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a \.csv or \.xlsx file"):
        write_cells(str(tmp_path / "out.txt"), [[1.0]])
    with pytest.raises(InputError, match="cannot be written"):
        write_cells(str(tmp_path / "nowhere" / "out.csv"), [[1.0]])
    write_cells(str(tmp_path / "out.csv"), [["a", None, 0.1]])
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["a", "", "0.1"]]


def test_check_lists_the_trades_and_says_so_by_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean, crossed = tmp_path / "clean.csv", tmp_path / "crossed.csv"
    clean.write_text(",25P,ATM\n1M,9.1,9.0\n1Y,9.2,9.1\n")
    crossed.write_text(",25P,ATM\n1M,19.1,19.0\n1Y,4.2,4.1\n")
    assert main(["check", str(clean)]) == 0
    assert "no static arbitrage" in capsys.readouterr().out
    assert main(["check", str(crossed)]) == 1
    assert "calendar" in capsys.readouterr().out
    assert main(["check", str(crossed), "-o", str(tmp_path / "report.csv")]) == 1
    assert read_cells(str(tmp_path / "report.csv"))[0][:2] == ["kind", "cells"]
