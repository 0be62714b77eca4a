"""`python -m export.imputation.priors FOLDER`: trains the universal bundle; reads from top to bottom.

1. Candidates: a ladder of smooth ones, and random ones about a smile.
2. Adam on the predictive density of hidden cells, after exact conditioning on the quotes shown, of markets
   drawn without end, and of the days of a history where one is given.
3. The same, of fewer candidates, on the history's daily changes; without one the shipped ones are kept.
4. Factors on spreads, so that 90% bands cover 90% of samples never trained on: one on all, beside it those
   after adaptation and as the quotes tell; and how the search for adapted priors begins (`calibration.py`).
5. What real surfaces have that simulated ones lack (`real_smiles.py`).

Checkpoints go to FOLDER every few minutes; the same command resumes. `--minutes` bounds it, and `--start`
begins with a bundle's priors instead of 1.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from export.bundle_writer import write_files
from export.history import Days, read_history
from voladdin._typing import FloatArray
from voladdin.bundles import SHIPPED, load
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes.adapting import ADAPTED
from voladdin.imputation.processes.kinds import Kinds
from voladdin.imputation.processes.process import Candidates

from .calibration import adapted_stretch, adapting_root, surface_stretch
from .kinds import kinds
from .mixture import Padded, Priors, padded
from .real_smiles import as_real, as_simulated
from .samples import Sample, changes, samples

BATCH, RATE = 20, 0.01
SMOOTH, RANDOM, BENT = 6, 10, 4
CHANGE_CANDIDATES, CHANGE_SCALE, CHANGE_SHARE = 4, 0.125, 0.1
POOLED = 32  # batches sorted by size at a time: little padding
GROWTH, SHARPNESS = 0.8, 2.0
ADAPTING = 10.0  # quotes from which hyper-parameters are adapted, where cells are many
_WANDER, _WANDER_OF_GROWTHS = 0.5, 0.1  # of logarithms, of growths
Draw = Callable[[int], Iterator[Sample]]  # the samples of a seed
_SAVE = 120.0  # seconds
_HELD, _HELD_WHOLE = 600, 2000  # samples


def loss(priors: nn.Module, batch: Padded) -> torch.Tensor:
    """Mean over surfaces of -log density of hidden cells: Laplace's mostly, and the Gaussian's, bounded."""
    mean, variance = priors(batch)
    std = torch.sqrt(variance)
    gap = (batch.hidden_y - mean).abs()
    laplace = gap / (0.75 * std) + torch.log(0.75 * std)
    gaussian = torch.clamp(0.5 * (gap / std) ** 2 + torch.log(std), max=12.0)
    each = torch.where(batch.hidden, 0.7 * laplace + 0.3 * gaussian, torch.zeros((), dtype=torch.float64))
    return (each.sum(1) / batch.hidden.sum(1)).mean()


def batches(source: Iterator[Sample], rng: np.random.Generator) -> Iterator[Padded]:
    """Samples of like sizes together."""
    while True:
        drawn = sorted(islice(source, BATCH * POOLED), key=lambda s: s.count)
        parts = [drawn[i : i + BATCH] for i in range(0, len(drawn), BATCH)]
        for i in rng.permutation(len(parts)):
            yield padded(parts[i])


def fit(priors: Priors, draw: Draw, minutes: float, path: Path, seed: int) -> Priors:
    """Trains for some minutes, counted over all resumed runs, which draw other samples."""
    optimiser = torch.optim.Adam(priors.parameters(), RATE, betas=(0.9, 0.98))
    done, step = 0.0, 0
    if path.is_file():
        state = torch.load(path, weights_only=True)
        priors.load_state_dict(state["priors"])
        optimiser.load_state_dict(state["optimiser"])
        done, step = float(state["seconds"]), int(state["step"])
    feed = batches(draw(seed + step), np.random.default_rng(seed + step))
    started = saved = time.monotonic()
    total, mean = 60.0 * minutes, math.nan
    with tqdm(total=round(total), initial=round(done), unit="s", desc=path.stem) as progress:
        while (spent := done + time.monotonic() - started) < total:
            rate = RATE * min(1.0, (step + 1) / 50) * (0.5 * (1.0 + math.cos(math.pi * spent / total)) + 0.02)
            for group in optimiser.param_groups:
                group["lr"] = rate
            value = loss(priors, next(feed))
            optimiser.zero_grad()
            if torch.isfinite(value):
                value.backward()
                torch.nn.utils.clip_grad_norm_(priors.parameters(), 2.0)
                optimiser.step()
                mean = value.item() if math.isnan(mean) else 0.98 * mean + 0.02 * value.item()
            step += 1
            progress.n = round(spent)
            progress.set_postfix(step=step, loss=f"{mean:.3f}")
            if time.monotonic() - saved > _SAVE:
                _save(path, priors, optimiser, spent, step)
                saved = time.monotonic()
    _save(path, priors, optimiser, total, step)
    return priors


def _save(path: Path, priors: Priors, optimiser: torch.optim.Optimizer, seconds: float, step: int) -> None:
    state = {
        "priors": priors.state_dict(),
        "optimiser": optimiser.state_dict(),
        "seconds": seconds,
        "step": step,
    }
    scratch = path.with_suffix(".part")
    torch.save(state, scratch)
    scratch.replace(path)


@torch.no_grad()
def stretch(priors: Priors, held: Sequence[Sample]) -> tuple[float, float]:
    """The factor on the spread with which 90% bands cover 90% of hidden cells, and the mean loss."""
    scores, losses = [], []
    for i in range(0, len(held), BATCH):
        batch = padded(held[i : i + BATCH])
        mean, variance = priors(batch)
        score = ((batch.hidden_y - mean).abs() / torch.sqrt(variance))[batch.hidden]
        scores.append(score.numpy())
        losses.append(loss(priors, batch).item())
    return float(np.quantile(np.concatenate(scores), 0.9) / 1.6449), float(np.mean(losses))


def train(
    folder: Path,
    minutes: float,
    exclude: Sequence[str] = (),
    *,
    pool: Path | None = None,
    history: Days | None = None,
    begin: Path | None = None,
    seed: int = 0,
) -> Path:
    """Writes the bundle into `folder`; begin: a bundle whose priors on levels are trained further."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)

    def draw(first: int, *, whole: bool = False) -> Iterator[Sample]:
        return samples(first, exclude=exclude, pool=pool, history=history, whole=whole)

    share = 0.0 if history is None else CHANGE_SHARE
    start = Priors(SMOOTH, RANDOM, BENT, seed)
    if begin is not None:
        start.start_from(_as_trained(begin))
    levels = fit(start, draw, minutes * (1.0 - share), folder / "levels.pt", seed)
    held = list(islice(draw(seed + 10**6), _HELD))
    widen, score = stretch(levels, held)
    arrays = {f"level_{name}": value for name, value in levels.arrays().items()}
    arrays |= {f"level_{name}": value for name, value in _adapting().items()}
    arrays |= {f"level_{name}": value for name, value in kinds().items()}
    whole = islice(draw(seed + 2 * 10**6, whole=True), _HELD_WHOLE)
    arrays |= _calibrated(
        {name: arrays[f"level_{name}"] for name in (*levels.arrays(), *_adapting())}, held, whole, widen
    )
    arrays |= {"level_stretch": np.array(widen), "growth": np.array(GROWTH), "sharpness": np.array(SHARPNESS)}
    arrays["level_hyper"] = as_real(arrays["level_hyper"])
    if history is None:
        shipped = load(SHIPPED / "universal", UniversalBundle).arrays
        arrays |= {name: value for name, value in shipped.items() if name.startswith("change_")}
    else:
        arrays |= _of_changes(history, minutes * share, folder / "changes.pt", seed)
    return _write(folder, arrays, minutes, exclude, seed, score, days=0 if history is None else len(history))


def _of_changes(history: Days, minutes: float, path: Path, seed: int) -> dict[str, FloatArray]:
    """What the bundle has of daily changes."""
    start = Priors(0, CHANGE_CANDIDATES, 0, seed, CHANGE_SCALE)
    moves = fit(start, lambda first: changes(first, history), minutes, path, seed)
    held = list(islice(changes(seed + 10**6, history), _HELD))
    factor, _ = stretch(moves, held)
    found = moves.arrays() | _adapting()
    found["adapting_root"] = adapting_root(Candidates.of(found), held)
    found["trend"] = np.zeros_like(found["trend"])
    return {f"change_{name}": value for name, value in found.items()} | {"change_stretch": np.array(factor)}


def _as_trained(bundle: Path) -> dict[str, FloatArray]:
    kept = load(bundle, UniversalBundle).arrays
    levels = {name.removeprefix("level_"): kept[name] for name in kept if name.startswith("level_")}
    return levels | {"hyper": as_simulated(levels["hyper"])}


def _calibrated(
    priors: dict[str, FloatArray], held: Sequence[Sample], whole: Iterator[Sample], widen: float
) -> dict[str, FloatArray]:
    """How the search for adapted priors begins, and how much wider spreads are after it, and as the quotes
    tell; priors: of the levels.
    """
    root = adapting_root(Candidates.of(priors), held)
    candidates = Candidates.of(priors | {"adapting_root": root})
    adapted = adapted_stretch(candidates, held, widen)
    of_markets = Kinds(*(kinds()[f"kinds_{field.name}"] for field in fields(Kinds)))
    candidates = replace(candidates, adapted_stretch=adapted, kinds=of_markets)
    surface = surface_stretch(candidates, whole, widen)
    found = {"adapting_root": root, "adapted_stretch": adapted, "surface_stretch": surface}
    return {f"level_{name}": value for name, value in found.items()}


def _adapting() -> dict[str, FloatArray]:
    wander = np.array([_WANDER_OF_GROWTHS if "growth" in name else _WANDER for name in ADAPTED])
    found = {"wander": wander, "adapting": np.array(ADAPTING), "adapted_stretch": np.zeros(2)}
    return found | {"adapting_root": np.eye(len(ADAPTED))}


def _write(
    folder: Path,
    arrays: dict[str, FloatArray],
    minutes: float,
    exclude: Sequence[str],
    seed: int,
    score: float,
    *,
    days: int,
) -> Path:
    card = {
        "grid": {"tenors": "any", "strikes": "deltas, log-moneyness or strikes"},
        "units": "log of decimal vols about the median quote; tenors in years",
        "training": {
            "minutes": minutes,
            "seed": seed,
            "families_left_out": list(exclude),
            "history_days": days,
        },
        "metrics": {"held_out_loss": score, "level_stretch": float(arrays["level_stretch"])},
    }
    written = write_files(folder, "universal", UniversalBundle, arrays, {}, card)
    for name in ("levels.pt", "changes.pt"):
        (folder / name).unlink(missing_ok=True)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m export.imputation.priors", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where the bundle is written, and checkpoints until then")
    parser.add_argument("--minutes", type=float, default=80.0, help="of training in all (default 80)")
    parser.add_argument("--exclude", nargs="*", default=[], help="families of markets left out")
    parser.add_argument("--pool", type=Path, help="folder of `python -m export.simulation.markets pool`")
    parser.add_argument("--history", help="a history of surfaces, as `voladdin train` reads it")
    parser.add_argument("--until", help="its days before this date only (yyyy-mm-dd)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="a bundle whose priors are trained further")
    options = parser.parse_args(argv)
    history = None if options.history is None else read_history(options.history)
    if history is not None and options.until:
        history = history.keep(history.date < np.datetime64(options.until))
    places = {"pool": options.pool, "history": history, "begin": options.start}
    written = train(options.folder, options.minutes, options.exclude, seed=options.seed, **places)
    print(f"bundle universal in {written}")
    return 0
