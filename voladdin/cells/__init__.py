"""2-D cell values to a Surface and back: headers, units, blanks, text and error cells.

**Headers.** The first row and the first column hold the tenors and the strikes, either way round; a grid
with tenors across is transposed, and comes back so. What a header cell is, in this order:

1. A number, also as text ("0.25", "0,25", "1'085.5"): see below. Text ending in % only where the corner
   says what it is ("25%" may be a delta or K/F).
2. A strike: "10P", "25D Call", "25C Δ", "ATM", "K=1.085", "m=-0.1", "K/F=0.95"
   (`voladdin.labels.parse_strike`). 10Δ 25Δ 50Δ 25Δ 10Δ, and such plain numbers, are puts on the left,
   unless "Call" stands above them and "Put" on the right; 90Δ 75Δ 50Δ are calls; 10Δ 25Δ alone is refused.
3. A tenor: "ON", "1W", "18M", "1.5Y", "1J", "7 DTE", a date, or beside a valuation date a
   contract month: "Jan-27", "CLF7", "IMM" (`voladdin.labels.parse_tenor`). Dates such as
   03/04/2026 need another one that has but one order. Times of day count where an expiry has one.

Where a line (first row or column, less the corner) holds a label of 2 or 3, it is a header of that kind,
and the other line is the other header, unless the corner is a label of the first line. The corner is free:
blank, words, or the valuation date that expiry dates count from. Lines wholly blank are left as they are,
and so are titles (leading lines of text without any number, tenor or strike), which may say the valuation
date ("As of 2026-01-05") or name an axis ("Maturity (years)", "Strike"); notes behind the grid, with a
warning; and tenors that expire today.

**Evidence decides, or the range is refused with both readings named, and the argument that settles it.**
Words of the corner ("DTE", "Tenor (d)", "Laufzeit (Tage)", "Mths", "Delta", "delta put", "Strike", "K/F",
"vol pts", "USDHKD"; of the titles those of vols and pair) and the arguments come first: `tenors` and
`strikes` hold labels, or one word ("days", "years", "delta", "put delta", "strike", "K/F", "log-moneyness",
or "paper" for the pillars of the paper, 1W 1M 2M 3M 6M 9M 1Y 3Y by forward call deltas 0.1 0.25 0.5 0.75
0.9). Nothing else stands in for headers. What is assumed of usual numbers is a warning.

- Two lines of numbers: the tenors are the line that can be (increasing), that holds dates beside a date in
  the corner, or whose other line holds usual deltas or has the forwards among it.
- Tenors: fractions are years; 7 14 30 are days; 1 2 3 may be anything and are refused; labels beside a
  number leave the units in which all increase.
- Strikes: usual deltas on a wide range are deltas (0.25 or 25, negative for puts); numbers about the
  forwards (argument, a line headed "Fwd", spot and rates) strikes; with 0, or increasing through it,
  log-moneyness; about 1 or 100 far from the forwards K/F. 0.62 0.64 0.66 without forwards, -0.1 ... -0.5,
  and usual deltas that have the forward among them are refused.
- Vols: numbers and numeric text; blank, "n/a", "-", error cells are missing; other text, 0 and negative
  numbers too, with a warning; TRUE and FALSE are refused. One unit for the whole grid, by its median:
  of cells with %, of the pair's usual vols (0.05% to 5% within a peg), of any market's (percent points
  above 5, decimals below 0.3; 400 and more may be basis points and are refused), of the strikes'
  distance in standard deviations and the longest tenor, of freedom from arbitrage; between 0.3 and 1
  decimals, with a warning, or refused where only percent points are free of arbitrage. A number a factor
  of 10 off the median on the other side of 2 mixes the units and is refused. Vols from 0.001% to 1000%
  are accepted.

Puts on the left, 10P 25P ATM 25C 10C, are the forward call deltas 0.9 0.75 0.5 0.25 0.1. Tenors increase;
strikes increase or decrease, and keep their order.
"""

from __future__ import annotations

from ._atm_matrix import AtmMatrix, find_matrix
from ._expiry_clocks import CLOCKS, SETTLEMENTS, ExpiryClock
from ._forwards import MarketCells
from ._grid import Grid, parse, render
from ._grid_vols import read_units
from ._layout import kind_of
from ._normal_grid import normal_strike
from ._options import OptionRows, option_strikes, parse_options
from ._queries import StrikeQuery, strike_asked, tenor_asked
from ._quote_table import QuoteColumn, QuoteTable, find_quotes
from ._strike_line import strike_axis
from ._tenor_line import tenor_axis
from ._values import (
    ERROR_CELLS,
    Cell,
    Cells,
    Label,
    address,
    is_blank,
    is_missing,
    labels_of,
    read_date,
    read_number,
    rectangle,
    shown,
)
from ._vol_units import UnitEvidence, decide_unit

__all__ = [
    "AtmMatrix",
    "CLOCKS",
    "Cell",
    "Cells",
    "ERROR_CELLS",
    "ExpiryClock",
    "Grid",
    "Label",
    "MarketCells",
    "OptionRows",
    "QuoteColumn",
    "QuoteTable",
    "SETTLEMENTS",
    "StrikeQuery",
    "UnitEvidence",
    "address",
    "decide_unit",
    "find_matrix",
    "find_quotes",
    "is_blank",
    "is_missing",
    "kind_of",
    "labels_of",
    "normal_strike",
    "option_strikes",
    "parse",
    "parse_options",
    "read_date",
    "read_number",
    "read_units",
    "rectangle",
    "render",
    "shown",
    "strike_asked",
    "strike_axis",
    "tenor_asked",
    "tenor_axis",
]
