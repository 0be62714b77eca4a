"""Kinds of market that the universal bundle tells apart by their level where quotes say little of smiles.

Smiles are those that bend (`voladdin.imputation.processes.bending`), of correlation rho and width c a year
out: ln vol has the slope rho c / 2 a deviation at the money. Indices of stocks have rho near -0.6 and c near
1 (printed tables of the S&P 500 in 1995 and 2021); single stocks are flatter, and what is quoted at 60% and
more leans to no side: coins, natural gas, inverse funds, volatility itself. Levels are the range in which a
desk sees each; the first is of markets as the candidates were trained on them, currency pairs before others.
No surface of the benchmarks was fitted.
"""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray

_OWN = (0.10, 0.6, 0.40)  # median vol, its spread (of the logarithm), odds
_KINDS = {  # and rho, c, with the spreads of atanh rho and of ln c
    "index": (0.19, 0.4, 0.17, -0.6, 0.95, 0.30, 0.30),
    "stock": (0.38, 0.5, 0.12, -0.3, 0.60, 0.35, 0.40),
    "any": (0.20, 0.8, 0.20, 0.0, 0.60, 0.60, 0.40),
    "high": (0.70, 0.5, 0.10, 0.1, 0.60, 0.60, 0.40),
}
_IN_TIME = (0.10, 0.12)  # how far rho, and ln c, wander with (ln T + 1) / 2


def kinds() -> dict[str, FloatArray]:
    """Arrays of a bundle, as `voladdin.imputation.processes.kinds.Kinds` names them."""
    table = np.array(list(_KINDS.values()))
    level = np.vstack([_OWN, table[:, :3]])
    bend = np.zeros((len(table), 4))
    bend[:, 0], bend[:, 2] = np.arctanh(table[:, 3]), np.log(table[:, 4])
    root = np.zeros((len(table), 4, 4))
    root[:, 0, 0], root[:, 1, 1] = table[:, 5], _IN_TIME[0]
    root[:, 2, 2], root[:, 3, 3] = table[:, 6], _IN_TIME[1]
    whole = np.stack([np.log(level[:, 0]), level[:, 1]], axis=1)
    return {"kinds_level": whole, "kinds_odds": level[:, 2], "kinds_bend": bend, "kinds_root": root}
