"""Chains that fill the holes, encode the whole surface, and fill again: all surfaces side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..networks.base import Code, Network
from ..networks.weights import log_joint, nodes_of, noise_of
from .codes import Codes

BURN_IN = 100

_Step = Callable[[Tensor, Code, Tensor], Tensor]  # of the filled surface, its code, and the codes z there are


def pseudo_gibbs(network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator) -> Codes:
    """Rezende, Mohamed and Wierstra (2014), appendix F: right where the encoder is the posterior."""

    def step(_state: Tensor, code: Code, _z: Tensor) -> Tensor:
        return code.draw(generator)

    return _chain(network, x, seen, count, generator, step)


def metropolis_within_gibbs(
    network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator
) -> Codes:
    """Mattei and Frellsen (2018): the encoder's code of the filled surface is a proposal, taken or not.

    Hidden nodes are drawn given z, then z given the whole surface: the chain's law is the posterior,
    whatever the encoder, if the chain is long enough.
    """
    whole = torch.ones_like(seen)

    def step(state: Tensor, code: Code, z: Tensor) -> Tensor:
        both = torch.stack([code.draw(generator), z])
        odds = log_joint(network, state, whole, both, code.free) - code.log_density(both)
        taken = torch.rand(len(x), generator=generator).log() < odds[0] - odds[1]
        return torch.where(taken[:, None], both[0], z)

    return _chain(network, x, seen, count, generator, step)


def _chain(
    network: Network, x: Tensor, seen: Tensor, count: int, generator: torch.Generator, step: _Step
) -> Codes:
    """`count` codes after a burn-in; units that are given stay as the quotes have them."""
    first, whole, chain = network.encode(x, seen), torch.ones_like(seen), []
    z = first.draw(generator)
    for number in range(BURN_IN + count):
        state = _filled(network, x, seen, z, generator)
        code = network.encode(state, whole)
        code = Code(torch.where(first.free, code.mean, first.mean), code.spread)
        z = step(state, code, z)
        if number >= BURN_IN:
            chain.append(z)
    return Codes.alike(torch.stack(chain))


def _filled(network: Network, x: Tensor, seen: Tensor, z: Tensor, generator: torch.Generator) -> Tensor:
    """x with its hidden nodes drawn given z."""
    nodes = nodes_of(network, x)
    drawn = noise_of(network).draw_given(x[:, :nodes], network.decode(z), seen[:, :nodes], z, generator)
    return torch.cat([drawn, x[:, nodes:]], -1)
