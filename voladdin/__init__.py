"""Implied-volatility surfaces for the desk: fill, interpolate, check and repair, and read market quotes.

import voladdin as va

s = va.Surface(vols, tenors=["1W", "1M", 1.0], deltas=[0.9, 0.75, 0.5, 0.25, 0.1])
r = va.impute(s)
r.filled, r.std, r.zscore
va.check(s).violations
va.generate(0.2, -0.1, 0.3, 0.02).surface()
va.repair(s).surface
"""

from .arbitrage.check import Check, check
from .arbitrage.repair import Repair, repair
from .arbitrage.trades import Violation
from .bundles import load, names
from .conventions import convention, quotes_from_surface, smile_from_quotes, surface_from_quotes
from .errors import (
    BundleError,
    InfeasibleError,
    InputError,
    LabelError,
    ServerError,
    UnavailableError,
    UnitsError,
    VoladdinError,
)
from .feature_map import Features, features
from .generation import (
    Generation,
    generate,
    generate_on,
    market_features,
    sample,
    scenarios,
    shift,
    shift_market,
)
from .home import VERSION
from .imputation.filling import Imputation, impute, impute_batch
from .imputation.interpolation import interpolate
from .imputation.model import Bundle
from .surface import Surface

__version__ = VERSION

__all__ = [
    "Bundle",
    "BundleError",
    "Check",
    "Features",
    "Generation",
    "Imputation",
    "InfeasibleError",
    "InputError",
    "LabelError",
    "Repair",
    "ServerError",
    "Surface",
    "UnavailableError",
    "UnitsError",
    "Violation",
    "VoladdinError",
    "check",
    "convention",
    "features",
    "generate",
    "generate_on",
    "impute",
    "impute_batch",
    "interpolate",
    "load",
    "market_features",
    "names",
    "quotes_from_surface",
    "repair",
    "sample",
    "scenarios",
    "shift",
    "shift_market",
    "smile_from_quotes",
    "surface_from_quotes",
]
