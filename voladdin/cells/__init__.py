"""2-D cell values to a Surface and back: headers, units, blanks, text and error cells.

**Headers.** The first row and the first column hold the tenors and the strikes, either way round; a grid
with tenors across is transposed, and comes back so. What a header cell is, in this order:

1. A number, also as text ("0.25", "0,25"): by itself a year, a delta, a strike, a log-moneyness or a date's
   serial number. Text ending in % is refused in a header ("25%" may be a delta or K/F).
2. A strike: "10P", "25D Call", "ATM", "K=1.085", "m=-0.1", "K/F=0.95"
   (`voladdin.conventions.parse_strike`).
3. A tenor: "ON", "1W", "18M", "1.5Y", a date (`voladdin.conventions.parse_tenor`).

Where a line (first row or column, less the corner) holds a label of 2 or 3, it is a header of that kind,
and the other line is the other header, unless the corner is a label of the first line. The corner is free:
blank, text such as "EURUSD", or the valuation date that expiry dates count from. Where both lines hold only
numbers they are headers if the corner is blank, text, 0 or a date, and not both look like vols: positive,
within a factor of 4, and with a median between half the least and twice the largest number of the body. If
both ways round are possible, the strikes are the line nearer the forwards; without forwards, tenors run
down. Lines wholly blank are left as they are, and so are titles: leading lines of text without any number,
tenor or strike.

**No headers** are needed where the arguments `tenors` and `strikes` name them; an argument overrides its
header. An 8 x 5 or 5 x 8 range without any header means the pillars of the paper, in its order (Gopal,
section 7.1.1): 1W 1M 2M 3M 6M 9M 1Y 3Y by forward call deltas 0.1 0.25 0.5 0.75 0.9 (10C on the left), with
a warning.

**Plain numbers.** In tenors: years up to 100; from 10000, an Excel date (only with a valuation date). In
strikes: strikes where forwards are known (argument, or a line headed "F", "Fwd" or "Forward"), unless they
all lie in (0, 1) and span a factor over 4 or stay a quarter off the forward: then deltas; beside labels of
another kind, of that kind; otherwise log-moneyness where one is 0 or negative and all are monotone within
(-5, 5); otherwise forward call deltas, 0.25 or 25, negative for puts. Puts on the left, 10P 25P ATM 25C
10C, are the forward call deltas 0.9 0.75 0.5 0.25 0.1. Tenors increase; strikes increase or decrease, and
keep their order.

**Vols.** Numbers and numeric text (" 8,25 "; a comma is a decimal comma). Blank, "n/a", "-", error cells
are missing; other text, 0 and negative numbers too, with a warning; TRUE and FALSE are refused. Plain
numbers with a median over 2 are percent points, and values are rendered so; "8.25%" is 0.0825 in either. A
plain number on the other side of 2 and a factor of 10 off the median mixes the units and is refused, unless
`units` says which one it is. Vols from 0.001% to 1000% are accepted.
"""

from __future__ import annotations

from ._forwards import Market
from ._grid import Grid, parse, render
from ._options import OptionRows, option_strikes, parse_options
from ._queries import strike_asked, tenor_asked
from ._tenor_line import tenor_axis
from ._units import read_units
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
    shown,
)
from ._vol_units import UnitEvidence, decide_unit

__all__ = [
    "ERROR_CELLS",
    "Cell",
    "Cells",
    "Grid",
    "Label",
    "Market",
    "UnitEvidence",
    "OptionRows",
    "address",
    "decide_unit",
    "is_blank",
    "is_missing",
    "labels_of",
    "option_strikes",
    "parse",
    "parse_options",
    "read_date",
    "read_number",
    "read_units",
    "render",
    "shown",
    "strike_asked",
    "tenor_asked",
    "tenor_axis",
]
