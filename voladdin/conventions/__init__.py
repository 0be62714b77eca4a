"""Market conventions: tenor, delta and strike labels, currency pairs, ATM/RR/BF quotes to smiles."""

from __future__ import annotations

from .labels import StrikeKind, parse_delta, parse_strike
from .tenors import parse_tenor, tenor_label

__all__ = ["StrikeKind", "parse_delta", "parse_strike", "parse_tenor", "tenor_label"]
