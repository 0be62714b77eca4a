"""Scenarios of today's surface: reproducible, joint, free of arbitrage, on any grid, holes and all."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from voladdin import bundles
from voladdin.bundles.moves import Moves
from voladdin.errors import BundleError, InputError
from voladdin.generation import scenarios
from voladdin.generation.simulating import unrepaired
from voladdin.worksheet.registry import evaluate

TENORS = ["1W", "1M", "3M", "1Y", "5Y"]
DELTAS = [0.9, 0.75, 0.5, 0.25, 0.1]
TODAY = va.Surface(
    [
        [0.0850, 0.0800, 0.0780, 0.0815, 0.0870],
        [0.0865, 0.0810, 0.0785, 0.0820, 0.0885],
        [0.0905, 0.0832, 0.0800, 0.0845, 0.0925],
        [0.0960, 0.0865, 0.0825, 0.0880, 0.0985],
        [0.1040, 0.0930, 0.0885, 0.0950, 0.1070],
    ],
    TENORS,
    deltas=DELTAS,
)


def test_the_same_seed_gives_the_same_and_more_begin_with_them() -> None:
    few, more = scenarios(TODAY, 3, seed=7).vols, scenarios(TODAY, 10, seed=7).vols
    assert np.array_equal(few, more[:3])
    assert not np.array_equal(few, scenarios(TODAY, 3, seed=8).vols)


def test_every_scenario_is_free_of_arbitrage() -> None:
    for horizon in (1, 20):
        for vols in scenarios(TODAY, 100, seed=1, horizon=horizon).vols:
            assert va.check(TODAY.replace(vols)).ok


def test_moves_are_about_today_joint_and_larger_at_the_short_end_and_over_more_days() -> None:
    day, month = (np.log(scenarios(TODAY, 400, horizon=h).vols / TODAY.vols) for h in (1, 20))
    spread = day.std(0)[:, 2]
    assert (np.diff(spread[:4]) < 0).all() and spread[4] < spread[1] and 0.01 < spread[1] < 0.06
    assert np.abs(np.median(day, 0)).max() < 0.01
    assert np.corrcoef(day[:, 1, 2], day[:, 2, 2])[0, 1] > 0.7
    assert 3 < month[:, 1, 2].std() / spread[1] < 6


def test_holes_stay_and_the_rest_moves_as_much() -> None:
    vols = TODAY.vols.copy()
    vols[0, 0] = vols[3, 2] = np.nan
    found = scenarios(TODAY.replace(vols), 400, seed=2).vols
    assert (np.isnan(found) == np.isnan(vols)).all()
    moves = (np.log(v / TODAY.vols)[:, 1] for v in (found, scenarios(TODAY, 400, seed=2).vols))
    spread, whole = (np.subtract(*np.quantile(move, [0.9, 0.1], axis=0)) for move in moves)  # jumps are few
    assert spread == pytest.approx(whole, rel=0.1)


def test_strikes_and_moneyness_move_as_their_deltas_do() -> None:
    m = np.linspace(-0.1, 0.1, 5)
    on_m = va.Surface(np.full((3, 5), 0.1), ["1M", "3M", "1Y"], moneyness=m)
    forwards = np.array([1.1, 1.11, 1.15])
    on_k = va.Surface(on_m.vols, ["1M", "3M", "1Y"], strikes=np.outer(forwards, np.exp(m)), forwards=forwards)
    assert scenarios(on_k, 5).vols == pytest.approx(scenarios(on_m, 5).vols, abs=1e-12)


def test_the_named_underlying_s_own_days_count_more() -> None:
    loaded = bundles.load("fx", Moves)
    whose = np.arange(len(loaded.arrays["weight"])) % 2
    changes = np.where(whose[:, None] == 0, 0.001, 0.1) * np.ones((1, loaded.arrays["changes"].shape[1]))
    card = {"name": "two", "training": {"underlyings": ["AAABBB", "CCCDDD"]}}
    model = Moves(card, "", loaded.arrays | {"changes": changes, "whose": whose.astype(float)}, {})
    share = {}
    for name in ("AAABBB", "CCCDDD", None, "EEEFFF"):
        moved = unrepaired(TODAY, model, 4000, 1, 1, name)[:, 1, 2] / TODAY.vols[1, 2]
        share[name] = (moved > 1.05).mean()
    assert share[None] == share["EEEFFF"] == pytest.approx(0.5, abs=0.05)
    assert share["AAABBB"] == pytest.approx(0.3 / 1.3, abs=0.05)
    assert share["CCCDDD"] == pytest.approx(1 / 1.3, abs=0.05)


def test_the_corner_names_the_underlying() -> None:
    body = [[t, *v] for t, v in zip(TENORS, TODAY.vols, strict=True)]
    cells = [["EURUSD", "10P", "25P", "ATM", "25C", "10C"], *body]
    own = evaluate("VOLSCENARIO", [cells, 3, 1])
    none = evaluate("VOLSCENARIO", [[["", *cells[0][1:]], *cells[1:]], 3, 1])
    assert own[1:3] != none[1:3]
    other = evaluate("VOLSCENARIO", [[["USDJPY", *cells[0][1:]], *cells[1:]], 3, 1])
    assert other[1:3] == none[1:3]
    assert "USDJPY is not in the model's history: the moves are those of AUDUSD, EURUSD, USDCAD" in str(
        evaluate("VOLINFO", ["error"])
    )


def test_refusals() -> None:
    with pytest.raises(InputError, match="horizon is 0; expected 1 to 260"):
        scenarios(TODAY, 1, horizon=0)
    with pytest.raises(InputError, match=r"n is 1\.5"):
        scenarios(TODAY, 1.5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1 scenario"):
        scenarios(TODAY, 0)
    with pytest.raises(InputError, match="no quote"):
        scenarios(TODAY.replace(TODAY.vols * np.nan), 1)
    with pytest.raises(BundleError, match="'equity' is for generation; expected one for moves"):
        scenarios(TODAY, 1, model="equity")


def test_the_sheet_gets_stacked_grids_in_its_unit() -> None:
    header = ["", "10P", "25P", "ATM", "25C", "10C"]
    grid = [header, *([t, *(100 * v for v in row)] for t, row in zip(TENORS, TODAY.vols, strict=True))]
    found = evaluate("VOLSCENARIO", [grid, 3, 7, 5])
    assert [row[0] for row in found] == [
        part for i in (1, 2, 3) for part in (*([""] if i > 1 else []), f"scenario {i} of 3, 5 days", *TENORS)
    ]
    expected = 100 * scenarios(TODAY, 3, 7, 5).vols
    assert np.array([row[1:] for row in found[8:13]]) == pytest.approx(expected[1], rel=1e-9)
    (one,) = {len(evaluate("VOLSCENARIO", [grid]))}
    assert one == 6
    with pytest.raises(InputError, match="n is 50000"):
        evaluate("VOLSCENARIO", [grid, 50_000])
