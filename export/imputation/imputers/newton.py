"""The lowest point of a smooth function of a code, for many surfaces at once, and its curvature there."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, jacrev, vmap

STEPS = 100
_FIRST, _LEAST, _MOST = 1e-3, 1e-9, 1e6  # of the damping
_FLAT = 1e-6  # curvature that is taken for none
_STILL = 1e-5  # a step so short is the last
_ROUNDING = 1e-6  # of the cost

Cost = Callable[[Tensor, Tensor, Tensor], Tensor]  # of one surface's z [e], x [c] and seen [c]: a number


def lowest(cost: Cost, start: Tensor, x: Tensor, seen: Tensor, free: Tensor) -> Tensor:
    """[B, e] by damped Newton steps from `start` of the units that are `free`, taken where the cost falls."""
    z, damping = start, torch.full((len(start),), _FIRST)
    now = vmap(cost)(z, x, seen)
    for _ in range(STEPS):
        step = _downhill(*derivatives(cost, z, x, seen, free), damping)
        there = vmap(cost)(z + step, x, seen)
        falls = there <= now + _ROUNDING * now.abs()
        z, now = torch.where(falls[:, None], z + step, z), torch.where(falls, there, now)
        damping = torch.where(falls, 0.1 * damping, 10.0 * damping).clamp_min(_LEAST)
        if ((step.abs().amax(-1) < _STILL) | (damping > _MOST)).all():
            break
    return z


def derivatives(cost: Cost, z: Tensor, x: Tensor, seen: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """Slope [B, e] and curvature [B, e, e]; of a unit that is given 0, and 1 on the diagonal."""
    both = free[:, :, None] & free[:, None, :]
    slope, curvature = (vmap(of)(z, x, seen) for of in (grad(cost), jacrev(grad(cost))))
    own = torch.diag_embed((~free).to(z.dtype))
    return torch.where(free, slope, 0.0), torch.where(both, curvature, own)


def _downhill(slope: Tensor, curvature: Tensor, damping: Tensor) -> Tensor:
    """[B, e] also where the cost is not convex: by the curvature's absolute values."""
    values, vectors = torch.linalg.eigh(curvature)
    along = torch.einsum("bef,be->bf", vectors, slope)
    return -torch.einsum("bef,bf->be", vectors, along / (values.abs().clamp_min(_FLAT) + damping[:, None]))
