"""`voladdin bench ablation`: what each choice of a history's model is worth, one left out at a time.

Two test years, 2017 and 2018, each predicted from the days before (the last year of these calibrates): what
helps in one year only shows. Then 2018 of each pair, by a model that never saw the pair. Every variant is
trained as the product's bundle is, with the same budget; the mixture's shares need no training and are read
off the full bundle. Errors are of hidden cells, over the full model's in the same run: above 1 the choice
helps. The history's model answers alone. `--quick` trains for 100 steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from export.bundle_writer import write_files
from export.imputation.density import Choices
from export.imputation.loop import Config
from export.imputation.train import train_bundle
from voladdin._typing import FloatArray
from voladdin.bundles import load
from voladdin.imputation.answers import by_history
from voladdin.imputation.model import Bundle
from voladdin.surface import Surface

from ..data import DeltaAxes, History, Split, load_history, pair_split, test_set
from ..masks import all_masks
from ..methods import Prediction
from ..metrics import Score, evaluate_set, ratio_interval
from ..report import table
from .product import training_days


class HistoryAlone:
    """A history's model without the universal one beside it."""

    uses_prior = False

    def __init__(self, bundle: Path) -> None:
        self.name, self._loaded = bundle.name, load(bundle, Bundle)

    def fit(self, history: History) -> None:
        """Nothing to learn: the bundle is trained before."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        surface = Surface(vols[0], axes.tenors.tolist(), deltas=axes.deltas)
        found = by_history(self._loaded, surface, np.log(vols), None, 1.0)
        return Prediction(np.exp(found.mean).reshape(vols.shape), found.std.reshape(vols.shape))


FULL = "full model"
TRAINED = {
    "without recency": Choices(half_life=1e6),
    "without mirror": Choices(mirror=0.0),
    "one regime": Choices(regimes=1),
}
SHARES = {"network alone": 1.0, "local Gaussian alone": 0.0}
MASKS = ("10%", "30%", "50%", "70%", "90%", "tenor", "wings", "atm")
YEARS = (2017, 2018)


def splits(history: History, every: int) -> Iterator[Split]:
    """The test years of all pairs, then 2018 of each pair never seen."""
    yield from (year_split(history, year, every) for year in YEARS)
    yield from (pair_split(history, pair, every) for pair in history.pairs)


def year_split(history: History, year: int, every: int) -> Split:
    """Train on all before the year, test on the year itself."""
    start, end = (np.datetime64(f"{first}-01-01") for first in (year, year + 1))
    before, within = history.between(None, start), history.between(None, end)
    validation = before.between(start - np.timedelta64(365, "D"), None)
    train = before.between(None, start - np.timedelta64(365, "D"))
    name = str(year)
    return Split(name, train, validation, test_set(within, start, every), bundle=name)


def variants(split: Split, folder: Path, steps: int) -> Iterator[tuple[str, Path]]:
    """The name and the bundle of each variant, trained where the folder does not hold it yet."""
    full = _trained(split, folder / split.name / "full", Choices(), steps)
    yield FULL, full
    for name, choices in TRAINED.items():
        yield name, _trained(split, folder / split.name / name.replace(" ", "-"), choices, steps)
    for name, share in SHARES.items():
        yield name, _with_share(full, folder / split.name / name.replace(" ", "-"), share)


def _trained(split: Split, folder: Path, choices: Choices, steps: int) -> Path:
    if not (folder / "card.json").is_file():
        train_bundle(
            training_days(split), folder, folder.name, Config(steps=steps), choices=choices, quiet=True
        )
    return folder


def _with_share(full: Path, folder: Path, share: float) -> Path:
    """A copy of the full bundle in which the network has this share of the answer."""
    bundle = load(full, Bundle)
    card = {key: bundle.card[key] for key in ("grid", "units", "training", "metrics")}
    arrays = bundle.arrays | {"stack": np.array(share)}
    return write_files(folder, folder.name, Bundle, arrays, bundle.graphs, card)


def render(split: Split, folder: Path, steps: int, seed: int) -> str:
    """MAE over the full model's by mask, with the 90% interval of the mean over masks (days resampled)."""
    every = all_masks(len(split.test), split.test.axes, seed)
    masks = {name: every[name] for name in MASKS}
    scores: dict[str, dict[str, Score]] = {}
    for name, bundle in variants(split, folder, steps):
        found = evaluate_set([HistoryAlone(bundle)], split.test, masks)
        scores[name] = {mask: score for (_, mask), score in found.items()}

    def cell(name: str, column: str) -> str:
        chosen = MASKS if column == "all" else (column,)
        ours, full = (sum(scores[of][mask].error for mask in chosen) for of in (name, FULL))
        ratio, low, high = ratio_interval(np.asarray(ours), np.asarray(full), split.test.day)
        return f"{ratio:.3f} [{low:.3f}, {high:.3f}]" if column == "all" else f"{ratio:.3f}"

    return table(f"Tested on {split.name}: MAE over the full model's", list(scores), [*MASKS, "all"], cell)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error."""
    parser = argparse.ArgumentParser("voladdin bench ablation", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a small run, to see that everything works")
    parser.add_argument("--steps", type=int, default=Config.steps, help="training steps of each variant")
    parser.add_argument("--seed", type=int, default=0, help="of masks")
    parser.add_argument("--bundles", type=Path, help="folder of bundles, trained where absent")
    parser.add_argument("--output", type=Path, help="write the tables to this file too")
    options = parser.parse_args(argv)
    folder = options.bundles or Path("runs", "ablation-quick" if options.quick else "ablation")
    steps, every = (100, 25) if options.quick else (options.steps, 5)
    texts = [f"{steps} training steps a variant.\n"]
    print(texts[0])
    for split in splits(load_history(), every):
        print(f"{split.name}: training what {folder} does not hold", file=sys.stderr, flush=True)
        texts.append(render(split, folder, steps, options.seed))
        print(texts[-1], flush=True)
    if options.output is not None:
        options.output.write_text("\n".join(texts), encoding="utf-8")
    return 0
