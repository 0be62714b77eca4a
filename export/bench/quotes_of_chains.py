"""Published chains of vols as the quotes that an exchange would list for them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from voladdin import black
from voladdin.options import Options

_RATE, _HALF, _OF_PRICE, _TICK = 0.016, 0.1, 0.004, 0.05
_NAMES = ("tenor_years", "strike", "forward", "vol")


def spx_quotes(path: Path) -> Options:
    """Calls and puts of the SPX rows of `equity_chains.csv`: 0.2 and 0.8% of the price wide, on ticks."""
    with path.open() as file:
        rows = [[float(r[name]) for name in _NAMES] for r in csv.DictReader(file) if r["underlying"] == "SPX"]
    years, strikes, forwards, vols = np.array(rows).T
    m, s, rng = np.log(strikes / forwards), vols * np.sqrt(years), np.random.default_rng(1)
    bids, asks = [], []
    for price in (black.call_price, black.put_price):
        value = np.exp(-_RATE * years) * forwards * price(m, s)
        half = _HALF + _OF_PRICE * value
        mid = value + rng.uniform(-0.6, 0.6, len(value)) * half
        bids.append(np.maximum(np.floor((mid - half) / _TICK) * _TICK, 0.0))
        asks.append(np.ceil((mid + half) / _TICK) * _TICK)
    calls = np.repeat([True, False], len(m))
    none = np.full(len(calls), np.nan)
    return Options(
        np.tile(years, 2), np.tile(strikes, 2), calls, np.concatenate(bids), np.concatenate(asks), none
    )
