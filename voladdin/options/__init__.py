"""From a list of listed options to forwards, discount factors and implied vols."""

from .chain import EXERCISES, Chain, implied
from .listing import REASONS, Options
from .parity import Parity, fit_parity

__all__ = ["EXERCISES", "REASONS", "Chain", "Options", "Parity", "fit_parity", "implied"]
