"""Every item of every paper: tables, then figures, then the rest, each by number."""

from __future__ import annotations

import re

from . import diagrams
from .chapter import bound_gap, compared, disentangling, training_ways
from .gopal import (
    arbitrage_share,
    bounds,
    calibration,
    collapse,
    curves_of_errors,
    missing,
    prior_work,
    toys,
    tuning,
)
from .items import Item
from .mama import arbitrage, assets, pictured, reconstructions
from .wang import control_errors, repairing, sweeps, training_data

PAPERS = {
    "000": "Chapter 22, Variational Autoencoders, of a textbook: sections 22.2 to 22.7",
    "002": "A. Gopal (2024), Filling in missing FX implied volatilities with uncertainties, arXiv 2411.05998",
    "003": "A. Mama (2022), Variational autoencoders for arbitrage-free implied volatility surfaces "
    "generation and completion, internship report, Marex Solutions",
    "004": "J. Wang, S. Liu and C. Vuik (2025), Controllable generation of implied volatility surfaces with "
    "variational autoencoders",
}
_MODULES = (
    *(compared, disentangling, bound_gap, training_ways),
    *(missing, toys, curves_of_errors, bounds, arbitrage_share, calibration, collapse, tuning, prior_work),
    *(reconstructions, arbitrage, pictured, assets),
    *(training_data, control_errors, sweeps, repairing),
    diagrams,
)


def _place(item: Item) -> tuple[str, int, int, str]:
    kind = next((k for k, word in enumerate(("table", "figure")) if word in item.key), 2)
    number = re.search(r"\d+$", item.key)
    return item.paper, kind, int(number[0]) if number and kind < 2 else 0, item.key


_ALL = [item for module in _MODULES for item in module.ITEMS]
ITEMS: dict[str, Item] = {item.key: item for item in sorted(_ALL, key=_place)}
