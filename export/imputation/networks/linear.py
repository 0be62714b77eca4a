"""The linear VAE: probabilistic principal components (Tipping and Bishop 1999) by gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .base import LATENT, Code, Vae
from .noise import Shared


class LinearVae(Vae):
    """x | z ~ N(W z + b, sigma² I). At its optimum W spans the principal components.

    The encoder is the exact posterior for whatever is seen, so that the bound is the log density itself.
    """

    noise: Shared
    decoder: nn.Linear

    def __init__(self, nodes: int, latent: int = LATENT) -> None:
        super().__init__(nn.Identity(), nn.Linear(latent, nodes), Shared(), latent)

    def posterior(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [B, e] and covariance [B, e, e] of z."""
        loading, centre = self.decoder.weight, self.decoder.bias
        variance = self.noise.spread(x) ** 2
        shown = seen.to(x.dtype)
        precision = torch.eye(self.latent) + torch.einsum("bn,ne,nf->bef", shown / variance, loading, loading)
        covariance = torch.linalg.inv(precision)
        pull = (torch.where(seen, x - centre, 0.0) / variance) @ loading
        return torch.einsum("bef,bf->be", covariance, pull), covariance

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        mean, covariance = self.posterior(x, seen)
        return Code(mean, torch.diagonal(covariance, dim1=-2, dim2=-1).sqrt())

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        """log p(x, z) - log p(z | x), which is the same at every z: the log density."""
        mean, covariance = self.posterior(x, seen)
        likelihood = self.noise.log_density(x, self.decode(mean), seen, mean)
        return likelihood - 0.5 * (mean**2).sum(-1) + 0.5 * torch.logdet(covariance)
