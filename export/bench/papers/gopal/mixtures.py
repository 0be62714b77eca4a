"""The toys of Gopal (2024), B.2 to B.4: mixtures of Gaussians in the plane, and networks trained on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from export.imputation.networks.base import Vae, mlp, residual_mlp
from export.imputation.networks.learnable_beta import LearnableBeta
from export.imputation.networks.noise import Fixed, Noise, Shared
from export.imputation.networks.residual import Size, sized
from export.imputation.training.slices import AdamSteps, Run
from voladdin._typing import FloatArray

from ..items import Bench
from .vaes import DRAWS, frozen, training_loss

POINTS, WIDTH, LATENT, RATE = 1_000, 64, 4, 1e-4
NOTED_EVERY = 50


def two(wide: float) -> Callable[[int, np.random.Generator], FloatArray]:
    """Two modes, of variance `wide` along the first axis."""

    def draw(count: int, rng: np.random.Generator) -> FloatArray:
        sign = rng.choice([-1.0, 1.0], count)
        shared = np.array([[wide, 0.05], [0.05, 0.05]])
        points = rng.multivariate_normal(np.zeros(2), shared, count)
        points[:, 1] *= sign
        return np.asarray(points + sign[:, None])

    return draw


def eight(count: int, rng: np.random.Generator) -> FloatArray:
    """Eight modes on a circle, as in the code of Residual Flows (Chen et al. 2019)."""
    angle = rng.integers(8, size=count) * np.pi / 4
    points = 4 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.5 * rng.standard_normal((count, 2))
    return np.asarray(points / math.sqrt(2))


MIXTURES = {"two": two(0.1), "two, unlike": two(0.4), "eight": eight}


@dataclass(frozen=True)
class Toy:
    """A network on a mixture. noise: None for one of z. learnable: its beta is trained with it."""

    mixture: str
    noise: Callable[[], Noise] | None
    residual: bool = True
    draws: int = 1
    learnable: bool = False


TOYS = {
    "β = 1": Toy("two", lambda: Fixed(1.0)),
    "β = 0.1": Toy("two", lambda: Fixed(0.1)),
    "learnable β": Toy("two", Fixed, learnable=True),
    "σ-VAE": Toy("two", Shared),
    "σ-IWAE": Toy("two", Shared, draws=DRAWS),
    "σ-VAE, unlike modes": Toy("two, unlike", Shared),
    "Σ-VAE, unlike modes": Toy("two, unlike", None),
    "MLP, eight modes": Toy("eight", Shared, residual=False),
    "residual, eight modes": Toy("eight", Shared),
}


def mixture(name: str, count: int, seed: int) -> FloatArray:
    """[count, 2]."""
    return MIXTURES[name](count, np.random.default_rng([seed, *name.encode()]))


def _network(toy: Toy) -> Vae:
    if toy.noise is None:
        return sized(2, None, Size(WIDTH, 2, 0.0, LATENT))
    model = LearnableBeta(2) if toy.learnable else Vae(torch.nn.Identity(), torch.nn.Identity(), toy.noise())
    body = residual_mlp if toy.residual else _plain
    model.encoder, model.decoder, model.latent = body(4, 2 * LATENT), body(LATENT, 2), LATENT
    return model


def _plain(entry: int, out: int) -> torch.nn.Sequential:
    return mlp([entry, WIDTH, WIDTH, out])


def toy(bench: Bench, name: str) -> Run:
    """Trained; notes: (step, gradient norm of the reconstruction, of the divergence) by the code's mean."""
    kind = TOYS[name]
    torch.manual_seed(bench.seed)
    model = _network(kind)
    file = bench.network_file(f"toy-{name}")
    run = Run(model, AdamSteps(bench.budget.steps, 64, RATE, seed=bench.seed), file)
    plain = training_loss(model, kind.draws)

    def loss(x: Tensor, step: int) -> Tensor:
        if step % NOTED_EVERY == 0 and kind.mixture == "eight":
            run.notes.append([step, *gradient_norms(model, x)])
        return plain(x, step)

    run.train(
        torch.tensor(mixture(kind.mixture, POINTS, bench.seed), dtype=torch.float32), loss, bench.deadline
    )
    frozen(model)
    if toy_beta(run) is not None and isinstance(model.noise, Fixed):
        model.noise.sigma = torch.tensor(math.sqrt(toy_beta(run) / 2))  # type: ignore[operator]
    return run


def gradient_norms(model: Vae, x: Tensor) -> tuple[float, float]:
    """Norms of the mean gradients of reconstruction and divergence by the code's mean (section 5.3.1)."""
    seen = torch.ones_like(x, dtype=torch.bool)
    code = model.encode(x, seen)
    z = code.draw()
    norms = []
    for term in (model.noise.log_density(x, model.decode(z), seen, z), code.divergence.sum(-1)):
        (slope,) = torch.autograd.grad(term.sum(), code.mean, retain_graph=True)
        norms.append(float(slope.mean(0).norm()))
    return norms[0], norms[1]


def toy_beta(run: Run) -> float | None:
    """The beta that a learnable one came to."""
    return float(run.model.log_beta.exp()) if isinstance(run.model, LearnableBeta) else None


def sigma_of(run: Run) -> float | None:
    """The sigma that one came to."""
    noise = run.model.noise
    return float(noise.log_sigma.exp()) if isinstance(noise, Shared) else None


@torch.no_grad()
def generated(run: Run, count: int, seed: int, *, noisy: bool = True) -> FloatArray:
    """[count, 2] drawn twice: z, then the noise; or the means alone."""
    assert isinstance(run.model, Vae)
    torch.manual_seed(seed)
    z = torch.randn(count, LATENT)
    mean = run.model.decode(z)
    points: FloatArray = (run.model.noise.draw(mean, z) if noisy else mean).double().numpy()
    return points


def sliced_distance(a: FloatArray, b: FloatArray) -> float:
    """Mean Wasserstein-1 distance of samples [n, c] and [m, c] over 100 random directions."""
    raw = np.random.default_rng(0).standard_normal((a.shape[1], 100))
    ways = (raw / np.linalg.norm(raw, axis=0)).T
    return float(np.mean([wasserstein_distance(a @ way, b @ way) for way in ways]))
