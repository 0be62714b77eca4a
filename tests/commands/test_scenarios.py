"""voladdin scenarios and sample: files that a desk opens, bad rows by name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook

import voladdin as va
from voladdin.cli.program import main
from voladdin.commands.scenarios import INDEX, LONG, bar, scenarios, sheet_name
from voladdin.errors import InputError
from voladdin.feature_map import NAMES
from voladdin.worksheet.registry import evaluate
from voladdin.worksheet.target_axes import sheet_axes

SPEC = """name,level,skew,curv,term,scenario
Base,0.2,-0.1,0.3,0.02,
Crash,45%,-0.4,0.8,-0.1,3
,0.2,-0.1,0.3,0.02,1
"""


def spec(folder: Path, text: str = SPEC) -> str:
    path = folder / "spec.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def cells_of(path: Path, sheet: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in load_workbook(path)[sheet].iter_rows()]


def test_one_sheet_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "book.xlsx"
    assert main(["scenarios", spec(tmp_path), "-o", str(out)]) == 0
    assert "3 scenarios" in capsys.readouterr().out
    book = load_workbook(out)
    assert book.sheetnames == [INDEX, "Base", "Crash", "scenario 3"]
    for name, target in (("Base", (0.2, -0.1, 0.3, 0.02)), ("Crash", (0.45, -0.4, 0.8, -0.1))):
        cells = cells_of(out, name)
        assert evaluate("VOLFEATURES", [cells])[0] == pytest.approx(target, abs=1e-10)
        assert evaluate("VOLCHECK", [cells]) == [[True]]
    assert book["Base"]["B2"].number_format == "0.00%"
    header, base, crash, third = cells_of(out, INDEX)
    assert header[:6] == ["name", "level", "skew", "curv", "term", "scenario"]
    assert base[:7] == ["Base", 0.2, -0.1, 0.3, 0.02, 0, True] and crash[6] is False
    assert third[5] == 1
    alone = va.generate(0.45, -0.4, 0.8, -0.1, scenario=3, tenors=["1M", "7M"], moneyness=[-0.25, 0, 0.25])
    assert alone.latent.any() and "scenario 3" in cells_of(out, "Crash")[0][0]


def test_one_long_table(tmp_path: Path) -> None:
    out = tmp_path / "long.csv"
    axes = ["--tenors", "1M,3M", "--moneyness=-0.1,0,0.1"]
    assert main(["scenarios", spec(tmp_path), "--long", "-o", str(out), *axes]) == 0
    header, *rows = csv.reader(out.read_text().splitlines())
    assert tuple(header) == ("name", *NAMES, *LONG) and len(rows) == 3 * 2 * 3
    assert rows[0][:8] == ["Base", "0.2", "-0.1", "0.3", "0.02", "0.0", "1M", "-0.1"]
    made = va.generate(0.2, -0.1, 0.3, 0.02, tenors=["1M", "3M"], moneyness=[-0.1, 0, 0.1])
    assert [float(row[8]) for row in rows[:6]] == made.vols[0].ravel().tolist()


def test_bad_rows_are_named_and_the_others_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPEC + "Points,20,0,0,0,\nbase,0.2,0,0,0,\nText,0.2,steep,0,0,\nHalf,0.2,0,0,0,0.5\n"
    text += "Short,,,,,2\nScenarios,0.2,0,0,0,\n"
    out = tmp_path / "book.xlsx"
    assert main(["scenarios", spec(tmp_path, text), "-o", str(out)]) == 1
    assert load_workbook(out).sheetnames == [INDEX, "Base", "Crash", "scenario 3"]
    said = capsys.readouterr().err
    for line in (
        "row 5 of the spec: level is 20; expected decimal such as 0.20",
        "row 6 of the spec: name 'base' is that of row 2",
        "row 7 of the spec: cell C7 of the spec is 'steep'; expected a number, the skew",
        "row 8 of the spec: scenario is 0.5",
        "row 9 of the spec has no feature; expected at least one number",
        "row 10 of the spec: name 'Scenarios' is that of the list of scenarios",
    ):
        assert line in said


def test_nothing_but_bad_rows_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "book.xlsx"
    assert main(["scenarios", spec(tmp_path, "level,skew,curv,term\n20,0,0,0\n"), "-o", str(out)]) == 1
    assert not out.exists() and "nothing is written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,scenario\na,0\n", "the spec has no column of a feature; expected any of level"),
        ("level,skew,curv,term,vega\n0.2,0,0,0,1\n", "cell E1 of the spec is 'vega', no column"),
        ("level,Level,skew,curv,term\n0.2,0.2,0,0,0\n", "cell B1 of the spec is 'Level', twice"),
    ],
)
def test_bad_headers(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    assert main(["scenarios", spec(tmp_path, text), "-o", str(tmp_path / "book.xlsx")]) == 2
    assert said in capsys.readouterr().err


def test_a_spec_in_a_workbook_in_any_order(tmp_path: Path) -> None:
    book = Workbook()
    for row in (
        ["Term", "CURV", None, "skew", "level", "name"],
        [0.02, 0.3, "x", -0.1, 0.2, 2024],
        [None] * 6,
    ):
        book.worksheets[0].append(row)
    book.save(tmp_path / "spec.xlsx")
    out = tmp_path / "book.xlsx"
    assert main(["scenarios", str(tmp_path / "spec.xlsx"), "-o", str(out)]) == 0
    assert load_workbook(out).sheetnames == [INDEX, "2024"]
    assert evaluate("VOLFEATURES", [cells_of(out, "2024")])[0] == pytest.approx(
        [0.2, -0.1, 0.3, 0.02], abs=1e-10
    )


def test_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", spec(tmp_path), "-o", str(tmp_path / "book.csv")]) == 2
    assert "expected an .xlsx file, or --long" in capsys.readouterr().err
    assert main(["scenarios", spec(tmp_path), "-o", str(tmp_path / "no" / "book.xlsx")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["scenarios", str(tmp_path / "none.csv"), "-o", str(tmp_path / "book.xlsx")]) == 2
    assert main(["scenarios", spec(tmp_path), "-o", str(tmp_path / "b.xlsx"), "--tenors", "15Y,20Y"]) == 1
    assert "tenors: 15Y is beyond" in capsys.readouterr().err


def test_open_features_are_drawn_or_their_mean(tmp_path: Path) -> None:
    out = tmp_path / "book.xlsx"
    text = "name,level,skew,scenario\nmean,0.35,,\none,0.35,,1\ntwo,0.35,?,2\nsame,0.35,-0.2,1\n"
    assert main(["scenarios", spec(tmp_path, text), "-o", str(out)]) == 0
    listed = cells_of(out, INDEX)
    assert [row[1] for row in listed[1:]] == [0.35] * 4 and listed[4][2] == -0.2
    assert len({row[2] for row in listed[1:]}) == 4
    for row in listed[1:]:
        cells = cells_of(out, row[0])
        assert evaluate("VOLFEATURES", [cells])[0] == pytest.approx(row[1:5], abs=1e-10)
        assert evaluate("VOLCHECK", [cells]) == [[True]]


def test_a_table_in_the_words_of_the_market(tmp_path: Path) -> None:
    out = tmp_path / "book.xlsx"
    text = "name,atm,rr,bf,tenor,scenario\nCalm,0.08,-0.003,0.002,1M,0\nStress,0.18,-0.03,,1Y,1\n"
    text += "Open,0.12,,,,4\n"
    assert main(["scenarios", spec(tmp_path, text), "-o", str(out)]) == 0
    assert cells_of(out, INDEX)[0][:5] == ["name", "atm", "rr", "bf", "term"]
    for name, tenor, given in (("Calm", "1M", [0.08, -0.003, 0.002]), ("Stress", "1Y", [0.18, -0.03])):
        cells = cells_of(out, name)
        (row,) = evaluate("VOLFEATURES", [cells, "market", *[None] * 8, tenor])
        assert row[: len(given)] == pytest.approx(given, abs=1e-10)
        assert evaluate("VOLCHECK", [cells]) == [[True]]


def test_sheet_names() -> None:
    assert sheet_name("  a/b:c*[d]?\\ ") == "a_b_c__d___"
    assert sheet_name("x" * 40) == "x" * 31
    assert sheet_name("'quoted'") == "quoted" and sheet_name("''") == "_"


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    out = tmp_path / "book.xlsx"
    assert (
        main(["scenarios", spec(tmp_path, "name,level,skew,curv,term\n=1+1,0.2,0,0,0\n"), "-o", str(out)])
        == 0
    )
    assert load_workbook(out)[INDEX]["A2"].data_type == "s"


def test_the_bar_is_for_terminals_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(bar([1, 2, 3])) == [1, 2, 3]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(bar([1, 2, 3, 4])) == [1, 2, 3, 4] and list(bar([])) == []
    assert capsys.readouterr().err.endswith("] 4/4\n")


def test_an_empty_spec_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", spec(tmp_path, ""), "-o", str(tmp_path / "book.xlsx")]) == 2
    assert "the spec is empty; expected columns level, skew, curv and term" in capsys.readouterr().err


def test_rows_are_counted_from_the_sheet() -> None:
    made, bad = scenarios(
        [["level", "skew", "curv", "term"], [None] * 4, [0.2, 0, 0, 0], ["x", 0, 0, 0]],
        sheet_axes(None, None),
    )
    assert [one.row.number for one in made] == [3] and [one.number for one in bad] == [4]
    assert isinstance(bad[0].error, InputError)


# sample


def test_samples_as_a_table(tmp_path: Path) -> None:
    out = tmp_path / "samples.csv"
    arguments = ["sample", "--count", "4", "--seed", "2", "-o", str(out)]
    assert main([*arguments, "--tenors", "1M,6M", "--moneyness=-0.1,0,0.1"]) == 0
    header, *rows = csv.reader(out.read_text().splitlines())
    assert header[:9] == ["level", "skew", "curv", "term", "z1", "z2", "z3", "z4", "z5"]
    assert header[9:] == [f"{t}|m={m}" for t in ("1M", "6M") for m in ("-0.1", "0", "0.1")]
    made = va.sample(4, 2, tenors=["1M", "6M"], moneyness=[-0.1, 0, 0.1])
    numbers = np.array(rows, dtype=float)
    assert np.array_equal(numbers[:, :4], made.features) and np.array_equal(numbers[:, 4:9], made.latent)
    assert np.array_equal(numbers[:, 9:], made.vols.reshape(4, -1))
    first = out.read_bytes()
    main([*arguments, "--tenors", "1M,6M", "--moneyness=-0.1,0,0.1"])
    assert out.read_bytes() == first


def test_samples_as_arrays_on_the_trained_grid(tmp_path: Path) -> None:
    out = tmp_path / "samples.npz"
    assert main(["sample", "--count", "3", "--seed", "1", "--trained", "-o", str(out)]) == 0
    with np.load(out) as stored:
        assert np.array_equal(stored["vols"], va.sample(3, 1).vols)
        assert stored["features"].shape == (3, 4) and stored["latent"].shape == (3, 5)


def test_samples_as_a_workbook(tmp_path: Path) -> None:
    out = tmp_path / "samples.xlsx"
    assert main(["sample", "--count", "2", "-o", str(out)]) == 0
    sheet = load_workbook(out).worksheets[0]
    assert (sheet.max_row, sheet.max_column) == (3, 9 + 7 * 11)


def test_bad_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["--count", "0", "-o", str(tmp_path / "s.csv")], "count is 0"),
        (["--seed", "-1", "-o", str(tmp_path / "s.csv")], "seed is -1"),
        (["-o", str(tmp_path / "s.txt")], "expected a .csv or .xlsx"),
        (["--model", "fx", "-o", str(tmp_path / "s.csv")], "fx"),
        (["-o", str(tmp_path / "no" / "s.npz")], "cannot be written"),
    ):
        assert main(["sample", *arguments]) == 2
        assert said in capsys.readouterr().err
