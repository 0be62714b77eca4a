"""Surfaces from features: generated, sampled, and the user's own moved."""

from __future__ import annotations

from .generating import Generation, generate
from .market_shifts import MarketShift, shift_market
from .market_words import MarketFeatures, market_features
from .open_features import generate_on
from .sampling import sample
from .shifting import shift
from .simulating import Scenarios, scenarios

__all__ = [
    "Generation",
    "MarketFeatures",
    "MarketShift",
    "Scenarios",
    "generate",
    "generate_on",
    "market_features",
    "sample",
    "scenarios",
    "shift",
    "shift_market",
]
