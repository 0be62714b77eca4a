"""Training on small budgets: the start, the graphs, holes, checkpoints, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import voladdin as va
from export.history import Days, read_history
from export.imputation.density import complete, fit_density
from export.imputation.graphs import export_graphs
from export.imputation.loop import Config
from export.imputation.network import DecoderJacobian, Vae
from export.imputation.train import main, train_bundle
from export.onnx_export import PARITY
from export.simulation import simulate_market
from voladdin.imputation.history.regimes import Regimes

pytestmark = pytest.mark.torch

TENORS = np.array([1 / 12, 0.25, 1.0, 3.0])
DELTAS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
SMALL = Config(steps=30, batch=64, every=10)


def history(days: int = 300, holes: float = 0.0) -> Days:
    market = simulate_market(days, pairs=("EURUSD", "USDCAD"), seed=5, tenors=TENORS, deltas=DELTAS)
    vols = market.vols.reshape(-1, 4, 5).copy()
    rng = np.random.default_rng(0)
    vols[rng.random(vols.shape) < holes] = np.nan
    dates = np.datetime64("2020-01-01") + np.arange(days)
    return Days(vols, np.repeat(["EURUSD", "USDCAD"], days), np.tile(dates, 2), TENORS, DELTAS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    return train_bundle(history(), folder, "small", SMALL, quiet=True)


def test_the_network_starts_at_the_gaussian() -> None:
    """E over z of the decoder's Gaussian has the covariance it was started at."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    root = rng.standard_normal((20, 20)) * np.linspace(1, 0.05, 20)
    covariance = root @ root.T / 20 + 1e-3 * np.eye(20)
    vae = Vae(20)
    vae.start_at_gaussian(covariance)
    z = torch.randn(40_000, vae.decoder.lift.in_features)
    with torch.no_grad():
        mu = vae.decoder(z).numpy()
    got = np.cov(mu.T) + vae.noise
    np.testing.assert_allclose(got, covariance, atol=0.12 * covariance.diagonal().max())
    x = torch.tensor(rng.multivariate_normal(np.zeros(20), covariance, 4000), dtype=torch.float32)
    bound = vae.elbo(x).mean().item()
    exact = -0.5 * np.linalg.slogdet(covariance)[1] - 10.0
    assert exact - 1.0 < bound < exact + 0.5


def test_the_jacobian_is_autograds() -> None:
    torch.manual_seed(1)
    decoder = Vae(12).decoder
    z = torch.randn(5, decoder.lift.in_features)
    mu, jacobian = DecoderJacobian(decoder)(z)
    rows = [torch.autograd.functional.jacobian(lambda one: decoder(one[None])[0], row) for row in z]
    expected = torch.stack(rows).transpose(1, 2)
    torch.testing.assert_close(mu, decoder(z))
    torch.testing.assert_close(jacobian, expected, atol=1e-5, rtol=1e-4)


def test_onnx_is_the_model() -> None:
    torch.manual_seed(2)
    vae = Vae(12)
    graphs, parity = export_graphs(vae)
    assert parity < PARITY and set(graphs) == {"encoder", "decoder", "decoder_jacobian"}


def test_em_recovers_the_covariance_from_holes() -> None:
    rng = np.random.default_rng(3)
    root = rng.standard_normal((6, 6))
    full = rng.standard_normal((4000, 6)) @ root.T
    holed = np.where(rng.random(full.shape) < 0.3, np.nan, full)
    filled = complete(holed, np.ones(len(full)))
    np.testing.assert_array_equal(filled[np.isfinite(holed)], full[np.isfinite(holed)])
    scale = np.cov(full.T).diagonal().max()
    np.testing.assert_allclose(np.cov(filled.T), np.cov(full.T), atol=0.06 * scale)


def test_mirrored_regimes_reverse_the_smile() -> None:
    days = history(100)
    arrays = fit_density(days, np.log(history(100).vols).reshape(-1, 20))
    count = len(arrays["level_weight"]) // 2
    order = [0, 0]
    for k in range(count):
        twin = np.abs(
            arrays["level_mean"].reshape(-1, 4, 5)[:, :, ::-1].reshape(-1, 20) - arrays["level_mean"][k]
        ).sum(1)
        order[int(twin.min() < 1e-9)] += 1
    assert order[1] == count
    assert Regimes.of(arrays, "level").weight.sum() == pytest.approx(1.0)


def test_a_trained_bundle_imputes(trained: Path) -> None:
    vols = history().vols[10]
    vols = np.where(np.random.default_rng(1).random(vols.shape) < 0.4, np.nan, vols)
    result = va.impute(va.Surface(vols, TENORS.tolist(), deltas=DELTAS), model=trained)
    assert result.model == "small"
    assert np.abs(result.filled / history().vols[10] - 1).max() < 0.1
    card = json.loads((trained / "card.json").read_text())
    assert card["training"]["underlyings"] == ["EURUSD", "USDCAD"] and card["training"]["parity"] < PARITY


def test_training_resumes_from_its_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = train_bundle(history(), tmp_path / "whole", "x", SMALL, quiet=True)
    from export.imputation import train

    def stop(*_: object) -> float:
        raise KeyboardInterrupt

    original = train._score
    calls = []

    def score(*args: object) -> float:
        calls.append(1)
        return stop() if len(calls) == 3 else original(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_score", score)
        with pytest.raises(KeyboardInterrupt):
            train_bundle(history(), tmp_path / "parts", "x", SMALL, quiet=True)
    parts = train_bundle(history(), tmp_path / "parts", "x", SMALL, quiet=True)
    one, two = (json.loads((folder / "card.json").read_text())["training"] for folder in (whole, parts))
    assert [entry["step"] for entry in two["log"]] == [entry["step"] for entry in one["log"]]
    assert two["best_crps"] == pytest.approx(one["best_crps"], rel=1e-5)


def test_history_with_holes_trains(tmp_path: Path) -> None:
    folder = train_bundle(history(holes=0.2), tmp_path / "holes", "holes", SMALL, quiet=True)
    vols = history().vols[20].copy()
    vols[1:3, 1:4] = np.nan
    result = va.impute(va.Surface(vols, TENORS.tolist(), deltas=DELTAS), model=folder)
    assert np.abs(result.filled / history().vols[20] - 1).max() < 0.1


def _table(days: Days) -> dict[str, object]:
    columns = {
        f"{tenor}|{delta}": days.vols[:, t, d]
        for t, tenor in enumerate(("1M", "3M", "1Y", "3Y"))
        for d, delta in enumerate(("0.1", "0.25", "0.5", "0.75", "0.9"))
    }
    return {"date": days.date.astype(str), "underlying": days.underlying} | columns


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".xlsx"])
def test_histories_of_every_kind_read_the_same(tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    days, path = history(40, holes=0.1), tmp_path / f"history{suffix}"
    table = pd.DataFrame(_table(days))
    if suffix == ".parquet":
        table.to_parquet(path)
    elif suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False)
    got = read_history(path)
    np.testing.assert_allclose(got.vols, days.vols, rtol=1e-12)
    np.testing.assert_allclose(got.tenors, TENORS)
    assert (got.date == days.date).all() and (got.underlying == days.underlying).all()


def test_long_histories_and_percent_points(tmp_path: Path) -> None:
    import pandas as pd

    days = history(40)
    wide = pd.DataFrame(_table(replace(days, vols=100 * days.vols)))
    long = wide.melt(["date", "underlying"], var_name="node", value_name="vol")
    long[["tenor", "call_delta"]] = long["node"].str.split("|", expand=True)
    long.drop(columns="node").to_csv(tmp_path / "long.csv", index=False)
    got = read_history(tmp_path / "long.csv")
    order = np.lexsort((days.date, days.underlying))
    np.testing.assert_allclose(got.vols, days.vols[order], rtol=1e-9)


BAD = {
    "nothing.csv": (None, "does not exist"),
    "text.txt": ("date\n", "expected .csv"),
    "undated.csv": ("1M|0.5\n0.1\n", "no column 'date'"),
    "empty.csv": ("date,a\n2020-01-01,1\n", "expected columns such as"),
    "label.csv": ("date,1M|x\n2020-01-01,0.1\n", "'x' is no strike"),
    "short.csv": ("date,1M|0.5\n2020-01-01,0.1\n", "at least 30"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_histories_are_named(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(va.InputError, match=message):
        read_history(tmp_path / name)


def test_the_command_trains_a_desks_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "home"))
    path = tmp_path / "desk.csv"
    pd.DataFrame(_table(history(200))).to_csv(path, index=False)
    assert main([str(path), "--name", "mydesk", "--steps", "20"]) == 0
    assert "bundle mydesk" in capsys.readouterr().out
    assert "mydesk" in va.names()
    answer = va.impute(va.Surface([[0.1, np.nan]], ["1M"], deltas=[0.5, 0.25]), model="mydesk")
    assert answer.model.split(" ")[0] == "mydesk"
