"""Every item of every paper, in the papers' order."""

from __future__ import annotations

from .gopal import arbitrage_share, bounds, calibration, collapse, curves_of_errors, missing, toys, tuning
from .items import Item
from .mama import arbitrage, assets, pictured, reconstructions
from .wang import control_errors, repairing, sweeps, training_data

PAPERS = {
    "002": "A. Gopal (2024), Filling in missing FX implied volatilities with uncertainties, arXiv 2411.05998",
    "003": "A. Mama (2022), Variational autoencoders for arbitrage-free implied volatility surfaces "
    "generation and completion, internship report, Marex",
    "004": "J. Wang, S. Liu and C. Vuik (2025), Controllable generation of implied volatility surfaces with "
    "variational autoencoders",
}
_GOPAL = (missing, toys, curves_of_errors, bounds, arbitrage_share, calibration, collapse, tuning)
_MAMA = (reconstructions, arbitrage, pictured, assets)
_WANG = (training_data, control_errors, sweeps, repairing)
_ALL = [item for module in (*_GOPAL, *_MAMA, *_WANG) for item in module.ITEMS]
ITEMS: dict[str, Item] = {item.key: item for item in sorted(_ALL, key=lambda item: item.key)}
