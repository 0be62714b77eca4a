"""Every network by one suite: shapes, gradients, holes, a bound that is one, and draws of both kinds."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from export.bench.papers.chapter.compared import HEADER, row  # noqa: E402
from export.bench.papers.items import QUICK, Bench  # noqa: E402
from export.imputation import networks  # noqa: E402
from export.imputation.imputers import IMPUTERS, Refit, impute  # noqa: E402
from export.imputation.networks import NETWORKS, Vae  # noqa: E402
from export.imputation.networks.base import residual_mlp  # noqa: E402
from export.imputation.networks.conditional import Conditional  # noqa: E402
from export.imputation.networks.feed_forward import beta  # noqa: E402
from export.imputation.networks.importance_weighted import weighted_bound  # noqa: E402
from export.imputation.networks.linear import LinearVae  # noqa: E402
from export.imputation.networks.noise import Fixed, Full, OfLatent, OfNode, Shared  # noqa: E402
from export.imputation.networks.residual import Size, sized  # noqa: E402
from export.imputation.training.fit import Options, fit  # noqa: E402

pytestmark = pytest.mark.torch
NODES, COUNT = 12, 64
names = pytest.mark.parametrize("name", list(NETWORKS))
vaes = [name for name in NETWORKS if isinstance(NETWORKS[name](NODES), Vae)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _batch(network):
    x = torch.randn(COUNT, NODES)
    seen = torch.rand(COUNT, NODES) < 0.7
    if isinstance(network, Conditional):
        x = torch.cat([x, torch.tensor([1.0, 0.3]).expand(COUNT, -1)], -1)
        seen = torch.cat([seen, torch.ones(COUNT, 2, dtype=torch.bool)], -1)
    return x, seen


@names
def test_shapes(name):
    network = NETWORKS[name](NODES)
    x, seen = _batch(network)
    code = network.encode(x, seen)
    assert code.mean.shape == code.spread.shape
    assert network.decode(code.mean).shape == network.reconstruct(x, seen).shape == (COUNT, NODES)
    assert network.elbo(x, seen).shape == (COUNT,)
    assert network.sample(5).shape == (5, NODES)


@names
def test_every_weight_has_a_gradient_that_training_follows(name):
    network = NETWORKS[name](NODES)
    x, seen = _batch(network)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(150):
        loss = -network.elbo(x, seen).mean()
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    idle = [key for key, weight in network.named_parameters() if weight.grad is None]
    assert not idle
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.1


@names
def test_what_is_hidden_is_not_read(name):
    """The masked bound is of the seen nodes alone, with the same draws whatever stands in the holes."""
    network = NETWORKS[name](NODES).eval()
    x, seen = _batch(network)
    torch.manual_seed(1)
    first = network.elbo(x, seen)
    torch.manual_seed(1)
    second = network.elbo(torch.where(seen, x, 1e3), seen)
    assert torch.equal(first, second)
    assert torch.equal(network.encode(x, seen).mean, network.encode(torch.where(seen, x, -7.0), seen).mean)


@names
def test_a_step_stays_on_the_device_that_it_is_given(name):
    """Shapes alone, on torch's meta device, which like a GPU refuses what lies on the CPU."""
    network, meta = NETWORKS[name](NODES).to("meta"), torch.device("meta")
    x, seen = (part.to(meta) for part in _batch(network))
    with meta:
        (-network.elbo(x, seen).mean()).backward()
    assert {weight.grad.device for weight in network.parameters() if weight.grad is not None} == {meta}


@pytest.mark.parametrize("name", [name for name in vaes if NETWORKS[name] not in (Conditional, LinearVae)])
def test_the_bound_lies_below_one_of_more_draws(name):
    """E elbo <= E log mean of k weights <= log density (Burda et al. 2016, theorem 1)."""
    network = NETWORKS[name](NODES).eval()
    x, seen = _batch(network)
    if name == "learnable beta-VAE":
        pytest.skip("its loss is no bound")
    with torch.no_grad():
        one = torch.stack([weighted_bound(network, x, seen, 1) for _ in range(1_000)]).mean()
        many = torch.stack([weighted_bound(network, x, seen, 50) for _ in range(20)]).mean()
        if name != "Sigma-IWAE":
            elbo = torch.stack([network.elbo(x, seen) for _ in range(1_000)]).mean()
            assert float(elbo) == pytest.approx(float(one), abs=0.15)
    assert float(many) > float(one)


def test_dropout_is_in_the_branches_alone():
    """With all dropped, what is left of a residual network is its two linear layers (Gopal 2024, 5.3)."""
    network = residual_mlp(NODES, 3, dropout=1.0).train()
    x = torch.randn(COUNT, NODES)
    torch.testing.assert_close(network(x), network[-1](network[0](x)))
    assert not torch.allclose(network.eval()(x), network[-1](network[0](x)))


def test_mean_and_spread_are_two_heads_on_one_decoder():
    """Appendix B.1, W12,1 and W12,2: the spread's slope reaches the layers that the mean is made of."""
    network = sized(NODES, None, Size(dropout=0.0, latent=4))
    network.noise.spread(torch.randn(COUNT, 4)).sum().backward()
    moved = [weight.grad is not None for weight in network.decoder.parameters()]
    assert moved == [True] * (len(moved) - 2) + [False] * 2


NEW = """
from torch import nn

from .base import Vae, mlp
from .noise import OfNode


class Narrow(Vae):
    def __init__(self, nodes: int) -> None:
        super().__init__(mlp([2 * nodes, 16, 4]), nn.Linear(2, nodes), OfNode(nodes), latent=2)
"""


@pytest.fixture
def new_network(tmp_path, monkeypatch):
    """The recipe of docs/architecture.md: one file, and one line in NETWORKS."""
    file, place = tmp_path / "narrow.py", f"{networks.__name__}.narrow"
    file.write_text(NEW, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(place, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(NETWORKS, "narrow VAE", module.Narrow)
    return "narrow VAE"


def test_a_new_network_is_one_file_and_one_line(new_network, tmp_path):
    """It is tested, trained on holes, filled by every imputer, and has its rows in the papers' bench."""
    for law in (
        test_shapes,
        test_every_weight_has_a_gradient_that_training_follows,
        test_what_is_hidden_is_not_read,
    ):
        law(new_network)
    vols = 0.1 * torch.randn(60, NODES).exp().double().numpy()
    vols[::2, 3] = np.nan
    fitted = fit(NETWORKS[new_network](NODES), vols, np.array([0.5, 1.0]), Options(steps=20))
    for way in IMPUTERS.values():
        assert np.isfinite(impute(fitted, vols[:4], way, 20, refit=Refit(2, 2)).mean).all()
    cells = row(Bench(QUICK, tmp_path), new_network)
    assert cells[0] == new_network and len(cells) == len(HEADER)


def test_the_linear_bound_is_the_log_density_of_what_is_seen():
    network = LinearVae(NODES, 3)
    x, seen = _batch(network)
    loading, centre = network.decoder.weight.detach(), network.decoder.bias.detach()
    covariance = loading @ loading.t() + torch.eye(NODES)
    for surface, mask, bound in zip(x, seen, network.elbo(x, seen).detach(), strict=True):
        block = covariance[mask][:, mask]
        normal = torch.distributions.MultivariateNormal(centre[mask], block)
        wanted = normal.log_prob(surface[mask]) + 0.5 * math.log(2 * math.pi) * mask.sum()
        assert float(bound) == pytest.approx(float(wanted), abs=1e-4)


def test_the_linear_vae_learns_the_principal_components():
    """Tipping and Bishop (1999): sigma² is the mean of the eigenvalues left, W spans the others."""
    mixing = torch.randn(2, NODES)
    x = torch.randn(1_000, 2) @ mixing + 0.1 * torch.randn(1_000, NODES)
    seen, network = torch.ones_like(x, dtype=torch.bool), LinearVae(NODES, 2)
    optimiser = torch.optim.Adam(network.parameters(), 4e-2)
    for _ in range(400):
        loss = -network.elbo(x, seen).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    values, vectors = torch.linalg.eigh(torch.cov(x.t()))
    assert network.noise.spread(x).item() ** 2 == pytest.approx(values[:-2].mean().item(), rel=0.05)
    lead, found = vectors[:, -2:], torch.linalg.qr(network.decoder.weight.detach())[0]
    assert float(torch.linalg.svdvals(lead.t() @ found).min()) > 0.999


@pytest.mark.parametrize("value", [0.02, 0.5, 2.0])
def test_beta_is_twice_the_noise_variance(value):
    """-2 sigma² times the bound is the square error plus beta times the divergence, up to a constant."""
    network = beta(NODES, value).eval()
    x, seen = _batch(network)
    torch.manual_seed(2)
    bound = network.elbo(x, seen)
    torch.manual_seed(2)
    code = network.encode(x, seen)
    error = torch.where(seen, x - network.decode(code.draw()), 0.0).square().sum(-1)
    loss = error + value * code.divergence.sum(-1)
    constant = -value * seen.sum(-1) * 0.5 * math.log(value / 2)
    torch.testing.assert_close(-value * bound, loss - constant, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "noise",
    [Fixed(0.3), Shared(), OfNode(NODES), OfLatent(NODES, 3), Full(NODES)],
    ids=lambda noise: type(noise).__name__,
)  # fmt: skip
def test_noise_has_the_density_and_the_spread_that_it_says(noise):
    """The density is the multivariate normal's of the seen block; draws have its covariance."""
    with torch.no_grad():
        for weight in noise.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    z, mean = torch.randn(1, 3), torch.randn(1, NODES)
    covariance = (
        noise.covariance if isinstance(noise, Full) else torch.diag(noise.spread(z).expand(1, NODES)[0] ** 2)
    )
    mask = torch.rand(1, NODES) < 0.6
    x = mean + torch.randn(1, NODES)
    normal = torch.distributions.MultivariateNormal(mean[0, mask[0]], covariance[mask[0]][:, mask[0]])
    wanted = normal.log_prob(x[mask]) + 0.5 * math.log(2 * math.pi) * mask.sum()
    assert noise.log_density(x, mean, mask, z).item() == pytest.approx(wanted.item(), abs=1e-4)
    drawn = noise.draw(mean.expand(40_000, -1), z.expand(40_000, -1)).detach()
    torch.testing.assert_close(torch.cov(drawn.t()), covariance.detach(), atol=0.06, rtol=0.06)


def test_draws_scatter_about_the_decoder_by_the_noise():
    """Sampling twice: z, then the noise; without the noise draws lie on the decoder's surface."""
    network = beta(NODES, 8.0)
    drawn = network.sample(20_000).detach()
    surface = network.decode(torch.randn(20_000, network.latent)).detach()
    extra = drawn.var(0) - surface.var(0)
    torch.testing.assert_close(extra, torch.full((NODES,), 4.0), atol=0.25, rtol=0.0)
