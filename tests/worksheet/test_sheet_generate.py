"""VOLGENERATE, VOLSHIFT and VOLINFO("hull"): what the sheet gets, round trips, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import voladdin as va
from voladdin.bundles.generator import Generator, load
from voladdin.cells import parse
from voladdin.errors import BundleError, InfeasibleError, InputError, LabelError, UnitsError, VoladdinError
from voladdin.feature_map import NAMES
from voladdin.generation.axes import SHEET_MONEYNESS, SHEET_TENORS
from voladdin.worksheet import registry
from voladdin.worksheet.registry import evaluate
from voladdin.worksheet.target_axes import moneyness_label

CALM = [0.2, -0.1, 0.3, 0.02]
SMALL = [["1M", "3M", "6M"]], [[-0.2, -0.1, 0, 0.1, 0.2]]


def generated(*arguments: Any) -> list[list[Any]]:
    return evaluate("VOLGENERATE", list(arguments))


def features_of(cells: list[list[Any]]) -> list[float]:
    return evaluate("VOLFEATURES", [cells])[0]  # type: ignore[return-value]


def warnings() -> list[str]:
    return [str(row[1]) for row in evaluate("VOLINFO", ["error"]) if row[0] == "warning"]


@pytest.fixture(autouse=True)
def fresh() -> None:
    registry.clear_cache()


# VOLGENERATE


def test_a_surface_with_headers_that_the_other_functions_read() -> None:
    cells = generated(*CALM)
    assert cells[0] == ["", *(f"m={m:g}" for m in SHEET_MONEYNESS)]
    assert [row[0] for row in cells[1:]] == list(SHEET_TENORS)
    assert features_of(cells) == pytest.approx(CALM, abs=1e-10)
    assert evaluate("VOLCHECK", [cells]) == [[True]]
    made = va.generate(*CALM, tenors=SHEET_TENORS, moneyness=SHEET_MONEYNESS)
    assert [row[1:] for row in cells[1:]] == made.vols[0].tolist()
    assert warnings() == []


def test_its_axes_are_read_back_to_the_last_bit() -> None:
    moneyness = [-1 / 3.3, -0.1, 1e-7, 0.123456789012345]
    cells = generated(*CALM, None, [["2M"], [0.3], ["7M"]], [moneyness])
    read = parse(cells)
    assert read.surface.moneyness is not None and read.surface.moneyness.tolist() == moneyness
    assert read.surface.tenors.tolist() == pytest.approx([2 / 12, 0.3, 7 / 12])
    assert [row[0] for row in cells] == ["", "2M", 0.3, "7M"]
    assert features_of(cells) == pytest.approx(CALM, abs=1e-10)


@pytest.mark.parametrize("m", [0.0, -0.25, 1e-9, -1 / 3, 0.1 + 0.2])
def test_moneyness_labels_are_exact(m: float) -> None:
    label = moneyness_label(m)
    assert "e" not in label
    assert float(label.removeprefix("m=")) == m


def test_labels_of_the_users_own() -> None:
    cells = generated(*CALM, None, [["1M", "6M"]], [["m=-0.1", "K/F=1", 0.1]])
    assert cells[0] == ["", "m=-0.1", "m=0", "m=0.1"]
    assert features_of(cells) == pytest.approx(CALM, abs=1e-10)


def test_cells_may_be_text_and_percent() -> None:
    assert generated("20%", "-0.1", [[0.3]], 0.02) == generated(*CALM)


def test_scenarios_differ_and_blank_is_the_mean() -> None:
    first, second = generated(*CALM, 1), generated(*CALM, 2)
    assert first != second and generated(*CALM, 0) == generated(*CALM) == generated(*CALM, "")
    assert features_of(first) == pytest.approx(features_of(second), abs=1e-10)
    assert generated(*CALM, 1.0) == first


def test_columns_stack_surfaces() -> None:
    levels, scenarios = [[0.2], [None], [0.3], [0.4]], [[0], [None], [2], [None]]
    cells = generated(levels, -0.1, 0.3, 0.02, scenarios, *SMALL)
    assert len(cells) == 3 * 4 + 2
    corners = [cells[0][0], cells[5][0], cells[10][0]]
    assert corners == [
        "level 0.2, skew -0.1, curv 0.3, term 0.02",
        "level 0.3, skew -0.1, curv 0.3, term 0.02, scenario 2",
        "level 0.4, skew -0.1, curv 0.3, term 0.02",
    ]
    assert cells[4] == cells[9] == [""] * 6
    for start, level, scenario in ((0, 0.2, 0), (5, 0.3, 2), (10, 0.4, 0)):
        part = cells[start : start + 4]
        assert features_of(part) == pytest.approx([level, -0.1, 0.3, 0.02], abs=1e-10)
        alone = generated(level, -0.1, 0.3, 0.02, scenario, *SMALL)
        assert np.array([row[1:] for row in part[1:]]) == pytest.approx(
            np.array([row[1:] for row in alone[1:]]), abs=1e-7
        )


def test_rows_stack_too() -> None:
    assert generated([[0.2, 0.3]], -0.1, 0.3, 0.02, None, *SMALL) == generated(
        [[0.2], [0.3]], -0.1, 0.3, 0.02, None, *SMALL
    )


def test_a_warning_says_what_is_outside_the_hull() -> None:
    far = [0.45, -0.4, 0.8, -0.1]
    assert not load().inside(np.array([far]))[0]
    generated(*far)
    assert any("outside the features that the model was trained on" in text for text in warnings())
    generated([[0.2], [far[0]]], [[-0.1], [far[1]]], [[0.3], [far[2]]], [[0.02], [far[3]]])
    assert any(text.startswith("surfaces 2 outside") for text in warnings())


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ([20, 0, 0, 0], UnitsError, "level is 20; expected decimal such as 0.20"),
        ([0, 0, 0, 0], InputError, "level is 0; expected a vol above 0"),
        ([-0.1, 0, 0, 0], InputError, "level is -0.1"),
        ([[[0.2], [20]], 0, 0, 0], UnitsError, "level, cell A2, is 20"),
        (["high", 0, 0, 0], InputError, "level is 'high'; expected a vol"),
        ([0.2, True, 0, 0], InputError, "skew is TRUE"),
        ([0.2, "#N/A", 0, 0], InputError, "skew is '#N/A'"),
        ([0.2, [[0], ["x"]], 0, 0], InputError, "cell A2 of the skew is 'x'"),
        ([[[0.2], [0.3]], [[0], [0], [0]], 0, 0], InputError, "level has 2 cells; expected 1 or 3"),
        ([[[0.2, 0.3], [0.2, 0.3]], 0, 0, 0], InputError, "level is a range of 2 x 2 cells"),
        ([*CALM, -1], InputError, "scenario is -1"),
        ([*CALM, "first"], InputError, "scenario is 'first'"),
        ([*CALM, "#N/A"], InputError, "scenario is '#N/A'; expected a whole number"),
        ([[[0.2], ["#N/A"]], -0.1, 0.3, 0.02], InputError, "cell A2 of the level is '#N/A'"),
        ([*CALM, [[1], ["n/a"]]], InputError, "cell A2 of the scenario is 'n/a'"),
        ([[[None], [""]], 0, 0, 0], InputError, "the 2 rows of features are blank"),
        ([0.2, 1e7, 0, 0], InputError, "skew is 1e.07; expected numbers of at most"),
        ([*CALM, None, [["2026-01-01", "2026-05-01"]]], LabelError, "a date; expected a tenor such as 1M"),
        (
            [*CALM, None, None, [[-1.1, 0, 1.1]], "equity"],
            LabelError,
            r"expected -0.324 to 0.324 of ln\(K/F\)",
        ),
        ([*CALM, None, None, [[0.9, 1.0, 1.1]]], LabelError, r"may be ln\(K/F\), K/F or a delta"),
        ([*CALM, None, [["1W", "1M"]], None, "equity"], LabelError, "tenors: 1W is beyond"),
        ([*CALM, None, [["1M", "15Y"]]], LabelError, "tenors: 15Y is beyond what the model was trained on"),
        ([*CALM, None, [["1M", "soon"]]], LabelError, "cell B1 of the tenors is 'soon'"),
        ([*CALM, None, [["3M"]]], InputError, "cannot tell term"),
        ([*CALM, None, None, [[-0.5, 0, 0.1]], "equity"], LabelError, "moneyness: -0.5 is beyond"),
        ([*CALM, None, None, [["25P", "m=0.1"]]], LabelError, "cell B1 of the moneyness is 'm=0.1', beside"),
        ([*CALM, None, None, [["25P", "ATM"]]], InputError, "cannot tell curv"),
        ([*CALM, None, None, [["K=1", "K=1.1"]]], InputError, "forwards are missing"),
        (
            [*CALM, None, None, [["25P", "ATM", "25C"]], "equity"],
            InputError,
            "model 'equity' generates at ln",
        ),
        ([*CALM, None, None, [[0.1, 0, -0.1]]], LabelError, "out of order"),
        ([*CALM, None, None, None, "universal"], BundleError, "universal"),
        ([*CALM, None, None, None, "nope"], BundleError, "'nope' is not installed"),
    ],
)
def test_bad_input(arguments: list[Any], kind: type[VoladdinError], said: str) -> None:
    with pytest.raises(kind, match=said):
        evaluate("VOLGENERATE", arguments)


@pytest.mark.parametrize("target", [[0.2, -9, 0.3, 0.02], [0.2, 0, -50, 0], [0.2, 0, 0, -300]])
def test_what_no_surface_has_is_num(target: list[float]) -> None:
    with pytest.raises(InfeasibleError) as refused:
        generated(*target, None, *SMALL)
    assert refused.value.cell_error == "#NUM!"
    assert NAMES[int(np.argmax(np.abs(target)))] in str(refused.value)


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    st.floats(),
    st.integers(-3, 3),
    st.dates(),
    st.just("#N/A"),
)
ranges = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(junk, min_size=n, max_size=n), min_size=1, max_size=3)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.one_of(junk, ranges), min_size=4, max_size=8), st.sampled_from(["VOLGENERATE", "VOLSHIFT"])
)
def test_whatever_the_cells_hold_is_answered_or_named(arguments: list[Any], name: str) -> None:
    if name == "VOLSHIFT":
        arguments = [decimal(), *arguments]
    try:
        cells = evaluate(name, arguments)
    except VoladdinError as error:
        assert "defect" not in str(error)
    else:
        assert len({len(row) for row in cells}) == 1


def test_recalculating_costs_nothing() -> None:
    first = generated(*CALM)
    calls = []
    original = Generator.decode

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Generator, "decode", counted)
        assert generated(*CALM) == first and not calls
        generated(*CALM, 1)
    assert calls == [1]


# VOLSHIFT


def decimal() -> list[list[Any]]:
    return [
        ["", "25P", "ATM", "25C"],
        ["1M", 0.105, 0.1, 0.102],
        ["3M", 0.11, 0.104, ""],
        ["1Y", 0.12, 0.11, 0.111],
    ]


def percent() -> list[list[Any]]:
    return [[100 * cell if isinstance(cell, float) else cell for cell in row] for row in decimal()]


def test_a_shift_in_decimals() -> None:
    before, after = decimal(), evaluate("VOLSHIFT", [decimal(), 0.01, -0.02])
    assert after[0] == before[0] and [row[0] for row in after] == [row[0] for row in before]
    assert after[2][3] == ""
    moved = np.subtract(features_of(after), features_of(before))
    assert moved == pytest.approx([0.01, -0.02, 0, 0], abs=1e-10)
    assert evaluate("VOLCHECK", [after]) == [[True]]


def test_a_shift_of_percent_points_is_in_percent_points() -> None:
    after = evaluate("VOLSHIFT", [percent(), 1, -2])
    moved = np.subtract(features_of(after), features_of(percent()))
    assert moved == pytest.approx([1, -2, 0, 0], abs=1e-8)
    same = evaluate("VOLSHIFT", [decimal(), 0.01, -0.02])
    assert np.array(after[1][1:]) == pytest.approx(100 * np.array(same[1][1:]), abs=1e-9)


def test_no_shift_gives_the_very_quotes() -> None:
    assert evaluate("VOLSHIFT", [decimal()]) == decimal()
    assert evaluate("VOLSHIFT", [percent(), 0, None, "", 0])[1] == percent()[1]


def test_too_large_a_change_is_named_as_it_was_written() -> None:
    with pytest.raises(InputError, match="dlevel is 100 percent points; expected a number such as 1"):
        evaluate("VOLSHIFT", [percent(), 100])
    with pytest.raises(InputError, match="dlevel is 1, 100 vol points"):
        evaluate("VOLSHIFT", [decimal(), 1])


def test_what_the_generator_made_can_be_shifted() -> None:
    cells = evaluate("VOLSHIFT", [generated(*CALM), 0.05, -0.05, 0.1, 0.01])
    assert features_of(cells) == pytest.approx([0.25, -0.15, 0.4, 0.03], abs=1e-10)


def test_transposed_grids_and_strikes() -> None:
    turned = [list(row) for row in zip(*decimal(), strict=True)]
    after = evaluate("VOLSHIFT", [turned, 0.01])
    assert [list(row) for row in zip(*after, strict=True)] == evaluate("VOLSHIFT", [decimal(), 0.01])
    strikes = [["", "K=90", "K=100", "K=110"], ["1M", 0.21, 0.2, 0.195], ["6M", 0.21, 0.2, 0.196]]
    moved = evaluate("VOLSHIFT", [strikes, 0, 0, 0, 0.01, None, None, None, [[100]]])
    found = [evaluate("VOLFEATURES", [c, None, None, None, None, [[100]]])[0] for c in (strikes, moved)]
    assert np.subtract(*found[::-1]) == pytest.approx([0, 0, 0, 0.01], abs=1e-10)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ([decimal(), 1], UnitsError, "dlevel is 1, 100 vol points"),
        ([decimal(), "up"], InputError, "dlevel is 'up'"),
        ([decimal(), 0, 0, 0, True], InputError, "dterm is True"),
        ([decimal()[:2], 0, 0, 0, 0.01], InputError, "cannot tell the term"),
        ([decimal(), -0.5], InfeasibleError, "leaves it above 0"),
        ([[["", "25P", "ATM"], ["1M", "", ""]], 0.01], InputError, "no vol"),
    ],
)
def test_bad_shifts(arguments: list[Any], kind: type[VoladdinError], said: str) -> None:
    with pytest.raises(kind, match=said):
        evaluate("VOLSHIFT", arguments)


# VOLINFO


def test_the_hull_shows_the_trained_ranges() -> None:
    header, *rows = evaluate("VOLINFO", ["hull"])
    assert header == ["trained on", "least", "largest"]
    assert [row[0] for row in rows] == [*NAMES, "tenors, years", "moneyness, ln(K/F)"]
    ends = np.array([row[1:] for row in rows], dtype=float)
    assert (ends[:, 0] < ends[:, 1]).all()
    assert ends[4:] == pytest.approx(np.array([[0.1, 0.6], [-0.27, 0.27]]))
    vertices = load().arrays["hull_vertices"]
    assert ends[:4, 0] == pytest.approx(vertices.min(axis=0))
