"""Every method's answer in one form: the rivals', our history model's, the product's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

import voladdin as va

from ..classical.andreasen_huge import andreasen_huge
from ..classical.interpolators import at_quotes, linear, ssvi, thin_plate
from ..classical.smiles import sabr, svi
from .processes import additive_process, gaussian_process
from .quoted import BoolArray, FloatArray, Quoted

OURS, HISTORY, TOLD = "voladdin", "fx model", "told"
NETWORK, ALONE, PRIORS, BOTH = "network", "process alone", "learned priors", "network and priors"
OWN = (OURS, HISTORY, TOLD, NETWORK, ALONE, PRIORS, BOTH)  # no rivals
REFUSED = "refused"
_Z90 = float(ndtri(0.95))
_PASSES = 2
_MOST_DRAWN = 2_000  # missing cells of a surface that is drawn


@dataclass(frozen=True, eq=False)
class MethodFill:
    """A fill [T, K] in vol, and what comes with it.

    low, high: the 90% band. std: of the vol. draws: [n, T, K]. note: "", REFUSED and why (no fill), or why
    linear stands in.
    """

    fill: FloatArray | None
    low: FloatArray | None = None
    high: FloatArray | None = None
    std: FloatArray | None = None
    draws: FloatArray | None = None
    note: str = ""
    ms: float = np.nan


_Points = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
_Process = Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
Method = Callable[[Quoted, BoolArray], MethodFill]


def _from_points(method: _Points) -> Method:
    def answer(surface: Quoted, hidden: BoolArray) -> MethodFill:
        shown = np.where(hidden, np.nan, surface.vols)
        try:
            return MethodFill(method(surface.tenors, surface.coordinates(shown), shown))
        except (ValueError, RuntimeError, np.linalg.LinAlgError) as error:
            return _stand_in(surface, shown, str(error))

    return answer


def _from_smiles(method: _Points) -> Method:
    """A method that needs strikes: on a delta axis those of the last fill, from the vol at the money on."""

    def answer(
        tenors: FloatArray, moneyness: FloatArray, shown: FloatArray, deltas: FloatArray
    ) -> FloatArray:
        fill = method(tenors, moneyness, shown)
        for _ in range(_PASSES):
            s = np.where(np.isfinite(shown), shown, fill) * np.sqrt(tenors)[:, None]
            moneyness = s * (0.5 * s - ndtri(deltas))
            if not (np.diff(moneyness, axis=1) > 0).all():
                break
            fill = method(tenors, moneyness, shown)
        return fill

    def on_surface(surface: Quoted, hidden: BoolArray) -> MethodFill:
        deltas = surface.deltas
        if deltas is None:
            return _from_points(method)(surface, hidden)
        return _from_points(partial(answer, deltas=deltas))(surface, hidden)

    return on_surface


def _from_process(method: _Process) -> Method:
    def answer(surface: Quoted, hidden: BoolArray) -> MethodFill:
        shown = np.where(hidden, np.nan, surface.vols)
        try:
            fill, std = method(surface.tenors, surface.coordinates(shown), shown)
        except (ValueError, np.linalg.LinAlgError) as error:
            return _stand_in(surface, shown, str(error))
        reach = np.exp(np.minimum(_Z90 * std, 5.0))
        return MethodFill(fill, fill / reach, fill * reach, fill * std)

    return answer


def _stand_in(surface: Quoted, shown: FloatArray, note: str) -> MethodFill:
    return MethodFill(linear(surface.tenors, surface.coordinates(shown), shown), note=note or "failed")


def product(model: str | Path | None, draws: int = 0, seed: int = 0, *, market: bool = False) -> Method:
    """`voladdin.impute`, with its default model or another; joint draws where the answer offers them.

    market: it sees bid and ask of the quotes shown, where the surface has them.
    """

    def answer(surface: Quoted, hidden: BoolArray) -> MethodFill:
        arguments: dict[str, Any] = {} if model is None else {"model": model}
        if market and surface.bid is not None and surface.ask is not None:
            arguments |= {"bid": np.where(hidden, np.nan, surface.bid)}
            arguments |= {"ask": np.where(hidden, np.nan, surface.ask)}
        try:
            found = va.impute(surface.surface(hidden), **arguments)
        except va.VoladdinError as error:
            return MethodFill(None, note=f"{REFUSED}: {' '.join(str(error).split())}")
        few = draws and (~surface.surface(hidden).observed).sum() <= _MOST_DRAWN
        joint = found.draws(draws, seed) if few else None
        return MethodFill(found.filled, found.low, found.high, found.std, joint)

    return answer


RIVALS: dict[str, Method] = {
    "linear": _from_smiles(linear),
    "thin-plate": _from_points(thin_plate),
    "one process": _from_process(gaussian_process),
    "additive process": _from_process(additive_process),
    "SVI": _from_smiles(at_quotes(svi)),
    "SSVI": _from_smiles(at_quotes(ssvi)),
    "SABR": _from_smiles(at_quotes(sabr)),
    "Andreasen-Huge": _from_smiles(at_quotes(andreasen_huge)),
    HISTORY: product("fx"),
}


def timed(method: Method, surface: Quoted, hidden: BoolArray) -> MethodFill:
    """The answer, its cells finite (linear ones where they are not), and its wall clock."""
    started = time.perf_counter()
    found = method(surface, hidden)
    ms = 1e3 * (time.perf_counter() - started)
    if found.fill is None:
        return MethodFill(None, note=found.note, ms=ms)
    bad = ~np.isfinite(found.fill) | (found.fill <= 0)
    fill, note = found.fill, found.note
    if bad[hidden].any():
        shown = np.where(hidden, np.nan, surface.vols)
        fill = np.where(bad, linear(surface.tenors, surface.coordinates(shown), shown), fill)
        note = note or "not finite"
    return MethodFill(np.minimum(fill, 10.0), found.low, found.high, found.std, found.draws, note, ms)


def methods(names: Sequence[str] | None, ours: Method, others: dict[str, Method]) -> dict[str, Method]:
    """The rivals asked for (default all), `others`, and ours last."""
    chosen = {name: RIVALS[name] for name in (names or RIVALS)}
    return {**chosen, **others, OURS: ours}
