"""Functions of one value, such as ROUND, over arrays: an array formula evaluates them for each element.

The engine applies its operators, IF and IFERROR to arrays so, and these functions to one value only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cells import Cell, Cells

PREFIX = "EACH."  # before the name of such a function in what the engine is given
_VALUES = (
    "ISNUMBER ISTEXT ISBLANK ISERROR ISERR ISNA ISLOGICAL ISNONTEXT ISEVEN ISODD NOT IFS SWITCH "
    "ERROR.TYPE ROUND ROUNDUP ROUNDDOWN MROUND ABS INT TRUNC SIGN SQRT EXP LN LOG LOG10 POWER MOD "
    "QUOTIENT FACT COMBIN CEILING FLOOR EVEN ODD SIN COS TAN ASIN ACOS ATAN ATAN2 SINH COSH TANH "
    "DEGREES RADIANS GAMMA GAMMALN ERF ERFC NORMSDIST NORM.S.DIST NORMSINV NORM.S.INV NORMDIST "
    "NORM.DIST NORMINV NORM.INV T.DIST T.INV TDIST TINV CHISQ.DIST CHISQ.INV F.DIST BETA.DIST "
    "GAMMA.DIST EXPON.DIST EXPONDIST LOGNORM.DIST LOGNORMDIST LOGNORM.INV POISSON POISSON.DIST "
    "BINOM.DIST BINOMDIST STANDARDIZE CONFIDENCE PMT PV FV LEN LEFT RIGHT MID UPPER LOWER PROPER TRIM "
    "CLEAN TEXT VALUE NUMBERVALUE SUBSTITUTE REPLACE FIND SEARCH REPT CONCATENATE EXACT CODE CHAR "
    "UNICODE UNICHAR FIXED DOLLAR TEXTBEFORE TEXTAFTER DATE TIME DATEVALUE TIMEVALUE YEAR MONTH DAY "
    "HOUR MINUTE SECOND WEEKDAY WEEKNUM ISOWEEKNUM EDATE EOMONTH DAYS DAYS360 YEARFRAC DATEDIF "
)
EACH = {name: None for name in _VALUES.split()} | {  # which arguments are applied one by one; None for all
    "WORKDAY": (0, 1),
    "NETWORKDAYS": (0, 1),
    "VLOOKUP": (0, 2),
    "HLOOKUP": (0, 2),
    "MATCH": (0,),
    "XMATCH": (0,),
    "LOOKUP": (0,),
    "COUNTIF": (1,),
    "SUMIF": (1,),
    "LARGE": (1,),
    "SMALL": (1,),
    "RANK": (0,),
}

Scalar = Callable[[list[Any]], Cell | Cells]


def apply(name: str, arguments: list[Cell | Cells], scalar: Scalar) -> Cell | Cells:
    """The function's value: an array where one of the arguments that count one by one is one.

    One row or column repeats; where one array has no element that another has the result is #N/A.
    """
    positions = EACH[name]
    lifted = [n for n in range(len(arguments)) if positions is None or n in positions]
    arrays = [a for n in lifted if isinstance(a := arguments[n], list)]
    if not arrays:
        return scalar(arguments)
    height, width = max(len(a) for a in arrays), max(len(a[0]) for a in arrays)

    def value(row: int, column: int) -> Cell:
        chosen = [_element(a, row, column) if n in lifted else a for n, a in enumerate(arguments)]
        found = "#N/A" if any(c is _ABSENT for c in chosen) else scalar(chosen)
        return found[0][0] if isinstance(found, list) else found

    return [[value(row, column) for column in range(width)] for row in range(height)]


_ABSENT = object()


def _element(argument: Any, row: int, column: int) -> Any:
    if not isinstance(argument, list):
        return argument
    row, column = (0 if len(argument) == 1 else row), (0 if len(argument[0]) == 1 else column)
    return argument[row][column] if row < len(argument) and column < len(argument[0]) else _ABSENT
