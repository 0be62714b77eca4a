"""Blocks of time that are purged, a network judged on them, and a search that is put down and taken up."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
optuna = pytest.importorskip("optuna")
from export.history import Days  # noqa: E402
from export.imputation.imputers import Refit  # noqa: E402
from export.imputation.networks.linear import LinearVae  # noqa: E402
from export.imputation.networks.residual import Size  # noqa: E402
from export.imputation.selection import folds, search_command  # noqa: E402
from export.imputation.selection.judging import Budget, Judged, hide, judged  # noqa: E402
from export.imputation.selection.search import GRID, SIZES, Tried, correlations, search  # noqa: E402
from export.imputation.selection.splits import blocks, by_time  # noqa: E402
from export.imputation.training.fit import Options  # noqa: E402
from export.imputation.training.slices import Deadline, Paused  # noqa: E402
from voladdin.cli import main  # noqa: E402
from voladdin.errors import InputError  # noqa: E402

pytestmark = pytest.mark.torch
TENORS, DELTAS = np.array([0.25, 1.0]), np.array([0.25, 0.5, 0.75])
TINY = Budget(Options(steps=3, batch=8, warm_up=0.0), Refit(2, 2, 8, warm_up=1), 0.2, 20)


def _days(count=120, holes=0.1):
    rng = np.random.default_rng(0)
    logs = np.log(0.1) + 0.2 * rng.normal(size=(2 * count, 2)) @ rng.normal(size=(2, 6))
    vols = np.exp(logs + 0.02 * rng.normal(size=logs.shape)).reshape(-1, 2, 3)
    vols = np.where(rng.random(vols.shape) < holes, np.nan, vols)
    date = np.tile(np.datetime64("2020-01-01") + np.arange(count), 2)
    return Days(vols, np.repeat(["EURUSD", "USDJPY"], count), date, TENORS, DELTAS)


def test_each_date_is_held_out_once_and_its_neighbours_are_purged():
    days, purge = _days(), 5
    splits = blocks(days, 4, purge)
    held = np.concatenate([np.unique(split.validation.date) for split in splits])
    np.testing.assert_array_equal(np.sort(held), np.unique(days.date))
    for split in splits:
        gaps = np.abs(split.train.date[:, None] - split.validation.date).astype(int)
        assert gaps.min() == purge + 1
        assert len(np.unique(split.validation.underlying)) == 2
    assert [len(split.train) for split in splits] == [170, 160, 160, 170]


def test_folds_that_leave_nothing_are_refused():
    for count, purge, message in ((1, 0, "1 folds"), (2, 200, "0 days to train on beside fold 1")):
        with pytest.raises(InputError, match=message):
            blocks(_days(), count, purge)
    with pytest.raises(InputError, match="8 days in fold 1"):
        blocks(_days(), 30, 0)


def test_the_last_dates_are_the_test():
    split = by_time(_days())
    assert split.train.date.max() < split.validation.date.min()
    assert split.validation.date.max() < split.test.date.min()
    assert [len(part) for part in (split.train, split.validation, split.test)] == [168, 24, 48]


def test_a_share_of_the_quotes_is_hidden_and_one_is_left():
    vols = _days().vols.reshape(-1, 6)
    hidden = hide(vols, 0.5, 0)
    assert np.isfinite(vols[hidden]).all()
    quoted, count = np.isfinite(vols).sum(1), hidden.sum(1)
    assert (count >= 1).all() and (count < quoted).all()
    np.testing.assert_array_equal(count, np.clip(np.round(0.5 * quoted), 1, quoted - 1))


def test_the_bound_of_a_linear_vae_is_the_density_of_the_held_out_days():
    """Its bound is exact: a Gaussian's log density of what is quoted, in nats a surface, 2 pi included."""
    split, made = by_time(_days()), []

    def make(nodes):
        made.append(LinearVae(nodes, 2))
        return made[-1]

    budget = replace(TINY, options=Options(steps=300, rate=3e-2, decay=0.0))
    found = judged(make, split, budget, None, Deadline())
    network = made[0]
    loading, centre = network.decoder.weight.double(), network.decoder.bias.double()
    covariance = loading @ loading.t() + network.noise.spread(loading).double() ** 2 * torch.eye(6)
    logs = split.train.logs
    rows = torch.tensor((split.validation.logs - np.nanmean(logs, 0)) / np.nanstd(logs, 0))
    seen = torch.isfinite(rows)
    densities = [
        torch.distributions.MultivariateNormal(centre[s], covariance[s][:, s]).log_prob(x[s])
        for x, s in zip(rows, seen, strict=True)
    ]
    assert found.bound == pytest.approx(-float(torch.stack(densities).mean()), abs=1e-3)
    assert 0.0 < found.validation < 60.0 and 0.0 < found.test < 60.0


def test_a_search_put_down_ends_where_the_whole_one_does(tmp_path):
    split = [by_time(_days())]
    whole = search(split, TINY, tmp_path / "whole", 4)
    for folder in ("parts", "parts"):
        with pytest.raises(Paused):
            search(split, TINY, tmp_path / folder, 4, deadline=Deadline(0.0))
    first = search(split, TINY, tmp_path / "parts", 2)
    parts = search(split, TINY, tmp_path / "parts", 4)
    assert parts == whole and len({one.size for one in parts}) == 4
    assert [one for one in parts if one in first] == first
    assert [one.judged.bound for one in parts] == sorted(one.judged.bound for one in parts)
    again = search(split, TINY, tmp_path / "parts", 4, deadline=Deadline(0.0))
    assert again == parts


def test_what_is_put_down_is_no_failure_to_read_of(tmp_path, caplog):
    optuna.logging.enable_propagation()
    try:
        with pytest.raises(Paused):
            search([by_time(_days())], TINY, tmp_path, 1, deadline=Deadline(0.0))
    finally:
        optuna.logging.disable_propagation()
    assert caplog.text == ""


def test_a_search_that_was_killed_goes_on_with_that_size(tmp_path, monkeypatch):
    split = [by_time(_days())]
    begun = []

    def killed(_make, _split, _budget, file, _clock):
        begun.append(file.name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("export.imputation.selection.search.judged", killed)
        with pytest.raises(KeyboardInterrupt):
            search(split, TINY, tmp_path, 1, "tpe")
    (one,) = search(split, TINY, tmp_path, 1, "tpe")
    assert f"{one.size.width}-{one.size.depth}-{one.size.dropout}-{one.size.latent}-0.pt" == begun[0]


def test_the_tree_of_parzen_estimators_tries_no_size_twice(tmp_path, monkeypatch):
    """Where it asks for one again, the stored verdict stands and another size comes next."""
    seen = []

    def instant(_make, _split, _budget, file, _clock):
        seen.append(file.name)
        return Judged(float(len(seen) % 5), 1.0, 2.0)

    monkeypatch.setattr("export.imputation.selection.search.judged", instant)
    found = search([by_time(_days())], TINY, tmp_path, 30, "tpe")
    assert len(seen) == len(set(seen)) == len(found) == 30


def test_another_search_in_the_folder_is_refused(tmp_path):
    split = [by_time(_days())]
    search(split, TINY, tmp_path, 1)
    with pytest.raises(InputError, match=r"holds a search whose rate is 0\.2; expected 0\.5"):
        search(split, replace(TINY, rate=0.5), tmp_path, 1)
    with pytest.raises(InputError, match="sampler is 'random'"):
        search(split, TINY, tmp_path / "b", 1, "random")
    assert not (tmp_path / "b").exists()


def test_the_grid_is_the_papers():
    assert SIZES == 48 and set(GRID) == set(vars(Size()))


def test_correlations_of_figure_19():
    tried = [Tried(Size(), Judged(float(-v), float(v), float(v * v))) for v in (1, 2, 3, 5)]
    with_test, with_bound = correlations(tried)
    assert with_bound == pytest.approx(-1.0)
    assert with_test == pytest.approx(np.corrcoef([1, 2, 3, 5], [1, 4, 9, 25])[0, 1])
    assert all(math.isnan(value) for value in correlations(tried[:2]))


def test_both_commands_print_what_they_found(tmp_path, capsys):
    days = _days()
    lines = ["date,underlying," + ",".join(f"{t}|{d}" for t in ("3M", "1Y") for d in DELTAS)]
    for vols, name, date in zip(days.vols.reshape(-1, 6), days.underlying, days.date, strict=True):
        cells = ["" if np.isnan(vol) else f"{vol:.6f}" for vol in vols]
        lines.append(",".join([str(date), str(name), *cells]))
    history = tmp_path / "history.csv"
    history.write_text("\n".join(lines), encoding="utf-8")
    tiny = ["--steps", "3", "--refit-steps", "2", "--refit-draws", "2", "--output", str(tmp_path / "out")]
    assert main(["train", "search", str(history), *tiny, "--trials", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n| ") == 3 and "3 of 48 sizes" in printed and "nan" not in printed
    assert main(["train", "search", str(history), *tiny, "--trials", "4", "--minutes", "0"]) == 3
    assert "goes on" in capsys.readouterr().out
    assert main(["train", "folds", str(history), *tiny, "--folds", "3", "--purge", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("2020-") == 6 and "mean ± standard error" in printed
    assert main(["train", "folds", str(history), *tiny, "--network", "VQ-VAE"]) == 2
    assert "network is 'VQ-VAE'" in capsys.readouterr().err


def test_folds_and_search_take_each_other_s_splits(tmp_path):
    splits = blocks(_days(), 3, 2)
    (one,) = search(splits, TINY, tmp_path, 1)
    assert math.isnan(one.judged.test) and np.isfinite(one.judged.bound)
    found = folds.cross_validated("linear VAE", splits, TINY)
    assert len(found) == 3 and "±" in folds.table(splits, found)
    assert "nan" in search_command.table([one])
