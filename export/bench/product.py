"""The product's own method, called as a user calls it: through `voladdin.imputation.impute_batch`."""

from __future__ import annotations

from pathlib import Path

from .data import Axes, FloatArray, History
from .methods import Prediction


class Product:
    """voladdin with the bundle at `bundle`, which was trained on the split's training days."""

    def __init__(self, bundle: Path, uses_prior: bool = False) -> None:
        self.bundle, self.uses_prior = bundle, uses_prior
        self.name = "voladdin + prior" if uses_prior else "voladdin"

    def fit(self, history: History) -> None:
        """Nothing to learn: the bundle is trained before, by `voladdin train`."""

    def predict(self, vols: FloatArray, axes: Axes, prior: FloatArray | None = None) -> Prediction:
        from voladdin.imputation import impute_batch

        result = impute_batch(vols, axes.tenors, deltas=axes.deltas, prior=prior, model=str(self.bundle))
        return Prediction(result.mean, result.std / result.mean, result.low, result.high)


def product_methods(bundles: Path | None, split: str, prior: bool) -> list[Product]:
    """voladdin, and voladdin with prior, from `bundles`/`split`; none where no folder is given.

    Raises FileNotFoundError where the folder has no bundle of this split.
    """
    if bundles is None:
        return []
    bundle = bundles / split
    if not (bundle / "card.json").is_file():
        raise FileNotFoundError(
            f"--bundles: {bundle} holds no card.json; expected a bundle trained for {split}"
        )
    return [Product(bundle), Product(bundle, uses_prior=True)] if prior else [Product(bundle)]
