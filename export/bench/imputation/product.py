"""The product's own method, called as a user calls it: through `voladdin.imputation.filling.impute_batch`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.history import Days
from voladdin._typing import FloatArray

from ..data import DeltaAxes, History, Split
from ..methods import Prediction


class Product:
    """voladdin with the bundle at `bundle`, which was trained on the split's training days."""

    def __init__(self, bundle: Path, *, uses_prior: bool = False) -> None:
        self.bundle, self.uses_prior = bundle, uses_prior
        self.name = "voladdin + prior" if uses_prior else "voladdin"

    def fit(self, history: History) -> None:
        """Nothing to learn: the bundle is trained before, by `voladdin train`."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        from voladdin.imputation.filling import impute_batch

        result = impute_batch(vols, axes.tenors, deltas=axes.deltas, prior=prior, model=str(self.bundle))
        return Prediction(result.mean, result.std / result.mean, result.low, result.high)


def product_methods(bundles: Path, split: Split, steps: int) -> list[Product]:
    """voladdin, and voladdin with prior where the split has one, with the bundle of this split."""
    folder = bundle_of(bundles, split, steps)
    modes = (False, True) if split.test.priors is not None else (False,)
    return [Product(folder, uses_prior=uses_prior) for uses_prior in modes]


def bundle_of(bundles: Path, split: Split, steps: int) -> Path:
    """`bundles`/NAME; trained first, on the split's training and validation days, where it is absent."""
    folder = bundles / split.bundle
    if not (folder / "card.json").is_file():
        from export.imputation.loop import Config
        from export.imputation.train import train_bundle

        train_bundle(training_days(split), folder, split.bundle, Config(steps=steps))
    return folder


def training_days(split: Split) -> Days:
    """Training and validation days; `train_bundle` holds the last of them out again."""
    parts = [_flat(history) for history in (split.train, split.validation)]
    vols, underlying, date = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Days(vols, underlying, date, split.train.axes.tenors, split.train.axes.deltas)


def _flat(history: History) -> tuple[FloatArray, NDArray[np.str_], NDArray[np.datetime64]]:
    days = len(history.dates)
    vols = history.vols.reshape(-1, *history.axes.shape)
    return vols, np.repeat(history.pairs, days), np.tile(history.dates, len(history.pairs))
