"""What stands beside Gopal's VAEs: classical models fitted to each surface, Gaussians, and voladdin."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from export.history import Days
from voladdin._typing import BoolArray, FloatArray

from ...data import DeltaAxes, History, TestSet
from ...imputation.baselines import Gaussian, ThinPlate
from ...imputation.baselines.fourier import Characteristic, model_smile
from ...imputation.baselines.gaussian import SCALE_SHIFT
from ...methods import Method
from ..fx import Fx
from ..items import Bench

VOLADDIN = "voladdin"
CLASSICAL = ("Heston", "Bates", "Heston++")
Fill = Callable[
    [FloatArray, DeltaAxes], FloatArray
]  # vols [N, T, K] with NaN -> all cells, observed ones too


def batched(bench: Bench, data: Fx) -> dict[str, Fill]:
    """Methods that fill many surfaces at once, learned on the training days."""
    smooth: dict[str, Method] = {
        "Gaussian, scale-augmented": Gaussian(SCALE_SHIFT),
        "thin-plate spline": ThinPlate(),
    }
    found: dict[str, Fill] = {VOLADDIN: _voladdin(bench, data)}
    for name, method in smooth.items():
        method.fit(data.split.train)
        found[name] = lambda vols, axes, method=method: method.predict(vols, axes).mean  # type: ignore[misc]
    return found


def _voladdin(bench: Bench, data: Fx) -> Fill:
    bundle = own_bundle(bench, data)

    def fill(vols: FloatArray, axes: DeltaAxes) -> FloatArray:
        from voladdin.imputation.filling import impute_batch

        return impute_batch(vols, axes.tenors, deltas=axes.deltas, model=bundle).mean

    return fill


def own_bundle(bench: Bench, data: Fx) -> str:
    """voladdin's model of the training days alone, trained where it is not there; its folder."""
    folder = bench.folder / "networks" / "voladdin"
    if not (folder / "card.json").is_file():
        from export.imputation.loop import Config
        from export.imputation.train import train_bundle

        config = Config(steps=bench.budget.bundle_steps, every=min(1000, bench.budget.bundle_steps))
        train_bundle(days_of(data.split.train), folder, "voladdin", config, quiet=True)
    return str(folder)


def days_of(history: History) -> Days:
    """Every day of every pair."""
    days, pairs = len(history.dates), len(history.pairs)
    vols = history.vols.reshape(-1, *history.axes.shape)
    names, dates = np.repeat(history.pairs, days), np.tile(history.dates, pairs)
    return Days(vols, names, dates, history.axes.tenors, history.axes.deltas)


def few(part: TestSet, fits: int) -> NDArray[np.int64]:
    """Rows of `fits` surfaces a pair, spread over the part."""
    rows = [np.flatnonzero(part.pair == pair) for pair in dict.fromkeys(part.pair)]
    return np.concatenate([own[np.unique(np.linspace(0, len(own) - 1, fits).astype(int))] for own in rows])


def fitted_fill(name: str, vols: FloatArray, axes: DeltaAxes) -> FloatArray:
    """All cells [N, T, K] of a classical model fitted to the seen ones of each surface."""
    calibrate = _calibration(name)
    return np.stack([_all_cells(surface, axes, calibrate(surface, axes)) for surface in vols])


@lru_cache(maxsize=3)
def _calibration(name: str) -> Callable[[FloatArray, DeltaAxes], Characteristic]:
    import QuantLib as ql

    from ...imputation.baselines import parametric

    ql.Settings.instance().evaluationDate = ql.Date(2, 1, 2020)
    models = {"Heston": parametric.Heston, "Bates": parametric.Bates, "Heston++": parametric.HestonShift}
    return models[name]().calibrate


def _all_cells(vols: FloatArray, axes: DeltaAxes, characteristic: Characteristic) -> FloatArray:
    rows = zip(vols, axes.tenors, strict=True)
    return np.stack([model_smile(row, tenor, axes.deltas, characteristic) for row, tenor in rows])


def absolute_errors(found: FloatArray, truth: FloatArray) -> FloatArray:
    """[N, T, K] in bp."""
    return np.asarray(1e4 * np.abs(found - truth))


def mean_where(errors: FloatArray, keep: BoolArray) -> float:
    """Mean over the cells that are kept; NaN where there is none."""
    return float(errors[keep].mean()) if keep.any() else float("nan")
