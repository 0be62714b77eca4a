"""What stands beside Gopal's VAEs: classical models fitted to each surface, Gaussians, and voladdin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from export.history import Days
from voladdin._typing import BoolArray, FloatArray

from ...classical.catalogue import CLASSICAL
from ...classical.fourier import Characteristic, model_smile
from ...classical.gaussian import SCALE_SHIFT, Gaussian
from ...classical.simple import ThinPlate
from ...classical.stochastic_vol import StochasticVol
from ...data import DeltaAxes, History, TestSet
from ...methods import Method
from ..fx import Fx
from ..items import Bench

VOLADDIN, SAME_DAYS = "voladdin", "voladdin, the fits' days"
AFFINE = ("Heston", "Bates", "Heston++")
FITTED = (  # to each surface by itself
    *(*AFFINE, "SABR by tenor", "SVI", "SSVI"),
    *("mixture of log-normals", "Andreasen-Huge"),
)
LEARNED = ("PCA", "PPCA", "Gaussian conditional")
Fill = Callable[
    [FloatArray, DeltaAxes], FloatArray
]  # vols [N, T, K] with NaN -> all cells, observed ones too


def batched(bench: Bench, data: Fx) -> dict[str, Fill]:
    """Methods that fill many surfaces at once, learned on the training days."""
    smooth: dict[str, Method] = {
        "Gaussian, scale-augmented": Gaussian(SCALE_SHIFT),
        "thin-plate spline": ThinPlate(),
        **{name: CLASSICAL[name]() for name in LEARNED},
    }
    found: dict[str, Fill] = {VOLADDIN: own_fill(bench, data)}
    for name, method in smooth.items():
        method.fit(data.split.train)
        found[name] = lambda vols, axes, method=method: method.predict(vols, axes).mean  # type: ignore[misc]
    return found


def own_fill(bench: Bench, data: Fx) -> Fill:
    """voladdin's."""
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
    model = CLASSICAL[name]()
    if not isinstance(model, StochasticVol):
        return model.predict(vols, axes).mean
    calibrated = [model.calibrate(surface, axes) for surface in vols]
    pairs = zip(vols, calibrated, strict=True)
    return np.stack([_all_cells(surface, axes, characteristic) for surface, characteristic in pairs])


def _all_cells(vols: FloatArray, axes: DeltaAxes, characteristic: Characteristic) -> FloatArray:
    rows = zip(vols, axes.tenors, strict=True)
    return np.stack([model_smile(row, tenor, axes.deltas, characteristic) for row, tenor in rows])


def absolute_errors(found: FloatArray, truth: FloatArray) -> FloatArray:
    """[N, T, K] in bp."""
    return np.asarray(1e4 * np.abs(found - truth))


def mean_where(errors: FloatArray, keep: BoolArray) -> float:
    """Mean over the cells that are kept; NaN where there is none."""
    return float(errors[keep].mean()) if keep.any() else float("nan")
