"""What training pays for the divergence of codes from the prior: towards a target, or beyond a threshold."""

from __future__ import annotations

from torch import Tensor


def to_capacity(divergence: Tensor, capacity: float, done: float) -> Tensor:
    """|divergence - C done|: pressed towards a capacity that rises to C (Mama 2022, 23; Burgess et al. 2018).

    divergence: the batch's mean, of all units; done: the share of training that is done, 0 to 1.
    """
    return (divergence - capacity * done).abs()


def free_bits(divergence: Tensor, free: float) -> Tensor:
    """Sum over units of max(mean divergence, free): `free` nats of each cost nothing (Kingma et al. 2016).

    divergence: [B, e] of each unit; where `free` is 0, its plain mean, as it is never negative.
    """
    return divergence.mean(0).clamp_min(free).sum()
