"""The conditional VAE of mode coefficients u given features y: residual networks for encoder and decoder.

    z ~ N(0, I),   u | y, z ~ N(mu(y, z), diag(noise)^2),   q(z | u, y) = N(mean, diag(spread)^2)

y enters both networks as it is, in float32; they standardise it. The features do not depend on what the
networks say (see `basis`), so rounding costs nothing there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..imputation.network import Block

LATENT, WIDTH, BLOCKS = 5, 128, 3


class Trunk(nn.Module):
    """Linear, residual blocks, linear."""

    def __init__(self, inputs: int, outputs: int, width: int, blocks: int) -> None:
        super().__init__()
        self.lift = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.out = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.lift(x)
        for block in self.blocks:
            h = block(h)
        out: Tensor = self.out(h)
        return out

    def jvp(self, x: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """Output [B, o] and its derivatives [B, i, o] by the inputs from `first` on."""
        h = self.lift(x)
        tangent = self.lift.weight.t()[first:].unsqueeze(0)
        for block in self.blocks:
            assert isinstance(block, Block)
            h, tangent = block.jvp(h, tangent)
        return self.out(h), tangent @ self.out.weight.t()


class OfFeatures(nn.Module):
    """A trunk of standardised features y [B, F] and of what stands beside them [B, M]."""

    offset: Tensor
    unit: Tensor

    def __init__(self, centre: Tensor, spread: Tensor, beside: int, outputs: int, width: int) -> None:
        super().__init__()
        self.register_buffer("offset", centre)
        self.register_buffer("unit", spread)
        self.trunk = Trunk(len(centre) + beside, outputs, width, BLOCKS)

    def inputs(self, y: Tensor, beside: Tensor) -> Tensor:
        return torch.cat([(y - self.offset) / self.unit, beside], -1)


class Encoder(OfFeatures):
    """y [B, F], u [B, U] -> mean and standard deviation [B, E] of z."""

    def forward(self, y: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = self.trunk(self.inputs(y, u)).chunk(2, -1)
        return mean, F.softplus(spread) + 1e-4


class Decoder(OfFeatures):
    """y [B, F], z [B, E] -> mu(y, z) [B, U]."""

    def forward(self, y: Tensor, z: Tensor) -> Tensor:
        mu: Tensor = self.trunk(self.inputs(y, z))
        return mu


class DecoderJacobian(nn.Module):
    """y [B, F], z [B, E] -> mu [B, U] and d mu / dz [B, E, U]."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        slopes: tuple[Tensor, Tensor] = self.decoder.trunk.jvp(self.decoder.inputs(y, z), y.shape[-1])
        return slopes


class ConditionalVae(nn.Module):
    """Encoder, decoder and log noise [U] of the coefficients.

    scale: [U] vol that one unit of each coefficient stands for, root mean square over the grid.
    floor: least noise, in vol, so that the posterior stays wide enough for the prior to cover it.
    """

    least: Tensor

    def __init__(
        self,
        centre: Tensor,
        spread: Tensor,
        scale: Tensor,
        floor: float,
        latent: int = LATENT,
        width: int = WIDTH,
    ) -> None:
        super().__init__()
        modes = len(scale)
        self.register_buffer("least", floor / scale)
        self.encoder = Encoder(centre, spread, modes, 2 * latent, width)
        self.decoder = Decoder(centre, spread, latent, modes, width)
        self.log_noise = nn.Parameter(torch.full((modes,), -1.0))

    def loss(self, y: Tensor, u: Tensor, draw: Tensor) -> Tensor:
        """[B] negative ELBO up to a constant, with one draw [B, E] ~ N(0, I) (paper, equations 14 and 46).

        The noise is learned, mode by mode, so that nothing like the paper's beta is left to choose.
        """
        mean, spread = self.encoder(y, u)
        mu = self.decoder(y, mean + spread * draw)
        noise = self.log_noise.exp() + self.least
        misfit = (0.5 * ((u - mu) / noise) ** 2 + noise.log()).sum(-1)
        divergence = (0.5 * (mean**2 + spread**2 - 1) - spread.log()).sum(-1)
        loss: Tensor = misfit + divergence
        return loss
