"""Training of the universal model: the same mathematics in both engines, samples, resuming, the bundle."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

import voladdin as va
from export.imputation.priors import training
from export.imputation.priors.calibration import adapted_stretch, adapting_root, surface_stretch
from export.imputation.priors.mixture import Priors, padded
from export.imputation.priors.real_smiles import as_real, as_simulated
from export.imputation.priors.samples import MOST_QUOTES, Sample, samples
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes.adapting import ADAPTED, LogPosterior, likeliest
from voladdin.imputation.processes.covariance import ListedPairs
from voladdin.imputation.processes.many_quotes import condition_many
from voladdin.imputation.processes.process import HYPERPARAMETERS, Candidates


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(islice(samples(3), 24))


def test_samples_are_finite_and_quoted(drawn: list[Sample]) -> None:
    for sample in drawn:
        assert 0 < sample.count < len(sample.t)
        assert np.isfinite(sample.u).all() and np.isfinite(sample.y).all()
        assert np.median(sample.y[: sample.count]) == pytest.approx(0.0, abs=1e-12)


def test_the_same_seed_gives_the_same_samples(drawn: list[Sample]) -> None:
    again = list(islice(samples(3), 24))
    assert all(np.array_equal(a.y, b.y) for a, b in zip(drawn, again, strict=True))


@torch.no_grad()
def test_both_engines_agree(drawn: list[Sample]) -> None:
    """What trains is what answers, before a large surface's hyper-parameters are adapted to its quotes."""
    priors, never = Priors(4, 4, 2, seed=1), {"wander": np.zeros(len(ADAPTED)), "adapting": np.array(np.inf)}
    never |= {"adapted_stretch": np.zeros(2), "adapting_root": np.eye(len(ADAPTED))}
    candidates = Candidates.of(priors.arrays() | never)
    weight, mean, variance = priors.components(padded(drawn))
    for row, sample in enumerate(drawn[:8]):
        at, n = sample.points, sample.count
        given = condition_many(candidates, at[:n], sample.y[:n])
        one = given.candidates[np.zeros(1, dtype=int)]
        gain = one.covariance(at[n:], at[:n]) @ given.whiten[:1].transpose(0, 2, 1)
        centre = one.mean(at[n:]) + (gain @ given.white[:1, :, None])[..., 0]
        left = (one.variance(at[n:]) + one.noise(at[n:]) - (gain**2).sum(-1)) * given.spread[0]
        best = int(given.kept[0])
        assert best == int(weight[row].argmax())
        hidden = len(sample.t) - n
        np.testing.assert_allclose(mean[row, best, :hidden], centre[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(variance[row, best, :hidden], np.maximum(left[0], 0), rtol=1e-3, atol=1e-8)


def test_real_smiles_have_narrower_features() -> None:
    arrays = Priors(2, 2, 1, seed=0).arrays()
    narrow = as_real(arrays["hyper"])
    moved = {HYPERPARAMETERS[i] for i in np.flatnonzero((narrow != arrays["hyper"]).any(0))}
    assert moved == {"residual_width"}
    np.testing.assert_allclose(narrow.sum() - arrays["hyper"].sum(), -0.4 * len(narrow))
    np.testing.assert_allclose(as_simulated(narrow), arrays["hyper"])


def test_training_lowers_the_loss_and_resumes(drawn: list[Sample], tmp_path: Path) -> None:
    def again(_: int) -> object:
        while True:
            yield from drawn[:20]

    start = Priors(2, 2, 1, seed=0)
    before = training.loss(start, padded(drawn[:20])).item()
    path = tmp_path / "levels.pt"
    once = training.fit(start, again, 0.05, path, 0)  # type: ignore[arg-type]
    after = training.loss(once, padded(drawn[:20])).item()
    assert after < before
    resumed = training.fit(Priors(2, 2, 1, seed=0), again, 0.05, path, 0)  # type: ignore[arg-type]
    for a, b in zip(resumed.parameters(), once.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_command_writes_a_bundle_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "SMOOTH", 2)
    monkeypatch.setattr(training, "RANDOM", 1)
    monkeypatch.setattr(training, "BENT", 1)
    monkeypatch.setattr(training, "POOLED", 1)
    monkeypatch.setattr(training, "_HELD", 20)
    monkeypatch.setattr(training, "_HELD_WHOLE", 20)
    folder = tmp_path / "mine"
    assert training.main([str(folder), "--minutes", "0.02", "--exclude", "sabr"]) == 0
    assert "bundle universal in" in capsys.readouterr().out
    loaded = va.load(folder, UniversalBundle)
    assert loaded.card["training"]["families_left_out"] == ["sabr"]
    assert loaded.card["kind"] == "universal" and not list(folder.glob("*.pt"))
    grid = va.Surface([[0.2, np.nan, 0.21], [0.2, 0.19, np.nan]], ["1M", "1Y"], deltas=[0.75, 0.5, 0.25])
    assert np.abs(va.impute(grid, model=folder).filled - 0.2).max() < 0.05


def test_the_search_begins_with_the_curvature_that_samples_have(drawn: list[Sample]) -> None:
    """Three steps gain more with it than without, of samples that did not tell it."""
    candidates = va.load("universal", UniversalBundle).levels.candidates
    many = [s for s in drawn if s.count >= 30]
    root = adapting_root(candidates, many[::2])
    np.testing.assert_array_equal(root, np.tril(root))
    gains = []
    for sample in many[1::2]:
        quotes = sample.points[: sample.count].own_tenors
        one, pairs = candidates[np.array([0])], ListedPairs.among(quotes)
        posterior = LogPosterior(one, quotes, pairs, sample.y[: sample.count])
        ends = [posterior(likeliest(posterior, inverse))[0] for inverse in (np.eye(len(root)), root @ root.T)]
        gains.append(ends[0] - ends[1])
    assert len(gains) > 5 and np.median(gains) > 0.1


def test_adapted_spreads_are_stretched_until_they_cover(drawn: list[Sample]) -> None:
    """Of samples whose hidden cells lie twice as far from the answer, the factor is twice as large."""
    candidates = va.load("universal", UniversalBundle).levels.candidates
    once = adapted_stretch(candidates, drawn, 1.0)
    half = adapted_stretch(candidates, drawn, 0.5)
    assert half[0] - once[0] == pytest.approx(np.log(2.0), abs=1e-3)
    assert half[1] == pytest.approx(once[1], abs=1e-3)


def test_spreads_are_stretched_until_they_cover_whatever_the_quotes_tell() -> None:
    """Where errors are e times the spreads, both constants are 1 larger and nothing else."""
    candidates = va.load("universal", UniversalBundle).levels.candidates
    whole = list(islice(samples(8, whole=True), 24))
    once, wider = (surface_stretch(candidates, whole, widen) for widen in (1.0, np.exp(-1.0)))
    np.testing.assert_allclose(wider - once, [1.0, 0.0, 1.0, 0.0, 0.0], atol=0.05)


def test_samples_are_parts_of_whole_ones() -> None:
    whole = list(islice(samples(8, whole=True), 24))
    assert max(s.count for s in whole) > MOST_QUOTES and all(s.y.max() < np.log(5.0) for s in whole)
