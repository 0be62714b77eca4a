"""The vols of a part's surfaces, filled, each with the surface of the day before as its prior."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...errors import InputError, VoladdinError
from ...surface import Surface
from ..filling import COVERAGE, Imputation, fill, fill_holes, filled_vols
from ..model import Imputer, imputer
from ..requirements import check_grid
from ..smiles.through_cells import vols_at
from ..weighing import QuotesAlone
from .by_axes import Before
from .long_form import SameAxes
from .refusals import NO_QUOTE, name_far_forwards, refusals

BATCH = 1_024
OLDEST = 30  # business days of a prior
SOURCES = ("quote", "filled", "moved", "disputed")
_QUOTE, _FILLED, _MOVED, _DISPUTED = range(len(SOURCES))


@dataclass(frozen=True)
class FillSettings:
    """A bundle's name, whether the day before is the prior, the vol of one unit, and if that was told."""

    model: str = "fx"
    prior: bool = True
    unit: float = 1.0
    told: bool = False


@dataclass(frozen=True)
class Filled:
    """[N, T, K] vols and standard deviations in the history's units, sources (of SOURCES); [N] a word on each
    and whether it was filled."""

    vols: FloatArray
    std: FloatArray
    source: IntArray
    flags: list[str]
    done: BoolArray


def filled(grid: SameAxes, kind: str, settings: FillSettings, own: BoolArray, before: Before) -> Filled:
    """The surfaces of a grid that are to be filled ([N]); the others are only looked back to.

    A surface that cannot be filled stays as it is, and its flag says why.
    """
    vols = grid.vols * settings.unit
    flags = refusals(vols, settings.unit, told=settings.told)
    work = _Work(
        vols.copy(), np.zeros_like(vols), np.zeros(vols.shape, int), flags, np.zeros(len(vols), bool)
    )
    try:
        axes = _axes(grid, kind)
    except VoladdinError as error:
        for one in np.flatnonzero(own & _among(flags, "", NO_QUOTE)).tolist():
            flags[one] = " ".join(str(error).split())
    else:
        name_far_forwards(axes, grid.forwards, vols, flags)
        near = own & (before.age > 0) & (before.age <= OLDEST) & settings.prior
        carried = _carried(axes, kind, settings, {k: v for k, v in before.elsewhere.items() if near[k]})
        usable = (before.place >= 0) & _among(flags, "")[before.place]
        usable[list(carried)] = True
        age = np.where(near & usable, before.age, 0)
        ready = np.flatnonzero(own & (_among(flags, "") | (_among(flags, NO_QUOTE) & (age > 0))))
        earlier = np.where(age > 0, before.place, -1)
        if len(ready):
            work.fill(_Filler.of(imputer(settings.model), axes, vols, ready, earlier, carried), ready, age)
    whole = np.where(np.isnan(grid.vols), work.vols / settings.unit, grid.vols)  # quotes to the last bit
    return Filled(whole, work.std / settings.unit, work.source, flags, work.done)


def _axes(grid: SameAxes, kind: str) -> Surface:
    """Raises InputError."""
    empty, moneyness = np.full(grid.vols.shape[1:], np.nan), grid.strikes
    if grid.forwards is not None:
        _require_above_0(grid.tenors, grid.forwards, grid.strikes)
        moneyness = np.log(grid.strikes[None, :] / grid.forwards[:, None])
    place: dict[str, Any] = {"deltas": grid.strikes} if kind == "delta" else {"moneyness": moneyness}
    axes = Surface(empty, grid.tenors.tolist(), **place)
    check_grid(empty[None], has_prior=True, coverage=COVERAGE)
    return axes


def _require_above_0(tenors: FloatArray, forwards: FloatArray, strikes: FloatArray) -> None:
    bad = tenors[~((forwards > 0) & (forwards < np.inf))]
    if len(bad):
        raise InputError(f"tenor {bad[0]:g} has two forwards, or none; expected one above 0")
    if strikes[0] <= 0:
        raise InputError(f"strike {strikes[0]:g} is not above 0")


def _among(flags: list[str], *words: str) -> BoolArray:
    return np.array([flag in words for flag in flags], dtype=np.bool_)


def _carried(
    axes: Surface, kind: str, settings: FillSettings, elsewhere: dict[int, tuple[SameAxes, int]]
) -> dict[int, FloatArray]:
    """[T, K] each surface of other axes, filled, at the tenors and deltas, or moneyness, of `axes`; without
    those that cannot be filled.
    """
    name, cells = ("delta", axes.deltas) if axes.deltas is not None else ("moneyness", axes.log_moneyness)
    assert cells is not None
    years, at = np.repeat(axes.tenors, axes.shape[1]), np.broadcast_to(cells, axes.shape).ravel()
    found = {}
    for member, (other, number) in elsewhere.items():
        vols = other.vols[number] * settings.unit
        if refusals(vols[None], settings.unit, told=settings.told)[0]:
            continue
        with suppress(VoladdinError):
            earlier = _axes(other, kind).replace(vols)
            whole = vols_at(filled_vols, earlier, years, at, kind=name, forwards=None, model=settings.model)
            found[member] = whole.reshape(axes.shape)
    return found


@dataclass(frozen=True)
class _Filler:
    """What the fills of one grid share. earlier: [N] place of the prior, -1 for none; whole: [N, T, K], those
    priors without holes; carried: priors from other axes; alone: what the quotes of those in it say, and
    `place` [N] where each is.
    """

    loaded: Imputer
    axes: Surface
    vols: FloatArray
    earlier: IntArray
    whole: FloatArray
    carried: dict[int, FloatArray]
    alone: QuotesAlone
    place: IntArray

    @classmethod
    def of(
        cls,
        loaded: Imputer,
        axes: Surface,
        vols: FloatArray,
        ready: IntArray,
        earlier: IntArray,
        carried: dict[int, FloatArray],
    ) -> _Filler:
        """Each surface is looked at once by its quotes alone, whether it is filled, a prior, or both."""
        priors = np.unique(earlier[ready][earlier[ready] >= 0])
        needed = np.union1d(ready, priors)
        place = np.full(len(vols), -1)
        place[needed] = np.arange(len(needed))
        parts = [QuotesAlone.of(loaded, axes, np.log(vols[chosen])) for chosen in _batches(needed)]
        alone, full = QuotesAlone.joined(parts), vols.copy()
        for chosen in _batches(priors):
            full[chosen] = fill_holes(loaded, axes, vols[chosen], alone.some(place[chosen]))
        return cls(loaded, axes, vols, earlier, full, carried, alone, place)

    def answer(self, chosen: IntArray, days: int) -> Imputation:
        """Of surfaces whose priors are all `days` old, or that have none: 0."""
        prior = self._prior(chosen) if days else None
        alone = self.alone.some(self.place[chosen])
        return fill(self.loaded, self.axes, self.vols[chosen], prior, float(days or 1), alone=alone)

    def _prior(self, chosen: IntArray) -> FloatArray:
        prior = self.whole[self.earlier[chosen]]
        for place, one in enumerate(chosen.tolist()) if self.carried else ():
            prior[place] = self.carried.get(one, prior[place])
        return prior


def _batches(members: IntArray) -> list[IntArray]:
    return np.split(members, range(BATCH, len(members), BATCH)) if len(members) else []


@dataclass(frozen=True)
class _Work:
    """Surfaces on their way from holes to fills, in place."""

    vols: FloatArray
    std: FloatArray
    source: IntArray
    flags: list[str]
    done: BoolArray

    def fill(self, filler: _Filler, ready: IntArray, age: IntArray) -> None:
        """Those that are ready, with priors of that age, 0 for none."""
        for days in np.unique(age[ready]).tolist():
            for chosen in _batches(ready[age[ready] == days]):
                self._keep(chosen, filler.answer(chosen, days))

    def _keep(self, chosen: IntArray, found: Imputation) -> None:
        quoted = np.isfinite(self.vols[chosen])
        source = np.where(found.disputed, _DISPUTED, _QUOTE)
        source = np.where(quoted, source, np.where(found.moved, _MOVED, _FILLED))
        self.vols[chosen], self.std[chosen], self.source[chosen] = found.filled, found.std, source
        self.done[chosen] = True
        for one, cells in zip(chosen.tolist(), source, strict=True):
            counts = {what: int((cells == what).sum()) for what in (_MOVED, _DISPUTED)}
            self.flags[one] = "; ".join(f"{n} {SOURCES[what]}" for what, n in counts.items() if n)
