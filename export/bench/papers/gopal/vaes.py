"""The VAEs of Gopal (2024), at one of the paper's sizes, from the networks of `export.imputation`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from export.imputation.networks import importance_weighted
from export.imputation.networks.base import Vae, mlp
from export.imputation.networks.noise import Fixed, Noise, OfNode, Shared
from export.imputation.networks.residual import Size, sized
from export.imputation.training.slices import AdamSteps

STEPS, REFIT_STEPS, SAMPLES = 100_000, 10_000, 10_000  # appendix B.5
DRAWS = 5  # of the weighted bound in training; the paper does not say
LN_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Kind:
    """A model of the paper: residual or not, its noise, trained on the weighted bound or not.

    noise: of so many nodes; None for one that depends on z, which only a residual network has.
    """

    file: str
    noise: Callable[[int], Noise] | None
    residual: bool = True
    draws: int = 1


SIGMA, SIGMA_RESIDUAL, OF_LATENT = "σ-VAE, no residual", "σ-VAE, residual", "Σ-VAE, residual"
KINDS: dict[str, Kind] = {
    OF_LATENT: Kind("Sigma", None),
    SIGMA_RESIDUAL: Kind("sigma", lambda _: Shared()),
    SIGMA: Kind("sigma-plain", lambda _: Shared(), residual=False),
    "β-VAE (β = 1), no residual": Kind("beta-plain", lambda _: Fixed(1.0), residual=False),
    "σ⃗-VAE, residual": Kind("sigma-of-node", OfNode),
    "Σ-IWAE, residual": Kind("Sigma-weighted", None, draws=DRAWS),
    "σ-IWAE, residual": Kind("sigma-weighted", lambda _: Shared(), draws=DRAWS),
    "σ-IWAE, no residual": Kind("sigma-plain-weighted", lambda _: Shared(), residual=False, draws=DRAWS),
}


def network(kind: Kind, nodes: int, size: Size) -> Vae:
    """Untrained."""
    noise = kind.noise and kind.noise(nodes)
    if kind.residual or noise is None:
        return sized(nodes, noise, size)
    hidden = [size.width] * size.depth
    encoder = mlp([2 * nodes, *hidden, 2 * size.latent])
    return Vae(encoder, mlp([size.latent, *hidden, nodes]), noise, size.latent)


def adam(steps: int, seed: int = 0) -> AdamSteps:
    """The paper's: linear warm-up over 5% of the steps to 2e-4, halved after half of them."""
    return AdamSteps(steps, 64, 2e-4, 1e-5, max(steps // 20, 1), steps // 2, seed)


def weighted_bound(model: Vae, x: Tensor, seen: Tensor, draws: int) -> Tensor:
    """[B] log mean exp of the log weights of `draws` codes: the bound on the log density of what is seen.

    With 2 pi, unlike `Network.elbo`. Burda et al. (2016), equation 5.3 of the paper.
    """
    return importance_weighted.weighted_bound(model, x, seen, draws) - 0.5 * LN_2PI * seen.sum(-1)


def training_loss(model: Vae, draws: int) -> Callable[[Tensor, int], Tensor]:
    """Minus the mean bound of full surfaces."""

    def loss(x: Tensor, _step: int) -> Tensor:
        seen = torch.ones_like(x, dtype=torch.bool)
        if draws > 1:
            return -weighted_bound(model, x, seen, draws).mean()
        return -(model.elbo(x, seen) - 0.5 * LN_2PI * x.shape[1]).mean()

    return loss


def frozen(model: nn.Module) -> nn.Module:
    """Without dropout and without gradients."""
    return model.eval().requires_grad_(requires_grad=False)
