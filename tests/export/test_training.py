"""Training: each choice against its formula, every network by every choice, and put down and taken up."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from export.imputation.networks import NETWORKS  # noqa: E402
from export.imputation.networks.feed_forward import sigma  # noqa: E402
from export.imputation.networks.linear import LinearVae  # noqa: E402
from export.imputation.training import slices  # noqa: E402
from export.imputation.training.beta import SCHEDULES, annealed, linear_cycle, on_off  # noqa: E402
from export.imputation.training.calendar import calendar_penalty  # noqa: E402
from export.imputation.training.devices import CPU, set_seed, trained_on, training_device  # noqa: E402
from export.imputation.training.divergence import free_bits, to_capacity  # noqa: E402
from export.imputation.training.fit import Options, fit, objective  # noqa: E402
from export.imputation.training.rates import divisions, stalls  # noqa: E402
from export.imputation.training.slices import AdamSteps, Deadline, Paused, Run  # noqa: E402
from export.imputation.training.standard import Standard  # noqa: E402
from voladdin.errors import InputError  # noqa: E402

pytestmark = pytest.mark.torch
TENORS, DELTAS = np.array([0.25, 0.5, 1.0, 2.0]), 3
NODES = len(TENORS) * DELTAS
VAES = [name for name in NETWORKS if name != "autoencoder" and not name.startswith(("VQ", "conditional"))]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _vols(count=200, holes=0.2):
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(2, NODES))
    logs = np.log(0.1) + 0.2 * rng.normal(size=(count, 2)) @ shapes + 0.02 * rng.normal(size=(count, NODES))
    return np.where(rng.random(logs.shape) < holes, np.nan, np.exp(logs))


def test_weights_of_the_divergence_over_the_steps():
    assert [annealed(done) for done in (0.0, 0.25, 0.5, 1.0)] == [0.0, 0.5, 1.0, 1.0]
    assert [linear_cycle(done) for done in (0.0, 0.09375, 0.1875, 0.24, 0.25)] == [0.0, 0.5, 1.0, 1.0, 0.0]
    assert [on_off(done) for done in (0.0, 0.12, 0.125, 0.24, 0.25)] == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_the_divergence_that_is_paid():
    units = torch.tensor([[0.2, 3.0], [0.4, 1.0]])
    assert free_bits(units, 0.0).item() == pytest.approx(units.sum(-1).mean().item())
    assert free_bits(units, 0.5).item() == pytest.approx(0.5 + 2.0)
    assert [to_capacity(torch.tensor(2.0), 8.0, done).item() for done in (0.0, 0.25, 1.0)] == [2.0, 0.0, 6.0]


def test_the_calendar_penalty_is_of_what_falls():
    tenors = torch.tensor([0.5, 1.0, 3.0])
    w = torch.tensor([[[0.02, 0.01], [0.01, 0.02], [0.05, 0.03]]])
    penalty = calendar_penalty((w / tenors[:, None]).sqrt(), tenors)
    assert penalty.item() == pytest.approx(((0.01 - 0.02) / 0.5) ** 2, rel=1e-4)


@pytest.mark.parametrize(("way", "over"), [("cell", 0), ("delta", (0, 1)), ("tenor", (0, 2)), ("all", None)])
def test_standardised_logs_have_mean_0_and_deviation_1_over_what_is_pooled(way, over):
    vols = _vols()
    standard = Standard.of(vols, len(TENORS), way)
    rows = standard.rows(vols).double().numpy()
    grid = rows.reshape(len(vols), len(TENORS), DELTAS)
    np.testing.assert_allclose(np.nanmean(grid, axis=over), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(grid, axis=over), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.exp(standard.logs(torch.tensor(rows))), vols, rtol=1e-6)


def test_a_cell_of_which_nothing_is_known_and_another_way_are_refused():
    vols = _vols()
    vols[:, 3] = np.nan
    with pytest.raises(InputError, match="no quote on some cell"):
        Standard.of(vols, len(TENORS))
    with pytest.raises(InputError, match="way is 'row'"):
        Standard.of(vols, len(TENORS), "row")


def test_rates_fall_once_for_each_stall_and_half_way():
    losses = [3.0, 2.0, 2.5, 2.5, 2.5, 1.0, 1.1, 1.2]
    assert list(stalls(losses)) == [0, 0, 1, 2, 3, 0, 1, 2]
    assert divisions(losses, 2) == 2 and divisions(losses, 3) == 1 and divisions(losses, 4) == 0
    plan = Options(steps=100, rate=2e-4).adam
    assert [plan.at(step) for step in (0, 4, 49, 50, 99)] == pytest.approx([4e-5, 2e-4, 2e-4, 1e-4, 1e-4])


def test_a_plateau_lowers_the_rate_of_the_run():
    stalled = Run(torch.nn.Linear(1, 1), AdamSteps(200, 4, 1e-2), plateau=2)
    stalled.train(torch.zeros(10, 1), lambda _, step: 0.0 * stalled.model.weight.sum() + step, Deadline())
    assert stalled.optimiser.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_a_cosine_falls_to_nothing_after_its_warm_up():
    plan = Options(steps=100, rate=2e-3, halved=1.0, cosine=True).adam
    assert plan.at(0) == pytest.approx(2e-3 / 5, rel=1e-2)
    assert plan.at(50) == pytest.approx(1e-3)
    assert plan.at(99) < 1e-6


def test_a_training_ends_where_its_loss_no_longer_falls(tmp_path):
    """After `stop` means of `logged` steps, and at once where it is taken up again."""

    def run():
        return Run(torch.nn.Linear(1, 1), AdamSteps(500, 4), tmp_path / "x.pt", stop=3, logged=10)

    def level(model):
        return lambda x, _: 0.0 * model(x).sum() + 1.0

    first, again = run(), None
    first.train(torch.ones(9, 1), level(first.model), Deadline())
    assert first.step == 40 and [step for step, _ in first.curve] == [10, 20, 30, 40]
    again = run()
    again.train(torch.ones(9, 1), level(again.model), Deadline())
    assert again.step == 40


def test_an_epoch_goes_through_all_rows_once():
    run, seen = Run(torch.nn.Linear(1, 1), AdamSteps(6, 4), epochs=True), []

    def loss(x, _step):
        seen.extend(x[:, 0].tolist())
        return run.model(x).sum()

    run.train(torch.arange(10.0)[:, None], loss, Deadline())
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_the_plain_objective_is_the_bound():
    network = sigma(NODES).eval()
    x, seen = torch.randn(32, NODES), torch.rand(32, NODES) < 0.7
    values = []
    for options in (Options(), Options(free=1e-12)):
        torch.manual_seed(1)
        values.append(objective(network, x, seen, seen, 0.5, options).item())
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_method_2_scores_what_it_did_not_show():
    network = sigma(NODES).eval()
    x, given = torch.randn(32, NODES), torch.rand(32, NODES) < 0.4
    whole = torch.ones_like(given)
    values = [objective(network, x, given, whole, 0.5, Options(whole=w)).item() for w in (False, True)]
    moved = objective(network, torch.where(given, x, 9.0), given, whole, 0.5, Options(whole=True)).item()
    assert values[1] > values[0] and moved > 2 * values[1]


@pytest.mark.parametrize("name", VAES)
def test_every_vae_takes_every_choice(name):
    for options in (
        Options(schedule="linear", free=0.1, calendar=0.1),
        Options(schedule="on-off", capacity=2.0, shown=0.5, whole=True),
    ):
        fitted = fit(NETWORKS[name](NODES), _vols(), TENORS, replace(options, steps=3, warm_up=0.0, batch=8))
        assert np.isfinite(fitted.standard.vols(fitted.network.sample(4)).numpy()).all()


def test_what_has_no_divergence_says_so():
    with pytest.raises(InputError, match="Quantised, whose code has no divergence"):
        fit(NETWORKS["VQ-VAE"](NODES), _vols(), TENORS, Options(steps=1, free=0.1))
    with pytest.raises(InputError, match="schedule is 'sine'"):
        Options(schedule="sine")


def test_training_on_holes_finds_the_covariance():
    """The linear VAE's bound is the density itself: its maximum has the model's covariance, holes or not."""
    vols = _vols(2_000, holes=0.3)
    fitted = fit(LinearVae(NODES, 2), vols, TENORS, Options(steps=400, rate=3e-2, decay=0.0, batch=256))
    loading = fitted.network.decoder.weight
    found = loading @ loading.t() + fitted.network.noise.spread(loading) ** 2 * torch.eye(NODES)
    wanted = torch.tensor(np.corrcoef(np.log(_vols(2_000, holes=0.0)).T), dtype=torch.float32)
    assert float((found - wanted).abs().mean()) < 0.06


def test_a_training_put_down_ends_where_the_whole_one_does(tmp_path, monkeypatch):
    monkeypatch.setattr(slices, "SAVED_EVERY", 50)
    options = Options(steps=100, batch=8, schedule="annealed", shown=0.5)
    first = sigma(NODES)
    begun, again = copy.deepcopy(first), copy.deepcopy(first)
    whole = fit(first, _vols(), TENORS, options)
    with pytest.raises(Paused):
        fit(begun, _vols(), TENORS, options, tmp_path / "a.pt", Deadline(0.0))
    parts = fit(again, _vols(), TENORS, options, tmp_path / "a.pt")
    for a, b in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert [step for step, _ in parts.curve] == [50, 100]
    other = fit(sigma(NODES), _vols(), TENORS, replace(options, beta=0.5, steps=50), tmp_path / "a.pt")
    assert [step for step, _ in other.curve] == [50]


def test_networks_train_on_a_gpu_where_there_is_one(monkeypatch):
    for there, device in ((False, "cpu"), (True, "cuda")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert training_device().type == device


def test_a_seed_is_the_one_that_torch_sets():
    drawn = []
    for sets in (torch.manual_seed, partial(set_seed, CPU)):
        sets(5)
        drawn.append(torch.rand(3))
    assert torch.equal(*drawn)


def test_what_trains_is_on_the_device_and_so_are_new_tensors():
    """On torch's meta device, of which nothing comes back: weights, Adam's state, and what is made there."""
    model, meta = sigma(NODES), torch.device("meta")
    optimiser = torch.optim.Adam(model.parameters())
    (-model.elbo(torch.zeros(2, NODES), torch.ones(2, NODES, dtype=torch.bool)).mean()).backward()
    optimiser.step()
    with pytest.raises(NotImplementedError, match="meta"), trained_on(meta, model, optimiser):  # noqa: PT012
        state = [value for of in optimiser.state.values() for value in of.values()]
        assert {part.device for part in (*model.parameters(), *state, torch.zeros(1))} == {meta}
    assert torch.zeros(1).device == CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_training_on_a_gpu_ends_where_one_on_the_cpu_does(tmp_path, monkeypatch):
    """But for its random numbers; what it leaves is on the CPU."""
    losses = []
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        fitted = fit(sigma(NODES), _vols(), TENORS, Options(steps=300), tmp_path / f"{there}.pt")
        assert {part.device for part in fitted.network.parameters()} == {CPU}
        losses.append(fitted.curve[-1][1])
    assert losses[0] == pytest.approx(losses[1], abs=1.0)


def test_schedules_start_and_end_within_0_and_1():
    values = [schedule(done) for schedule in SCHEDULES.values() for done in np.linspace(0, 1, 101)]
    assert min(values) == 0.0 and max(values) == 1.0
