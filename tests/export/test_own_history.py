"""A desk's own history: on strikes as on deltas, a generator of it, and the bench of its last year."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import voladdin as va
from export.bench.imputation import own_history
from export.generation import any_axes
from export.history import DELTAS, Days, read_history
from export.imputation.daily_moves import write_moves
from voladdin.black import moneyness_from_delta
from voladdin.errors import InputError, LabelError
from voladdin.worksheet.registry import evaluate

COLUMNS = ["10P", "25P", "ATM", "25C", "10C"]
TENORS = {"1M": 1 / 12, "3M": 0.25, "1Y": 1.0}


def smile(level: float, m: np.ndarray, tenor: float) -> np.ndarray:
    x = m / np.sqrt(tenor)
    return level * (1 - 0.4 * x + 1.5 * x**2)


def levels(days: int) -> np.ndarray:
    steps = np.random.default_rng(0).normal(0, 0.03, days)
    return 0.1 * np.exp(np.cumsum(steps) - 0.02 * np.arange(days) * np.mean(steps))


def history(path: Path, days: int, columns: dict[str, tuple[str, float]], forward: np.ndarray | None) -> Path:
    """A file of columns by name, each a tenor and a ln(K/F), or a strike where forwards are given."""
    level = levels(days)
    table = {"date": pd.bdate_range("2024-01-01", periods=days)}
    if forward is not None:
        table |= {f"{tenor}|F": forward for tenor in TENORS}
    for name, (tenor, value) in columns.items():
        m = np.full(days, value) if forward is None else np.log(value / forward)
        table[name] = smile(level, m, TENORS[tenor])
    pd.DataFrame(table).to_csv(path, index=False)
    return path


def on_moneyness(tmp_path: Path, days: int = 90) -> Path:
    nodes = {
        f"{t}|m={m:g}": (t, m) for t, years in TENORS.items() for m in np.linspace(-0.5, 0.5, 13) * years**0.5
    }
    return history(tmp_path / "m.csv", days, nodes, None)


def on_strikes(tmp_path: Path, days: int = 60) -> Path:
    forward = 1.1 * np.exp(0.001 * np.arange(days))
    nodes = {
        f"{t}|K={k:.6f}": (t, float(f"{k:.6f}"))
        for t, years in TENORS.items()
        for k in 1.13 * np.exp(np.linspace(-0.5, 0.5, 15) * years**0.5)
    }
    return history(tmp_path / "k.csv", days, nodes, forward)


@pytest.mark.parametrize("make", [on_moneyness, on_strikes])
def test_strikes_become_the_deltas_of_their_own_vols(make: object, tmp_path: Path) -> None:
    days = read_history(make(tmp_path))  # type: ignore[operator]
    assert days.deltas.tolist() == DELTAS.tolist() and np.isfinite(days.vols).all()
    for place, years in enumerate(TENORS.values()):
        m = moneyness_from_delta(DELTAS, days.vols[:, place] * np.sqrt(years))
        assert days.vols[:, place] == pytest.approx(smile(levels(len(days))[:, None], m, years), rel=5e-3)


def test_where_the_strikes_do_not_reach_is_a_hole(tmp_path: Path) -> None:
    nodes = {f"{t}|m={m:g}": (t, m) for t in TENORS for m in (-0.02, 0.0, 0.02)}
    days = read_history(history(tmp_path / "m.csv", 40, nodes, None))
    assert np.isfinite(days.vols[:, 0, 2]).all() and np.isnan(days.vols[:, 2, [0, 4]]).all()


def test_what_is_lacking_is_named(tmp_path: Path) -> None:
    nodes = {f"1M|K={k:g}": ("1M", k) for k in (1.0, 1.1)}
    path = history(tmp_path / "k.csv", 40, nodes, np.full(40, 1.05))
    table = pd.read_csv(path).drop(columns=["1M|F"])
    table.to_csv(path, index=False)
    with pytest.raises(
        InputError, match=r"column '1M\|K=1' is a strike; expected forwards in a column '1M\|F'"
    ):
        read_history(path)
    table.rename(columns={"1M|K=1": "1M|25P"}).to_csv(path, index=False)
    with pytest.raises(LabelError, match="columns are of delta and strike; expected one kind"):
        read_history(path)


def test_a_generator_and_moves_of_a_desk_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = on_moneyness(tmp_path)
    monkeypatch.setattr(any_axes, "_extension", _same_grid)
    folder = tmp_path / "mydesk"
    config = any_axes.Config(modes=6, latent=3, width=16, steps=150, batch=32)
    days = read_history(path)
    any_axes.train(*any_axes.from_history(days), tmp_path / "mydesk-generation", "mydesk", config)
    write_moves(days, tmp_path / "mydesk-moves", "mydesk")
    grid = va.Surface(np.full((3, 5), np.nan), list(TENORS), deltas=DELTAS)
    made = va.generate_on(grid, np.array([0.1, np.nan, np.nan, np.nan]), 1, words="market", model=folder)
    assert made.vols[0, 0, 2] == pytest.approx(0.1, abs=1e-10) and va.check(made.surface()).ok
    today = grid.replace(days.vols[-1])
    moved = va.scenarios(today, 50, model=folder).vols
    assert 0.005 < np.log(moved / today.vols)[:, 0, 2].std() < 0.1


@pytest.mark.parametrize("make", [on_moneyness, on_strikes])
def test_the_command_trains_a_generator_on_every_kind_of_column(
    make: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = make(tmp_path)
    monkeypatch.setattr(any_axes, "_extension", _same_grid)
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "home"))
    assert any_axes.main(["--generator", str(path), "--name", "mydesk", "--steps", "150"]) == 0
    assert f"{len(read_history(path))} surfaces: generator mydesk in" in capsys.readouterr().out
    grid = va.Surface(np.full((3, 5), np.nan), list(TENORS), deltas=DELTAS)
    for scenario in range(3):
        wanted = np.array([0.1, np.nan, 0.002, np.nan])
        made = va.generate_on(grid, wanted, scenario, words="market", model="mydesk")
        assert made.features[0, [0, 2]] == pytest.approx(wanted[[0, 2]], abs=1e-10)
        assert va.check(made.surface()).ok
    cells = evaluate(
        "VOLGENERATE", [0.1, "?", 0.002, "?", 1, [[t] for t in TENORS], [COLUMNS], "mydesk", "market"]
    )
    assert float(cells[1][3]) == pytest.approx(0.1, abs=1e-10)


def _same_grid(days: Days) -> object:
    from types import SimpleNamespace

    cells = days.vols[0].size
    return SimpleNamespace(
        tenors=days.tenors,
        deltas=days.deltas,
        matrix=np.eye(cells),
        offset=np.zeros(cells),
    )


def test_the_bench_scores_the_last_fifth(tmp_path: Path) -> None:
    before, since = own_history.last_year(read_history(on_moneyness(tmp_path)))
    assert before.date.max() < since.date.min() and len(before) + len(since) == 90
    parts = list(own_history.tables(since, "universal"))
    assert "own model" in parts[0] and "90% band covers" in parts[0]
    assert "| method | 1M | 3M | 1Y |" in parts[1] and "| method | 10C | 25C | ATM | 25P | 10P |" in parts[2]
