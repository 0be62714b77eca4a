"""The vols of a part's surfaces, filled, each with the surface of the day before as its prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...errors import VoladdinError
from ...surface import MAX_VOL
from ..filling import Imputation, impute_batch
from .by_axes import SameAxes

BATCH = 1_024
OLDEST = 30  # business days of a prior
SOURCES = ("quote", "filled", "moved", "disputed")
_QUOTE, _FILLED, _MOVED, _DISPUTED = range(len(SOURCES))
_EMPTY = "no quote"


@dataclass(frozen=True)
class FillSettings:
    """A bundle's name, whether the day before is the prior, and the vol of one unit."""

    model: str = "fx"
    prior: bool = True
    unit: float = 1.0


@dataclass(frozen=True)
class Filled:
    """[N, T, K] vols and standard deviations in the history's units, sources (of SOURCES); [N] a word on each
    and whether it was filled."""

    vols: FloatArray
    std: FloatArray
    source: IntArray
    flags: list[str]
    done: BoolArray


def filled(
    grid: SameAxes, kind: str, settings: FillSettings, own: BoolArray, earlier: tuple[IntArray, IntArray]
) -> Filled:
    """The surfaces of a grid that are to be filled ([N]); the others are only looked back to.

    earlier: as `Surfaces.earlier` gives it. A surface that cannot be filled stays as it is, and its flag says
    why.
    """
    vols, (place, age) = grid.vols * settings.unit, earlier
    flags = [_refusal(surface) for surface in vols]
    known = np.array([not words for words in flags], dtype=np.bool_)
    empty = np.array([words == _EMPTY for words in flags], dtype=np.bool_)
    age = np.where((place >= 0) & known[place] & (age <= OLDEST) & settings.prior, age, 0)
    work = _Work(
        grid,
        kind,
        settings.model,
        vols.copy(),
        np.zeros_like(vols),
        np.zeros(vols.shape, int),
        flags,
        np.zeros(len(vols), bool),
    )
    ready = own & (known | (empty & (age > 0)))
    for days in np.unique(age[ready]).tolist():
        members = np.flatnonzero(ready & (age == days))
        for chosen in np.split(members, range(BATCH, len(members), BATCH)):
            work.fill(chosen, vols[place[chosen]] if days else None, days or 1)
    whole = np.where(np.isnan(grid.vols), work.vols / settings.unit, grid.vols)  # quotes to the last bit
    return Filled(whole, work.std / settings.unit, work.source, flags, work.done)


def _refusal(vols: FloatArray) -> str:
    """Why a surface cannot be filled by itself; "" where it can."""
    bad = ~np.isnan(vols) & ~((vols > 0) & (vols <= MAX_VOL))
    if bad.any():
        return f"vol {vols[bad][0]:g} is not above 0 and at most {MAX_VOL:g}"
    return "" if np.isfinite(vols).any() else _EMPTY


@dataclass(frozen=True)
class _Work:
    """Surfaces on their way from holes to fills, in place."""

    grid: SameAxes
    kind: str
    model: str
    vols: FloatArray
    std: FloatArray
    source: IntArray
    flags: list[str]
    done: BoolArray

    def fill(self, chosen: IntArray, prior: FloatArray | None, days: int) -> None:
        """These surfaces; one by one where one of them is refused, which then is told in its flag."""
        try:
            found = self._answer(self.vols[chosen], prior, days)
        except VoladdinError as error:
            if len(chosen) == 1:
                self.flags[chosen[0]] = " ".join(str(error).split())
                return
            for one in range(len(chosen)):
                self.fill(chosen[one : one + 1], None if prior is None else prior[one : one + 1], days)
            return
        self._keep(chosen, found)

    def _answer(self, vols: FloatArray, prior: FloatArray | None, days: int) -> Imputation:
        grid = self.grid
        options: dict[str, Any] = {"model": self.model, "prior": prior, "prior_age": float(days)}
        if self.kind == "delta":
            return impute_batch(vols, grid.tenors, deltas=grid.strikes, **options)
        moneyness = grid.strikes
        if grid.forwards is not None:
            moneyness = np.log(grid.strikes[None, :] / grid.forwards[:, None])
        return impute_batch(vols, grid.tenors, moneyness=moneyness, **options)

    def _keep(self, chosen: IntArray, found: Imputation) -> None:
        quoted = np.isfinite(self.vols[chosen])
        source = np.where(found.disputed, _DISPUTED, _QUOTE)
        source = np.where(quoted, source, np.where(found.moved, _MOVED, _FILLED))
        self.vols[chosen], self.std[chosen], self.source[chosen] = found.filled, found.std, source
        self.done[chosen] = True
        for one, cells in zip(chosen.tolist(), source, strict=True):
            counts = {what: int((cells == what).sum()) for what in (_MOVED, _DISPUTED)}
            self.flags[one] = "; ".join(f"{n} {SOURCES[what]}" for what, n in counts.items() if n)
