"""The worksheet functions, with a plain model in place of the trained one."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin.errors import BundleError, InfeasibleError, InputError, LabelError, UnitsError, VoladdinError
from voladdin.imputation.recent import Question
from voladdin.worksheet import registry
from voladdin.worksheet.registry import FUNCTIONS, evaluate

GRID = [["", "25P", "ATM", "25C"], ["1M", 0.09, 0.08, None], ["1Y", None, 0.09, 0.095]]
PRIOR = [["", "25P", "ATM", "25C"], ["1M", 0.1, 0.2, 0.3], ["1Y", 0.4, 0.5, 0.6]]


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Holes get the prior, or 0.5; counts its calls, and has a digest that tests may change."""
    plain = SimpleNamespace(calls=[], digest="one", fallback="")

    def answer(question: Question) -> SimpleNamespace:
        surface, options = question.surface, question.arguments
        plain.calls.append(options)
        prior = options["prior"]
        base = np.full(surface.shape, 0.5) if prior is None else prior.vols
        filled = np.where(surface.observed, surface.vols, base)
        std = np.where(surface.observed, 0.0, 0.01)
        zscore = np.where(surface.observed, 1.5, np.nan)
        return SimpleNamespace(
            filled=filled,
            mean=filled,
            std=std,
            low=filled - std,
            high=filled + std,
            zscore=zscore,
            disputed=np.zeros(surface.shape, dtype=np.bool_),
            model="fx" + plain.fallback,
        )

    def interpolate(_: Any, tenors: list[float], values: list[float], *, kind: str, model: str) -> Any:
        for tenor, value in zip(tenors, values, strict=True):
            plain.calls.append({"tenor": tenor, "value": value, "kind": kind, "model": model})
        return np.full(len(tenors), 0.0825)

    def load(name: str, kind: object = None) -> SimpleNamespace:
        if name != "fx":
            raise BundleError(f"model {name!r} is not installed; expected fx")
        return SimpleNamespace(digest=plain.digest)

    monkeypatch.setattr("voladdin.worksheet.impute.answer", answer)
    monkeypatch.setattr("voladdin.worksheet.interpolate.interpolate_many", interpolate)
    monkeypatch.setattr(registry, "bundles", SimpleNamespace(load=load))
    registry.clear_cache()
    return plain


def test_fill_keeps_quotes_and_headers() -> None:
    assert evaluate("VOLIMPUTE", [GRID]) == [
        ["", "25P", "ATM", "25C"],
        ["1M", 0.09, 0.08, 0.5],
        ["1Y", 0.5, 0.09, 0.095],
    ]


@pytest.mark.parametrize(
    ("output", "observed", "missing"),
    [
        ("fill", 0.08, 0.5),
        ("mean", 0.08, 0.5),
        ("std", 0.0, 0.01),
        ("low", 0.08, 0.49),
        ("high", 0.08, 0.51),
        ("zscore", 1.5, ""),
        ("STD", 0.0, 0.01),
        (" Std ", 0.0, 0.01),
        ("", 0.08, 0.5),
        (0.0, 0.08, 0.5),  # how Calc passes a blank cell
        ([["std"]], 0.0, 0.01),
    ],
)
def test_outputs(output: Any, observed: float, missing: Any) -> None:
    cells = evaluate("volimpute", [GRID, output])
    assert (cells[1][2], cells[1][3]) == (observed, missing)


def test_percent_points_come_back_as_percent_points() -> None:
    percent = [["", "25P", "ATM", "25C"], ["1M", 9.0, 8.0, None], ["1Y", None, 9.0, 9.5]]
    assert evaluate("VOLIMPUTE", [percent])[1] == ["1M", 9.0, 8.0, 50.0]
    assert evaluate("VOLIMPUTE", [percent, "std"])[1] == ["1M", 0.0, 0.0, 1.0]
    assert evaluate("VOLIMPUTE", [percent, "zscore"])[1] == ["1M", 1.5, 1.5, ""]
    assert evaluate("VOLINTERP", [percent, "4M", "25P"]) == [[8.25]]


@pytest.mark.parametrize("omitted", [None, "", " ", [[None]], [[""]], 0.0, [[0.0]]])
def test_a_blank_prior_is_none(omitted: Any, model: SimpleNamespace) -> None:
    evaluate("VOLIMPUTE", [GRID, None, omitted])
    assert model.calls[0]["prior"] is None


def test_prior_and_its_age_reach_the_model(model: SimpleNamespace) -> None:
    cells = evaluate("VOLIMPUTE", [GRID, None, PRIOR, None, None, None, None, None, 3.0])
    assert (cells[1][3], cells[2][1]) == (0.3, 0.4)
    assert model.calls[0]["prior_age"] == 3.0
    evaluate("VOLIMPUTE", [GRID, None, PRIOR])
    assert model.calls[1]["prior_age"] == 1.0


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([["", "25P", "ATM"], ["1M", 0.1, 0.2], ["1Y", 0.4, 0.5]], "0.25"),
        (
            [["", "25P", "ATM", "25C"], ["1M", 0.1, 0.2, 0.3], ["2Y", 0.4, 0.5, 0.6]],
            "tenors 1M, 2Y lack the surface's 1Y",
        ),
        (
            [["", "25P", "ATM", "25C"], ["1M", None, "-", ""], ["1Y", *[None] * 3]],
            "cells B2 to D3 of the range",
        ),
        ([["", "m=-0.1", "m=0", "m=0.1"], ["1M", 0.1, 0.2, 0.3], ["1Y", 0.4, 0.5, 0.6]], "deltas"),
        ([["", "25P", "25P", "25C"], ["1M", 0.1, 0.2, 0.3], ["1Y", 0.4, 0.5, 0.6]], "prior"),
        ("yesterday", "prior"),
    ],
)
def test_a_prior_with_other_labels_is_refused(prior: Any, message: str) -> None:
    with pytest.raises(InputError, match="prior: ") as caught:
        evaluate("VOLIMPUTE", [GRID, None, prior])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "prior",
    [
        [["", "25C", "ATM", "25P"], ["1M", 0.3, 0.2, 0.1], ["1Y", 0.6, 0.5, 0.4]],
        [["", "1W", "1M", "1Y"], ["25P", 1, 0.1, 0.4], ["ATM", 1, 0.2, 0.5], ["25C", 1, 0.3, 0.6]],
        [
            ["", "25P", 0.5, "40C", "25C"],
            ["30D", *[1] * 4],
            ["1M", 0.1, 0.2, 1, 0.3],
            ["12M", 0.4, 0.5, 1, 0.6],
        ],
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_prior_in_another_order_or_with_more_labels(
    prior: Any, named: bool, model: SimpleNamespace
) -> None:
    bare = [[row[1:] for row in GRID[1:]], None, prior, [["1M"], ["1Y"]], [["25P", "ATM", "25C"]]]
    evaluate("VOLIMPUTE", bare if named else [GRID, None, prior])
    np.testing.assert_array_equal(model.calls[0]["prior"].vols, [row[1:] for row in PRIOR[1:]])


def test_a_prior_with_headers_of_its_own_is_not_renamed_by_the_arguments() -> None:
    prior = [["", "10P", "ATM", "10C"], *PRIOR[1:]]
    with pytest.raises(InputError, match=r"prior: its deltas 0.9, 0.5, 0.1 lack the surface's 0.75, 0.25"):
        evaluate("VOLIMPUTE", [[row[1:] for row in GRID[1:]], None, prior, [["1M"], ["1Y"]], [GRID[0][1:]]])


def test_a_prior_of_yesterday_has_the_same_expiries(model: SimpleNamespace) -> None:
    def dated(valuation: str, rows: list[Any]) -> list[Any]:
        expiries = zip(["2026-02-16", "2027-01-15"], rows, strict=True)
        return [[valuation, *GRID[0][1:]], *([expiry, *row[1:]] for expiry, row in expiries)]

    today, yesterday = dated("2026-01-15", GRID[1:]), dated("2026-01-14", PRIOR[1:])
    evaluate("VOLIMPUTE", [today, None, yesterday])
    np.testing.assert_array_equal(model.calls[0]["prior"].vols, [row[1:] for row in PRIOR[1:]])
    np.testing.assert_allclose(model.calls[0]["prior"].tenors, [32 / 365, 1.0])


def test_a_surface_without_any_quote_is_named() -> None:
    empty = [GRID[0], ["1M", None, "n/a", "#N/A"], ["1Y", None, "", None]]
    for name, more in (("VOLIMPUTE", []), ("VOLINTERP", ["4M", "ATM"])):
        with pytest.raises(InputError, match="surface: cells B2 to D3 of the range hold no vol"):
            evaluate(name, [empty, *more])
    assert evaluate("VOLIMPUTE", [empty, None, PRIOR])[1][1:] == PRIOR[1][1:]


def test_a_fallback_is_a_warning(model: SimpleNamespace) -> None:
    model.fallback = " (Gaussian fallback: the quotes are improbable under the model)"
    evaluate("VOLIMPUTE", [GRID])
    assert ["warning", f"surface: model fx{model.fallback}"] in evaluate("VOLINFO", ["error"])


def test_interpolation_at_a_date(model: SimpleNamespace) -> None:
    dated = [["2026-01-15", *GRID[0][1:]], *GRID[1:]]
    for date in ("2026-05-15", 46157, 46157.0):
        evaluate("VOLINTERP", [dated, date, "ATM"])
        assert model.calls[-1]["tenor"] == pytest.approx(120 / 365)
    with pytest.raises(LabelError, match="tenor is 46157, a date; expected the valuation date in the corner"):
        evaluate("VOLINTERP", [GRID, 46157, "ATM"])


def test_interpolation_at_a_strike_needs_forwards() -> None:
    with pytest.raises(
        InputError, match=r"strike is 'K=1.085', and the surface has no forwards; expected the"
    ):
        evaluate("VOLINTERP", [GRID, "4M", "K=1.085"])


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "VOLIMPUTE",
            [GRID, "sigma"],
            "output is 'sigma'; expected one of fill, mean, std, low, high, zscore, moved, disputed",
        ),
        ("VOLIMPUTE", [GRID, True], "output is True"),
        ("VOLIMPUTE", [GRID, [["a", "b"]]], "output is a range of 1 x 2 cells"),
        ("VOLIMPUTE", [], "surface is missing"),
        ("VOLIMPUTE", [None], "surface is missing"),
        ("VOLIMPUTE", [GRID, *[None] * 17], "18 arguments"),
        ("VOLIMPUTE", [GRID, None, PRIOR, None, None, None, None, None, "old"], "prior_age is 'old'"),
        ("VOLIMPUTE", [GRID, None, PRIOR, None, None, None, None, None, float("nan")], "prior_age is nan"),
        ("VOLINTERP", [GRID, "4M"], "strike is missing"),
        ("VOLINTERP", [GRID, "4 fortnights", "25P"], "4 fortnights"),
        ("VOLINTERP", [GRID, "4M", "wing"], "strike is 'wing'"),
        ("VOLINFO", ["weather"], "topic is 'weather'; expected one of version"),
        ("VOLSURF", [], "function 'VOLSURF' is unknown"),
    ],
)
def test_messages_name_argument_value_and_expectation(name: str, arguments: list[Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        evaluate(name, arguments)
    assert message in str(caught.value)
    assert caught.value.cell_error == "#VALUE!"


def test_an_absent_model_is_not_available() -> None:
    with pytest.raises(BundleError) as caught:
        evaluate("VOLIMPUTE", [GRID, None, None, None, None, "equity"])
    assert caught.value.cell_error == "#N/A"


@pytest.mark.parametrize(
    ("grid", "strike", "expected"),
    [
        (GRID, "25P", ("delta", 0.75)),
        (GRID, 0.25, ("delta", 0.25)),
        (GRID, "ATM", ("delta", 0.5)),
        (GRID, "m=-0.1", ("moneyness", -0.1)),
        (
            [["", "Fwd", "25P", "ATM"], ["1M", 1.1, 0.1, 0.2], ["1Y", 1.1, 0.1, None]],
            "K=1.085",
            ("strike", 1.085),
        ),
        ([["", "m=-0.1", "m=0.1"], ["1M", 0.1, 0.2], ["1Y", 0.1, None]], 0.05, ("moneyness", 0.05)),
        (
            [["", "Fwd", "K=1.0", "K=1.2"], ["1M", 1.1, 0.1, 0.2], ["1Y", 1.1, 0.1, None]],
            1.1,
            ("strike", 1.1),
        ),
    ],
)
def test_interpolation_reads_the_strike(
    grid: Any, strike: Any, expected: Any, model: SimpleNamespace
) -> None:
    assert evaluate("VOLINTERP", [grid, "4M", strike]) == [[0.0825]]
    assert (model.calls[0]["kind"], model.calls[0]["value"]) == expected
    assert model.calls[0]["tenor"] == pytest.approx(4 / 12)


def test_cache_is_keyed_by_exact_arguments_and_digest(model: SimpleNamespace) -> None:
    first = evaluate("VOLIMPUTE", [GRID])
    first[1][1] = "overwritten by the caller"
    assert evaluate("VOLIMPUTE", [GRID])[1][1] == 0.09
    assert len(model.calls) == 1
    nudged = [list(row) for row in GRID]
    nudged[1][1] = np.nextafter(0.09, 1)
    evaluate("VOLIMPUTE", [nudged])
    assert len(model.calls) == 2
    model.digest = "two"
    evaluate("VOLIMPUTE", [GRID])
    assert len(model.calls) == 3


def test_cache_tells_true_from_one() -> None:
    with_one = [["Years", "ATM", "25C"], [1.0, 0.1, None], [2.0, 0.2, 0.2]]
    evaluate("VOLIMPUTE", [with_one])
    with_true = [list(row) for row in with_one]
    with_true[1][0] = True
    with pytest.raises(VoladdinError):
        evaluate("VOLIMPUTE", [with_true])


def test_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, model: SimpleNamespace) -> None:
    monkeypatch.setattr("voladdin.worksheet.signature.MAX_CACHED_CELLS", 24)  # two results of 12 cells
    for output in ("std", "low", "high", "std"):
        evaluate("VOLIMPUTE", [GRID, output])
    assert len(model.calls) == 4
    evaluate("VOLIMPUTE", [GRID, "high"])
    assert len(model.calls) == 4


def test_threads_share_the_cache() -> None:
    found: list[Any] = []
    workers = [
        threading.Thread(target=lambda: found.append(evaluate("VOLIMPUTE", [GRID, "std"]))) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 8
    assert all(cells == found[0] for cells in found)


def test_info_repeats_the_last_error_and_the_warnings() -> None:
    with pytest.raises(InputError) as caught:
        evaluate("VOLIMPUTE", [GRID, "sigma"])
    negative = [["", "25P", "ATM", "25C"], ["1M", -0.09, 0.08, None], ["1Y", None, 0.09, 0.095]]
    for _ in range(2):  # also from the cache
        evaluate("VOLIMPUTE", [GRID])
        evaluate("VOLIMPUTE", [negative])
    rows = evaluate("VOLINFO", ["error"])
    said = {row[0]: row[1] for row in rows}
    assert said["error"] == str(caught.value)
    assert said["reference"] == caught.value.reference
    assert said["function"] == "VOLIMPUTE"
    assert "-0.09" in str(said["warning"])


def test_info_lists_every_function() -> None:
    rows = evaluate("VOLINFO", ["Functions"])
    assert [str(row[0]).split("(")[0] for row in rows[1:]] == list(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]
    assert name == function.name == name.upper()
    assert function.example.startswith(f"={name}(")
    assert len(function.help) < 250  # what Excel's function wizard shows
    optional = [argument.optional for argument in function.arguments]
    assert optional == sorted(optional)
    assert all(0 < len(argument.help) < 250 for argument in function.arguments)
    assert len({argument.name for argument in function.arguments}) == len(function.arguments)


def test_a_defect_becomes_a_cell_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voladdin.worksheet.impute.answer", lambda *_, **__: 1 / 0)
    with pytest.raises(VoladdinError, match=r"VOLIMPUTE failed: ZeroDivisionError.*please report"):
        evaluate("VOLIMPUTE", [GRID])


def test_a_defect_prints_no_traceback() -> None:
    code = (
        "import voladdin\nfrom voladdin.worksheet import registry\n"
        "registry.bind = lambda *_: 1 / 0\n"
        "try: registry.evaluate('VOLINFO', [])\n"
        "except voladdin.VoladdinError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("VOLINFO failed: ZeroDivisionError")
    assert done.stderr == ""


cell = st.one_of(
    st.none(),
    st.floats(),
    st.booleans(),
    st.sampled_from(["", "n/a", "#N/A", "1M", "25P", "ATM", "8.25%", "x"]),
)


@settings(deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), max_size=5)
    )
)
def test_any_range_gives_a_grid_of_its_shape_or_a_documented_error(cells: Any) -> None:
    try:
        found = evaluate("VOLIMPUTE", [cells])
    except VoladdinError as error:
        assert "defect" not in str(error)
    else:
        assert [len(row) for row in found] == [len(row) for row in cells]


# VOLQUOTES: I. Clark, Foreign Exchange Option Pricing (2011), tables 3.3 and 3.4.
CLARK: dict[str, list[Any]] = {
    "tenors": ["1M", "1Y"],
    "atm": [21.0, 18.25],
    "rr25": [-0.2, -0.6],
    "bf25": [0.65, 0.95],
}
CLARK_10 = {"rr10": [-1.258, -1.359], "bf10": [2.433, 3.806]}


def column(values: list[Any]) -> list[list[Any]]:
    return [[value] for value in values]


def quote_arguments(**changes: Any) -> list[Any]:
    names = [argument.name for argument in FUNCTIONS["VOLQUOTES"].arguments]
    given = {**{k: column(v) for k, v in (CLARK | CLARK_10).items()}, **changes}
    return [given.get(name) for name in names]


def test_quotes_become_a_headed_grid_in_their_units() -> None:
    cells = evaluate("VOLQUOTES", quote_arguments(pair="EURUSD", foreign=0.0346))
    assert cells[0] == ["EURUSD", "10P", "25P", "ATM", "25C", "10C"]
    assert [row[0] for row in cells[1:]] == ["1M", "1Y"]
    assert [row[3] for row in cells[1:]] == pytest.approx([21.0, 18.25], abs=0.05)
    assert cells[1][1] > cells[1][2] > cells[1][3]


def test_quotes_without_ten_deltas_have_three_columns() -> None:
    cells = evaluate("VOLQUOTES", quote_arguments(rr10=None, bf10=None, butterfly="smile"))
    assert cells[0] == ["", "25P", "ATM", "25C"]
    vols = cells[1][1:]
    assert vols[2] - vols[0] == pytest.approx(-0.2)  # forward deltas: no foreign rate given
    assert (vols[0] + vols[2]) / 2 - vols[1] == pytest.approx(0.65)


def test_quotes_in_a_row_come_back_in_columns() -> None:
    across = {name: [values] for name, values in (CLARK | CLARK_10).items()}
    assert evaluate("VOLQUOTES", quote_arguments(**across))[0] == ["", "1M", "1Y"]


@pytest.mark.parametrize("across", [False, True])
def test_a_tenor_without_a_smile_is_a_blank_row_and_a_warning(across: bool) -> None:
    """Market strangles of 5Y that no smile of USDJPY prices."""
    market = {"atm": [10.0, 12.0, 11.0], "rr25": [-1.0, -7.0, -1.0], "bf25": [0.2, 0.1, 0.2]}
    market |= {"rr10": [-2.0, -12.5, -2.0], "bf10": [0.6, 1.2, 0.6], "tenors": ["1M", "5Y", "10Y"]}

    def shaped(values: list[Any]) -> list[list[Any]]:
        return [values] if across else column(values)

    rates = {"domestic": [[0.01, 0.02, 0.03]], "foreign": [[0.01]], "pair": "USDJPY"}
    given = {name: shaped(values) for name, values in market.items()}
    cells = evaluate("VOLQUOTES", quote_arguments(**given, **rates))
    rows = [list(row) for row in zip(*cells, strict=True)] if across else cells
    assert rows[2] == ["5Y", "", "", "", "", ""]
    warnings = [row[1] for row in evaluate("VOLINFO", ["error"]) if row[0] == "warning"]
    assert any("tenor '5Y': no smile found at 5Y for atm 0.12" in text for text in warnings)
    alone = {name: shaped([values[0], values[2]]) for name, values in market.items()}
    other = evaluate("VOLQUOTES", quote_arguments(**alone, **rates | {"domestic": [[0.01, 0.03]]}))
    kept = [list(row) for row in zip(*other, strict=True)] if across else other
    assert [rows[1], rows[3]] == kept[1:]
    only = {name: shaped([values[1]]) for name, values in market.items()}
    with pytest.raises(InfeasibleError, match="no smile found at 5Y"):
        evaluate("VOLQUOTES", quote_arguments(**only, **rates | {"domestic": 0.02}))


def test_missing_quotes_stay_holes_and_zero_is_a_quote() -> None:
    holes = {"rr25": column([0.0, None]), "bf25": column([0.65, "n/a"]), "rr10": None, "bf10": None}
    cells = evaluate("VOLQUOTES", quote_arguments(**holes))
    assert cells[1][1] == pytest.approx(cells[1][3], rel=1e-3)
    assert cells[2] == ["1Y", "", pytest.approx(18.25), ""]


def test_decimal_quotes_stay_decimal() -> None:
    scaled = {
        k: column([v / 100 for v in values]) for k, values in (CLARK | CLARK_10).items() if k != "tenors"
    }
    small, large = evaluate("VOLQUOTES", quote_arguments(**scaled)), evaluate("VOLQUOTES", quote_arguments())
    assert np.array(small[1][1:]) * 100 == pytest.approx(np.array(large[1][1:]))


def test_strikes_straddle_the_forward() -> None:
    market = {"spot": 1.3465, "domestic": 0.0294, "foreign": 0.0346, "output": "strike"}
    strikes = evaluate("VOLQUOTES", quote_arguments(**market))[2][1:]
    assert strikes == sorted(strikes)
    forward = 1.3465 * np.exp(0.0294 - 0.0346)
    assert strikes[2] == pytest.approx(forward * np.exp(0.5 * 0.1825**2), rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"tenors": None}, InputError, "tenors is missing"),
        ({"rr25": column([-0.2])}, InputError, "rr25 has 1 cells; expected 2"),
        ({"atm": column([None, None])}, InputError, "atm holds no vol"),
        ({"atm": [[1, 2], [3, 4]]}, InputError, "atm is a range of 2 x 2"),
        ({"atm": column([True, 18.25])}, InputError, "cell A1 of the atm is TRUE"),
        ({"foreign": 3.46}, UnitsError, "cell A1 of the foreign_rates is 3.46"),
        ({"pair": "EURXXX"}, LabelError, "EURXXX"),
        ({"butterfly": "monarch"}, InputError, "butterfly is 'monarch'; expected one of broker, smile"),
        ({"output": "strike"}, InputError, "expected spot, domestic and foreign"),
        ({"rr25": column([-60.0, -60.0])}, InfeasibleError, "25-delta risk reversal -0.6, butterfly 0.0065"),
        ({"tenors": column(["1M", "1M"])}, LabelError, "cell A1 of the tenors is '1M' and cell A2 of the"),
        ({"tenors": column(["1M", 46082])}, LabelError, "cell A2 of the tenors is 46082, a date; expected a"),
        ({"atm": column([21, 1e6])}, UnitsError, "atm holds a vol of 1e+06%; expected 0.001% to 1000%"),
        ({"atm": column([21, np.inf])}, InputError, "cell A2 of the atm is inf"),
        ({"units": "bp"}, UnitsError, "units is 'bp'"),
        ({"atm": column([0.21, 0.1825])}, UnitsError, "differ in unit"),
        (
            {name: column([0.001, 0.002]) for name in ("rr25", "bf25", "rr10", "bf10")},
            UnitsError,
            "atm of ab",
        ),
    ],
)
def test_quote_errors(changes: dict[str, Any], kind: type[VoladdinError], message: str) -> None:
    with pytest.raises(kind) as caught:
        evaluate("VOLQUOTES", quote_arguments(**changes))
    assert message in str(caught.value)


def test_the_units_of_quotes_may_be_told() -> None:
    pegged = {"atm": [0.8, 1.2], "rr25": [0.1, 0.2], "bf25": [0.05, 0.1]}
    given = {**{k: column(v) for k, v in pegged.items()}, "rr10": None, "bf10": None, "units": "percent"}
    assert [row[2] for row in evaluate("VOLQUOTES", quote_arguments(**given))[1:]] == [0.8, 1.2]


def test_an_atm_quote_comes_back_to_the_last_bit() -> None:
    cells = evaluate("VOLQUOTES", quote_arguments(atm=column([21.07, 18.2501]), foreign=0.0346))
    assert [row[3] for row in cells[1:]] == [21.07, 18.2501]


def test_a_rate_of_zero_is_a_rate() -> None:
    market = {"spot": 148.2, "domestic": 0.0, "foreign": 0.053, "output": "strike", "pair": "USDJPY"}
    strikes = evaluate("VOLQUOTES", quote_arguments(**market))
    assert strikes[2][3] == pytest.approx(148.2 * np.exp(-0.053), rel=0.05)


def test_quotes_that_are_no_numbers_are_missing_with_a_warning() -> None:
    cells = evaluate("VOLQUOTES", quote_arguments(rr25=column(["abc", -0.6]), atm=column([21.0, -1.0])))
    assert cells[1][2] == "" and cells[2][1:] == [""] * 5
    warnings = [row[1] for row in evaluate("VOLINFO", ["error"]) if row[0] == "warning"]
    assert "cell A1 of the rr25 is 'abc', no number: read as missing" in warnings
    assert "atm at '1Y' is -1, not above 0: read as missing" in warnings


# VOLCHECK
CROSSED = [["", "m=-0.02", "m=0", "m=0.02"], ["1M", 12.0, 12.0, None], ["2M", 8.0, 8.0, 8.0]]
QUIET = [["", "m=-0.02", "m=0", "m=0.02"], ["1M", 8.0, 8.0, 8.0], ["2M", 8.0, 8.0, 8.0]]


def across(cells: Any) -> Any:
    return [list(row) for row in zip(*cells, strict=True)]


def test_check_says_whether_a_grid_can_be_arbitraged() -> None:
    assert evaluate("VOLCHECK", [QUIET]) == [[True]]
    assert evaluate("VOLCHECK", [CROSSED, "OK"]) == [[False]]
    assert evaluate("VOLCHECK", [QUIET, "report"]) == [["no static arbitrage"]]


@pytest.mark.parametrize("transposed", [False, True])
def test_check_reports_trades_by_label(transposed: bool) -> None:
    rows = evaluate("VOLCHECK", [across(CROSSED) if transposed else CROSSED, "report"])
    sizes = [row[2] for row in rows[1:]]
    assert sizes == sorted(sizes, reverse=True)  # type: ignore[type-var]
    kind, cells, size, vol, trade = next(
        row for row in rows if row[0] == "calendar" and "K/F=1 " in str(row[4])
    )
    assert kind == "calendar" and cells == "1M K/F=1, 2M K/F=1"
    assert str(trade).startswith("sell the 1M K/F=1 call, buy the 2M K/F=1 call: ")
    assert vol == pytest.approx(1e4 * (0.12 - 0.08 * 2**0.5)) and f"{size:.3g} bp" in str(trade)


def test_check_maps_sizes_onto_the_grid() -> None:
    cells = evaluate("VOLCHECK", [CROSSED, "map"])
    assert cells[0] == CROSSED[0] and [row[0] for row in cells] == ["", "1M", "2M"]
    assert cells[1][3] == "" and cells[1][2] == pytest.approx(1e4 * (0.12 - 0.08 * 2**0.5))
    assert all(value == 0 for row in evaluate("VOLCHECK", [QUIET, "map"])[1:] for value in row[1:])


def test_check_lists_the_papers_conditions() -> None:
    rows = evaluate("VOLCHECK", [CROSSED, "diagnostics"])
    found = {row[0]: row[1:] for row in rows}
    assert found["condition"] == ["cells below 0", "lowest value", "at"]
    assert found["calendar"][0] == 4 and found["calendar"][1] < 0  # type: ignore[operator]
    single = evaluate("VOLCHECK", [[["", "ATM"], ["1M", 0.1]], "diagnostics"])
    assert [row[3] for row in single[1:]] == ["too few quotes"] * 6


def test_check_counts_what_bid_and_ask_allow() -> None:
    def moved(by: float) -> Any:
        return [row if not i else [row[0], *(v and v + by for v in row[1:])] for i, row in enumerate(CROSSED)]

    def check(by: float) -> Any:
        return evaluate("VOLCHECK", [CROSSED, None, None, None, None, None, moved(-by), moved(by)])

    assert check(0.01) == [[False]]
    assert check(2.0) == [[True]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([CROSSED, "repair"], "output is 'repair'; expected one of ok, report, map, diagnostics"),
        ([[["", "ATM"], ["1M", None]]], "surface: cell.* hold no vol; expected at least one"),
        ([QUIET, None, None, None, None, None, QUIET], "ask is missing"),
        (
            [QUIET, None, None, None, None, None, [["", "25P"], ["1M", 0.1], ["2M", 0.1]], QUIET],
            "bid: it has deltas, and the surface moneyness",
        ),
        ([QUIET, None, None, None, None, None, QUIET, CROSSED[:2]], "ask: its tenors 1M lack"),
        ([QUIET, None, None, None, None, None, None, None, "x"], "tolerance is 'x'; expected a number"),
        ([QUIET, None, None, None, None, None, None, None, -1.0], "tolerance is -1.0"),
        ([[["", "K=1", "K=1.1"], ["1M", 0.1, 0.1]]], "surface: strikes need forwards"),
        ([[["", "25P", "25P"], ["1M", 0.1, 0.1]]], "surface: .*25P"),
        ([[["", "25P", "ATM"], ["1M", 0.1, 0.1], ["1M", 0.1, 0.1]]], "surface: .*1M"),
    ],
)
def test_check_names_what_is_wrong(arguments: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate("VOLCHECK", arguments)


@settings(deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), max_size=5)
    ),
    st.sampled_from(["ok", "report", "map", "diagnostics"]),
)
def test_check_of_any_range_is_an_answer_or_a_documented_error(cells: Any, output: str) -> None:
    try:
        found = evaluate("VOLCHECK", [cells, output])
    except VoladdinError as error:
        assert "defect" not in str(error)
    else:
        assert output != "map" or [len(row) for row in found] == [len(row) for row in cells]
