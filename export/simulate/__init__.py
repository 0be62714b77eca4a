"""Market simulator: surfaces of Heston, Bates, Heston++ and SABR, and joint histories of FX pairs."""

from .market import MASTER_DELTAS, MASTER_TENORS, PAIRS, Market, simulate_market
from .smile import MODELS, model_vols

__all__ = ["MASTER_DELTAS", "MASTER_TENORS", "MODELS", "Market", "PAIRS", "model_vols", "simulate_market"]
