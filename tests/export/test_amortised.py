"""The network that hands a mean and a kernel to the process."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from export.bench.markets.answers import ALONE, BOTH, NETWORK, OURS, PRIORS
from export.bench.markets.network_rows import network_table
from export.bench.markets.quoted import Quoted
from export.bench.markets.scoring import Case
from export.bench.markets.trained_networks import network_methods, quotes_of
from export.imputation.amortised import source as sources
from export.imputation.amortised import training
from export.imputation.amortised.amortising import CODE, QUOTES, Amortised, as_set
from export.imputation.amortised.judging import graphs, judged, read, size_of_mean
from export.imputation.amortised.source import Source
from export.imputation.amortised.training import FILE, Fit, start
from export.imputation.priors.mixture import Padded, Priors, padded
from export.imputation.priors.samples import Sample, samples
from export.imputation.priors.training import loss
from voladdin.imputation.processes import coordinates
from voladdin.imputation.processes.process import HYPERPARAMETERS


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few candidates and small batches."""
    monkeypatch.setattr(training, "CANDIDATES", 2)
    for module in (training, sources):
        monkeypatch.setattr(module, "BATCH", 4)
    monkeypatch.setattr(sources, "POOLED", 2)
    monkeypatch.setattr(training, "HELD", 20)
    monkeypatch.setattr(training, "shipped", lambda: Priors(2, 2, 1, 0))


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(islice(samples(5), 24))


def stirred(seed: int = 0) -> Amortised:
    """A small one whose heads are not zero."""
    torch.manual_seed(seed)
    model = Amortised(Priors(1, 2, 1, seed))
    for head in (model.encoder.kernel, model.decoder.head):
        torch.nn.init.normal_(head.weight, std=0.05)
    return model.eval()


def shuffled(at: Padded, rng: np.random.Generator) -> Padded:
    order = torch.from_numpy(rng.permutation(at.t.shape[1]))
    return replace(at, **{name: getattr(at, name)[:, order] for name in ("t", "u", "y", "quoted")})


@torch.no_grad()
def test_shapes_and_bounds(drawn: list[Sample]) -> None:
    model, batch = stirred(), padded(drawn)
    code, kernel = model.encoder(as_set(batch))
    assert code.shape == (24, CODE) and kernel.shape == (24, 22 + 9 + 3)
    assert (kernel.abs() <= model.encoder.most).all()
    mean, variance = model(batch)
    assert mean.shape == variance.shape == batch.hidden_y.shape
    assert torch.isfinite(mean).all() and (variance > 0).all()


@torch.no_grad()
def test_the_order_of_quotes_and_padding_do_not_matter(drawn: list[Sample]) -> None:
    model, batch = stirred(), padded(drawn)
    mean, variance = model(batch)
    again, spread = model(shuffled(batch, np.random.default_rng(1)))
    torch.testing.assert_close(mean, again, rtol=0, atol=2e-5)
    torch.testing.assert_close(variance, spread, rtol=1e-3, atol=0)


@torch.no_grad()
def test_at_the_start_it_is_the_process_alone(drawn: list[Sample]) -> None:
    process, batch = Priors(1, 2, 1, 0), padded(drawn)
    for a, b in zip(Amortised(process)(batch), process(batch), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@torch.no_grad()
def test_beside_a_quote_it_says_the_quote(drawn: list[Sample]) -> None:
    """Whatever the network says: the residual process takes it back where there is a quote."""
    model = stirred()
    for name, value in (("noise_std", -16.0), ("rough_std", -1.0)):  # logarithms
        model.process.hyper[:, HYPERPARAMETERS.index(name)] = value
    for sample in drawn[:6]:
        n = sample.count
        t, u, y = (np.concatenate([a[:n], a[:n]]) for a in (sample.t, sample.u, sample.y))
        at = Sample(t, u, y, n, sample.own)
        batch = padded([at])
        mean, _ = model(batch)
        assert model.means(batch, model.encoder(as_set(batch))[0])[1].abs().max() > 1e-3
        torch.testing.assert_close(mean, batch.hidden_y, rtol=0, atol=2e-3)


@pytest.mark.usefixtures("small")
def test_training_resumes_with_the_same_weights(tmp_path: Path) -> None:
    source = Source(3, exclude=("sabr",))
    one = Fit(start(source, alone=False), 6, tmp_path / "one.pt")
    one.run(source)
    first = Fit(start(source, alone=False), 6, tmp_path / "two.pt")
    feed = source.batches(0)
    for _ in range(2):
        first._one(next(feed))
    first.save()
    resumed = Fit(start(source, alone=False), 6, tmp_path / "two.pt")
    assert resumed.step == 2 and resumed.run(source) == 6
    for (name, a), b in zip(one.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert not torch.equal(one.model.decoder.head.weight, torch.zeros_like(one.model.decoder.head.weight))


def test_steps_on_one_batch_lower_its_loss(drawn: list[Sample], tmp_path: Path) -> None:
    model, batch = Amortised(Priors(1, 2, 1, 0)), padded(drawn)
    fit, before = Fit(model, 100, tmp_path / FILE), loss(model, batch).item()
    for _ in range(12):
        fit.step += 20  # past the slow start
        fit._one(batch)
    assert loss(model, batch).item() < before


def test_the_graphs_say_what_the_network_says(drawn: list[Sample]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = stirred()
    written, worst = graphs(model, drawn)
    assert set(written) == {"encoder", "decoder"} and worst < 1e-5
    session = onnxruntime.InferenceSession(written["encoder"])
    batch = padded([s for s in drawn if s.count <= QUOTES][:1])
    table = np.zeros((1, 4, QUOTES), dtype=np.float32)
    table[:, 3] = -1.0
    table[:, :, : batch.t.shape[1]] = as_set(batch).reshape(1, 4, -1)
    found = session.run(None, {"quotes": table.reshape(1, -1)})
    with torch.no_grad():
        expected = model.encoder(as_set(batch))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def test_more_quotes_than_the_encoder_reads_are_thinned() -> None:
    tenors, deltas = np.linspace(0.1, 2.0, 12), np.linspace(0.05, 0.95, 12)
    points = coordinates.from_deltas(tenors, deltas)
    table = quotes_of(points, np.zeros(len(points))).reshape(4, -1)
    assert table.shape[1] == QUOTES and 60 <= int((table[3] >= 0).sum()) <= QUOTES


@pytest.mark.usefixtures("small")
def test_the_command_trains_and_the_bench_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, alone = tmp_path / "net", tmp_path / "alone"
    assert training.main([str(net), "--steps", "2", "--minutes", "0"]) == 0
    assert "0 of 2 steps" in capsys.readouterr().out
    assert training.main([str(net), "--steps", "2"]) == 0
    assert "float32 ONNX differs" in capsys.readouterr().out
    assert training.main([str(alone), "--steps", "1", "--alone"]) == 0
    model, stretch = read(net / FILE)
    assert size_of_mean(model, Source().samples(1, 4)) < 0.1
    value, _, factor = judged(model, Source().samples(training._HELD_SEED, 20))
    assert np.isfinite(value) and factor == pytest.approx(stretch)
    vols = 0.2 + 0.02 * np.cos(np.arange(24.0)).reshape(4, 6)
    grid = Quoted("made", "made", np.array([0.1, 0.5, 1, 2]), vols, vols, deltas=np.linspace(0.9, 0.1, 6))
    hidden = np.zeros(vols.shape, dtype=bool)
    hidden[1, 2:4] = hidden[3] = True
    found = network_methods((net, alone))
    assert list(found) == [NETWORK, ALONE, PRIORS, BOTH]
    for method in found.values():
        answer = method(grid, hidden)
        np.testing.assert_allclose(answer.fill[~hidden], vols[~hidden], rtol=1e-12)
        assert (answer.low[hidden] < answer.fill[hidden]).all() and (answer.fill < 1.0).all()


def test_the_table_has_ratios_of_the_network() -> None:
    error = {NETWORK: 2.0, ALONE: 4.0, PRIORS: 1.0, BOTH: 1.0, OURS: 2.0}
    case = Case("DAX", "30%", "d", 3, error, error, {}, {}, {}, {})
    assert "| DAX | 0.500 | 2.000 | 1.000 | 1.000 |" in network_table([case])
    assert network_table([replace(case, error={OURS: 1.0})]) == ""
