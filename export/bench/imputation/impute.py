"""`voladdin bench impute`: every method, the same hidden cells, one set of tables.

Test surfaces are those of every fifth day of 2018 (`--full`: every day), all three pairs, each once under
every mask. Heston, Bates and Heston++ take a tenth of a second to a second a surface, so they are fitted to
24 surfaces spread over the test set (8 where one pair is tested) and compared with the others on these.
`--no-fits` leaves them out. `--quick` takes every 25th day, fits 3 surfaces under one mask and trains the
VAE for 300 steps: it shows that all runs, not how good it is. The default takes most of an hour on one
core, nearly all of it these fits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import BoolArray

from ..classical.gaussian import SCALE_SHIFT, DailyChangeGaussian, Gaussian, LocalGaussian
from ..classical.simple import LinearVariance, ThinPlate, Yesterday
from ..data import History, Split, load_history, pair_split, time_split
from ..masks import HOLES, RATES, all_masks
from ..methods import Method
from ..metrics import Score, Scores, evaluate_set, latency
from ..report import LEGEND, Result, render
from .grids import quotes_split, simulated_splits
from .product import product_methods

Masks = dict[str, BoolArray]

SPLITS = ("simulated", "time", "pair", "grid", "quotes")


@dataclass(frozen=True)
class Settings:
    """What the command line asked for."""

    seed: int
    every: int
    fits: int
    fit_masks: tuple[str, ...]
    vae_steps: int
    refit_steps: int
    simulated_days: int
    copies: int
    bundles: Path
    bundle_steps: int


def settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of a quick, a default or a full run."""
    every = 25 if arguments.quick else 1 if arguments.full else 5
    bundles = arguments.bundles or Path("runs", "bench-quick" if arguments.quick else "bench")
    every_mask = () if arguments.no_fits else (*(f"{rate}%" for rate in RATES), *HOLES)
    if arguments.quick:
        return Settings(arguments.seed, every, 3, every_mask[2:3], 300, 20, 300, 4, bundles, 100)
    return Settings(arguments.seed, every, 24, every_mask, 6000, 1500, 1300, 40, bundles, 6000)


def splits(names: Sequence[str], options: Settings) -> Iterator[Split]:
    """The splits asked for, made only when they are needed."""
    if {"simulated", "grid"} & set(names):
        pair = simulated_splits(options.simulated_days, options.every, options.seed)
        yield from (split for split in pair if split.name in names)
    if {"time", "pair", "quotes"} & set(names):
        history = load_history()
        if "time" in names:
            yield time_split(history, options.every)
        if "pair" in names:
            yield from (pair_split(history, pair, options.every) for pair in history.pairs)
        if "quotes" in names:
            yield quotes_split(history, options.copies)


def trained(split: Split, options: Settings) -> list[Method]:
    """Every method that is scored on all surfaces, fitted to the split's training days."""
    prior = split.test.priors is not None
    methods: list[Method] = [*product_methods(options.bundles, split, options.bundle_steps)]
    methods += [Gaussian(), Gaussian(SCALE_SHIFT), LocalGaussian()]
    if all(test.axes.same(split.train.axes) for test in split.tests):
        methods.append(_vae(options))
    methods += [LinearVariance(), ThinPlate()]
    if prior:
        methods += [DailyChangeGaussian(), Yesterday()]
    for method in methods:
        method.fit(split.train)
    return methods


def _vae(options: Settings) -> Method:
    import torch

    from .rival_vae import SigmaVAE

    torch.set_num_threads(1)
    return SigmaVAE(options.vae_steps, options.refit_steps, seed=options.seed)


def fitted_models() -> list[Method]:
    """The models that are fitted to each surface, by QuantLib."""
    from ..classical.stochastic_vol import Bates, Heston, HestonShift

    return [Heston(), Bates(), HestonShift()]


def run(split: Split, options: Settings, say: Callable[[str], None]) -> Result:
    """Score every method on one split."""
    say(f"{split.name}: training on {len(split.train.dates)} days of {', '.join(split.train.pairs)}")
    methods = trained(split, options)
    masks = [all_masks(len(test), test.axes, options.seed) for test in split.tests]
    say(f"{split.name}: {sum(map(len, split.tests))} surfaces, {len(masks[0])} masks")
    pairs = list(zip(split.tests, masks, strict=True))
    scores = _pooled([evaluate_set(methods, test, mask) for test, mask in pairs])
    one = {m.name: latency(m, split.test, masks[0]["50%"]) for m in methods if not m.name.startswith("Σ-VAE")}
    fitted, rows, one_fit = _run_fitted(split, masks, options, say)
    return Result(
        _title(split),
        scores,
        fitted,
        rows,
        one | one_fit,
        np.concatenate([test.day for test in split.tests]),
        np.concatenate([test.pair for test in split.tests]),
    )


def _pooled(parts: Sequence[Scores]) -> Scores:
    return {key: Score.pooled([part[key] for part in parts]) for key in parts[0]}


def _run_fitted(
    split: Split, masks: list[Masks], options: Settings, say: Callable[[str], None]
) -> tuple[Scores, NDArray[np.int64], dict[str, float]]:
    """Scores, the rows of the pooled test sets they are of, and the median time of one fit."""
    single_pair = len(split.tests) == 1 and len(set(split.test.pair)) == 1
    count = max(options.fits // (3 if single_pair else len(split.tests)), 1)
    rows = [np.unique(np.linspace(0, len(test) - 1, count).astype(int)) for test in split.tests]
    parts = [
        (test.subset(chosen), {name: hidden[name][chosen] for name in options.fit_masks})
        for test, hidden, chosen in zip(split.tests, masks, rows, strict=True)
    ]
    scores: Scores = {}
    one = {}
    for model in fitted_models() if options.fit_masks else []:
        say(f"{split.name}: fitting {model.name} to {sum(map(len, rows))} surfaces under each mask")
        scores |= _pooled([evaluate_set([model], test, hidden) for test, hidden in parts])
        one[model.name] = latency(model, parts[0][0], parts[0][1]["50%"], count=8)
    starts = np.cumsum([0, *map(len, split.tests)])
    return scores, np.concatenate([r + start for r, start in zip(rows, starts, strict=False)]), one


def _title(split: Split) -> str:
    history: History = split.train
    days = f"{history.dates[0]} to {history.dates[-1]}"
    count = sum(map(len, split.tests))
    return f"{split.name}: trained on {', '.join(history.pairs)}, {days}; {count} test surfaces"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voladdin bench impute", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--split", choices=(*SPLITS, "all"), default="all")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument("--no-fits", action="store_true", help="without the models fitted to each surface")
    parser.add_argument("--full", action="store_true", help="every day of the test year")
    parser.add_argument("--seed", type=int, default=0, help="of masks, simulation and training")
    parser.add_argument("--bundles", type=Path, help="folder of bundles, one a split, trained where absent")
    parser.add_argument("--output", type=Path, help="write the tables to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error."""
    arguments = parser().parse_args(argv)
    options = settings(arguments)
    names = SPLITS if arguments.split == "all" else (arguments.split,)
    texts = [LEGEND]
    print(LEGEND)
    for split in splits(names, options):
        texts.append(render(run(split, options, lambda line: print(line, file=sys.stderr, flush=True))))
        print(texts[-1], flush=True)
    if arguments.output is not None:
        arguments.output.write_text("\n".join(texts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
