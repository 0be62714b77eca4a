"""The encoder refitted on what is to be filled (Mattei and Frellsen 2018; Gopal 2024, section 6.2)."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..networks.base import Network
from ..networks.importance_weighted import weighted_bound
from ..networks.weights import nodes_of, noise_of
from ..training.slices import AdamSteps, Deadline, Run


@dataclass(frozen=True)
class Refit:
    """Adam's steps on the bound of `draws` codes of the quotes; those of appendix B.5 are 10,000 and 50."""

    steps: int = 2_000
    draws: int = 50
    batch: int = 32
    rate: float = 2e-4
    warm_up: int = 100

    @property
    def adam(self) -> AdamSteps:
        return AdamSteps(self.steps, self.batch, self.rate, warm_up=self.warm_up)


def refitted(
    network: Network,
    x: Tensor,
    seen: Tensor,
    refit: Refit | None = None,
    file: Path | None = None,
    deadline: Deadline | None = None,
) -> Network:
    """A copy whose encoder was trained on x [B, c] where `seen`; decoder and noise are left as they are.

    Returns the network itself where its encoder has no weights, as a linear VAE's exact one. file: a
    checkpoint that is gone on from. Raises Paused once the deadline has passed, InputError for no VAE.
    """
    refit, again = refit or Refit(), copy.deepcopy(network)
    encoder = _encoder_weights(again, nodes_of(network, x))
    if not encoder:
        return network
    for weight in encoder:
        weight.requires_grad_()
    rows = torch.where(seen, x, torch.nan)

    def loss(rows: Tensor, _step: int) -> Tensor:
        again.eval()
        return -weighted_bound(again, rows.nan_to_num(), torch.isfinite(rows), refit.draws).mean()

    Run(again, refit.adam, file, of={"network": _digest(network)}).train(rows, loss, deadline or Deadline())
    again.requires_grad_(requires_grad=False)
    return again.eval()


def _digest(network: Network) -> str:
    """Changes with any weight: a checkpoint is gone on from only where it is of the same network."""
    found = hashlib.sha256()
    for name, value in network.state_dict().items():
        found.update(name.encode() + value.detach().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


@torch.enable_grad()
def _encoder_weights(network: Network, nodes: int) -> list[nn.Parameter]:
    """Weights that neither the decoder nor the noise reads; all are left without a gradient."""
    weights = list(network.parameters())
    network.eval().requires_grad_()
    x, seen = torch.zeros(1, nodes), torch.ones(1, nodes, dtype=torch.bool)
    known = getattr(network, "known", 0)
    given = torch.cat([seen, torch.ones(1, known, dtype=torch.bool)], -1)
    z = network.encode(torch.cat([x, torch.zeros(1, known)], -1), given).mean.detach()
    asked = noise_of(network).log_density(x, network.decode(z), seen, z).sum()
    slopes = torch.autograd.grad(asked, weights, allow_unused=True)
    network.requires_grad_(requires_grad=False)
    return [weight for weight, slope in zip(weights, slopes, strict=True) if slope is None]
