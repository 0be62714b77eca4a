"""A network trained on surfaces with holes, by the choices of the literature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from voladdin._typing import FloatArray
from voladdin.errors import InputError

from ..networks.base import Network
from .beta import SCHEDULES
from .calendar import calendar_penalty
from .divergence import free_bits, to_capacity
from .slices import AdamSteps, Deadline, Run
from .standard import Standard, Way


@dataclass(frozen=True)
class Options:
    """Choices of a training; the defaults are the bound itself, by the steps of Gopal (2024), B.5.

    steps, batch, rate, decay: Adam's. warm_up, halved: shares of the steps; halved 1 is never. cosine: the
    rate falls to 0 along one. plateau: so many logged losses without a lower one before the rate is divided
    by 10; 0 is never.
    beta: the weight of the divergence, over the steps by `schedule`, a name in `SCHEDULES`. capacity: nats at
    the end, None for none. free: nats a unit that are not paid for. calendar: the weight of the penalty.
    shown: share of the quotes that the network is given, drawn afresh each step, None for all; it is asked
    for these (Mama's method 1), or for all quotes where `whole` (method 2). standard: how log-vols are
    standardised. Raises InputError for a choice that is none.
    """

    steps: int = 10_000
    batch: int = 64
    rate: float = 2e-4
    decay: float = 1e-5
    warm_up: float = 0.05
    halved: float = 0.5
    cosine: bool = False
    plateau: int = 0
    beta: float = 1.0
    schedule: str = "constant"
    capacity: float | None = None
    free: float = 0.0
    calendar: float = 0.0
    shown: float | None = None
    whole: bool = False
    standard: Way = "cell"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise InputError(f"schedule is {self.schedule!r}; expected one of {', '.join(SCHEDULES)}")
        if self.capacity is not None and self.free:
            raise InputError(f"capacity is {self.capacity} and free is {self.free}; expected one of them")
        if self.shown is not None and not 0.0 < self.shown <= 1.0:
            raise InputError(f"shown is {self.shown}; expected a share above 0 and at most 1")

    @property
    def is_bound(self) -> bool:
        """Whether the loss is the network's own bound."""
        return (self.beta, self.schedule, self.capacity, self.free) == (1.0, "constant", None, 0.0)

    @property
    def adam(self) -> AdamSteps:
        """Adam's steps."""
        warm, half = round(self.warm_up * self.steps), round(self.halved * self.steps)
        return AdamSteps(self.steps, self.batch, self.rate, self.decay, warm, half, self.seed, self.cosine)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network, frozen, and how its log-vols are standardised. curve: (step, mean loss)."""

    network: Network
    standard: Standard
    curve: list[list[float]]


def fit(
    network: Network,
    vols: FloatArray,
    tenors: FloatArray,
    options: Options | None = None,
    file: Path | None = None,
    deadline: Deadline | None = None,
) -> Fitted:
    """Trains on vols [N, c], NaN where there is no quote, c nodes tenor by tenor at tenors [T] (years).

    file: its checkpoint, gone on from where it is of the same options. Raises Paused once the deadline has
    passed, with the checkpoint written; InputError for an option that the network does not allow.
    """
    options = options or Options()
    torch.manual_seed(options.seed)
    standard = Standard.of(vols, len(tenors), options.standard)
    run = Run(network, options.adam, file, of=asdict(options), plateau=options.plateau)
    run.train(standard.rows(vols), _loss(network, standard, tenors, options), deadline or Deadline())
    network.eval().requires_grad_(requires_grad=False)
    return Fitted(network, standard, run.curve)


def _loss(
    network: Network, standard: Standard, tenors: FloatArray, options: Options
) -> Callable[[Tensor, int], Tensor]:
    years = torch.tensor(tenors, dtype=torch.float32)

    def loss(rows: Tensor, step: int) -> Tensor:
        quoted = torch.isfinite(rows)
        given = quoted if options.shown is None else quoted & (torch.rand_like(rows) < options.shown)
        asked = quoted if options.whole else given
        x = rows.nan_to_num()
        value = objective(network, x, given, asked, step / options.steps, options)
        if options.calendar:
            surfaces = standard.vols(network.reconstruct(x, given)).unflatten(-1, (len(years), -1))
            value = value + options.calendar * calendar_penalty(surfaces, years.to(rows.device)).mean()
        return value

    return loss


def objective(
    network: Network, x: Tensor, given: Tensor, asked: Tensor, done: float, options: Options
) -> Tensor:
    """The loss, without the penalty, of x [B, c]: encoded from what is `given`, scored where it is `asked`.

    Raises InputError where the options ask for another loss than the bound of a network that has no other.
    """
    if options.is_bound and not options.whole:
        return -network.elbo(x, given).mean()
    likelihood, divergence = network.terms(x, given, asked)
    weight = options.beta * SCHEDULES[options.schedule](done)
    mean = divergence.sum(-1).mean()
    paid = free_bits(divergence, options.free)
    pull = paid if options.capacity is None else to_capacity(mean, options.capacity, done)
    return weight * pull - likelihood.mean()
