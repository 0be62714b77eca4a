"""Where networks are trained: on a GPU where there is one, else on one core; they are asked on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

CPU = torch.device("cpu")


def training_device() -> torch.device:
    """The GPU that torch would use, where it sees one."""
    return torch.device("cuda") if torch.cuda.is_available() else CPU


def set_seed(where: torch.device, number: int) -> None:
    """As `torch.manual_seed`, which without a GPU writes the call stack down each time, for one to come."""
    torch.default_generator.manual_seed(number)
    if where != CPU:
        torch.cuda.manual_seed_all(number)


@contextmanager
def trained_on(where: torch.device, model: nn.Module, optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """The model and the optimiser's state are there, and so is every new tensor; after it all are back."""
    _move(where, model, optimiser)
    try:
        with nullcontext() if where == CPU else where:
            yield
    finally:
        _move(CPU, model, optimiser)


def _move(where: torch.device, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    model.to(where)
    for state in optimiser.state.values():
        moved = {name: value.to(where) for name, value in state.items() if torch.is_tensor(value)}
        state.update(moved)
