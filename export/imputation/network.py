"""The deep model: a residual VAE with full-covariance noise, started at the Gaussian it has to beat.

    z ~ N(0, I_e),   x | z ~ N(mu(z), R),   q(z | x) = N(m(x), diag s(x)²)

x: standardised log-vols of the core nodes. R is full: with diagonal noise (as in Gopal 2024, Σ-VAE included)
the model forgets how quotes correlate and loses to a plain Gaussian.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT, HIDDEN, BLOCKS, PRINCIPAL = 16, 128, 2, 6


class Block(nn.Module):
    """Pre-norm residual block, LayerNorm and SiLU (Gopal 2024, appendix B.1).

    dropout: after the activation and after the second layer, in the branch alone (section 5.3): what drops of
    the sum itself is lost to all layers above.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        branch = self._dropped(self.down(self._dropped(F.silu(self.up(self.norm(h))))))
        out: Tensor = h + branch
        return out

    def _dropped(self, values: Tensor) -> Tensor:
        return F.dropout(values, self.dropout, self.training) if self.dropout else values

    def jvp(self, h: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """Output and its derivative along tangents [B, e, width]; plain operations, so that it exports."""
        centred = h - h.mean(-1, keepdim=True)
        scale = torch.rsqrt((centred**2).mean(-1, keepdim=True) + self.norm.eps)
        normal = centred * scale
        moved = tangent - tangent.mean(-1, keepdim=True)
        moved = moved - normal.unsqueeze(1) * (moved * normal.unsqueeze(1)).mean(-1, keepdim=True)
        moved = moved * scale.unsqueeze(1) * self.norm.weight
        y = self.up(normal * self.norm.weight + self.norm.bias)
        gate = torch.sigmoid(y)
        slope = gate * (1 + y * (1 - gate))
        inner = (moved @ self.up.weight.t()) * slope.unsqueeze(1)
        return h + self.down(y * gate), tangent + inner @ self.down.weight.t()


class Encoder(nn.Module):
    """x [B, c] -> mean and standard deviation [B, e] of z."""

    def __init__(self, nodes: int, latent: int = LATENT, width: int = HIDDEN) -> None:
        super().__init__()
        self.lift = nn.Linear(nodes, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(BLOCKS))
        self.mean, self.spread = nn.Linear(width, latent), nn.Linear(width, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.lift(x)
        for block in self.blocks:
            h = block(h)
        return self.mean(h), F.softplus(self.spread(h)) + 1e-4


class Decoder(nn.Module):
    """z [B, e] -> mu(z) [B, c]."""

    def __init__(self, nodes: int, latent: int = LATENT, width: int = HIDDEN) -> None:
        super().__init__()
        self.lift = nn.Linear(latent, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(BLOCKS))
        self.mean = nn.Linear(width, nodes)

    def forward(self, z: Tensor) -> Tensor:
        h = self.lift(z)
        for block in self.blocks:
            h = block(h)
        mean: Tensor = self.mean(h)
        return mean


class DecoderJacobian(nn.Module):
    """z [B, e] -> mu [B, c] and d mu / d z [B, e, c]."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        h = self.decoder.lift(z)
        tangent = self.decoder.lift.weight.t().unsqueeze(0)
        for block in self.decoder.blocks:
            assert isinstance(block, Block)
            h, tangent = block.jvp(h, tangent)
        return self.decoder.mean(h), tangent @ self.decoder.mean.weight.t()


class Vae(nn.Module):
    """Encoder, decoder and the noise's whitening factor W (lower triangular, R = (W'W)^-1)."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(nodes), Decoder(nodes)
        self.whiten = nn.Parameter(torch.eye(nodes))

    def elbo(self, x: Tensor) -> Tensor:
        """[B] one-sample ELBO, up to the constant -c/2 ln 2 pi (Kingma-Welling 2014, equation 10)."""
        mean, spread = self.encoder(x)
        z = mean + spread * torch.randn_like(mean)
        factor = torch.tril(self.whiten)
        white = (x - self.decoder(z)) @ factor.t()
        likelihood = -0.5 * (white**2).sum(-1) + torch.diagonal(factor).abs().log().sum()
        divergence = (0.5 * (mean**2 + spread**2 - 1) - spread.log()).sum(-1)
        elbo: Tensor = likelihood - divergence
        return elbo

    @property
    def noise(self) -> np.ndarray:
        """R [c, c]."""
        factor = np.tril(self.whiten.detach().numpy().astype(float))
        return np.linalg.inv(factor.T @ factor)

    @torch.no_grad()
    def start_at_gaussian(self, covariance: np.ndarray) -> None:
        """Set the weights so that x ~ N(0, covariance) exactly, and the encoder is its posterior.

        The PRINCIPAL directions go through z, 2% of them and the rest into R; hidden layers start small.
        """
        nodes, latent = len(covariance), self.encoder.mean.out_features
        values, vectors = np.linalg.eigh(covariance)
        lead = min(PRINCIPAL, nodes - 1)
        top = vectors[:, ::-1][:, :lead] * np.sqrt(0.98 * values[::-1][:lead])
        rest = covariance - top @ top.T
        self.whiten.copy_(_tensor(np.linalg.inv(np.linalg.cholesky(rest))))
        projection = top.T @ np.linalg.inv(rest)
        posterior = np.linalg.inv(projection @ top + np.eye(lead))
        _linear_path(self.decoder.lift, self.decoder.mean, np.eye(latent), _pad(top.T, latent), self.decoder)
        readout = _pad(posterior @ projection, latent).T
        _linear_path(self.encoder.lift, self.encoder.mean, np.eye(nodes), readout, self.encoder)
        spread = np.ones(latent)
        spread[:lead] = np.sqrt(np.diag(posterior))
        self.encoder.spread.weight.zero_()
        self.encoder.spread.bias.copy_(_tensor(np.log(np.expm1(spread))))


def _linear_path(
    lift: nn.Linear, out: nn.Linear, entry: np.ndarray, readout: np.ndarray, net: nn.Module
) -> None:
    """Carry the input through the first hidden units unchanged, and read it out linearly."""
    count = len(entry)
    lift.weight[:count] = _tensor(entry)
    lift.bias.zero_()
    out.weight.mul_(0.02)
    out.weight[:, :count] = _tensor(readout.T)
    out.bias.zero_()
    for block in net.blocks:  # type: ignore[union-attr]
        block.down.weight.mul_(0.05)
        block.down.bias.zero_()


def _pad(rows: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([rows, np.zeros((count - len(rows), rows.shape[1]))])


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)
