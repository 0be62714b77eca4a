"""How a surface scatters about the decoder's mean: from one fixed number to a full covariance.

Log densities are of the seen nodes alone, up to -ln 2 pi / 2 each.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Noise(nn.Module, ABC):
    """R of x | z ~ N(mu, R), of x and `seen` [B, c] at means [..., B, c] and codes [..., B, e]."""

    @abstractmethod
    def log_density(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> Tensor:
        """[..., B] of the seen nodes of x."""

    @abstractmethod
    def draw(self, mean: Tensor, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """[..., B, c] mean with noise."""

    @abstractmethod
    def given(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """[..., B, c] mean and deviation of x given z and its seen nodes, at which they are x and 0."""

    @abstractmethod
    def draw_given(
        self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """[..., B, c] x with its hidden nodes drawn given z and the seen ones."""


class Diagonal(Noise, ABC):
    """Independent noise on each node."""

    @abstractmethod
    def spread(self, z: Tensor) -> Tensor:
        """Standard deviation, of a shape that broadcasts with [B, c]."""

    def log_density(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> Tensor:
        spread = self.spread(z).expand_as(mean)
        density = -0.5 * ((torch.where(seen, x, mean) - mean) / spread) ** 2 - spread.log()
        return torch.where(seen, density, 0.0).sum(-1)

    def draw(self, mean: Tensor, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return mean + self.spread(z) * torch.randn(mean.shape, generator=generator)

    def given(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return torch.where(seen, x, mean), torch.where(seen, 0.0, self.spread(z).expand_as(mean))

    def draw_given(
        self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        return torch.where(seen, x, self.draw(mean, z, generator))


class Fixed(Diagonal):
    """One number that is not trained: the beta-VAE, beta = 2 sigma² (Gopal 2024, section 4)."""

    sigma: Tensor

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("sigma", torch.tensor(math.sqrt(beta / 2.0)))

    def spread(self, z: Tensor) -> Tensor:  # noqa: ARG002
        return self.sigma


class Shared(Diagonal):
    """One number, trained: the sigma-VAE."""

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def spread(self, z: Tensor) -> Tensor:  # noqa: ARG002
        return self.log_sigma.exp()


class OfNode(Diagonal):
    """A number for each node, trained: the vector sigma-VAE."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(nodes))

    def spread(self, z: Tensor) -> Tensor:  # noqa: ARG002
        return self.log_sigma.exp()


class OfLatent(Diagonal):
    """A number for each node that depends on z: the Sigma-VAE (Gopal 2024, section 5.1)."""

    def __init__(self, nodes: int, latent: int, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = nn.Linear(latent, nodes) if net is None else net

    def spread(self, z: Tensor) -> Tensor:
        return F.softplus(self.net(z)) + 1e-3


class Full(Noise):
    """A full covariance R = L L': what is seen of a quote tells of its neighbours too."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.eye(nodes))

    @property
    def covariance(self) -> Tensor:
        """R [c, c]."""
        lower = torch.tril(self.factor)
        return lower @ lower.t() + 1e-6 * torch.eye(len(lower))

    def log_density(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> Tensor:  # noqa: ARG002
        root, residual = self._root(seen), torch.where(seen, x - mean, 0.0)
        white = torch.linalg.solve_triangular(root, residual[..., None], upper=False)[..., 0]
        density: Tensor = -0.5 * (white**2).sum(-1) - torch.diagonal(root, dim1=-2, dim2=-1).log().sum(-1)
        return density

    def draw(self, mean: Tensor, z: Tensor, generator: torch.Generator | None = None) -> Tensor:  # noqa: ARG002
        root: Tensor = torch.linalg.cholesky(self.covariance)
        return mean + torch.randn(mean.shape, generator=generator) @ root.t()

    def given(self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        gain = self._gain(seen)
        left = torch.diagonal(self.covariance) - torch.einsum("bij,ji->bi", gain, self.covariance)
        spread = torch.where(seen, 0.0, left.clamp_min(0.0).sqrt())
        return self._moved(gain, x, mean, seen), spread.expand_as(mean)

    def draw_given(
        self, x: Tensor, mean: Tensor, seen: Tensor, z: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """A draw moved to what is seen by the regression on it, as Matheron has it."""
        return self._moved(self._gain(seen), x, self.draw(mean, z, generator), seen)

    def _root(self, seen: Tensor) -> Tensor:
        """[B, c, c] lower factor of R at seen nodes, of the identity at the others."""
        mask = seen.to(self.factor.dtype)
        block = self.covariance * mask[:, :, None] * mask[:, None, :] + torch.diag_embed(1.0 - mask)
        root: Tensor = torch.linalg.cholesky(block)
        return root

    def _gain(self, seen: Tensor) -> Tensor:
        """[B, c, c] by what each node moves with what each seen one does."""
        cross = self.covariance * seen[:, :, None]
        return torch.cholesky_solve(cross, self._root(seen)).transpose(1, 2)

    def _moved(self, gain: Tensor, x: Tensor, mean: Tensor, seen: Tensor) -> Tensor:
        shift = torch.einsum("bij,...bj->...bi", gain, torch.where(seen, x - mean, 0.0))
        return torch.where(seen, x, mean + shift)
