"""`voladdin bench generate`: the rivals, the measures against closed forms, the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the bench and train extras")

import torch

from export.bench.generation import control, generate, likeness, shifts, timing, validity
from export.bench.generation.generators import Ours, train_ours
from export.bench.generation.models import CONTROLS, OURS, Training, models
from export.bench.generation.paper import BETA, Budget, PaperNetwork, Shortcut, train_paper
from export.bench.generation.pca_gaussian import fit_gaussian
from export.bench.generation.smooth_violations import conditions, violations
from export.bench.generation.training_surfaces import TrainingSurfaces, surfaces
from voladdin import Surface
from voladdin.arbitrage.smooth_conditions import diagnose
from voladdin.bundles.generator import load
from voladdin.cli.program import BENCHES, main
from voladdin.errors import InputError

pytestmark = pytest.mark.torch

FOUR = CONTROLS[4]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def known(cache: Path) -> TrainingSurfaces:
    return surfaces(cache, 60, count=110)


@pytest.fixture(scope="module")
def network(known: TrainingSurfaces, cache: Path) -> PaperNetwork:
    return train_paper(known.train, known.train_features, FOUR, cache / "net.pt", Budget(3), quiet=True)


def test_surfaces_are_kept_and_held_out_ones_are_others(known: TrainingSurfaces, cache: Path) -> None:
    again = surfaces(cache, 60, count=110)
    assert (again.held == known.held).all()
    assert known.held.shape == (60, 784)
    assert np.abs(known.train[:, None] - known.held[None]).max(axis=2).min() > 1e-6
    with pytest.raises(InputError, match=r"absent\.npz; expected an \.npz"):
        surfaces(cache, 60, cache / "absent.npz")


def test_targets_lie_where_they_should(known: TrainingSurfaces) -> None:
    rng = np.random.default_rng(0)
    y = known.train_features[:, [0, 1, 3]]
    corners = known.in_rectangle(CONTROLS[3], 2000, rng)
    assert ((corners >= y.min(axis=0)) & (corners <= y.max(axis=0))).all()
    inside = known.in_hull(CONTROLS[3], 200, rng)
    assert ((inside >= y.min(axis=0)) & (inside <= y.max(axis=0))).all()
    assert known.in_hull(CONTROLS[1], 5, rng).shape == (5, 1)


def test_the_papers_network_is_the_printed_one(network: PaperNetwork) -> None:
    vae = network.vae
    assert [tuple(p.shape) for p in vae.encoder.layers.parameters() if p.ndim == 2] == [
        (256, 784 + 4),
        (128, 256),
        (10, 128),
    ]
    assert [tuple(p.shape) for p in vae.decoder.body.layers.parameters() if p.ndim == 2] == [
        (128, 5 + 4),
        (256, 128),
        (784, 256),
    ]
    assert tuple(vae.decoder.body.shortcut.weight.shape) == (784, 9)
    assert sum(isinstance(layer, torch.nn.ReLU) for layer in vae.encoder.layers) == 2
    assert (Budget(1).batch, Budget(1).rate, BETA) == (64, 3e-4, 5e-8)


def test_shortcut_is_added_to_the_output() -> None:
    net, x = Shortcut(3, 4, 2), torch.randn(5, 3)
    with torch.no_grad():
        np.testing.assert_allclose(net(x), net.layers(x) + x @ net.shortcut.weight.T, atol=1e-6)
        net.layers[-1].weight.zero_()
        net.layers[-1].bias.zero_()
        np.testing.assert_allclose(net(x), x @ net.shortcut.weight.T, atol=1e-6)


def test_loss_is_half_the_squares_and_beta_times_the_divergence(
    network: PaperNetwork, known: TrainingSurfaces
) -> None:
    x = torch.tensor(known.held[:7], dtype=torch.float32)
    y = torch.tensor(known.held_features[:7], dtype=torch.float32)
    none = torch.zeros(7, 5)
    with torch.no_grad():
        mean, log_variance = network.vae.encode(x, y)
        again = network.vae.decoder(y, mean)
        q = torch.distributions.Normal(mean, (log_variance / 2).exp())
        divergence = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(-1)
        squares = (((x - again) / network.vae.vols.unit) ** 2).sum(-1)
        torch.testing.assert_close(network.vae.loss(x, y, none, 2.0), squares / 2 + 2 * divergence)


def test_training_lowers_the_error_and_resumes_to_the_same_weights(
    known: TrainingSurfaces, tmp_path: Path
) -> None:
    data = known.train, known.train_features, CONTROLS[3]
    whole = train_paper(*data, tmp_path / "a.pt", Budget(12), quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        calls: list[int] = []
        real = torch.optim.Adam.step

        def step(*args: object, **kwargs: object) -> object:
            calls.append(1)
            if len(calls) > 11 * -(-len(known.train) // 64):
                raise KeyboardInterrupt
            return real(*args, **kwargs)

        patch.setattr(torch.optim.Adam, "step", step)
        with pytest.raises(KeyboardInterrupt):
            train_paper(*data, tmp_path / "b.pt", Budget(12), quiet=True)
    assert torch.load(tmp_path / "b.pt", weights_only=True)["epoch"] == 10
    parts = train_paper(*data, tmp_path / "b.pt", Budget(12), quiet=True)
    for a, b in zip(whole.vae.parameters(), parts.vae.parameters(), strict=True):
        assert torch.equal(a, b)
    fresh = train_paper(*data, tmp_path / "c.pt", Budget(1), quiet=True)
    targets = known.held_features[:, list(CONTROLS[3])]
    worse, better = (np.abs(n.reconstructed(known.held, targets) - known.held).mean() for n in (fresh, whole))
    assert better < worse


def test_gaussian_is_the_conditional_one(known: TrainingSurfaces) -> None:
    """At full rank: scores given features by the textbook formula, from the joint covariance."""
    vols, weights = known.train[:, ::40], known.weights[:, ::40]
    found = fit_gaussian(vols, weights, (0, 3), components=6, projected=False)
    joint = np.column_stack([(vols - found.mean) @ found.directions, vols @ weights[[0, 3]].T])
    s = np.cov(joint.T)
    slope = s[:6, 6:] @ np.linalg.inv(s[6:, 6:])
    np.testing.assert_allclose(found.slope, slope, rtol=1e-6, atol=1e-9)
    rest = s[:6, :6] - slope @ s[6:, :6]
    np.testing.assert_allclose(found.root @ found.root.T, rest, atol=1e-9)


def test_projection_makes_the_features_exact(known: TrainingSurfaces) -> None:
    rng = np.random.default_rng(1)
    for projected in (False, True):
        found = fit_gaussian(known.train, known.weights, FOUR, projected=projected)
        errors = control.feature_errors(found, known, known.held_features, rng)
        assert (errors.max() < 1e-10) == projected


def test_conditions_are_those_of_the_diagnostics(known: TrainingSurfaces) -> None:
    rng = np.random.default_rng(2)
    grid = known.grid(known.held[:3]) * (1 + 0.02 * rng.standard_normal((3, 28, 28)))
    f, calendar = conditions(grid, known.tenors, known.moneyness)
    for row, vols in enumerate(grid):
        expected = diagnose(Surface(vols, known.tenors, moneyness=known.moneyness))
        np.testing.assert_allclose(f[row], expected.durrleman, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(calendar[row], expected.calendar, rtol=1e-6, atol=1e-8)


def test_violations_tell_the_kinds_apart(known: TrainingSurfaces) -> None:
    flat = np.full((4, 28, 28), 0.2)
    flat[1] = 0.3 - 0.25 * known.tenors[:, None]  # w falls at the end
    flat[2] += 0.1 * np.cos(40 * known.moneyness)  # no density
    flat[3, 5, 5] = -0.1
    found = violations(flat, known.tenors, known.moneyness)
    assert found["grid"].tolist() == [False, True, True, True]
    assert found["calendar"].tolist() == [False, True, False, True]
    assert found["f"].tolist() == [False, False, True, True]


def test_regions_draw_the_latents_they_say(known: TrainingSurfaces) -> None:
    ours = Ours(load("equity"))
    for region in validity.REGIONS:
        asked = validity.drawn(region, ours, known, 500, np.random.default_rng(3))
        beyond = (np.abs(asked.z) > validity.CENTRAL).any(axis=1)
        assert {"hull": not beyond.any(), "rectangle": not beyond.all(), "tails": beyond.all()}[region]
        assert np.isfinite(asked.z).all()


def test_served_surfaces_have_no_arbitrage_and_the_features_asked_for(known: TrainingSurfaces) -> None:
    ours, rng = Ours(load("equity")), np.random.default_rng(4)
    asked = validity.drawn("rectangle", ours, known, 100, rng)
    targets = asked.targets
    targets[:3, 2] = 1.3
    bad = validity.decoded(ours, known, asked)["grid"]
    found = validity.served(asked, bad, 2, "equity", rng)
    assert len(found.seconds) == min(2, bad.sum()) == len(found.moved) + len(found.refused)
    row = dict(zip(validity.USER_COLUMNS, validity.served_row("rectangle", known, bad, found), strict=True))
    assert row["violations returned"] == "0"
    assert float(row["feature error"]) < 1e-10


def test_latent_repair_is_counted_where_it_passes_check(known: TrainingSurfaces) -> None:
    ours, rng = Ours(load("equity")), np.random.default_rng(7)
    asked = validity.drawn("rectangle", ours, known, 200, rng)
    bad = validity.decoded(ours, known, asked)["grid"]
    row = validity.latent_row("rectangle", ours, asked, bad, 3, rng)
    cells = dict(zip(validity.LATENT_COLUMNS, row, strict=True))
    assert int(cells["tried"]) == min(3, bad.sum()) > 0
    assert float(cells["repaired, %"]) == pytest.approx(
        100 * int(cells["repaired"]) / int(cells["tried"]), abs=0.1
    )
    none = validity.latent_row("hull", ours, asked, np.zeros(200, dtype=bool), 3, rng)
    assert none[2:] == ["0", "0", "", "", ""]


def test_traversal_moves_one_latent_at_a_time(network: PaperNetwork) -> None:
    vols = control.traversal(network)
    assert vols.shape == (5, 17, 784)
    y, z = np.array([control.BASE]), np.zeros((1, 5))
    np.testing.assert_allclose(vols[:, 8], np.tile(network.vols(y, z), (5, 1)), atol=1e-6)
    z[0, 3] = -8
    np.testing.assert_allclose(vols[3, 0], network.vols(y, z)[0], atol=1e-6)


def test_naive_shifts_change_the_feature_by_as_much(known: TrainingSurfaces) -> None:
    for name, size in shifts.SHIFTS:
        moved = shifts.naive(known, name, size).reshape(len(known.held), -1) @ known.weights.T
        change = size * (np.array(shifts.NAMES) == name)  # type: ignore
        np.testing.assert_allclose(moved - known.held_features, np.tile(change, (60, 1)), atol=1e-9)


def test_shift_row_counts_every_surface(known: TrainingSurfaces) -> None:
    row = dict(zip(shifts.COLUMNS, shifts.shift_row(known, "level", 0.05, 3), strict=True))
    assert int(row["returned"]) + int(row["refused"]) == int(row["va.shift asked for"]) == 3
    assert row["violations returned"] == "0"


def test_reconstruction_of_all_components_is_exact(known: TrainingSurfaces) -> None:
    full = fit_gaussian(known.held, known.weights, FOUR, components=59, projected=False)
    assert float(likeness.reconstruction_row("all", full, known)[3]) < 0.01
    few = fit_gaussian(known.train, known.weights, FOUR, components=2, projected=False)
    assert float(likeness.reconstruction_row("two", few, known)[3]) > 1


def test_distances_are_zero_from_itself_and_one_from_one_standard_deviation(known: TrainingSurfaces) -> None:
    yardstick = likeness.Yardstick.of(known, np.random.default_rng(5))
    same = yardstick.row("same", known.held, known.held)
    assert len(same) == len(likeness.distance_columns(known))
    assert {float(cell) for cell in same[1:]} == {0.0}
    moved = known.held + known.train_features[:, 0].std()
    row = dict(zip(likeness.distance_columns(known), yardstick.row("moved", moved, known.held), strict=True))
    assert row["level"] == "1.000"
    assert row["skew"] == row["curv"] == row["term"] == "0.000"


def test_rivals_are_timed_on_the_same_surfaces(network: PaperNetwork, known: TrainingSurfaces) -> None:
    decoders = timing.decoders(Ours(load("equity")), network, "equity")
    y, z = known.held_features[:30], np.zeros((30, 5))
    a, b = (np.asarray(decoders[f"paper's network, {where}"][1](y, z)) for where in ("onnxruntime", "torch"))
    np.testing.assert_allclose(a, b, atol=1e-5)
    rows = [
        timing.time_row(name, decode, y, np.zeros((30, generator.latent_size)), 5)
        for name, (generator, decode) in decoders.items()
    ]
    assert all(len(row) == len(timing.COLUMNS) and float(row[1]) > 0 for row in rows)


def test_our_own_of_three_features_is_exact_and_kept(known: TrainingSurfaces, cache: Path) -> None:
    found = train_ours(known, CONTROLS[3], cache / "ours-3", 20, quiet=True)
    assert found.control == CONTROLS[3]
    targets = known.held_features[:, list(found.control)]
    assert control.feature_errors(found, known, targets, np.random.default_rng(6)).max() < 1e-10
    card = (cache / "ours-3" / "card.json").stat().st_mtime_ns
    train_ours(known, CONTROLS[3], cache / "ours-3", 20, quiet=True)
    assert (cache / "ours-3" / "card.json").stat().st_mtime_ns == card


def test_the_command_prints_every_table(
    known: TrainingSurfaces, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = ["--targets", "60", "--simulated", "110", "--surfaces", "40", "--sample", "1", "--shifts", "1"]
    budget = ["--epochs", "2", "--steps", "20"]
    files = ["--cache", str(cache), "--output", str(tmp_path / "t.md"), "--pictures", str(tmp_path / "p")]
    assert main(["bench", "generate", *counts, *budget, *files]) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "t.md").read_text(encoding="utf-8") == text.rstrip("\n") + "\n"
    assert text.count("\n**") == 9
    for columns in (
        validity.COLUMNS,
        validity.USER_COLUMNS,
        validity.LATENT_COLUMNS,
        shifts.COLUMNS,
        timing.COLUMNS,
    ):
        assert "| " + " | ".join(columns) + " |" in text
    assert {file.name for file in (tmp_path / "p").iterdir()} >= {"errors.png", "traversal.png"}
    found = models(known, cache, Training(2, 20, quiet=True))
    assert len([1 for count, _ in found if count == 4]) == 5
    assert found[4, OURS].control == FOUR


def test_the_command_refuses_impossible_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert "generate" in BENCHES
    assert main(["bench", "generate", "--surfaces", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
    assert generate.parser().parse_args([]).surfaces == 60_000
