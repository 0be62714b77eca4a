"""`python -m export.imputation.amortised FOLDER`: trains network and process together, or the process alone.

Both start from the shipped bundle's likeliest candidates, and see the same samples in the same order: the
simulated markets without end, and the days of a history where one is given. The loss is the predictive
density of hidden cells after the exact conditioning on the quotes shown
(`export.imputation.priors.training.loss`). Checkpoints go to FOLDER; the same command resumes and ends with
the same weights as without a break, because each step's samples follow from its number. `--minutes` stops a
run, which the same command then goes on with.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from export.history import read_history
from export.imputation.priors.mixture import Padded, Priors, padded
from export.imputation.priors.samples import Sample
from export.imputation.priors.training import loss
from voladdin.bundles import SHIPPED, load
from voladdin.imputation.model import UniversalBundle

from .amortising import Amortised, likeliest
from .judging import graphs, judged, size_of_mean
from .source import BATCH, Source

CANDIDATES = 6
RATE, PROCESS_RATE = 1e-3, 2e-3
HELD, _HELD_SEED = 400, 10**7
_SAVE = 60.0  # seconds
FILE = "model.pt"


def shipped() -> Priors:
    """The candidates of the shipped bundle."""
    kept = load(SHIPPED / "universal", UniversalBundle).arrays
    level = {name.removeprefix("level_"): value for name, value in kept.items() if name.startswith("level_")}
    return Priors(0, 1, 1, 0).start_from(level)


def start(source: Source, *, alone: bool) -> Amortised:
    """The likeliest of the shipped candidates, with a network or without."""
    torch.manual_seed(source.seed)
    seen = source.samples(source.seed + _HELD_SEED + 1, 2 * BATCH)
    few = likeliest(shipped(), [padded(seen[:BATCH]), padded(seen[BATCH:])], CANDIDATES)
    return Amortised(few, alone=alone)


class Fit:
    """A model, its optimiser, and how many steps of how many are done; path: of the checkpoint."""

    def __init__(self, model: Amortised, steps: int, path: Path) -> None:
        self.model, self.steps, self.path, self.step = model, steps, path, 0
        self._parts: list[tuple[nn.Module, float]]
        self._parts = [(model.process, PROCESS_RATE), (model.encoder, RATE), (model.decoder, RATE)]
        self._optimiser = torch.optim.Adam([{"params": part.parameters()} for part, _ in self._parts])
        if path.is_file():
            state = torch.load(path, weights_only=True)
            model.load_state_dict(state["model"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])

    def run(self, source: Source, minutes: float = math.inf) -> int:
        """Up to all steps, or for so many minutes; the steps done."""
        began = saved = time.monotonic()
        feed, mean = source.batches(self.step), math.nan
        with tqdm(total=self.steps, initial=self.step, desc=self.path.parent.name) as progress:
            while self.step < self.steps and time.monotonic() - began < 60.0 * minutes:
                value = self._one(next(feed))
                mean = value if math.isnan(mean) else 0.99 * mean + 0.01 * value
                progress.set_postfix(loss=f"{mean:.3f}", refresh=False)
                progress.update()
                if time.monotonic() - saved > _SAVE:
                    self.save()
                    saved = time.monotonic()
        self.save()
        return self.step

    def _one(self, batch: Padded) -> float:
        share = min(1.0, (self.step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * self.step / self.steps))
        for group, (_, rate) in zip(self._optimiser.param_groups, self._parts, strict=True):
            group["lr"] = rate * (share + 0.01)
        value = loss(self.model, batch)
        self._optimiser.zero_grad()
        if torch.isfinite(value):
            value.backward()
            for part, _ in self._parts:
                nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            self._optimiser.step()
        self.step += 1
        return value.item()

    def save(self, stretch: float = 1.0) -> None:
        """stretch: the factor on its spreads."""
        scratch = self.path.with_suffix(".part")
        state = {"model": self.model.state_dict(), "optimiser": self._optimiser.state_dict()}
        torch.save(state | {"step": self.step, "alone": self.model.alone, "stretch": stretch}, scratch)
        scratch.replace(self.path)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        "python -m export.imputation.amortised", description=(__doc__ or "").split("\n\n")[0]
    )
    found.add_argument("folder", type=Path, help="where checkpoints and the trained model are")
    found.add_argument("--steps", type=int, default=20_000, help="in all (default 20,000)")
    found.add_argument("--minutes", type=float, default=80.0, help="of this run at most (default 80)")
    found.add_argument("--alone", action="store_true", help="the process without the network, the control")
    found.add_argument("--exclude", nargs="*", default=[], help="families of markets left out")
    found.add_argument("--pool", type=Path, help="folder of `python -m export.simulation.markets pool`")
    found.add_argument("--history", help="a history of surfaces, as `voladdin train` reads it")
    found.add_argument("--until", help="its days before this date only (yyyy-mm-dd)")
    found.add_argument("--seed", type=int, default=0)
    return found


def _source(options: argparse.Namespace) -> Source:
    history = None if options.history is None else read_history(options.history)
    if history is not None and options.until:
        history = history.keep(history.date < np.datetime64(options.until))
    return Source(options.seed, tuple(options.exclude), options.pool, history)


def _told(name: str, model: nn.Module, held: Sequence[Sample]) -> float:
    """Prints how good it is, and returns the factor on its spreads."""
    value, error, stretch = judged(model, held)
    print(f"{name}: loss {value:.4f}, mean error of log-vols {error:.5f}, spreads to be {stretch:.3f} times")
    return stretch


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    options = parser().parse_args(argv)
    torch.set_num_threads(1)
    source = _source(options)
    options.folder.mkdir(parents=True, exist_ok=True)
    fit = Fit(start(source, alone=options.alone), options.steps, options.folder / FILE)
    print(f"{fit.run(source, options.minutes):,} of {options.steps:,} steps")
    if fit.step < options.steps:
        return 0
    held = source.samples(source.seed + _HELD_SEED, HELD)
    print(f"{HELD} samples never trained on:")
    fit.save(_told("this model", fit.model, held))
    _told("the shipped priors", shipped(), held)
    if not options.alone:
        print(f"root mean square of the network's mean at hidden cells: {size_of_mean(fit.model, held):.4f}")
        print(f"float32 ONNX differs from PyTorch by {graphs(fit.model, held)[1]:.1e}")
    return 0
