"""Normal vols in basis points and ATM matrices of swaptions, as desks write them in cells."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from voladdin.cells import Cells, parse
from voladdin.cli.program import main
from voladdin.errors import InputError, LabelError, UnitsError
from voladdin.imputation.atm_matrix import impute_matrix
from voladdin.worksheet.registry import evaluate
from voladdin.xlsx.tables import write_cells

ABSOLUTE: Cells = [
    ["bp vols", "Fwd", "-0.5%", "0%", "0.5%", "1%", "2%"],
    ["1Y", "-0.10%", 72.0, 66.0, 64.0, None, 80.0],
    ["2Y", "0.05%", 70.0, 65.0, 63.0, 65.0, None],
    ["5Y", "0.6%", None, 70.0, 66.0, 66.0, 72.0],
]
RELATIVE: Cells = [
    ["normal vol", "ATM-100", "ATM-50", "ATM", "ATM+50", "ATM+100"],
    ["1Y", 80.0, 76.0, 74.0, 75.0, 78.0],
    ["5Y", 82.0, 78.0, 76.0, 77.0, 80.0],
]
MATRIX: Cells = [
    ["ATM", "1Y", "2Y", "5Y", "10Y", "30Y"],
    ["1M", 60.0, 65.0, 70.0, 72.0, 70.0],
    ["1Y", 85.0, None, 84.0, 80.0, 74.0],
    ["5Y", 86.0, 84.0, "n/a", 76.0, 66.0],
    ["10Y", 78.0, 76.0, 73.0, None, 60.0],
]


def warnings() -> str:
    return str(evaluate("VOLINFO", ["error"]))


def changed(grid: Cells, *changes: tuple[int, int, Any]) -> Cells:
    cells = [list(row) for row in grid]
    for i, j, value in changes:
        cells[i][j] = value
    return cells


def test_absolute_strikes_of_either_sign() -> None:
    filled = evaluate("VOLIMPUTE", [ABSOLUTE])
    read = parse(filled).surface
    assert read.vol_type == "normal" and read.vols[0, 0] == pytest.approx(0.0072)
    assert read.strikes is not None and read.forwards is not None
    np.testing.assert_allclose(read.strikes[0], [-0.005, 0, 0.005, 0.01, 0.02])
    np.testing.assert_allclose(read.forwards, [-0.001, 0.0005, 0.006])
    assert 60 < filled[1][5] < 75 and 65 < filled[2][6] < 85 and filled[1][2] == 72.0
    assert evaluate("VOLCHECK", [filled]) == [[True]]
    assert 0 < evaluate("VOLIMPUTE", [ABSOLUTE, "std"])[1][5] < 10
    turned = [list(line) for line in zip(*ABSOLUTE, strict=True)]
    assert evaluate("VOLIMPUTE", [turned]) == [list(line) for line in zip(*filled, strict=True)]


def test_prior_bid_ask_and_draws_in_cells() -> None:
    prior = changed(evaluate("VOLIMPUTE", [ABSOLUTE]), (1, 5, 71.0))
    alone, after = (evaluate("VOLIMPUTE", [ABSOLUTE, "fill", given])[1][5] for given in (None, prior))
    assert abs(after - 71.0) < abs(alone - 71.0)
    bids, asks = changed(ABSOLUTE, (1, 2, 65.0)), changed(ABSOLUTE, (1, 2, 68.0))
    blank = changed(ABSOLUTE, (1, 2, None))
    middle = evaluate("VOLIMPUTE", [blank, *[None] * 13, bids, asks])
    assert middle[1][2] == pytest.approx(66.5) and middle[2][4] == 63.0
    one = evaluate("VOLIMPUTE", [ABSOLUTE, "draw"])
    assert one[1][2] == 72.0 and one[1][5] != alone and evaluate("VOLCHECK", [one]) == [[True]]


def test_check_and_repair() -> None:
    broken = changed(ABSOLUTE, (2, 4, 95.0))
    report = evaluate("VOLCHECK", [broken, "report"])
    assert report[1][:2] == ["butterfly", "2Y 0.0050000, 2Y 0.0000, 2Y 0.010000"]
    mended = evaluate("VOLREPAIR", [broken])
    assert evaluate("VOLCHECK", [mended]) == [[True]]
    assert mended[2][4] == pytest.approx(95.0 - report[1][3], abs=1e-3)
    assert evaluate("VOLREPAIR", [broken, "change"])[2][4] == pytest.approx(-report[1][3], abs=1e-3)


def test_points_by_strike_or_relative_to_the_forward() -> None:
    assert evaluate("VOLINTERP", [ABSOLUTE, "2Y", "0.5%"]) == [[63.0]]
    assert evaluate("VOLINTERP", [ABSOLUTE, "2Y", "K=0.005"]) == [[63.0]]
    assert evaluate("VOLINTERP", [ABSOLUTE, "2Y", "ATM+45"]) == [[pytest.approx(63.0)]]
    assert 60 < evaluate("VOLINTERP", [ABSOLUTE, "3Y", "ATM"])[0][0] < 70
    assert evaluate("VOLINTERP", [RELATIVE, "1Y", "ATM-50"]) == [[76.0]]
    assert evaluate("VOLINTERP", [RELATIVE, "1Y", 100]) == [[78.0]]
    with pytest.raises(InputError, match="strike is '3%', absolute, and the surface has no forwards"):
        evaluate("VOLINTERP", [RELATIVE, "1Y", "3%"])


@pytest.mark.parametrize(
    "heads",
    [
        ("ATM-100", "ATM-50", "ATM", "ATM+50", "ATM+100"),
        ("-100bp", "-50bp", "ATM", "+50bp", "+100bp"),
        (-100, -50, 0, 50, 100),
        ("F-100", "F - 50", "ATMF", "F+50", "F + 100 bp"),
        ("ATM-1%", "ATM-0.5%", "ATM", "ATM+0.5%", "ATM+1%"),
    ],
)
def test_strikes_relative_to_the_forward(heads: tuple[Any, ...]) -> None:
    grid = [["normal vol", *heads], *RELATIVE[1:]]
    surface = parse(grid).surface
    np.testing.assert_allclose(
        surface.distances, np.tile([-0.01, -0.005, 0, 0.005, 0.01], (2, 1)), atol=1e-15
    )
    assert evaluate("VOLIMPUTE", [changed(grid, (1, 3, None))])[1][3] == pytest.approx(73.5, abs=3)


def test_percent_points_and_rates_are_told_by_their_distance() -> None:
    points: Cells = [
        ["bp", "F", 2, 2.5, 3, 3.5, 4],
        ["1Y", 3.1, 90, 85, 82, 81, 84],
        ["5Y", 3.4, 92, 87, 84, 83, 84],
    ]
    rates = [
        [c / 100 if (i == 0 and j > 1) or (i and j == 1) else c for j, c in enumerate(r)]
        for i, r in enumerate(points)
    ]  # type: ignore[operator]
    one, other = parse(points).surface, parse(rates).surface
    np.testing.assert_allclose(one.distances, other.distances, rtol=1e-12)
    assert "strikes read as percent points" in str(parse(points).warnings)
    assert evaluate("VOLINTERP", [points, "1Y", 3]) == evaluate("VOLINTERP", [rates, "1Y", 0.03]) == [[82.0]]


def test_the_unit_is_an_argument_or_a_word() -> None:
    silent = changed(RELATIVE, (0, 0, ""))
    with pytest.raises(LabelError):
        evaluate("VOLCHECK", [silent])
    assert evaluate("VOLCHECK", [silent, None, None, None, "bp"]) == [[True]]
    written = [[f"{c:g} bp" if isinstance(c, float) else c for c in row] for row in RELATIVE]
    np.testing.assert_allclose(parse(written).surface.vols, parse(RELATIVE).surface.vols)
    deltas: Cells = [["bp", "25P", "ATM", "25C"], ["1Y", 80.0, 76.0, 78.0]]
    with pytest.raises(UnitsError, match="the vols are said to be basis points; expected lognormal"):
        evaluate("VOLCHECK", [deltas])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ((0, 1, "Comment"), LabelError, "cell B1 of the range is 'Comment'; expected a strike such as 0.03"),
        ((1, 1, "x"), InputError, "cell B2 of the range is 'x'; expected a forward such as 0.029 or 2.9%"),
        ((0, 3, "ATM"), LabelError, "'ATM', relative to the forward, among absolute strikes"),
        ((0, 4, "0%"), LabelError, "the same; expected strikes"),
        ((1, 2, True), InputError, "cell C2 of the range is TRUE"),
        ((1, 2, 1e9), UnitsError, "a normal vol of 1e[+]09 bp"),
    ],
)
def test_what_is_refused_by_name(change: tuple[int, int, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate("VOLCHECK", [changed(ABSOLUTE, change)])


def test_no_forwards_and_no_vols() -> None:
    without = [[c for j, c in enumerate(row) if j != 1] for row in ABSOLUTE]
    with pytest.raises(InputError, match=r"strikes need forwards; .* or strikes relative to the forward"):
        evaluate("VOLCHECK", [without])
    forwards = [["-0.10%"], ["0.05%"], ["0.6%"]]
    assert evaluate("VOLCHECK", [without, None, None, None, None, forwards]) == [[True]]
    small = [[c / 100 if isinstance(c, float) else c for c in row] for row in RELATIVE]
    with pytest.raises(
        UnitsError, match=r"vols of about 0\.775 are said to be basis points; expected about 85"
    ):
        evaluate("VOLCHECK", [small])


def test_an_atm_matrix_is_filled_and_says_that_it_has_no_strikes() -> None:
    filled = evaluate("VOLIMPUTE", [MATRIX])
    assert "no strikes, so nothing is said of arbitrage" in warnings()
    assert [row[:2] for row in filled] == [row[:2] for row in MATRIX]
    assert 84 < filled[2][2] < 87 and 76 < filled[3][3] < 84 and 60 < filled[4][4] < 73
    assert evaluate("VOLIMPUTE", [MATRIX, "std"])[1][1] == 0.0
    titled = [["EUR swaptions", *[None] * 5], *MATRIX]
    assert evaluate("VOLIMPUTE", [titled])[1:] == filled
    assert evaluate("VOLINTERP", [MATRIX, "5Y", "1Y"]) == [[86.0]]
    asked = evaluate("VOLINTERP", [MATRIX, [["2Y"], ["3Y"]], [["5Y", "7Y"]]])
    assert np.shape(asked) == (2, 2) and all(70 < v < 90 for row in asked for v in row)
    for name in ("VOLCHECK", "VOLREPAIR", "VOLFEATURES"):
        with pytest.raises(LabelError, match="Fill and VOLIMPUTE take an ATM matrix of swaptions"):
            evaluate(name, [MATRIX])
    with pytest.raises(InputError, match="output is 'moved'; expected one of fill, mean"):
        evaluate("VOLIMPUTE", [MATRIX, "moved"])
    with pytest.raises(InputError, match="an ATM matrix takes no prior"):
        evaluate("VOLIMPUTE", [MATRIX, None, MATRIX])


def test_a_matrix_of_a_smooth_truth() -> None:
    """Half of a humped surface hidden: the fills are closer than the nearest quote of the row."""
    expiries, tenors = (
        np.array([0.25, 0.5, 1, 2, 3, 5, 7, 10, 20]),
        np.array([1, 2, 3, 5, 7, 10, 15, 20, 30.0]),
    )
    e, t = expiries[:, None], tenors[None]
    truth = 90 * ((0.6 + 0.5 * e) * np.exp(-0.6 * e) + 0.55) * t ** (-0.08 * np.exp(-0.1 * e))
    rng = np.random.default_rng(0)
    hidden = rng.uniform(size=truth.shape) < 0.5
    found = impute_matrix(np.where(hidden, np.nan, truth), expiries, tenors)
    error = np.abs(found.mean / truth - 1)[hidden]
    assert np.median(error) < 0.01 and error.max() < 0.12
    with pytest.raises(LabelError, match=r"expiries are .*; expected years above 0, increasing"):
        impute_matrix(truth, expiries[::-1], tenors)


def test_files(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for name, grid in (("rates", RELATIVE), ("matrix", MATRIX)):
        path = tmp_path / f"{name}.csv"
        write_cells(str(path), [["" if c is None else c for c in row] for row in grid])
        assert main(["impute", str(path), "--units", "bp"] if name == "rates" else ["impute", str(path)]) == 0
        assert "76" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "rates.csv")]) == 0


@pytest.mark.parametrize("wrong", [860.0, 0.84, "8,4"])
def test_a_wrong_vol_of_a_matrix_is_named_with_what_the_others_imply(wrong: Any) -> None:
    evaluate("VOLIMPUTE", [changed(MATRIX, (3, 2, wrong))])
    assert re.search(r"cell C4 of the range is [\d.]+, and the other quotes imply 84", warnings())
    evaluate("VOLIMPUTE", [MATRIX])
    assert "imply" not in warnings()


def test_a_matrix_of_percent_and_plain_numbers_is_refused() -> None:
    with pytest.raises(UnitsError, match=r"cell B2 .* is 60.0 and cell C4 .* '0.84%' differ"):
        evaluate("VOLIMPUTE", [changed(MATRIX, (3, 2, "0.84%"))])


def test_a_prior_of_normal_vols_is_none_of_lognormal_ones() -> None:
    strikes = ["K=0.02", "K=0.03", "K=0.04"]
    lognormal: Cells = [["", *strikes], ["1Y", 0.3, 0.31, 0.32], ["2Y", 0.3, 0.31, None]]
    normal: Cells = [["normal, bp", *strikes], ["1Y", 80.0, 85.0, 90.0], ["2Y", 80.0, 85.0, 90.0]]
    forwards = [[0.03], [0.03]]
    with pytest.raises(UnitsError, match="prior: its vols are normal, and the surface's lognormal"):
        evaluate("VOLIMPUTE", [lognormal, "fill", normal, *[None] * 4, forwards])
    with pytest.raises(UnitsError, match="bid: its vols are normal, and the surface's lognormal"):
        evaluate("VOLCHECK", [lognormal, "ok", None, None, None, forwards, normal])
