"""Suspects, Explain, Plot and From page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.commands.sheets import GRID, refused, run, user_cells
from tests.stubs import calc
from voladdin.cells import parse
from voladdin.commands import plotting
from voladdin.errors import InfeasibleError
from voladdin.hosts.documents import notation
from voladdin.imputation.filling import impute
from voladdin.imputation.influence import influences
from voladdin.journal import Caller, recorded
from voladdin.surface import Surface

FAT: list[list[Any]] = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 7.90, 7.45, 7.20, 7.30, 7.60],
    ["1M", 8.20, 7.60, 7.25, 7.30, 7.65],
    ["2M", 8.45, 7.75, 7.30, 7.35, 7.75],
    ["3M", 8.70, 7.90, 9.40, 7.40, 7.85],
    ["6M", 9.15, 8.20, 7.60, 7.55, 8.05],
]


def test_a_fat_finger_is_coloured_and_what_the_others_imply_is_beside() -> None:
    document = calc.opened({"S": {"A1": FAT}})
    before = user_cells(document)
    said = run(document, "suspects", "A1")
    assert said.startswith("1 suspect in S!A1:F6: D5 is 9.4, and the other quotes imply 7.38")
    assert document.get("S", (5, 4, 5, 4), "fill")[0][0] == notation.colour_number([255, 192, 0])
    assert str(document.get("S", (5, 4, 5, 4), "note")[0][0]).startswith("the others imply 7.38")
    report = calc.values(document, "A1:E2", "voladdin suspects")
    assert report[0] == ["quote", "vol", "the others imply", "one std", "z-score"]
    assert report[1][:2] == ["D5", 9.4] and report[1][2] == pytest.approx(7.4, abs=0.1)
    run(document, "clear")
    assert user_cells(document) == before


def test_no_suspect_takes_back_what_was_coloured() -> None:
    document = calc.opened({"S": {"A1": FAT}})
    before = user_cells(document)
    run(document, "suspects", "A1")
    document.set("S", (5, 4, 5, 4), "value", [[7.4]])
    assert run(document, "suspects", "A1").startswith("no suspect among the 25 quotes")
    after = user_cells(document)
    document.set("S", (5, 4, 5, 4), "value", [[9.4]])
    assert after.keys() == before.keys() and user_cells(document) == before


def test_explain_a_fill_a_quote_and_what_is_neither() -> None:
    document = calc.opened({"S": {"A1": GRID}})
    before = calc.state(document)
    fill = run(document, "explain", "C2")
    answer = impute(parse(GRID).surface)
    value, low, high = (f"{vols[0, 1]:.4g}" for vols in (answer.filled, answer.low, answer.high))
    assert fill.startswith(f"C2, 1W 25P: a fill, {value}, 90% band {low} to {high}; ")
    assert "weights of the quotes: " in fill and " 1W " in fill
    quote = run(document, "explain", "D3")
    assert quote.startswith("D3, 1M ATM: a quote, 0.082, ") and "standard deviations" in quote
    document.selection = [calc.area("B1")]
    refused(document, "explain", "B1 is no vol of S!A1:F4")
    assert calc.state(document) == before


def test_explain_what_fill_wrote_is_a_fill() -> None:
    document = calc.opened({"S": {"A1": GRID}})
    run(document, "fill", "A1")
    assert run(document, "explain", "C2").startswith("C2, 1W 25P: a fill")


def test_explain_an_error_and_a_formula() -> None:
    document = calc.opened({"S": {"A1": GRID}})
    document.set("S", (8, 1, 8, 1), "formula", [["=VOLREPAIR(A1:F4)"]])
    with pytest.raises(InfeasibleError), recorded("VOLREPAIR", Caller(document.name, "S!A8")):
        raise InfeasibleError("nothing repairs this")
    assert "an error of VOLREPAIR: nothing repairs this" in run(document, "explain", "A8")
    rows = [["=VOLIMPUTE(A1:F4)"] * 6] * 4
    document.set("S", (10, 1, 13, 6), "formula", rows)
    assert run(document, "explain", "C11").startswith("C11, the answer for S!C2, 1W 25P: a fill")


def test_a_gain_is_how_far_the_answer_follows_a_quote() -> None:
    surface = parse(GRID).surface
    first = influences(surface, 0, 1)[0]
    moved = surface.vols.copy()
    moved[first.row, first.column] *= np.exp(1e-4)
    answers = [impute(s, arbitrage_free=False).mean[0, 1] for s in (surface, surface.replace(moved))]
    assert np.log(answers[1] / answers[0]) == pytest.approx(1e-4 * first.gain, rel=0.05)
    assert abs(first.gain) == max(abs(i.gain) for i in influences(surface, 0, 1))


def test_a_level_move_of_all_quotes_is_the_sum_of_the_gains() -> None:
    surface = Surface([[0.2, np.nan, 0.19], [0.21, 0.2, 0.2]], ["1M", "3M"], deltas=[0.75, 0.5, 0.25])
    total = sum(i.gain for i in influences(surface, 0, 1, model="universal"))
    answers = [
        impute(surface.replace(surface.vols * f), model="universal", arbitrage_free=False).mean[0, 1]
        for f in (1.0, np.exp(1e-4))
    ]
    assert 1e4 * np.log(answers[1] / answers[0]) == pytest.approx(total, abs=0.02)


def test_plot_opens_a_page_of_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(plotting, "open_page", lambda body: asked.append(body) or "http://here")
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    document = calc.opened({"S": {"A1": GRID}})
    run(document, "fill", "A1")
    before = calc.state(document)
    assert run(document, "plot", "A1").startswith("open http://here in a browser")
    assert calc.state(document) == before
    assert asked[0]["cells"] == GRID and asked[0]["units"] == "decimal"
    assert asked[0]["source"] == {"book": document.name, "range": "S!A1:F4", "host": "libreoffice"}


def test_what_was_sent_goes_beside_the_grid_and_clear_takes_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [[None, "25P", "ATM"], ["1W", 0.11, 0.1]]
    found = {"what": "moved", "cells": cells, "source": {"range": "S!A1:F4"}}
    monkeypatch.setattr(plotting, "sent", lambda _: found)
    document = calc.opened({"S": {"A1": GRID}})
    before = user_cells(document)
    assert run(document, "receive", "A1") == "wrote the moved surface at S!H1"
    assert calc.values(document, "H1:J3") == [["Moved, from S!A1:F4", None, None], *cells]
    run(document, "clear")
    assert user_cells(document) == before
    monkeypatch.setattr(plotting, "sent", lambda _: None)
    refused(document, "receive", "has sent a surface")


def test_charts_are_live_on_the_cells_and_go_as_a_whole() -> None:
    document = calc.opened({"S": {"B3": GRID}})
    before = user_cells(document)
    assert run(document, "chart", "D4") == "4 charts of S!B3:G6 are on the sheet voladdin chart"
    steps = [edit for edit in document.plan() if edit["sheet"] == "voladdin chart"]
    drawn = [edit for edit in steps if edit["op"] == "chart"]
    assert [edit["title"] for edit in drawn] == ["At the money", "1W", "1M", "1Y"]
    assert [series["look"] for series in drawn[1]["series"]] == ["line", "band", "band", "dots"]
    assert drawn[1]["series"][3]["area"] == [3, 2, 3, 6] and drawn[1]["labels"] == [2, 2, 2, 6]
    arrays = {tuple(e["area"]): e["rows"][0][0] for e in steps if e["op"] == "array"}
    assert arrays[8, 1, 11, 6] == "=VOLIMPUTE('S'!B3:G6,,,,,,\"decimal\")"
    assert document.get("voladdin chart", (3, 2, 3, 2), "formula") == [["=IF(ISNUMBER('S'!C4),'S'!C4,NA())"]]
    run(document, "chart", "D4")
    assert [s.name for s in document.sheets if s.name.startswith("voladdin")] == ["voladdin chart 2"]
    run(document, "clear")
    assert user_cells(document) == before


def test_a_chart_sheet_with_something_added_stays() -> None:
    document = calc.opened({"S": {"B3": GRID}})
    run(document, "chart", "D4")
    document.set("voladdin chart", (60, 1, 60, 1), "value", [["mine"]])
    run(document, "clear")
    assert document.get("voladdin chart", (60, 1, 60, 1), "value") == [["mine"]]
