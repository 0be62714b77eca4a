"""VOLFEATURES: the same numbers as va.features, in the unit of the grid, with #N/A where it cannot tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import voladdin as va
from voladdin.errors import InputError
from voladdin.feature_map import NAMES
from voladdin.worksheet.registry import evaluate

TENORS = ["1M", "3M", "6M", "1Y"]
MONEYNESS = [-0.2, -0.1, 0.0, 0.1, 0.2]


def grid(unit: float = 1.0) -> list[list[Any]]:
    surface = example()
    rows = [[label, *(unit * vols).tolist()] for label, vols in zip(TENORS, surface.vols, strict=True)]
    return [["", *(f"m={m:g}" for m in MONEYNESS)], *rows]


def example() -> va.Surface:
    m, tau = np.array(MONEYNESS), np.array([[1 / 12], [0.25], [0.5], [1.0]])
    return va.Surface(0.2 - 0.1 * m + 0.3 * m**2 + 0.02 * tau, TENORS, moneyness=m)


def test_one_row_of_the_four() -> None:
    (row,) = evaluate("VOLFEATURES", [grid()])
    assert row == va.features(example()).values.tolist()
    assert row == pytest.approx([0.2, -0.1, 0.6, 0.02], abs=1e-12)


def test_percent_points_give_percent_points() -> None:
    (row,) = evaluate("VOLFEATURES", [grid(100.0)])
    assert row == pytest.approx([20, -10, 60, 2], abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_one_feature_alone(name: str) -> None:
    (row,) = evaluate("VOLFEATURES", [grid()])
    assert evaluate("VOLFEATURES", [grid(), name]) == [[row[NAMES.index(name)]]]


def test_weights_of_the_quotes_sum_up_to_the_features() -> None:
    cells = grid()
    cells[2][3] = None
    header, *rows = evaluate("VOLFEATURES", [cells, "weights"])
    assert header == ["cell", *NAMES] and len(rows) == 19 and "D3" not in [row[0] for row in rows]
    vols = {"BCDEF"[j] + str(i + 2): v for i, line in enumerate(cells[1:]) for j, v in enumerate(line[1:])}
    found = sum(np.array(row[1:], dtype=float) * vols[row[0]] for row in rows)
    assert found == pytest.approx(np.array(evaluate("VOLFEATURES", [cells])[0]), abs=1e-12)


def test_the_report_says_how_well_they_are_known() -> None:
    rows = evaluate("VOLFEATURES", [grid(), "report"])
    found = va.features(example())
    assert [row[0] for row in rows[1:5]] == list(NAMES)
    assert [row[2] for row in rows[1:5]] == np.linalg.norm(found.weights, axis=(1, 2)).tolist()
    assert rows[5][1] == found.condition


def test_what_a_grid_cannot_identify_is_not_available() -> None:
    one_tenor = [row for row in grid() if row[0] in ("", "3M")]
    (row,) = evaluate("VOLFEATURES", [one_tenor])
    assert row[3] == "#N/A" and all(isinstance(value, float) for value in row[:3])
    one_strike = [[row[0], row[3]] for row in grid()]
    (row,) = evaluate("VOLFEATURES", [one_strike])
    assert row[1:3] == ["#N/A", "#N/A"] and row[0] == pytest.approx(0.2)
    assert evaluate("VOLFEATURES", [one_strike, "skew"]) == [["#N/A"]]
    assert evaluate("VOLFEATURES", [one_strike, "report"])[2][1:] == ["#N/A", "#N/A"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([[["", "m=0"], ["1M", "n/a"]]], "no vol"),
        ([grid(), "smile"], "output is 'smile'"),
        ([grid(), True], "output is True"),
    ],
)
def test_bad_input(arguments: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate("VOLFEATURES", arguments)
