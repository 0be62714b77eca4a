"""The equity data: the paper's grid and ranges, seeds, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import voladdin as va
from export.simulation import equity
from export.simulation.equity import MONEYNESS, TENORS, simulate_equity
from voladdin.feature_map import feature_weights


@pytest.fixture(scope="module")
def vols() -> dict[str, np.ndarray]:
    return simulate_equity(300, seed=4)[0]


def test_the_grid_is_the_papers() -> None:
    assert TENORS.shape == MONEYNESS.shape == (28,)
    assert (TENORS[0], TENORS[-1]) == (0.1, 0.6)
    assert (MONEYNESS[0], MONEYNESS[-1]) == (-0.27, 0.27)


def test_moments_are_the_papers(vols: dict[str, np.ndarray]) -> None:
    """Appendix A: means and standard deviations of the features, of total degree 2, within sampling error."""
    joint = np.concatenate(list(vols.values())).reshape(-1, 784)
    values = joint @ feature_weights(TENORS[:, None], MONEYNESS, 2).T
    std = np.array([0.096, 0.13, 0.249, 0.0483])
    error = std / np.sqrt(len(joint))
    np.testing.assert_array_less(np.abs(values.mean(axis=0) - [0.343, -0.110, 0.185, 0.0069]), 4 * error)
    np.testing.assert_allclose(values.std(axis=0), std, rtol=0.15)


def test_kept_surfaces_pass_check(vols: dict[str, np.ndarray]) -> None:
    for part in vols.values():
        assert all(va.check(va.Surface(v, TENORS, moneyness=MONEYNESS)).ok for v in part[:20])


def test_surfaces_with_arbitrage_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hagan's expansion with a vol of vol of 2 to 4 has arbitrage in most draws."""
    wild = equity.RANGES["sabr"] | {"nu": (2.0, 4.0)}
    monkeypatch.setitem(equity.RANGES, "sabr", wild)
    vols, lost = simulate_equity(40, seed=1)
    assert 0 < lost["sabr"] == 40 - len(vols["sabr"])
    assert lost["heston"] == 0 and len(vols["heston"]) == 40


def test_the_command_writes_the_same_data_for_the_same_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        monkeypatch.setattr(
            "sys.argv", ["equity", str(tmp_path / f"{name}.npz"), "--count", "20", "--seed", "7"]
        )
        equity.main()
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        assert one["vols"].shape == (40, 28, 28)
        assert list(np.unique(one["model"])) == ["heston", "sabr"]
        np.testing.assert_array_equal(one["vols"], two["vols"])
    shown = capsys.readouterr().out
    assert "heston: 20 surfaces, 0 with arbitrage left out" in shown and "-0.5640" in shown
