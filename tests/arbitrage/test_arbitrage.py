"""check: verdicts against a linear program, trades in words, bad input, speed."""

from __future__ import annotations

import csv
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voladdin as va
from export.bench.repair.random_grids import compare, random_surface
from export.bench.repair.truth import TOLERANCE, least_slack, prices
from voladdin.arbitrage.hulls import FORWARD, arbitrage_trades

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TENORS = [1 / 12, 0.25, 0.5, 1.0, 2.0]
DELTAS = [0.95, 0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1]
GOOD = np.full((5, 8), 0.1)


def bumped(bump: float = 0.02, **axes: Any) -> va.Surface:
    vols = GOOD.copy()
    vols[1, 3] += bump
    return va.Surface(vols, TENORS, **(axes or {"deltas": DELTAS}))


def shared(name: str) -> va.Surface:
    path = DATA / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    tenors = sorted({float(row["tenor_years"]) for row in rows})
    lines = [[row for row in rows if float(row["tenor_years"]) == tenor] for tenor in tenors]
    for line in lines:
        line.sort(key=lambda row: float(row["strike"]))
    return va.Surface(
        [[float(row["vol"]) for row in line] for line in lines],
        tenors,
        strikes=[[float(row["strike"]) for row in line] for line in lines],
        forwards=[float(line[0]["forward"]) for line in lines],
    )


@pytest.mark.parametrize("near", [False, True])
def test_verdict_and_size_are_the_linear_programs(near: bool) -> None:
    rng = np.random.default_rng(5)
    verdicts = Counter()
    for _ in range(100):
        ok, size, slack = compare(rng, near=near)
        assert ok == (slack <= TOLERANCE)
        assert ok or size == pytest.approx(slack, abs=1e-8)
        verdicts[ok] += 1
    assert min(verdicts.values()) > 15


def test_executable_arbitrage_is_the_linear_programs() -> None:
    rng = np.random.default_rng(6)
    verdicts = Counter()
    for number in range(60):
        surface = random_surface(rng, near=number % 2 == 1)
        spread = rng.choice([0.0005, 0.01]) * rng.random((2, *surface.shape))
        spread[rng.random(spread.shape) < 0.1] = np.nan
        bid, ask = surface.vols * (1 - spread[0]), surface.vols * (1 + spread[1])
        found = va.check(surface, bid=bid, ask=ask, tolerance=TOLERANCE)
        ranks, strikes, _ = prices(surface)
        total = np.sqrt(surface.tenors)[:, None] * np.stack([bid, ask])
        low, high = va.black.call_price(np.log(strikes), total[:, surface.observed])
        slack = least_slack(ranks, strikes, low, high)
        assert found.ok == (slack <= TOLERANCE)
        largest = max((violation.size for violation in found.violations), default=0.0)
        assert found.ok or largest == pytest.approx(slack, abs=1e-8)
        verdicts[found.ok] += 1
    assert min(verdicts.values()) > 5


def test_a_butterfly_in_words() -> None:
    found = va.check(bumped(deltas=DELTAS, forwards=1.085))
    (violation,) = found.violations
    assert violation.kind == "butterfly" and violation.cells == ((1, 3), (1, 2), (1, 4))
    assert violation.message == (
        "sell the 3M 40P (1.0706) call, buy 0.439 of the 3M 25P (1.0503) call and 0.561 of the 3M ATM "
        "(1.0864) call: 27.9 bp of forward locked in"
    )
    assert not found.ok and found.map[1, 3] == violation.vol_bp > 0
    assert (found.map[[0, 2, 3, 4]] == 0).all()


def test_a_calendar_in_words() -> None:
    vols = [[0.12], [0.08]]
    (violation,) = va.check(va.Surface(vols, ["1M", "2M"], strikes=[1.085], forwards=1.085)).violations
    assert violation.kind == "calendar" and violation.cells == ((0, 0), (1, 0))
    assert violation.message.startswith("sell the 1M 1.0850 call, buy the 2M 1.0850 call: ")
    assert violation.vol_bp == pytest.approx(1e4 * (0.12 - 0.08 * np.sqrt(2)), rel=1e-6)


@pytest.mark.parametrize(
    ("strikes", "calls", "tenors", "kind", "size", "legs"),
    [
        ([1.0], [1.2], [0], "bounds", 0.2, ((FORWARD, 1.0),)),
        ([0.9], [0.05], [0], "bounds", 0.05, ()),
        ([0.9, 1.0], [0.2, 0.25], [0, 0], "call spread", 0.05, ((0, 1.0),)),
        ([0.9, 1.0, 1.1], [0.2, 0.18, 0.1], [0, 0, 0], "butterfly", 0.03, ((0, 0.5), (2, 0.5))),
        ([1.0, 1.0], [0.2, 0.1], [0, 1], "calendar", 0.1, ((1, 1.0),)),
        ([0.9, 1.0], [0.2, 0.25], [1, 0], "calendar", 0.05, ((0, 1.0),)),
        ([0.9, 1.0, 1.1], [0.2, 0.18, 0.1], [1, 0, 2], "calendar butterfly", 0.03, ((0, 0.5), (2, 0.5))),
        ([1.0, 1.0], [0.2, 0.1], [0, 0], "call spread", 0.1, ((1, 1.0),)),
    ],
)
def test_every_kind(
    strikes: list[float],
    calls: list[float],
    tenors: list[int],
    kind: str,
    size: float,
    legs: tuple[tuple[int, float], ...],
) -> None:
    prices = np.array(calls)
    found = arbitrage_trades(np.array(tenors), np.array(strikes), prices, prices, 1e-10)
    (one,) = [trade for trade in found if trade.kind == kind]
    assert one.size == pytest.approx(size)
    assert [leg[0] for leg in one.legs] == [leg[0] for leg in legs]
    assert [leg[1] for leg in one.legs] == pytest.approx([leg[1] for leg in legs])


def test_bounds_in_words() -> None:
    from voladdin.arbitrage.hulls import Trade
    from voladdin.arbitrage.trades import TradeWords

    names = TradeWords(bumped(), [(0, 4)])
    cheap, dear = Trade("bounds", 0, 1e-4, ()), Trade("bounds", 0, 1e-4, ((FORWARD, 1.0),))
    assert names.trade(cheap) == "buy the 1M ATM (K/F=1.0004) call, sell the forward and lend the strike"
    assert names.trade(dear) == "sell the 1M ATM (K/F=1.0004) call, buy the forward"


@pytest.mark.parametrize(
    ("forward", "written"), [(1.085, "1.0850"), (157.2, "157.20"), (100250.0, "100250"), (4500.0, "4500.0")]
)
def test_strikes_are_written_as_quoted(forward: float, written: str) -> None:
    surface = va.Surface([[0.12], [0.08]], ["1M", "2M"], strikes=[forward], forwards=forward)
    (violation,) = va.check(surface).violations
    assert f"the 1M {written} call" in violation.message


def test_vol_bp_takes_the_size_off_the_price() -> None:
    surface = bumped(moneyness=np.linspace(-0.05, 0.05, 8))
    for violation in va.check(surface).violations:
        row, column = violation.cells[0]
        root = np.sqrt(surface.tenors[row])
        moneyness = surface.moneyness[column]  # type: ignore[index]
        vols = surface.vols[row, column] - np.array([0.0, violation.vol_bp / 1e4])
        before, after = va.black.call_price(moneyness, vols * root)
        assert before - after == pytest.approx(violation.size, rel=1e-7)


def test_tolerance_is_explicit() -> None:
    size = va.check(bumped()).violations[0].size
    assert va.check(bumped(), tolerance=size * 1.001).ok
    assert not va.check(bumped(), tolerance=size * 0.999).ok


def test_only_executable_arbitrage_counts() -> None:
    surface = bumped(0.008)
    assert not va.check(surface).ok
    assert va.check(surface, bid=surface.vols - 0.01, ask=surface.vols + 0.01).ok
    assert not va.check(surface, bid=surface.vols - 1e-5, ask=surface.vols + 1e-5).ok
    unsold = np.where(surface.vols > 0.1, np.nan, surface.vols)
    assert va.check(surface, bid=unsold, ask=surface.vols).ok


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": -1.0}, "tolerance is -1.0"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"tolerance": "x"}, "tolerance is 'x'; expected a forward-normalised price"),
        ({"tolerance": None}, "tolerance is None"),
        ({"bid": GOOD}, "ask is missing; expected both"),
        ({"ask": GOOD}, "bid is missing"),
        ({"bid": GOOD[:2], "ask": GOOD}, r"bid has shape \(2, 8\); expected \(5, 8\)"),
        ({"bid": GOOD + 0.1, "ask": GOOD}, r"bid\[0, 0\] is 0.2, above the ask 0.1"),
        ({"bid": -GOOD, "ask": GOOD}, r"bid\[0, 0\] is -0.1; expected a vol of 0 to 10"),
        ({"bid": [["a"]], "ask": GOOD}, "bid must be numbers"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(va.InputError, match=message):
        va.check(bumped(), **arguments)


def test_what_is_no_surface_is_named() -> None:
    with pytest.raises(va.InputError, match="surface is a list"):
        va.check([[0.1]])  # type: ignore[arg-type]
    with pytest.raises(va.InputError, match="no quote at all"):
        va.check(bumped().replace(np.full((5, 8), np.nan)))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"tenors": [1.0, 1.0], "moneyness": [0.0, 0.1]}, "tenors: 1 and 1 are twice"),
        ({"tenors": [1.0, 2.0], "moneyness": [0.1, 0.1]}, "moneyness: 0.1 and 0.1 are twice"),
        ({"tenors": [1.0, 2.0], "strikes": [1.0, 1.1]}, "strikes need forwards"),
    ],
)
def test_axes_that_no_surface_has(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(va.InputError, match=message):
        va.check(va.Surface([[0.1, 0.1], [0.1, 0.1]], **axes))


def test_one_tenor_and_one_strike() -> None:
    assert va.check(va.Surface([[0.1]], [1.0], deltas=[0.5])).ok
    assert va.check(va.Surface(GOOD[:1], [1.0], deltas=DELTAS)).ok
    assert va.check(va.Surface(GOOD[:, :1], TENORS, deltas=[0.5])).ok


def test_holes_are_left_out() -> None:
    hole = bumped().vols.copy()
    hole[1, 3] = np.nan
    found = va.check(bumped().replace(hole))
    assert found.ok and np.isnan(found.map[1, 3]) and np.isfinite(found.map).sum() == 39


@pytest.mark.parametrize("level", [1e-12, 1e-6, 1e-3, 3.0, 10.0])
@pytest.mark.parametrize("axis", ["deltas", "moneyness"])
def test_saturated_prices_and_vanishing_vega(level: float, axis: str) -> None:
    places = DELTAS if axis == "deltas" else np.linspace(-0.5, 0.5, 8)
    surface = va.Surface(GOOD * 10 * level, TENORS, **{axis: places})
    assert va.check(surface).ok
    raised = surface.vols.copy()
    raised[1, 3] = min(2 * level, 10.0)
    found = va.check(surface.replace(raised))
    assert np.isfinite(found.map).all()
    assert all(np.isfinite(violation.vol_bp) for violation in found.violations)
    assert [values.shape for _, values in found.diagnostics.items()] == [(5, 8)] * 6


def test_strikes_beyond_any_float_are_left_out() -> None:
    assert va.check(va.Surface([[10.0, 10.0]], [50.0], deltas=[0.9, 0.1])).ok


def fastest(*surfaces: va.Surface) -> list[float]:
    """The least seconds of the processor of a check of each, one after the other, again and again."""
    spent = np.full(len(surfaces), np.inf)
    for _ in range(20 if surfaces[0].vols.size < 100 else 5):
        for i, surface in enumerate(surfaces):
            started = time.process_time()
            va.check(surface)
            spent[i] = min(spent[i], time.process_time() - started)
    return spent.tolist()


def test_time_grows_with_the_cells() -> None:
    """Four times the cells, most of them in a trade, take far less than sixteen times as long."""
    vols = np.random.default_rng(0).uniform(0.1, 0.12, (40, 200))
    large = va.Surface(vols, np.arange(1, 41) / 4, moneyness=np.linspace(-0.5, 0.5, 200))
    half = va.Surface(vols[::2, ::2], large.tenors[::2], moneyness=np.linspace(-0.5, 0.5, 200)[::2])
    found = va.check(large)
    assert not found.ok and found.diagnostics.durrleman.shape == (40, 200)
    less, more = fastest(half, large)
    assert more < 10 * less
    with pytest.raises(va.InputError, match="at most 20000 are accepted"):
        va.Surface(np.full((100, 201), 0.1), np.arange(1, 101), moneyness=np.linspace(-1, 1, 201))


def test_a_trade_costs_little_beside_the_check() -> None:
    clean, traded = fastest(bumped(0.0), bumped())
    assert traded < 6 * clean


def test_the_dax_of_2002_has_butterflies() -> None:
    found = va.check(shared("dax_surface"))
    assert {violation.kind for violation in found.violations} == {"butterfly"}
    assert (found.diagnostics.durrleman < 0).any() and np.nanmin(found.diagnostics.calendar) > 0


def test_the_index_sample_has_calendars() -> None:
    found = va.check(shared("index_sample_surface"))
    kinds = {violation.kind for violation in found.violations}
    assert kinds and all(kind.startswith("calendar") for kind in kinds)
    assert (found.diagnostics.calendar < 0).any() and (found.diagnostics.calendar_step < 0).any()
