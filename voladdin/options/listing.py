"""A list of options as it is quoted: which quotes cannot be used and why, mids and widths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import InputError

REASONS = {
    "expired": "expires today or has expired",
    "one side": "has a bid or an ask alone, and no mid",
    "no price": "has neither bid and ask nor a mid",
    "zero bid": "has no bid: nobody buys it",
    "crossed": "has a bid above its ask",
    "stale": "has a last price only, and was not traded today",
    "duplicate": "is quoted more than once; the narrowest quote counts",
    "other side": "is in the money where the other side is quoted",
    "no vol": "is worth less than exercising it, or more than the forward",
}


@dataclass(frozen=True, eq=False)
class Options:
    """N listed options: years to expiry, strikes, calls (else puts); bid, ask, mid prices, NaN where none.

    in_vols: bid, ask and mid are implied vols (decimals), not prices. stale: [N] mids of an earlier day.
    """

    years: FloatArray
    strikes: FloatArray
    calls: BoolArray
    bid: FloatArray
    ask: FloatArray
    mid: FloatArray
    in_vols: bool = False
    stale: BoolArray | None = None

    @property
    def two_sided(self) -> BoolArray:
        """[N]: where there are bid and ask."""
        return np.isfinite(self.bid) & np.isfinite(self.ask)

    def take(self, chosen: BoolArray | IntArray) -> Options:
        """Some of them."""
        arrays: dict[str, Any] = {k: v[chosen] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, **arrays)

    def in_units(self, unit: float) -> Options:
        """Strikes divided by a unit above 1, prices multiplied by one below."""
        prices: dict[str, Any] = {
            name: getattr(self, name) * min(unit, 1.0) for name in ("bid", "ask", "mid")
        }
        return replace(self, strikes=self.strikes / max(unit, 1.0), **prices)


def reasons_against(options: Options) -> list[str]:
    """The first reason against each option, or ""."""
    whole, mid = options.two_sided, np.isfinite(options.mid)
    one = (options.bid > 0) ^ (options.ask > 0)
    idle = np.zeros(len(mid), dtype=np.bool_) if options.stale is None else options.stale
    tests = (
        ("expired", options.years <= 0),
        ("one side", one & ~whole & ~mid),
        ("no price", ~whole & ~mid),
        ("zero bid", whole & (options.bid <= 0)),
        ("crossed", whole & (options.bid > options.ask)),
        ("stale", ~whole & idle),
        ("duplicate", _repeated(options)),
    )
    reasons = np.full(len(options.years), "", dtype=object)
    for reason, bad in tests:
        reasons[bad & (reasons == "")] = reason
    return list(reasons)


def parity_only(options: Options, reasons: Sequence[str]) -> BoolArray:
    """[N] quotes without a bid: no vol, yet between 0 and the ask, which is narrow beside the other side."""
    unbid = np.array([reason == "zero bid" for reason in reasons], dtype=np.bool_)
    return np.asarray(unbid & (options.bid == 0.0) & (options.ask > 0.0) & ~_repeated(options))


def _repeated(options: Options) -> BoolArray:
    """All but the narrowest quote of the same expiry, strike and side."""
    width = options.ask - options.bid
    width = np.where(np.isfinite(width) & (options.bid > 0) & (width >= 0), width, np.inf)
    order = np.lexsort((np.isnan(options.mid), width, options.calls, options.strikes, options.years))
    key = np.stack([options.years, options.strikes, options.calls.astype(float)])[:, order]
    again = np.zeros(len(order), dtype=np.bool_)
    again[order[1:]] = (key[:, 1:] == key[:, :-1]).all(0)
    return again


def mids(options: Options) -> tuple[FloatArray, FloatArray]:
    """Mid and half the width, which is 0 where only a mid is given."""
    whole = options.two_sided
    mid = np.where(whole, 0.5 * (options.bid + options.ask), options.mid)
    return mid, np.where(whole, 0.5 * np.abs(options.ask - options.bid), 0.0)


def counted(reasons: Sequence[str]) -> str:
    """Such as "3 has no bid: nobody buys it"."""
    counts = Counter(reasons)
    return "; ".join(f"{counts[name]} {text}" for name, text in REASONS.items() if counts[name])


def usable(reasons: Sequence[str]) -> BoolArray:
    """[N] where no reason is against. Raises InputError where there is against all."""
    live = np.array([reason == "" for reason in reasons], dtype=np.bool_)
    if not live.any():
        raise InputError(f"none of the {len(live)} options can be used: {counted(reasons)}")
    return live
