"""Networks that were trained for less than their paper trains them, and how long that would take here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ..generation.paper import EPOCHS
from .gopal.vaes import REFIT_STEPS, STEPS
from .items import Table

HEADER = ("networks", "how many", "trained for", "the paper's", "minutes of one core at the paper's, each")
_PLACES = {  # of checkpoints: what they are, and the steps of their paper
    "networks/gopal-*.pt": ("VAEs of Gopal (2024)", STEPS),
    "networks/refit-*.pt": ("their encoders, refitted", REFIT_STEPS),
    "networks/toy-*.pt": ("networks of its toys", STEPS),
    "search-*/networks/*.pt": ("networks of its search", STEPS),
}
SURFACES = 60_000  # of Wang, Liu and Vuik (2025)


def below(folder: Path) -> Table:
    """A row a kind and budget, from the time that the checkpoints of a results folder say they took."""
    rows = [*_by_steps(folder), *_by_epochs(folder / "wang")]
    return Table("Networks below their paper's budget", HEADER, rows)


def _by_steps(folder: Path) -> Iterator[list[str]]:
    for place, (words, steps) in _PLACES.items():
        runs: dict[int, list[float]] = {}
        for file in sorted(folder.glob(place)):
            stored = _stored(file)
            if stored["step"] < steps:
                runs.setdefault(stored["step"], []).append(stored["seconds"] / stored["step"])
        for done, seconds in sorted(runs.items()):
            span = _span([value * steps / 60 for value in seconds])
            yield [words, str(len(seconds)), f"{done:,} steps", f"{steps:,} steps", span]


def _by_epochs(networks: Path) -> Iterator[list[str]]:
    """The network of Wang, Liu and Vuik, which is timed by the epoch and by the surface."""
    runs = [run for file in sorted(networks.glob("*.pt")) if (run := _stored(file)).get("seconds")]
    each = [run["seconds"] / run["epoch"] / run["surfaces"] for run in runs]
    if each:
        done = " or ".join(f"{epochs:,}" for epochs in sorted({run["epoch"] for run in runs}))
        most = max(run["surfaces"] for run in runs)
        words = f"{done} epochs of at most {most:,} surfaces", f"{EPOCHS:,} epochs of {SURFACES:,} surfaces"
        span = _span([value * EPOCHS * SURFACES / 60 for value in each])
        yield ["the network of Wang, Liu and Vuik (2025)", str(len(runs)), *words, span]


def _stored(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(file, weights_only=True)
    return found


def _span(minutes: list[float]) -> str:
    low, high = f"{min(minutes):,.0f}", f"{max(minutes):,.0f}"
    return low if low == high else f"{low} to {high}"
