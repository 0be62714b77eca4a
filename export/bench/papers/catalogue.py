"""Every item of every paper, in the papers' order."""

from __future__ import annotations

from .gopal import arbitrage_share, bounds, calibration, collapse, curves_of_errors, missing, tuning
from .items import Item

PAPERS = {
    "002": "A. Gopal (2024), Filling in missing FX implied volatilities with uncertainties, arXiv 2411.05998",
}
_GOPAL = (missing, curves_of_errors, bounds, arbitrage_share, calibration, collapse, tuning)
_ALL = [item for module in _GOPAL for item in module.ITEMS]
ITEMS: dict[str, Item] = {item.key: item for item in sorted(_ALL, key=lambda item: item.key)}
