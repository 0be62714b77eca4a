"""`voladdin bench repair`: damage that is arbitrage, linear programs against closed forms, rivals, tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import voladdin as va
from export.bench.data import DeltaAxes, History
from export.bench.imputation.grids import FX
from export.bench.repair import checks, damage, repair, repair_tables, rivals
from export.bench.repair.random_grids import random_surface
from export.bench.repair.repairs import (
    AUTO,
    CLIPPING,
    FEATURES,
    PRICES,
    RIVAL,
    Measured,
    Repaired,
    clipping,
    measure,
    quotes,
)
from export.bench.repair.rivals import ArbitrageRepair, clip, rivals_python
from export.bench.repair.truth import least_change, least_distance, least_slack, prices
from voladdin.cli.program import main
from voladdin.errors import UnavailableError

needs_data = pytest.mark.data
VOGT = (-0.041, 0.1331, 0.306, 0.3586, 0.4153, 1.0)  # Gatheral and Jacquier 2014, example 3.1


@pytest.fixture(scope="module")
def process() -> ArbitrageRepair:
    try:
        rivals_python()
    except UnavailableError as error:
        pytest.skip(str(error))
    with ArbitrageRepair() as running:
        yield running


@pytest.fixture(scope="module")
def history() -> History:
    """Smiles whose level wanders, without arbitrage on every day."""
    rng = np.random.default_rng(0)
    days = damage.STALE_DAYS + 50
    level = 0.08 * np.exp(0.02 * np.cumsum(rng.standard_normal((2, days)), axis=1))
    smile = 1 + 0.2 * (2 * FX.deltas - 1) ** 2 + 0.05 * np.log1p(FX.tenors)[:, None]
    dates = np.datetime64("2015-01-01") + np.arange(days)
    return History(
        ("AAABBB", "CCCDDD"), dates, DeltaAxes(FX.tenors, FX.deltas), level[..., None, None] * smile
    )


def slack(surface: va.Surface) -> float:
    ranks, strikes, calls = prices(surface)
    return least_slack(ranks, strikes, calls, calls)


def test_planted_damage_is_arbitrage(history: History) -> None:
    found = list(damage.planted_cases(history, drawn=12, keep=3, seed=0))
    assert [case.name.split(",")[0] for case in found[::2]] == [*damage.PLANTED, "stale row"]
    assert {case.name.split(" ")[-1] for case in found} == {"deltas", "strikes"}
    for case in found:
        assert len(case.surfaces) == min(case.violating, 3) <= case.drawn == 12
        assert all(slack(surface) > 1e-9 for surface in case.surfaces)
    by_name = {case.name: case.violating for case in found}
    assert by_name["noise 2%, 8 x 5 deltas"] <= by_name["noise 20%, 8 x 5 deltas"] == 12
    assert by_name["crossed tenors, 8 x 5 deltas"] == 12
    assert by_name["fat finger, 8 x 5 strikes"] > 0


def test_one_row_of_a_stale_surface_is_old(history: History) -> None:
    days = list(damage.clean_days(history, 10))
    assert len({(pair, day) for pair, day, _ in days}) == 10
    stale = damage._stale_rows(history, days, np.random.default_rng(0))
    for (pair, day, clean), vols in zip(days, stale, strict=True):
        old = history.vols[pair, day - damage.STALE_DAYS]
        changed = (vols != clean.vols).any(axis=1)
        assert changed.sum() == 1
        np.testing.assert_array_equal(vols[changed], old[changed])


def test_strikes_of_deltas_keep_prices(history: History) -> None:
    surface = va.Surface(history.vols[0, 0], FX.tenors, deltas=FX.deltas)
    for a, b in zip(prices(surface), prices(damage.with_strikes(surface)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


def test_smooth_deformation_is_extreme_and_smooth() -> None:
    flat = va.Surface(np.full((28, 28), 0.25), damage.TENORS, moneyness=damage.MONEYNESS)  # type: ignore
    for seed in range(3):
        bent = damage.bent(flat, np.random.default_rng(seed))
        assert slack(bent) > 0.9 * damage.EXTREME
        assert bent.vols.min() >= 0.02
        free = bent.vols > 0.0201
        steps = np.abs(np.diff(bent.vols, n=3, axis=1))[free[:, 3:] & free[:, :-3]]
        assert steps.max() < 1e-3


def test_generated_surfaces_are_extreme() -> None:
    case = damage.generated_case(drawn=150, keep=2, seed=0)
    assert 0 < len(case.surfaces) <= min(2, case.violating)
    assert case.violating < case.drawn <= 150
    for surface in case.surfaces:
        assert surface.shape == (28, 28)
        assert slack(surface) > 1e-10


def test_vogt_slice_has_a_butterfly() -> None:
    found = va.check(damage.svi_slice(*VOGT))
    assert {violation.kind for violation in found.violations} == {"butterfly"}
    assert slack(damage.svi_slice(*VOGT)) > 1e-6


@needs_data
def test_published_surfaces_have_arbitrage() -> None:
    found = list(damage.published_cases())
    assert [(case.violating, case.drawn) for case in found] == [(1, 1)] * 3
    assert found[1].surfaces[0].shape == (13, 9)


def test_calendar_in_closed_form() -> None:
    ranks, strikes, calls = np.array([0, 1]), np.array([1.0, 1.0]), np.array([0.1, 0.06])
    assert least_slack(ranks, strikes, calls, calls) == pytest.approx(0.04, abs=1e-10)
    assert least_distance(ranks, strikes, calls) == pytest.approx(0.02, abs=1e-10)
    cost, moved = least_change(ranks, strikes, calls, np.array([3.0, 1.0]))
    assert cost == pytest.approx(0.04, abs=1e-10)
    np.testing.assert_allclose(moved, [0.1, 0.1], atol=1e-10)


def test_butterfly_in_closed_form() -> None:
    """The middle call is 0.01 above the chord; moving it costs 0.01, moving both wings 0.02."""
    ranks, strikes, calls = np.zeros(3, dtype=int), np.array([0.9, 1.0, 1.1]), np.array([0.14, 0.11, 0.06])
    assert least_distance(ranks, strikes, calls) == pytest.approx(0.005, abs=1e-10)
    cost, moved = least_change(ranks, strikes, calls, np.ones(3))
    assert cost == pytest.approx(0.01, abs=1e-10)
    np.testing.assert_allclose(moved, [0.14, 0.1, 0.06], atol=1e-10)
    cost, moved = least_change(ranks, strikes, calls, np.array([1.0, 3.0, 1.0]))
    assert cost == pytest.approx(0.02, abs=1e-10)
    assert moved[1] == pytest.approx(0.11)


def test_call_over_the_forward_in_closed_form() -> None:
    ranks, strikes, calls = np.array([0]), np.array([1.0]), np.array([1.2])
    assert least_distance(ranks, strikes, calls) == pytest.approx(0.2, abs=1e-10)


def test_least_change_is_zero_where_check_is_ok() -> None:
    rng = np.random.default_rng(8)
    verdicts = set()
    for number in range(40):
        surface = random_surface(rng, near=number % 2 == 1)
        ranks, strikes, calls = prices(surface)
        cost, moved = least_change(ranks, strikes, calls, np.ones(len(calls)))
        assert least_distance(ranks, strikes, moved) <= 1e-9
        assert cost == pytest.approx(np.abs(moved - calls).sum(), abs=1e-9)
        distance = least_distance(ranks, strikes, calls)
        assert distance - 1e-9 <= cost <= distance * len(calls) + 1e-9
        ok = va.check(surface, tolerance=2e-8).ok
        assert ok == (least_slack(ranks, strikes, calls, calls) <= 2e-8)
        assert not ok or cost <= 4e-8 * len(calls)
        verdicts.add(ok)
    assert verdicts == {True, False}


def test_clipping_leaves_no_calendar_at_equal_moneyness() -> None:
    vols = np.array([[0.3, 0.2, 0.3], [0.1, 0.25, 0.1]])
    surface = va.Surface(vols, [0.5, 1.0], moneyness=[-0.1, 0.0, 0.1])
    found, seconds = clip(surface)
    w = found**2 * surface.tenors[:, None]
    np.testing.assert_allclose(w, [[0.045, 0.02, 0.045], [0.045, 0.0625, 0.045]])
    assert seconds > 0
    by_delta, _ = clip(va.Surface(vols, [0.5, 1.0], deltas=[0.75, 0.5, 0.25]))
    np.testing.assert_allclose(by_delta, found)


def test_clipping_interpolates_where_strikes_differ() -> None:
    vols = [[0.4, 0.2], [0.1, 0.1]]
    surface = va.Surface(vols, [1.0, 2.0], moneyness=[[0.0, 0.2], [0.1, 0.5]])
    w = clip(surface)[0] ** 2 * surface.tenors[:, None]
    np.testing.assert_allclose(w, [[0.16, 0.04], [0.1, 0.04]])


def test_measure_in_closed_form(history: History) -> None:
    surface = damage.with_strikes(va.Surface(history.vols[0, 0], FX.tenors, deltas=FX.deltas))
    wrong = surface.vols.copy()
    wrong[3, 2] *= 1.5
    given = quotes(surface.replace(wrong))
    back = Repaired(surface.vols.ravel(), prices(surface)[2], 0.5)
    found = measure(given, back)
    move = 1e4 * (wrong - surface.vols)[3, 2]
    assert found.valid
    assert found.valid_kept
    assert found.seconds == 0.5
    assert found.largest == pytest.approx(move)
    assert found.mean == pytest.approx(move / 40)
    assert 0 < found.least <= found.weighted
    assert found.weighted == pytest.approx(found.mean, rel=0.1)  # an at-the-money vega hardly changes
    as_it_was = measure(given, Repaired(wrong.ravel(), given.calls, 0.1))
    assert not as_it_was.valid
    assert as_it_was.weighted == 0
    absent = measure(given, Repaired(None, None, 60.0))
    assert not absent.valid
    assert np.isnan(absent.weighted)


def test_deltas_are_judged_at_the_strikes_of_the_new_vols() -> None:
    surface = va.Surface([[0.1, 0.1], [0.09, 0.05]], [0.5, 1.0], deltas=[0.75, 0.25])
    given = quotes(surface)
    flat = clipping(given)
    assert flat.vols is not None
    assert measure(given, flat).valid == (slack(surface.replace(flat.vols.reshape(2, 2))) <= 1e-9)


def test_rival_minimises_price(process: ArbitrageRepair, history: History) -> None:
    """Its objective is at the optimum of our own program: the bench calls it as it is meant to be called."""
    surface = damage.with_strikes(va.Surface(history.vols[0, 0], FX.tenors, deltas=FX.deltas))
    rng = np.random.default_rng(3)
    for _ in range(3):
        wrong = surface.replace(damage.noise(20)(surface.vols, surface.tenors, rng))
        ranks, strikes, calls = prices(wrong)
        shuffled = rng.permutation(len(calls))
        repaired, seconds = process.repair(
            surface.tenors[ranks][shuffled], strikes[shuffled], calls[shuffled]
        )
        assert repaired is not None
        assert seconds > 0
        least, _ = least_change(ranks, strikes, calls, np.ones(len(calls)))
        assert np.abs(repaired - calls[shuffled]).sum() == pytest.approx(least, rel=1e-6)
        assert least_distance(ranks[shuffled], strikes[shuffled], repaired) <= 1e-9


def test_rival_detects(process: ArbitrageRepair, history: History) -> None:
    surface = damage.with_strikes(va.Surface(history.vols[0, 0], FX.tenors, deltas=FX.deltas))
    crossed = damage.crossed_tenors(surface.vols, surface.tenors, np.random.default_rng(0))
    for grid, ok in ((surface, True), (surface.replace(crossed), False)):
        ranks, strikes, calls = prices(grid)
        assert (process.detect(grid.tenors[ranks], strikes, calls)[0] == 0) == ok == va.check(grid).ok


def test_rival_over_its_limit_starts_again(process: ArbitrageRepair, monkeypatch: pytest.MonkeyPatch) -> None:
    tenors, strikes, calls = np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([0.1, 0.06])
    monkeypatch.setattr(rivals, "LIMIT", 1e-4)
    assert process.repair(tenors, strikes, calls) == (None, 1e-4)
    monkeypatch.setattr(rivals, "LIMIT", 20.0)
    repaired, _ = process.repair(tenors, strikes, calls)
    assert repaired is not None
    assert repaired[1] >= repaired[0] - 1e-9


def test_rival_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOLADDIN_RIVALS", str(tmp_path / "python"))
    with pytest.raises(UnavailableError, match="expected `make bench-rivals`"):
        ArbitrageRepair()


def measured(weighted: float, valid: bool = True) -> Measured:
    return Measured(valid, valid, 2.0, 30.0, 0.1, weighted, 1.0, 0.004)


def test_rows_of_a_case() -> None:
    case = damage.DamageCase(
        "noise 5%, 8 x 5 strikes", (va.Surface([[0.1]], [1.0], moneyness=[0.0]),) * 2, 2, 9
    )
    found = {
        PRICES: [measured(1.0), measured(1.0 + 1e-7)],
        RIVAL: [measured(1.5), measured(0.5)],
        CLIPPING: [Measured(False, False, *[np.nan] * 4, 1.0, 0.001)] * 2,  # type: ignore
    }
    rows = repair_tables.case_rows(case, found)
    assert all(len(row) == len(repair_tables.COLUMNS) for row in rows)
    assert rows[0][:3] == ["noise 5%, 8 x 5 strikes", "2 of 9", PRICES]
    assert rows[0][3:] == ["100", "100", "2.00", "30.0", "0.100", "1.000", "5.0e-08", "1.0e-07", "4.00"]
    assert rows[2] == ["", "", CLIPPING, "0", "0", *[""] * 6, "1.00"]
    found[RIVAL].append(Measured(False, True, *[np.nan] * 4, 1.0, 60.0))  # type: ignore
    found[PRICES].append(measured(1.0))
    text = repair_tables.summary({case.name: {AUTO: [], **found}}, {case.name: True})
    assert f"{PRICES}: 3 of 3 valid" in text
    assert "at most 1.0e-07 over the least" in text
    assert "`weighted` above arbitragerepair's on 1 of the 2 surfaces that it makes valid, on 1 of 2" in text


def test_a_case_without_arbitrage_has_an_empty_row() -> None:
    rows = repair_tables.case_rows(damage.DamageCase("noise 2%", (), 0, 400), {PRICES: []})
    assert rows == [["noise 2%", "0 of 400", *[""] * 10]]


def test_check_without_the_rival(history: History) -> None:
    surface = va.Surface(history.vols[0, 0], FX.tenors, deltas=FX.deltas)
    text = checks.check_table([surface, damage.with_strikes(surface)], None)
    assert "| deltas | 1 | " in text
    assert "| strikes | 1 | " in text
    assert checks.verdict_line(20, 0).startswith("Verdicts of check and of the linear program on 20")
    assert "20 agree" in checks.verdict_line(20, 0)


def test_without_market_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(repair, "DATA", tmp_path)
    assert main(["bench", "repair"]) == 2
    assert "the market data is absent" in capsys.readouterr().err


def test_counts_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "repair", "--keep", "0"]) == 2
    assert "--keep 0" in capsys.readouterr().err


def test_every_repair_of_a_generated_surface_is_valid() -> None:
    case = damage.generated_case(drawn=150, keep=1, seed=0)
    found = repair.run_case(case, repair.methods_for(case, None), print)
    assert list(found) == [AUTO, PRICES, FEATURES, CLIPPING]
    for name in (AUTO, PRICES, FEATURES):
        assert [m.valid for m in found[name]] == [True]
    (kept,), (least,) = found[FEATURES], found[PRICES]
    assert least.weighted == pytest.approx(least.least, rel=1e-6)
    assert kept.weighted >= least.weighted * (1 - 1e-6)


@needs_data
def test_a_small_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "repair.md"
    options = ["--drawn", "6", "--keep", "1", "--large", "0", "--grids", "10", "--output", str(output)]
    assert main(["bench", "repair", *options]) == 0
    text = output.read_text("utf-8")
    assert capsys.readouterr().out == text + "\n"
    assert "| " + " | ".join(repair_tables.COLUMNS) + " |" in text
    body = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    valid = [row[3] for row in body if row[2] in (AUTO, PRICES)]
    assert len(valid) > 20  # cases with arbitrage, two rows each
    assert set(valid) == {"100"}
    assert "10 agree" in text
