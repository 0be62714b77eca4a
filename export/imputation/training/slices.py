"""Training that can be put down and taken up: steps in slices, one checkpoint a network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .devices import CPU, set_seed, trained_on, training_device
from .rates import divisions, stalls

SAVED_EVERY, LOGGED_EVERY = 1000, 50


class Paused(Exception):
    """The time given is spent; what is done is kept, and the same command goes on from there."""


@dataclass(frozen=True)
class Deadline:
    """When to put the work down; never where `end` is infinite."""

    end: float = math.inf

    @classmethod
    def of(cls, minutes: float | None) -> Deadline:
        return cls(math.inf if minutes is None else time.monotonic() + 60 * minutes)

    def check(self) -> None:
        """Raises Paused once the time is spent."""
        if time.monotonic() > self.end:
            raise Paused


@dataclass(frozen=True)
class AdamSteps:
    """Adam's steps. warm_up: linear from 0; halved: the step after which the rate is half.

    cosine: the rate falls to 0 along a cosine.
    """

    steps: int
    batch: int = 64
    rate: float = 2e-4
    decay: float = 0.0
    warm_up: int = 0
    halved: int = 10**9
    seed: int = 0
    cosine: bool = False

    def at(self, step: int) -> float:
        """The rate of a step."""
        warm = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        fallen = 0.5 * (1.0 + math.cos(math.pi * step / self.steps)) if self.cosine else 1.0
        return self.rate * warm * fallen * (0.5 if step >= self.halved else 1.0)


Loss = Callable[[Tensor, int], Tensor]  # of a batch of rows, at a step


@dataclass
class Run:
    """One network on its way. curve: (step, loss) means of the last steps; seconds: of the processor so far.

    notes: what a loss writes down for itself, kept with the checkpoint. file: the checkpoint, none for None.
    of: what else a checkpoint must agree with to be gone on from. plateau, stop: after so many logged losses
    without a lower one the rate is divided by 10, and training ends; never for 0. logged: steps a mean.
    epochs: batches go through all rows in a new order, then again; else they are drawn at each step.
    """

    model: nn.Module
    adam: AdamSteps
    file: Path | None = None
    curve: list[list[float]] = field(default_factory=list)
    notes: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0
    step: int = 0
    of: Mapping[str, Any] = field(default_factory=dict)
    plateau: int = 0
    stop: int = 0
    logged: int = LOGGED_EVERY
    epochs: bool = False

    def __post_init__(self) -> None:
        torch.set_num_threads(1)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(
            self.trained, self.adam.rate, weight_decay=self.adam.decay, fused=True
        )
        if self.file is not None and self.file.is_file():
            self._resume(self.file)

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree with to be gone on from."""
        parameters = sum(p.numel() for p in self.model.parameters())
        return {**asdict(self.adam), "parameters": parameters, **self.of}

    @property
    def settled(self) -> bool:
        """Whether the loss has not fallen for as long as ends the training."""
        return bool(self.stop) and max(stalls(self._losses), default=0) >= self.stop

    @property
    def _losses(self) -> list[float]:
        return [loss for _, loss in self.curve]

    @torch.enable_grad()
    def train(self, rows: Tensor, loss: Loss, deadline: Deadline) -> None:
        """All steps that are left, on a GPU where there is one; raises Paused with a checkpoint written."""
        self.model.train()
        where = training_device()
        with trained_on(where, self.model, self.optimiser):
            self._steps(rows.to(where), loss, deadline)
        self.save()
        self.model.eval()

    def _steps(self, rows: Tensor, loss: Loss, deadline: Deadline) -> None:
        sums: list[float] = []
        while self.step < self.adam.steps and not self.settled:
            started = time.process_time()
            sums.append(self._step(rows, loss))
            self.seconds += time.process_time() - started
            if self.step % self.logged == 0:
                self.curve.append([self.step, sum(sums) / len(sums)])
                sums.clear()
            if self.step % SAVED_EVERY == 0:
                self.save()
                deadline.check()

    def _step(self, rows: Tensor, loss: Loss) -> float:
        set_seed(rows.device, self.adam.seed * 1_000_003 + self.step)
        stalled = divisions(self._losses, self.plateau) if self.plateau else 0
        for group in self.optimiser.param_groups:
            group["lr"] = self.adam.at(self.step) / 10.0**stalled
        value = loss(rows[self._batch(len(rows))], self.step)
        self.optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.trained, 100.0)
        self.optimiser.step()
        self.step += 1
        return float(value.detach())

    def _batch(self, count: int) -> Tensor:
        size, seed = self.adam.batch, self.adam.seed
        if not self.epochs:
            return torch.randint(count, (size,))
        epoch, place = divmod(self.step, -(-count // size))
        generator = torch.Generator(CPU).manual_seed(seed * 1_000_003 + epoch)
        order = torch.randperm(count, generator=generator, device=CPU)
        return order[place * size : (place + 1) * size]

    def save(self) -> None:
        """Written beside the old checkpoint, then put in its place."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        state |= {"curve": self.curve, "notes": self.notes, "seconds": self.seconds, "step": self.step}
        state |= {"identity": self.identity, "stop": self.stop}
        torch.save(state, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").replace(self.file)

    def _resume(self, file: Path) -> None:
        stored = torch.load(file, CPU, weights_only=True)
        if stored["identity"] == self.identity:
            for name, value in stored["model"].items():
                _fit_buffer(self.model, name, value)
            self.model.load_state_dict(stored["model"])
            self.optimiser.load_state_dict(stored["optimiser"])
            self.curve, self.notes = stored["curve"], stored.get("notes", [])
            self.seconds, self.step = stored["seconds"], stored["step"]
            self.model.eval()


def _fit_buffer(model: nn.Module, name: str, value: Tensor) -> None:
    """A buffer that grew in training has its later shape before it is read."""
    path, _, leaf = name.rpartition(".")
    owner = model.get_submodule(path)
    if leaf in dict(owner.named_buffers(recurse=False)):
        setattr(owner, leaf, value.clone())
