"""Labels of tenors and strikes, as a desk writes them."""

from .strikes import StrikeKind, delta_of, parse_delta, parse_strike
from .tenors import parse_tenor, tenor_label

__all__ = ["StrikeKind", "delta_of", "parse_delta", "parse_strike", "parse_tenor", "tenor_label"]
