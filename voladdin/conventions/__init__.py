"""Market conventions: tenor, delta and strike labels, currency pairs, ATM/RR/BF quotes to smiles."""

from __future__ import annotations

from ..labels.strikes import StrikeKind, parse_delta, parse_strike
from ..labels.tenors import parse_tenor, tenor_label
from .deltas import atm_moneyness, moneyness_of_delta, option_delta
from .pairs import Convention, convention, is_listed, parse_pair, premium_currency
from .quotes import smile_from_quotes
from .quotes_back import quotes_from_surface
from .smile import Smile
from .surfaces import STANDARD_DELTAS, surface_from_quotes

__all__ = [
    "STANDARD_DELTAS",
    "Convention",
    "Smile",
    "StrikeKind",
    "atm_moneyness",
    "convention",
    "is_listed",
    "moneyness_of_delta",
    "option_delta",
    "parse_delta",
    "parse_pair",
    "parse_strike",
    "parse_tenor",
    "premium_currency",
    "quotes_from_surface",
    "smile_from_quotes",
    "surface_from_quotes",
    "tenor_label",
]
