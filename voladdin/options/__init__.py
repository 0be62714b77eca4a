"""From a list of listed options to forwards, discount factors and implied vols."""

from .chain import REASONS, Chain, Options, implied
from .parity import Parity, fit_parity

__all__ = ["REASONS", "Chain", "Options", "Parity", "fit_parity", "implied"]
