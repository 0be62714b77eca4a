"""Codes about the most probable one, by the curvature there, weighted to the posterior: ours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..networks.base import Code, Network
from ..networks.weights import log_joint
from .codes import Codes
from .newton import derivatives, lowest

LEAST = 0.25  # curvature: a proposal is at most twice as wide as the prior
STARTS = 100
PRIOR = 0.1  # share of the codes that are drawn from the prior, so that no weight is without a bound


def of_laplace(network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator) -> Codes:
    """Laplace's Gaussian and the prior, mixed, as the proposal of self-normalised importance sampling.

    No encoder is trusted. Where the decoder is linear and the noise does not depend on the code, Laplace's
    Gaussian is the posterior. The mixture is defensive (Hesterberg 1995).
    """
    code = network.encode(x, seen)
    start = _start(network, x, seen, code, generator)
    mode, root = _gaussian(network, x, seen, start, code.free)
    draws = torch.randn(count, *mode.shape, generator=generator)
    near = torch.rand(count, len(x), 1, generator=generator) >= PRIOR
    z = torch.where(near, mode + torch.einsum("bef,mbf->mbe", torch.linalg.inv(root), draws), draws)
    z = torch.where(code.free, z, mode)
    white = torch.einsum("bef,mbf->mbe", root, z - mode)
    size = torch.linalg.slogdet(root)[1]
    own = math.log(1.0 - PRIOR) + size - 0.5 * white.square().sum(-1)
    prior = math.log(PRIOR) - 0.5 * torch.where(code.free, z, 0.0).square().sum(-1)
    return Codes(z, log_joint(network, x, seen, z, code.free) - torch.logaddexp(own, prior))


def _start(network: Network, x: Tensor, seen: Tensor, code: Code, generator: torch.Generator) -> Tensor:
    """[B, e] the most probable of the encoder's mean and some codes of the prior."""
    drawn = torch.randn(STARTS, *code.mean.shape, generator=generator)
    z = torch.cat([code.mean[None], torch.where(code.free, drawn, code.mean)])
    best = log_joint(network, x, seen, z, code.free).argmax(0)
    return z[best, torch.arange(len(x))]


def _gaussian(
    network: Network, x: Tensor, seen: Tensor, start: Tensor, free: Tensor
) -> tuple[Tensor, Tensor]:
    """The most probable code [B, e], and a root [B, e, e] of the curvature there, R'R."""

    def cost(z: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        return -log_joint(network, x[None], seen[None], z[None, None], free[:1])[0, 0]

    mode = lowest(cost, start, x, seen, free)
    values, vectors = torch.linalg.eigh(derivatives(cost, mode, x, seen, free)[1])
    return mode, values.clamp_min(LEAST).sqrt()[..., None] * vectors.transpose(1, 2)
