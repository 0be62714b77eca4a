"""Weights of the divergence by the share of the steps that is done, 0 to 1: nothing is paid while they are 0.

Cycles of Fu et al. (2019), as Mama (2022), figures 12 and 13, has them.
"""

from __future__ import annotations

from collections.abc import Callable

CYCLES = 4


def constant(_done: float) -> float:
    """1."""
    return 1.0


def annealed(done: float) -> float:
    """Up linearly over the first half of the steps, then 1 (Bowman et al. 2016)."""
    return min(done / 0.5, 1.0)


def linear_cycle(done: float) -> float:
    """Up linearly in the first 75% of each cycle, then 1 (figure 13)."""
    return min((done * CYCLES % 1.0) / 0.75, 1.0)


def on_off(done: float) -> float:
    """0 in the first half of each cycle, then 1 (figure 12)."""
    return float(done * CYCLES % 1.0 >= 0.5)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": constant,
    "annealed": annealed,
    "linear": linear_cycle,
    "on-off": on_off,
}
