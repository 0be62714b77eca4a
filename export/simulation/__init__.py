"""Market simulator: surfaces of Heston, Bates, Heston++ and SABR, and joint histories of FX pairs."""

from .axes import MASTER_DELTAS, MASTER_TENORS
from .market import PAIRS, SimulatedHistory, simulate_market
from .smile import MODELS, model_vols
from .surfaces import simulate_surfaces

__all__ = [
    "MASTER_DELTAS",
    "MASTER_TENORS",
    "MODELS",
    "PAIRS",
    "SimulatedHistory",
    "model_vols",
    "simulate_market",
    "simulate_surfaces",
]
