"""Columns of points in VOLINTERP; improbable, moved and disputed quotes, and the coverage, in VOLIMPUTE."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from voladdin.cells import Cells, parse
from voladdin.errors import InputError, LabelError
from voladdin.imputation.filling import impute
from voladdin.imputation.suspects import suspects
from voladdin.worksheet import registry
from voladdin.worksheet.registry import evaluate

GRID: Cells = [
    ["", "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 9.1, 8.4, 8.0, 8.2, 8.9],
    ["1M", 9.3, 8.5, 8.1, 8.3, 9.0],
    ["3M", 9.6, 8.8, 8.4, 8.5, 9.3],
    ["1Y", 10.2, 9.3, None, 9.0, 9.9],
]
COVERAGE = 13  # of VOLIMPUTE's arguments, from 0


def wrong(label: str = "1M", column: int = 4, vol: float = 10.3) -> Cells:
    return [[vol if row[0] == label and j == column else cell for j, cell in enumerate(row)] for row in GRID]


def column(*cells: Any) -> Cells:
    return [[cell] for cell in cells]


def warned() -> str:
    return " ".join(str(row[1]) for row in evaluate("VOLINFO", ["error"]) if row[0] == "warning")


def test_columns_are_the_points_asked_one_by_one() -> None:
    tenors, strikes = ["1M", "2M", 0.37, "3M"], ["25P", "ATM", "10C", 0.3]
    alone = [evaluate("VOLINTERP", [GRID, t, k])[0] for t, k in zip(tenors, strikes, strict=True)]
    np.testing.assert_allclose(evaluate("VOLINTERP", [GRID, column(*tenors), column(*strikes)]), alone)
    rows = evaluate("VOLINTERP", [GRID, [tenors], [strikes]])
    np.testing.assert_allclose(rows, np.transpose(alone))


def test_one_tenor_of_many_strikes_and_a_table_of_both() -> None:
    assert evaluate("VOLINTERP", [GRID, "1M", column("25P", "ATM")]) == [[8.5], [8.1]]
    table = evaluate("VOLINTERP", [GRID, column("1W", "1M", "3M"), [["25P", "ATM", "25C"]]])
    assert table == [row[2:5] for row in GRID[1:4]]


def test_dates_strikes_and_forwards_in_one_call() -> None:
    strikes = [["K", 1.04, 1.08, 1.12], ["1M", 9.3, 8.1, 8.9], ["1Y", 9.9, 9.0, 9.6]]
    start = dt.datetime(2026, 3, 2)
    asked = [strikes, column(start + dt.timedelta(days=365)), column(1.08)]
    market = [None, None, None, None, column(1.08, 1.09), start]
    (vol,) = evaluate("VOLINTERP", [*asked, *market])[0]
    assert vol == pytest.approx(9.0, abs=1e-9)


def test_blank_lines_stay_blank_and_a_wrong_one_is_named() -> None:
    tenors, strikes = column("1M", None, "soon", "3M"), column("ATM", None, "ATM", "ATM")
    assert evaluate("VOLINTERP", [GRID, tenors, strikes]) == [[8.1], [""], [""], [8.4]]
    assert "point A3 of the result is left blank: " in warned() and "'soon'" in warned()


def test_nothing_that_can_be_read_is_an_error() -> None:
    with pytest.raises(LabelError, match="soon"):
        evaluate("VOLINTERP", [GRID, column("soon", "later"), "ATM"])


def test_columns_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="tenor has 2 x 1 cells and strike 3 x 1; expected one of each"):
        evaluate("VOLINTERP", [GRID, column("1M", "3M"), column("ATM", "25P", "25C")])


@pytest.mark.parametrize(("label", "at"), [("1M", 4), ("3M", 3), ("1W", 1)])
def test_a_wrong_quote_is_the_first_suspect_with_what_the_others_imply(label: str, at: int) -> None:
    quote = next(float(row[at]) for row in GRID if row[0] == label)  # type: ignore[arg-type]
    header, first, *_ = evaluate("VOLIMPUTE", [wrong(label, at, 1.3 * quote), "suspects"])
    assert header == ["quote", "vol", "the others imply", "std", "zscore"]
    assert first[0] == f"{label} {GRID[0][at]}" and first[1] == 1.3 * quote
    assert first[2] == pytest.approx(quote, rel=0.05) and first[4] > 3  # type: ignore[operator]


def test_what_a_wrong_quote_does_to_its_neighbours_is_not_held_against_them() -> None:
    rows = evaluate("VOLIMPUTE", [wrong(), "suspects"])
    assert [row[0] for row in rows[1:]] == ["1M 25C"]


def test_no_suspect_is_one_line() -> None:
    assert evaluate("VOLIMPUTE", [GRID, "suspects"]) == [["no suspect quote"]]


def test_filling_warns_of_a_suspect() -> None:
    evaluate("VOLIMPUTE", [wrong()])
    assert "1M 25C is 10.3, and the other quotes imply 8.2" in warned()
    evaluate("VOLIMPUTE", [GRID])
    assert "imply" not in warned()


def test_what_a_suspect_should_be_is_computed_once_and_for_who_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def counted(*given: Any, **named: Any) -> Any:
        asked.append(given)
        return suspects(*given, **named)

    monkeypatch.setattr("voladdin.worksheet.impute.suspects", counted)
    registry.clear_cache()
    for _ in range(2):
        evaluate("VOLIMPUTE", [wrong()])
        assert not asked
    for _ in range(2):
        assert "1M 25C is 10.3" in warned()
        assert len(asked) == 1


def test_suspects_are_those_of_the_left_out_quotes() -> None:
    surface = parse(wrong()).surface
    found = suspects(surface, impute(surface).zscore)
    others = surface.vols.copy()
    others[1, 3] = np.nan
    answer = impute(surface.replace(others), arbitrage_free=False)
    assert (found[0].row, found[0].column) == (1, 3)
    assert found[0].implied == answer.mean[1, 3] and found[0].std == answer.std[1, 3]
    assert suspects(surface, impute(surface).zscore, most=0) == []


def test_moved_and_disputed() -> None:
    crossed = [["", "25P", "ATM", "25C"], ["1M", 13.0, 12.0, None], ["2M", 5.5, 5.0, 5.4]]
    disputed = evaluate("VOLIMPUTE", [crossed, "disputed"])
    assert disputed[0] == crossed[0] and disputed[1][3] == ""
    assert sum(float(cell) for row in disputed[1:] for cell in row[1:] if cell != "") >= 1  # type: ignore[arg-type]
    assert "can be arbitraged against more plausible quotes" in warned()
    fill, mean = (evaluate("VOLIMPUTE", [crossed, output])[1][3] for output in ("fill", "mean"))
    moved = evaluate("VOLIMPUTE", [crossed, "moved"])
    assert moved[1][3] == pytest.approx(100 * (fill - mean))  # type: ignore[operator]
    assert moved[1][1] == ""


def test_coverage_is_that_of_the_band() -> None:
    def width(coverage: float | None) -> Any:
        rest = [None] * (COVERAGE - 2)
        low, high = (evaluate("VOLIMPUTE", [GRID, side, *rest, coverage])[4][3] for side in ("low", "high"))
        return high - low  # type: ignore[operator]

    assert width(None) == width(0.9) and width(0.5) < width(0.9) < width(0.99)
    with pytest.raises(InputError, match=r"coverage is 1\.5"):
        width(1.5)
