"""A surface at any tenors and strikes from the vols of listed options, and how far it is from each quote.

Each expiry gives a few nodes, evenly over its strikes in standard deviations and of each stretch the
narrowest quote: neighbouring strikes of a long list say the same but for their noise, and one node too many
is a bend. `interpolate_many` goes through them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import InputError
from ..options import Chain
from ..surface import MAX_CELLS, Surface
from .filling import impute
from .interpolation import interpolate_many

NODES = 150  # of all expiries
_FEWEST, _MOST = 6, 24  # of an expiry
_REACH = 6.0  # standard deviations, beyond which quotes are one stretch
_STEP = 1.05  # of strikes beyond the last, which make rows as long as others
_PLACES = {"delta": "deltas", "strike": "strikes", "moneyness": "moneyness"}


@dataclass(frozen=True, eq=False)
class Listed:
    """The surface of a chain. model: the bundle that imputes."""

    chain: Chain
    model: str | Path = "fx"

    @cached_property
    def moneyness(self) -> FloatArray:
        """[T, K] ln(K/F) of the chain's cells."""
        return np.log(self.chain.strikes / self.chain.forwards[:, None])

    @cached_property
    def nodes(self) -> Surface:
        """The chosen quotes, [T, n], an expiry a row with strikes of its own."""
        chain = self.chain
        most = int(np.clip(NODES // len(chain.tenors), _FEWEST, _MOST))
        rows = [
            _chosen(k, vols, ask - bid, float(years), most)
            for k, vols, bid, ask, years in zip(
                self.moneyness, chain.vols, chain.bid, chain.ask, chain.tenors, strict=True
            )
        ]
        return _ragged(
            chain.tenors,
            [(k[at], v[at]) for k, v, at in zip(self.moneyness, chain.vols, rows, strict=True)],
        )

    def vols(self, tenors: FloatArray, strikes: FloatArray, kind: str = "delta") -> FloatArray:
        """[t, s] vols at tenors [t] years and strikes [s], of `kind`: delta, moneyness or strike.

        Forwards between expiries are linear in ln F, beyond them as at the last.

        Raises InputError (tenor or strike out of range, unknown kind) or BundleError.
        """
        if len(tenors) * len(strikes) > MAX_CELLS:
            raise InputError(f"{len(tenors)} x {len(strikes)} cells are asked; expected at most {MAX_CELLS}")
        years, at = np.repeat(tenors, len(strikes)), np.tile(strikes, len(tenors))
        ahead = np.exp(np.interp(years, self.chain.tenors, np.log(self.chain.forwards)))
        asked = interpolate_many(self.nodes, years, at, kind=kind, forwards=ahead, model=self.model)
        return asked.reshape(len(tenors), -1)

    def std(self, tenors: FloatArray, strikes: FloatArray, kind: str = "delta") -> FloatArray:
        """[t, s] standard deviations of `vols`, decimals: of the posterior given the nodes, 0 on a node."""
        ahead = np.exp(np.interp(tenors, self.chain.tenors, np.log(self.chain.forwards)))
        answer = impute(self.nodes, model=self.model)
        places: dict[str, Any] = {_PLACES[kind]: strikes}
        return answer.at(tenors, forwards=ahead, **places).std

    @cached_property
    def distances(self) -> FloatArray:
        """[T, K] surface less mid of each quote, over half its width in vol; NaN where it has none."""
        chain = self.chain
        half = 0.5 * (chain.ask - chain.bid)
        rows, columns = np.nonzero(half > 0)
        found = np.full(chain.vols.shape, np.nan)
        if len(rows):
            k = self.moneyness[rows, columns]
            vols = interpolate_many(self.nodes, chain.tenors[rows], k, kind="moneyness", model=self.model)
            found[rows, columns] = (vols - chain.vols[rows, columns]) / half[rows, columns]
        return found


def _chosen(k: FloatArray, vols: FloatArray, width: FloatArray, years: float, most: int) -> IntArray:
    """Places of at most `most` quotes: the narrowest of each stretch of strikes."""
    there = np.flatnonzero(np.isfinite(vols))
    if len(there) <= most:
        return there
    middle = float(vols[there[np.argmin(np.abs(k[there]))]])
    z = np.clip(k[there] / (middle * np.sqrt(years)), -_REACH, _REACH)
    span = max(z[-1] - z[0], np.finfo(float).tiny)  # 0 where all lie beyond the reach: one stretch
    stretch = np.minimum(((z - z[0]) / span * most).astype(int), most - 1)
    spread = np.where(np.isfinite(width[there]), width[there], np.inf)
    order = np.lexsort((np.abs(z), spread, stretch))
    first = np.unique(stretch[order], return_index=True)[1]
    return np.sort(there[order[first]])


def _ragged(tenors: FloatArray, rows: list[tuple[FloatArray, FloatArray]]) -> Surface:
    """Rows of (ln(K/F), vol) as one grid; shorter ones go on with strikes that have no vol."""
    longest = max(len(k) for k, _ in rows)
    moneyness, vols = np.empty((len(rows), longest)), np.full((len(rows), longest), np.nan)
    for row, (k, v) in enumerate(rows):
        beyond = k[-1] + np.log(_STEP) * np.arange(1, longest - len(k) + 1)
        moneyness[row], vols[row, : len(k)] = np.concatenate([k, beyond]), v
    return Surface(vols, tenors, moneyness=moneyness)
