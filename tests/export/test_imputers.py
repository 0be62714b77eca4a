"""Imputers on the linear VAE, whose conditionals are a Gaussian's in closed form; and on every VAE."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from export.imputation.imputers import IMPUTERS, Codes, Imputer, Refit, completed, impute, refitted  # noqa: E402
from export.imputation.imputers.encoder import weighted  # noqa: E402
from export.imputation.imputers.laplace import of_laplace  # noqa: E402
from export.imputation.networks import NETWORKS, Vae  # noqa: E402
from export.imputation.networks.base import mlp  # noqa: E402
from export.imputation.networks.conditional import Conditional  # noqa: E402
from export.imputation.networks.linear import LinearVae  # noqa: E402
from export.imputation.networks.noise import Full, OfLatent  # noqa: E402
from export.imputation.networks.weights import log_joint  # noqa: E402
from export.imputation.training.fit import Options, fit  # noqa: E402
from voladdin.errors import InputError  # noqa: E402

pytestmark = pytest.mark.torch
NODES, LATENT, SEEN = 10, 3, 6
EXACT = ("importance sampling", "importance sampling, encoder refitted", "Metropolis within Gibbs", "Laplace")
VAES = [name for name in NETWORKS if name != "autoencoder" and not name.startswith("VQ")]
PRIOR_FREE = [name for name in NETWORKS if name not in VAES]
SHORT = Refit(steps=3, draws=2, batch=4, warm_up=1)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _linear(*, orthogonal):
    """A linear VAE and one surface six of whose nodes are seen.

    orthogonal: the loadings' columns are, on the seen and on the hidden nodes, so that the encoder's diagonal
    Gaussian is the posterior whatever is shown.
    """
    network = LinearVae(NODES, LATENT)
    loading = torch.randn(NODES, LATENT)
    if orthogonal:
        loading = torch.cat([torch.linalg.qr(part)[0] for part in (loading[:SEEN], loading[SEEN:])])
    with torch.no_grad():
        network.decoder.weight.copy_(loading)
        network.decoder.bias.copy_(torch.randn(NODES))
        network.noise.log_sigma.fill_(-0.5)
    seen = torch.arange(NODES)[None] < SEEN
    return network.eval().requires_grad_(requires_grad=False), torch.randn(1, NODES), seen


def _closed_form(network, x, seen):
    """Mean [h] and covariance [h, h] of the hidden nodes: the Gaussian conditional (Tipping, Bishop 1999)."""
    loading, centre = network.decoder.weight, network.decoder.bias
    covariance = loading @ loading.t() + network.noise.spread(x) ** 2 * torch.eye(NODES)
    shown, hidden = seen[0], ~seen[0]
    gain = covariance[hidden][:, shown] @ torch.linalg.inv(covariance[shown][:, shown])
    mean = centre[hidden] + gain @ (x[0] - centre)[shown]
    return mean, covariance[hidden][:, hidden] - gain @ covariance[shown][:, hidden]


def _check(found, network, x, seen, tolerance):
    mean, covariance = _closed_form(network, x, seen)
    hidden, deviation = ~seen[0], torch.diagonal(covariance).sqrt()
    assert ((found.mean[0, hidden] - mean).abs() < tolerance * deviation).all()
    torch.testing.assert_close(found.std[0, hidden], deviation, rtol=tolerance, atol=0.0)
    scale = deviation[:, None] * deviation
    drawn = torch.cov(found.draws[:, 0, hidden].t())
    assert ((drawn - covariance).abs() < 2 * tolerance * scale).all()
    assert torch.equal(found.mean[0, seen[0]], x[0, seen[0]])
    assert (found.std[0, seen[0]] == 0.0).all() and (found.draws[:, 0, seen[0]] == x[0, seen[0]]).all()


@pytest.mark.parametrize("name", EXACT)
def test_the_posterior_of_any_loadings_is_the_gaussian_conditional(name):
    network, x, seen = _linear(orthogonal=False)
    count = 6_000
    found = completed(network, x, seen, IMPUTERS[name], count, refit=SHORT)
    _check(found, network, x, seen, 0.06)
    assert 0.0 < float(found.effective) <= count + 1.0


@pytest.mark.parametrize("name", [*EXACT, "pseudo-Gibbs", "completion"])
def test_where_the_encoder_is_the_posterior_every_way_is_right(name):
    network, x, seen = _linear(orthogonal=True)
    found = completed(network, x, seen, IMPUTERS[name], 6_000, refit=SHORT)
    _check(found, network, x, seen, 0.06)


@pytest.mark.parametrize("name", ["importance sampling", "Metropolis within Gibbs", "Laplace"])
def test_each_surface_of_a_batch_has_its_own_holes(name):
    """From one quote to all but one: means within five Monte-Carlo errors of the closed form."""
    network, _, _ = _linear(orthogonal=False)
    x, count = torch.randn(9, NODES), 4_000
    seen = torch.stack([torch.randperm(NODES) <= k for k in range(9)])
    found = completed(network, x, seen, IMPUTERS[name], count, draws=0)
    independent = torch.minimum(found.effective, torch.tensor(count / 50.0 if "Gibbs" in name else count))
    for k in range(9):
        mean, covariance = _closed_form(network, x[k : k + 1], seen[k : k + 1])
        error = torch.diagonal(covariance).sqrt() / independent[k].sqrt()
        assert ((found.mean[k, ~seen[k]] - mean).abs() < 5 * error).all()


@pytest.mark.parametrize("name", ["pseudo-Gibbs", "completion"])
def test_where_the_encoder_is_not_the_posterior_some_ways_are_wrong(name):
    """What makes the others worth their time: a diagonal encoder loses what joins the units."""
    network, x, seen = _linear(orthogonal=False)
    found = completed(network, x, seen, IMPUTERS[name], 6_000)
    with pytest.raises(AssertionError):
        _check(found, network, x, seen, 0.06)


def test_laplace_finds_the_posterior_of_a_linear_decoder():
    """Nine codes of ten are draws of the posterior itself, whose weights are alike; the rest of the prior."""
    network, x, seen = _linear(orthogonal=False)
    codes = of_laplace(network, x, seen, 4_000, torch.Generator().manual_seed(0))
    assert float(codes.effective) > 0.9 * 4_000
    mean, covariance = network.posterior(x, seen)
    found = (codes.shares[..., None] * codes.z).sum(0)
    torch.testing.assert_close(found, mean, rtol=0.0, atol=0.06 * float(covariance.diagonal(0, 1, 2).max()))


def test_latent_optimisation_is_least_squares_and_a_point():
    """With more quotes than units the code is the normal equations' solution, and scatters by noise alone."""
    network, x, seen = _linear(orthogonal=False)
    found = completed(network, x, seen, IMPUTERS["latent optimisation"], 5_000, draws=2)
    loading, centre, shown = network.decoder.weight, network.decoder.bias, seen[0]
    z = torch.linalg.lstsq(loading[shown], (x[0] - centre)[shown]).solution
    wanted = (centre + loading @ z)[~shown]
    torch.testing.assert_close(found.mean[0, ~shown], wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.std[0, ~shown], network.noise.spread(x).expand(NODES - SEEN))


def test_a_refitted_encoder_is_nearer_to_the_posterior():
    """A linear decoder whose encoder has learnt nothing: weights that one code has are spread over many."""
    network, x, seen = _linear(orthogonal=True)
    poor = Vae(mlp([2 * NODES, 16, 2 * LATENT]), network.decoder, network.noise, LATENT)
    poor.eval().requires_grad_(requires_grad=False)
    x, seen = torch.randn(40, NODES), seen.expand(40, -1)
    generator = torch.Generator().manual_seed(0)
    before = weighted(poor, x, seen, 500, generator).effective.mean()
    again = refitted(poor, x, seen, Refit(steps=1_500, draws=10, rate=5e-3))
    after = weighted(again, x, seen, 500, generator).effective.mean()
    assert float(after) > 3 * float(before)
    assert torch.equal(again.decoder.weight, network.decoder.weight)
    assert not torch.equal(again.encoder[0].weight, poor.encoder[0].weight)


def test_a_refit_goes_on_only_from_one_of_the_same_network(tmp_path):
    """Another network of the same shape is refitted afresh, and keeps its own decoder."""
    _, x, seen = _linear(orthogonal=True)
    first, second = (
        Vae(
            mlp([2 * NODES, 2 * LATENT]),
            mlp([LATENT, NODES]),
            OfLatent(NODES, LATENT),
            LATENT,
        )
        for _ in range(2)
    )
    refitted(first, x, seen, SHORT, tmp_path / "refit.pt")
    again = refitted(second, x, seen, SHORT, tmp_path / "refit.pt")
    assert torch.equal(again.decoder[0].weight, second.decoder[0].weight)


@pytest.mark.parametrize("kind", [OfLatent, Full])
@pytest.mark.parametrize("name", ["importance sampling, encoder refitted", "Laplace"])
def test_ways_agree_with_draws_of_the_prior_where_nothing_is_closed(name, kind):
    """A decoder that bends, noise that depends on the code or joins nodes: against 200,000 prior codes."""
    noise = kind(NODES, LATENT) if kind is OfLatent else kind(NODES)
    network = Vae(mlp([2 * NODES, 2 * LATENT]), mlp([LATENT, 12, NODES]), noise, LATENT)
    with torch.no_grad():
        for weight in network.decoder.parameters():
            weight.mul_(2.0)
        if isinstance(noise, OfLatent):
            noise.net.weight.mul_(0.3)
        if isinstance(noise, Full):
            noise.factor.copy_(0.6 * torch.eye(NODES) + torch.tril(0.2 * torch.randn(NODES, NODES)))
    network = network.eval().requires_grad_(requires_grad=False)
    x, seen = torch.randn(1, NODES), torch.arange(NODES)[None] < 4
    refit = Refit(steps=1_000, draws=10, rate=1e-2)
    found = completed(network, x, seen, IMPUTERS[name], 10_000, refit=refit, draws=0)
    wanted = completed(network, x, seen, Imputer(_of_prior), 200_000, draws=0)
    hidden, deviation = ~seen[0], wanted.std[0, ~seen[0]]
    assert float(found.effective) > 500 and float(wanted.effective) > 3_000
    assert ((found.mean - wanted.mean)[0, hidden].abs() < 0.1 * deviation).all()
    torch.testing.assert_close(found.std[0, hidden], deviation, rtol=0.1, atol=0.0)


def _of_prior(network, x, seen, count, generator):
    """Codes of the prior, weighted by what they say of the quotes."""
    z = torch.randn(count, len(x), network.latent, generator=generator)
    free = torch.ones(len(x), network.latent, dtype=torch.bool)
    return Codes(z, log_joint(network, x, seen, z, free) + 0.5 * z.square().sum(-1))


@pytest.mark.parametrize("imputer", list(IMPUTERS))
@pytest.mark.parametrize("name", VAES)
def test_every_vae_is_filled_every_way(name, imputer):
    network = NETWORKS[name](12).eval().requires_grad_(requires_grad=False)
    x, seen = torch.randn(3, 12), torch.rand(3, 12) < 0.6
    if isinstance(network, Conditional):
        x = torch.cat([x, torch.tensor([1.0, 0.3]).expand(3, -1)], -1)
        seen = torch.cat([seen, torch.ones(3, 2, dtype=torch.bool)], -1)
    weights = copy.deepcopy(network.state_dict())
    found = completed(network, x, seen, IMPUTERS[imputer], 20, refit=SHORT, draws=4)
    assert found.mean.shape == found.smooth.shape == (3, 12) and found.draws.shape == (4, 3, 12)
    assert torch.isfinite(found.draws).all() and (found.std >= 0.0).all() and (found.scatter > 0.0).all()
    assert torch.equal(torch.where(seen, x, 0.0)[:, :12], torch.where(seen[:, :12], found.mean, 0.0))
    assert all(torch.equal(value, weights[key]) for key, value in network.state_dict().items())
    hidden = torch.where(seen, x, 1e3)
    again = completed(network, hidden, seen, IMPUTERS[imputer], 20, refit=SHORT, draws=4)
    assert torch.equal(again.draws, found.draws)


def test_what_is_given_stays_as_it_is():
    network = Conditional(12).eval().requires_grad_(requires_grad=False)
    x = torch.cat([torch.randn(2, 12), torch.tensor([0.0, 0.7]).expand(2, -1)], -1)
    seen = torch.rand(2, 14) < 0.5
    seen[:, 12:] = True
    for imputer in IMPUTERS.values():
        codes = imputer.draw(network, x, seen, 3, torch.Generator().manual_seed(0))
        torch.testing.assert_close(codes.z[..., -2:], x[:, 12:].expand(len(codes.z), -1, -1))
    z, free = torch.randn(1, 2, 10), torch.arange(10).expand(2, -1) < 8
    moved = log_joint(network, x, seen, z, free) - log_joint(network, x, seen, 0.0 * z, free)
    assert torch.isfinite(moved).all()


@pytest.mark.parametrize("name", PRIOR_FREE)
def test_codes_without_a_prior_are_refused(name):
    with pytest.raises(InputError, match=r"network is \w+; expected a VAE"):
        completed(NETWORKS[name](12), torch.zeros(1, 12), torch.ones(1, 12) > 0, IMPUTERS["Laplace"], 2)


def test_vols_are_filled_and_quotes_kept():
    rng = np.random.default_rng(0)
    logs = np.log(0.1) + 0.2 * rng.normal(size=(400, 2)) @ rng.normal(size=(2, 12))
    vols = np.exp(logs + 0.01 * rng.normal(size=logs.shape))
    options = Options(steps=300, rate=3e-2, decay=0.0, batch=128)
    fitted = fit(LinearVae(12, 2), vols, np.array([0.25, 0.5, 1.0, 2.0]), options)
    hidden = rng.random(vols.shape) < 0.4
    holes = np.where(hidden, np.nan, vols)[:30]
    found = impute(fitted, holes, IMPUTERS["Laplace"], 200)
    np.testing.assert_array_equal(found.median[~hidden[:30]], vols[:30][~hidden[:30]])
    errors = np.abs(np.log(found.median) - np.log(vols[:30]))[hidden[:30]]
    assert np.median(errors) < 0.02
    inside = np.abs(found.draws.mean(0) - found.mean) < 0.3 * found.std + 1e-9
    assert inside.mean() > 0.99 and (found.std[~hidden[:30]] == 0.0).all()
    with pytest.raises(InputError, match="no quote in row 2"):
        impute(fitted, np.where(np.arange(30)[:, None] == 2, np.nan, holes), IMPUTERS["Laplace"])


@pytest.mark.parametrize("whole", [False, True], ids=["method 1", "method 2"])
def test_a_network_trained_on_shown_points_completes_surfaces(whole):
    """Mama's methods: shown half of the points, asked for these or for all of them."""
    rng = np.random.default_rng(0)
    logs = np.log(0.1) + 0.2 * rng.normal(size=(600, 2)) @ rng.normal(size=(2, 12))
    vols = np.exp(logs + 0.01 * rng.normal(size=logs.shape))
    options = Options(steps=600, rate=3e-3, decay=0.0, shown=0.5, whole=whole, beta=0.1)
    fitted = fit(NETWORKS["sigma-VAE"](12), vols, np.array([0.25, 0.5, 1.0, 2.0]), options)
    hidden = rng.random((60, 12)) < 0.4
    hidden[:, 0] = False
    found = impute(fitted, np.where(hidden, np.nan, vols[:60]), IMPUTERS["completion"], 50)
    errors = np.abs(np.log(found.median / vols[:60]))[hidden]
    assert np.median(errors) < 0.5 * np.median(np.abs(logs - logs.mean(0)))


def test_effective_codes_are_counted():
    codes = Codes(torch.zeros(4, 1, 1), torch.tensor([[0.0], [0.0], [-1e3], [-1e3]]))
    assert float(codes.effective) == pytest.approx(2.0)
