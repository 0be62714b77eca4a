"""Networks that were trained for less than their paper trains them, and how long that would take here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from export.imputation.training.rates import stalls

from ..generation.paper import BATCH, EPOCHS
from .gopal.vaes import REFIT_STEPS, STEPS
from .items import Table
from .mama.fitting import STOP

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
    rows = [*_by_steps(folder), *_not_settled(folder / "networks"), *_by_epochs(folder / "wang")]
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


def _not_settled(networks: Path) -> Iterator[list[str]]:
    """Mama's networks that a number of epochs ended, not his rule: a point of the curve is an epoch."""
    rule = f"until the loss has not fallen for {STOP} epochs"
    kinds = {
        True: "networks of Mama (2022), constant β",
        False: "networks of Mama (2022), β or capacity moves",
    }
    ended: dict[bool, list[float]] = {ruled: [] for ruled in kinds}
    for file in sorted(networks.glob("mama-*.pt")):
        stored = _stored(file)
        losses = [loss for _, loss in stored["curve"]]
        if not stored["stop"] or max(stalls(losses), default=0) < stored["stop"]:
            ended[bool(stored["stop"])].append(len(losses))
    for ruled, epochs in ended.items():
        if epochs:
            words = kinds[ruled], str(len(epochs)), f"{_span(epochs)} epochs"
            yield [*words, rule, "he prints no number of epochs"]


def _by_epochs(networks: Path) -> Iterator[list[str]]:
    """The networks of Wang, Liu and Vuik, which are timed by the epoch and by the surface."""
    runs = [_stored(file) for file in sorted(networks.glob("*.pt"))]
    most = max((run["epoch"] for run in runs), default=EPOCHS)
    timed = [run for run in runs if run.get("seconds")]
    if timed and most < EPOCHS:
        count, surfaces = sum(run["epoch"] == most for run in runs), max(run["surfaces"] for run in timed)
        each = [run["seconds"] / run["epoch"] / run["surfaces"] for run in timed]
        yield [
            *("networks of Wang, Liu and Vuik (2025)", str(count)),
            f"{most:,} epochs of at most {surfaces:,} surfaces, {most * -(-surfaces // BATCH):,} batches",
            f"{EPOCHS:,} epochs of {SURFACES:,} surfaces; by its algorithm 1, of one batch",
            _span([value * EPOCHS * SURFACES / 60 for value in each]),
        ]


def _stored(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(file, "cpu", weights_only=True)
    return found


def _span(minutes: list[float]) -> str:
    low, high = f"{min(minutes):,.0f}", f"{max(minutes):,.0f}"
    return low if low == high else f"{low} to {high}"
