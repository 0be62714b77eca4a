"""Whole workbooks through the runner: nested calls, names, tables, and formulas between VOL functions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

from voladdin.worksheet import registry
from voladdin.xlsx.runner import Report, run

HEADER = ["Tenor", "10P", "25P", "ATM", "25C", "10C"]
QUOTES: list[list[Any]] = [
    HEADER,
    ["1W", None, 7.85, 7.6, None, None],
    ["1M", 8.5, 7.9, 7.55, 7.6, None],
    ["3M", 8.9, None, 7.6, None, 8.05],
    ["1Y", 9.75, None, 7.92, None, 8.42],
]
SMILES: list[list[Any]] = [["1M", 7.5, -0.3, 0.2], ["3M", 7.7, -0.4, 0.22], ["1Y", 8.1, -0.6, 0.3]]


def vol(name: str, *arguments: Any) -> list[list[Any]]:
    return registry.evaluate(name, arguments)


def filled() -> list[list[Any]]:
    return vol("VOLIMPUTE", QUOTES)


def one(value: Any) -> list[list[Any]]:
    return [[value]]


def quoted() -> list[list[Any]]:
    atm, rr, bf = ([[row[n]] for row in SMILES] for n in (1, 2, 3))
    return vol("VOLQUOTES", atm, rr, bf, None, None, [[row[0]] for row in SMILES], "EURUSD")


def interpolated(*where: Any) -> float:
    return float(vol("VOLINTERP", QUOTES, *where)[0][0])


FORMS: dict[str, Callable[[], list[list[Any]]]] = {
    '=IFERROR(VOLIMPUTE(Q!B3:G7),"-")': filled,
    '=IFERROR(VOLIMPUTE(Q!B4:G4),"-")': lambda: one("-"),
    "=INDEX(VOLIMPUTE(Q!B3:G7),3,4)": lambda: one(filled()[2][3]),
    '=VOLINTERP(Q!B3:G7,"4M","25P")*100': lambda: one(100 * interpolated("4M", "25P")),
    "=TRANSPOSE(VOLIMPUTE(Q!B3:G7))": lambda: [list(row) for row in zip(*filled(), strict=True)],
    '=SUM(VOLIMPUTE(Q!B3:G7,"std"))': lambda: one(
        sum(c for row in vol("VOLIMPUTE", QUOTES, "std")[1:] for c in row if isinstance(c, float))
    ),
    '=VOLIMPUTE(VOLQUOTES(S!B1:B3,S!C1:C3,S!D1:D3,,,S!A1:A3,"EURUSD"))': lambda: vol("VOLIMPUTE", quoted()),
    "=VOLIMPUTE(Surf)": filled,
    "=volimpute(SURF)": filled,
    '=VOLIMPUTE(Moving,"std")': lambda: vol("VOLIMPUTE", QUOTES, "std"),
    "=VOLIMPUTE(Tab[#All])": filled,
    "=VOLIMPUTE(Tab)": filled,
    "=VOLIMPUTE(Tab[[#All],[Tenor]:[10C]])": filled,
    "=VOLIMPUTE(Tab[[#Headers],[#Data]])": filled,
    "=VOLIMPUTE(Tab[[10P]:[10C]],,,Tab[Tenor],Tab[[#Headers],[10P]:[10C]])": lambda: vol(
        "VOLIMPUTE",
        [row[1:] for row in QUOTES[1:]],
        None,
        None,
        [[row[0]] for row in QUOTES[1:]],
        [HEADER[1:]],
    ),
    "=VOLIMPUTE(Whole!A:F)": filled,
    "=VOLIMPUTE(Whole!$1:$5)": filled,
    "=VOLIMPUTE(Whole!A1:XFD1048576)": filled,
    "=VOLIMPUTE(Whole!A1:XFC1048575)": filled,
    "=VOLIMPUTE(Q!B3:Q!G7)": filled,
    "=VOLIMPUTE(Q!B3:D5:G7)": filled,
    "=VOLIMPUTE(Q!B3:INDEX(Q!B3:G7,5,6))": filled,
    "=VOLIMPUTE(OFFSET(Q!B3,0,0,5,6))": filled,
    "=VOLIMPUTE(OFFSET(Q!A1,ROWS(Q!A1:A2),S!F1,5,6))": filled,
    '=VOLIMPUTE(INDIRECT("Q!B"&3&":G7"))': filled,
    '=IF(VOLCHECK(VOLIMPUTE(Q!B3:G7)),"ok","ARB")': lambda: one("ok"),
    '=ROUND(VOLINTERP(Surf,0.37,"ATM"),2)': lambda: one(round(interpolated(0.37, "ATM"), 2)),
    '=VOLINTERP(Surf,"2"&"M","25P")': lambda: one(interpolated("2M", "25P")),
    '=VOLINTERP(Surf,"3M","ATM")-VOLINTERP(Surf,"1M","ATM")': lambda: one(7.6 - 7.55),
    '=-VOLINTERP(Surf,"1M","ATM")%': lambda: one(-0.0755),
    "=INDEX(VOLFEATURES(Q!B3:G7),1)": lambda: one(vol("VOLFEATURES", QUOTES)[0][0]),
    '=VLOOKUP("3M",VOLIMPUTE(Q!B3:G7),4,FALSE)': lambda: one(7.6),
    '=IF(Q!E4="","",VOLINTERP(Q!B3:G7,"1W",0.25))': lambda: one(interpolated("1W", 0.25)),
    '=LET(s,Surf,t,"1Y",INDEX(VOLIMPUTE(s),5,4)-VOLINTERP(s,t,"ATM"))': lambda: one(0.0),
    '=_xlfn.LET(_xlpm.s,Surf,VOLINTERP(_xlpm.s,"1Y","ATM"))': lambda: one(7.92),
    '=LET(surf,Surf,f,LAMBDA(x,x*100),f(VOLINTERP(surf,"1M","ATM")))': lambda: one(755.0),
    '=MAX(VOLCHECK(Q!B3:G7,"map"))': lambda: one(
        max(c for row in vol("VOLCHECK", QUOTES, "map") for c in row if isinstance(c, float))
    ),
    "=IFERROR(ROUND(VOLIMPUTE(Q!B3:G7),3),VOLIMPUTE(Q!B3:G7))": lambda: [
        [round(c, 3) if isinstance(c, float) else c for c in row] for row in filled()
    ],
    "=SUM(ISNUMBER(VOLIMPUTE(Q!B3:G7))*1)": lambda: one(20.0),
    '=IF(ISTEXT(Q!B3:G7),LEFT(Q!B3:G7,2)&"x","")': lambda: [
        [f"{c[:2]}x" if isinstance(c, str) else "" for c in row] for row in QUOTES
    ],
    "=SUM(ROUND(S!B1:B3,0)+ROUND(S!C1,0))": lambda: one(24.0),
    "=MATCH(S!A1:A3,Q!B3:B7,0)": lambda: [[3.0], [4.0], [5.0]],
    "=VLOOKUP(S!A1:A2,Q!B3:G7,4,FALSE)": lambda: [[7.55], [7.6]],
    "=SUM(ROW(Q!B3:C7)*COLUMN(Q!B3:C7))": lambda: one(25.0 * 5),
    "=SMALL(S!B1:B3,ROW(J1:J3))": lambda: [[7.5], [7.7], [8.1]],
    "=MMULT(S!C1:D3,TRANSPOSE(S!C1:D3))": lambda: [
        [float(np.dot(row[2:], column[2:])) for column in SMILES] for row in SMILES
    ],
    "=MMULT(MINVERSE(S!C1:D2),S!C1:D2)": lambda: [[1.0, 0.0], [0.0, 1.0]],
    "=MDETERM(S!A1:B2)": lambda: one("#VALUE!"),
    "=_xlfn.IFNA(VOLIMPUTE(Q!B3:G7),0)*1": lambda: [
        [c if isinstance(c, float) else "#VALUE!" for c in row] for row in filled()
    ],
}


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Any]:
    """Every form as an array formula over 8 x 8 cells, 10 rows apart."""
    folder = tmp_path_factory.mktemp("nested")
    made = Workbook()
    names = ("Q", "S", "Whole", "Tables")
    sheets = {name: made.create_sheet(name) for name in names}
    for row, line in enumerate(QUOTES):
        for column, value in enumerate(line):
            sheets["Q"].cell(3 + row, 2 + column, value)
            sheets["Whole"].cell(1 + row, 1 + column, value)
            sheets["Tables"].cell(5 + row, 3 + column, value)
    for line in SMILES:
        sheets["S"].append(line)
    sheets["S"]["F1"] = "=1*1"
    sheets["Tables"].add_table(Table(displayName="Tab", ref="C5:H9"))
    made.defined_names["Surf"] = DefinedName("Surf", attr_text="Q!$B$3:$G$7")
    moving = "OFFSET(Q!$B$3,0,0,COUNTA(Q!$B:$B),6)"
    made.defined_names["Moving"] = DefinedName("Moving", attr_text=moving)
    for n, formula in enumerate(FORMS):
        place = f"A{1 + 10 * n}:H{8 + 10 * n}"
        made.worksheets[0][place.split(":")[0]] = ArrayFormula(place, formula)
    made.save(folder / "book.xlsx")
    report = run(folder / "book.xlsx", folder / "filled.xlsx")
    return report, load_workbook(folder / "filled.xlsx", data_only=True).worksheets[0]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_value_of_its_parts(form: str, nested: tuple[Report, Any]) -> None:
    top = 1 + 10 * list(FORMS).index(form)
    expected = FORMS[form]()
    for i, row in enumerate(expected):
        for j, value in enumerate(row):
            found = nested[1].cell(top + i, 1 + j).value
            wanted = None if value == "" else value
            assert found == (
                pytest.approx(wanted, rel=1e-12, abs=1e-12) if isinstance(wanted, float) else wanted
            )
    statuses = {o.formula: o.status for o in nested[0].outcomes}
    assert statuses.get(form) == ("ok" if "VOL" in form.upper() else None)


def book(cells: dict[str, Any]) -> Workbook:
    made = Workbook()
    made.worksheets[0].title = "Desk"
    for place, value in cells.items():
        made.worksheets[0][place] = value
    return made


def ran(made: Workbook, folder: Path) -> tuple[Report, Any]:
    """The report, and the values of the first sheet."""
    made.save(folder / "book.xlsx")
    report = run(folder / "book.xlsx", folder / "filled.xlsx")
    return report, load_workbook(folder / "filled.xlsx", data_only=True).worksheets[0]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """VOLIMPUTE and VOLINTERP give one more than the largest number they are given; the calls in order."""
    calls: list[str] = []

    def evaluate(name: str, arguments: Any, *_: Any) -> list[list[Any]]:
        calls.append(name)
        flat = [c for a in arguments for row in (a if isinstance(a, list) else [[a]]) for c in row]
        most = 1 + max((c for c in flat if isinstance(c, float)), default=0.0)
        return [[most]] if name == "VOLINTERP" else [[most, "x"], ["y", most]]

    monkeypatch.setattr(registry, "evaluate", evaluate)
    return calls


@pytest.mark.parametrize("order", ["newest on top", "newest below", "shuffled"])
@pytest.mark.parametrize("array", [True, False])
def test_a_long_chain_of_days_is_evaluated_once_each(
    order: str, array: bool, counted: list[str], tmp_path: Path
) -> None:
    days = 1500
    at = list(range(days))
    if order == "newest on top":
        at.reverse()
    if order == "shuffled":
        np.random.default_rng(1).shuffle(at)
    made = Workbook()
    for day in range(days):
        row = 1 + 3 * at[day]
        prior = f"D{1 + 3 * at[day - 1]}:E{2 + 3 * at[day - 1]}" if day else "A1"
        formula = f"=VOLIMPUTE({prior})"
        made.worksheets[0][f"D{row}"] = ArrayFormula(f"D{row}:E{row + 1}", formula) if array else formula
        made.worksheets[0][f"G{row}"] = f"=E{row + 1}*2"
    report, sheet = ran(made, tmp_path)
    assert not report.failed
    assert counted == ["VOLIMPUTE"] * days
    assert [sheet[f"E{2 + 3 * at[day]}"].value for day in (0, 1, days - 1)] == [1, 2, days]
    assert sheet[f"G{1 + 3 * at[-1]}"].value == 2 * days


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_order_of_any_sheet_gives_what_its_formulas_say(data: st.DataObject) -> None:
    """Random sums over cells at random places, some through a VOL function, against the sums themselves."""
    count = data.draw(st.integers(2, 25))
    places = data.draw(st.permutations([(row, column) for row in range(1, 9) for column in range(1, 5)]))
    names = [f"{'ABCD'[column - 1]}{row}" for row, column in places[:count]]
    truth: list[float] = []
    made = Workbook()
    sheet = made.worksheets[0]
    ours = set()
    for n, name in enumerate(names):
        used = data.draw(st.lists(st.integers(0, n - 1), max_size=3)) if n else []
        terms = [truth[u] for u in used]
        inner = "+".join(["1", *(names[u] for u in used)])
        if data.draw(st.booleans()) or n == 0:
            sheet[name] = f"=VOLINTERP({inner})"
            truth.append(1 + sum(terms) + 1)
            ours.add(name)
        else:
            sheet[name] = f"={inner}"
            truth.append(1 + sum(terms))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "evaluate", lambda name, arguments, *_: [[arguments[0] + 1]])
        with tempfile.TemporaryDirectory() as folder:
            report, found = ran(made, Path(folder))
    assert {o.cell.split("!")[1] for o in report.outcomes} == ours
    assert [found[name].value for name in names] == truth


def test_formulas_between_two_vol_functions_are_fresh(tmp_path: Path) -> None:
    made = book({f"{'ABCDEF'[j]}{1 + i}": v for i, row in enumerate(QUOTES) for j, v in enumerate(row)})
    sheet = made.worksheets[0]
    sheet["A1"] = None
    sheet["H1"] = "=VOLIMPUTE(A1:F5)"
    for i in range(5):
        for j in range(6):
            sheet.cell(1 + i, 17 + j, f"={'HIJKLM'[j]}{1 + i}")
    sheet["O1"] = "=VOLCHECK(Q1:V5)"
    sheet["O2"] = '=IF(O1,"clean","arbitrage")'
    report, found = ran(made, tmp_path)
    assert not report.failed
    assert (found["O1"].value, found["O2"].value) == (True, "clean")
    assert found["V5"].value == found["M5"].value == 8.42
    assert (found["Q1"].value, report.recalculated, report.others) == (None, 31, 0)


def test_what_was_read_before_a_result_covered_it_is_read_again(counted: list[str], tmp_path: Path) -> None:
    report, found = ran(
        book({"A1": "=B9*10", "A2": "=VOLINTERP(A1)", "A8": "=VOLIMPUTE(A20)", "A20": 5}), tmp_path
    )
    assert not report.failed
    assert [found[place].value for place in ("A8", "B9", "A1", "A2")] == [6, 6, 60, 61]


@pytest.mark.parametrize(
    ("cells", "circle"),
    [
        ({"A1": "=VOLINTERP(A1)"}, ["Desk!A1 → Desk!A1"]),
        ({"A1": "=VOLINTERP(B1)", "B1": "=VOLINTERP(C1)", "C1": "=VOLINTERP(A1)"}, ["Desk!B1 → Desk!C1"]),
        ({"A1": "=VOLINTERP(B1)", "B1": "=C1+1", "C1": "=SUM(A1:A3)"}, ["Desk!B1 → Desk!C1"]),
        ({"A1": "=VOLIMPUTE(A1:B2)"}, ["Desk!A1 → Desk!A1"]),
        ({"B2": "=VOLIMPUTE(C3)"}, ["Desk!B2 → Desk!B2"]),  # only once it is known what it covers
        ({"A1": '=VOLINTERP(INDIRECT("B"&1))', "B1": "=A1"}, ["Desk!A1 → Desk!B1"]),
        ({"A1": "=VOLINTERP(OFFSET(B1,1,-1))", "A2": "=A1"}, ["Desk!A1 → Desk!A2"]),
    ],
)
def test_circles_are_named_and_the_rest_is_evaluated(
    cells: dict[str, str], circle: list[str], counted: list[str], tmp_path: Path
) -> None:
    report, found = ran(book({**cells, "H9": "=VOLINTERP(7)"}), tmp_path)
    assert report.failed
    said = " ".join(outcome.message for outcome in report.outcomes)
    assert all(part in said for part in circle), said
    assert "needs its own result" in said
    assert found["H9"].value == 8
    assert {found[place].value for place in cells} <= {"#VALUE!", None}


def test_a_long_circle_is_named_in_short(counted: list[str], tmp_path: Path) -> None:
    cells = {f"A{n}": f"=VOLINTERP(A{n % 3000 + 1})" for n in range(1, 3001)}
    report, _ = ran(book(cells), tmp_path)
    assert all(outcome.status == "#VALUE!" for outcome in report.outcomes)
    assert max(len(outcome.message) for outcome in report.outcomes) < 200


def test_what_reads_what_the_engine_does_not_know_is_left_and_named(tmp_path: Path) -> None:
    made = book(
        {
            "A1": "=MYADDIN(1)",
            "A2": "=A1+1",
            "A3": '=VOLINTERP(A1:B2,"1M","ATM")',
            "A4": "=1+1",
            "A5": '=VOLINFO("version")',
            "A6": '=IFERROR(A2,"?")',
        }
    )
    report, found = ran(made, tmp_path)
    said = {outcome.cell: (outcome.status, outcome.message) for outcome in report.outcomes}
    assert said["Desk!A1"][0] == "skipped" and "MYADDIN" in said["Desk!A1"][1]
    for cell in ("Desk!A2", "Desk!A3", "Desk!A6"):
        assert said[cell][0] == "skipped"
        assert "which could not be evaluated" in said[cell][1]
    assert found["A4"].value == 2
    assert said["Desk!A5"][0] == "ok"
    assert [found[f"A{n}"].value for n in (1, 2, 3, 6)] == [None] * 4


def test_an_array_formula_that_calls_no_vol_function_fills_its_range(tmp_path: Path) -> None:
    made = book(
        {
            "A1": 1,
            "A2": 2,
            "C1": ArrayFormula("C1:D3", "=A1:A2*10"),
            "F1": '=VOLINFO("version")',
            "G9": "=A1:A2*1",
        }
    )
    report, found = ran(made, tmp_path)
    assert [[cell.value for cell in row] for row in found["C1:D3"]] == [[10, 10], [20, 20], ["#N/A", "#N/A"]]
    assert [(o.cell, o.status) for o in report.outcomes if o.status != "ok"] == [("Desk!G9", "skipped")]
    assert "2 x 1 values in one cell" in report.outcomes[-1].message


def test_volinfo_knows_of_the_errors_below_it(tmp_path: Path) -> None:
    made = book({"B2": '=VOLINFO("error")', "H2": '=VOLINFO("why",B20)', "B20": "=VOLCHECK(A30:C30)"})
    for n, cell in enumerate(["1W", 7.5, 7.6]):
        made.worksheets[0].cell(30, 1 + n, cell)
    _, sheet = ran(made, tmp_path)
    for place in ("B2:C4", "H2:I4"):
        told = [[cell.value for cell in row] for row in sheet[place]]
        assert [row[0] for row in told] == ["error", "function", "cell"]
        assert "the range has no vols" in told[0][1] and [row[1] for row in told[1:]] == [
            "VOLCHECK",
            "Desk!B20",
        ]
