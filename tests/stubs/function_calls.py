"""A call of every worksheet function, that each host can make: numbers, texts and blanks in ranges."""

from __future__ import annotations

from typing import Any

QUOTES: list[list[Any]] = [
    ["vols", "25P", "ATM", "25C"],
    ["1M", 0.09, None, 0.083],
    ["1Y", 0.1, 0.089, "#N/A"],
]
_PRICES = ((90.0, 12.5, 1.9), (100.0, 5.6, 4.9), (110.0, 1.9, 11.0))
OPTIONS: list[list[Any]] = [
    ["expiry", "strike", "type", "bid", "ask"],
    *(
        ["2027-06-18", strike, kind, price - 0.05, price + 0.05]
        for strike, call, put in _PRICES
        for kind, price in (("call", call), ("put", put))
    ),
]
CALLS: dict[str, list[Any]] = {
    "VOLIMPUTE": [QUOTES],
    "VOLINTERP": [QUOTES, "2M", "ATM"],
    "VOLQUOTES": [0.08, -0.01, 0.002, None, None, "1M"],
    "VOLGRID": [OPTIONS, None, "2026-12-18"],
    "VOLCHECK": [QUOTES],
    "VOLREPAIR": [QUOTES],
    "VOLFEATURES": [QUOTES],
    "VOLGENERATE": [0.2, -0.3, 0.5, 0.02],
    "VOLSHIFT": [QUOTES, 0.01],
    "VOLSCENARIO": [QUOTES, 2, 7],
    "VOLINFO": ["version"],
}
