"""What a network adds: `voladdin bench markets --network FOLDER`.

Beside one another, through the same engine and on the same coordinates, without history, kinds of market or
guard: the network of `python -m export.imputation.amortised`, the same process trained alone (`--alone`) for
as many steps, the shipped learned priors, and half the network with half of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import ndtri

from export.imputation.amortised.amortising import QUOTES, Amortised
from export.imputation.amortised.judging import read
from export.imputation.amortised.training import FILE
from voladdin.bundles import load
from voladdin.imputation.model import UniversalBundle
from voladdin.imputation.processes import coordinates
from voladdin.imputation.processes.any_market import Universal, spread_out
from voladdin.imputation.processes.points import Points
from voladdin.imputation.processes.process import Candidates
from voladdin.imputation.weighing import UNIVERSAL

from .answers import ALONE, BOTH, NETWORK, PRIORS, Method, MethodFill
from .quoted import BoolArray, FloatArray, Quoted

_Z90 = float(ndtri(0.95))
_ADAPTING = ("wander", "adapting", "adapted_stretch", "adapting_root")
_Posterior = Callable[[Points, FloatArray], tuple[FloatArray, FloatArray]]  # log-vols: mean, std


@lru_cache
def network_methods(folders: tuple[Path, ...]) -> dict[str, Method]:
    """Methods by name, of the trained models in folders."""
    found: dict[str, _Posterior] = {}
    for folder in folders:
        model, stretch = read(folder / FILE)
        found[ALONE if model.alone else NETWORK] = Trained(model, stretch)
    found[PRIORS] = _priors()
    if NETWORK in found:
        found[BOTH] = _half(found[NETWORK], found[PRIORS])
    return {name: _method(posterior) for name, posterior in found.items()}


def _method(posterior: _Posterior) -> Method:
    def answer(surface: Quoted, hidden: BoolArray) -> MethodFill:
        values = np.log(np.where(hidden, np.nan, surface.vols).ravel())
        if surface.deltas is not None:
            points = coordinates.from_deltas(surface.tenors, surface.deltas)
        else:
            assert surface.moneyness is not None
            points = coordinates.from_moneyness(surface.tenors, surface.moneyness, values)
        mean, std = (part.reshape(surface.vols.shape) for part in posterior(points, values))
        fill, reach = np.exp(mean), np.exp(np.minimum(_Z90 * std, 5.0))
        return MethodFill(fill, fill / reach, fill * reach, fill * std)

    return answer


@dataclass(frozen=True, eq=False)
class Trained:
    """Log-vols of points by a trained model; stretch: the factor on its spreads."""

    model: Amortised
    stretch: float

    @torch.no_grad()
    def __call__(self, points: Points, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        centre = float(np.nanmedian(values))
        mean, hyper, root = self._network(points, values - centre)
        arrays = self.model.process.arrays() | {"hyper": hyper, "root": root} | _adapting()
        found = Universal(Candidates.of(arrays)).at(points, values - centre - mean, centre=0.0)
        return found.mean + mean + centre, self.stretch * found.std

    def _network(self, points: Points, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean [N], and the candidates' hyper-parameters and roots."""
        process = self.model.process
        if self.model.alone:
            return np.zeros(len(values)), process.hyper.detach().numpy(), process.root.detach().numpy()
        code, kernel = self.model.encoder(quotes_of(points, values))
        where = np.stack([points.t, points.u, np.full(len(points), float(points.own))], -1)
        mean = self.model.decoder(code.expand(len(where), -1), torch.as_tensor(where, dtype=torch.float32))
        moved = self.model.moved(kernel.double())
        return mean.double().numpy(), moved["hyper"][0].numpy(), moved["root"][0].numpy()


def quotes_of(points: Points, values: FloatArray) -> torch.Tensor:
    """[1, 4 * 72] for the encoder: the quotes, or so many spread over the surface."""
    used = np.flatnonzero(np.isfinite(values))
    if len(used) > QUOTES:
        used = used[spread_out(points[used], QUOTES)]
    table = np.zeros((4, QUOTES), dtype=np.float32)
    table[3] = -1.0
    table[:3, : len(used)] = points.t[used], points.u[used], values[used]
    table[3, : len(used)] = float(points.own)
    return torch.from_numpy(table.reshape(1, -1))


@lru_cache
def _shipped() -> dict[str, FloatArray]:
    kept = load(UNIVERSAL, UniversalBundle).arrays
    return {name.removeprefix("level_"): value for name, value in kept.items() if name.startswith("level_")}


def _adapting() -> dict[str, FloatArray]:
    return {name: _shipped()[name] for name in _ADAPTING}


def _priors() -> _Posterior:
    universal = Universal(Candidates.of({k: v for k, v in _shipped().items() if not k.startswith("kinds")}))

    def posterior(points: Points, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        found = universal.at(points, values)
        return found.mean, float(_shipped()["stretch"]) * found.std

    return posterior


def _half(first: _Posterior, second: _Posterior) -> _Posterior:
    """The mixture of two in equal parts."""

    def posterior(points: Points, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        (a, a_std), (b, b_std) = first(points, values), second(points, values)
        return 0.5 * (a + b), np.sqrt(0.5 * (a_std**2 + b_std**2) + 0.25 * (a - b) ** 2)

    return posterior
