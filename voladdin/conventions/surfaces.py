"""Market quotes of many tenors to a surface on the delta axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InfeasibleError
from ..labels.tenors import tenor_label
from ..surface import Surface
from .pairs import ButterflyKind, Convention
from .quotes import MarketQuotes, Tenors
from .smile import Smile

STANDARD_DELTAS = (0.9, 0.75, 0.5, 0.25, 0.1)


def surface_from_quotes(
    tenors: Tenors,
    atm: ArrayLike,
    rr25: ArrayLike,
    bf25: ArrayLike,
    rr10: ArrayLike | None = None,
    bf10: ArrayLike | None = None,
    *,
    pair: str | Convention | Sequence[Convention] = "EURUSD",
    spot: float | None = None,
    forwards: ArrayLike | None = None,
    domestic_rates: ArrayLike | None = None,
    foreign_rates: ArrayLike | None = None,
    butterfly: ButterflyKind = "broker",
) -> Surface:
    """The surface [T, 5] of market quotes at forward call deltas 0.9, 0.75, 0.5, 0.25, 0.1.

    Arguments as for `smile_from_quotes`, but any quote may be NaN: without its risk reversal and butterfly
    the cells of a wing are NaN, without ATM the whole tenor is. 0 is a quote, except for ATM. A tenor with
    ATM alone has it at delta 0.5. Vols at the standard deltas come from the solved smile; where the quotes'
    own strikes are at these deltas (forward, unadjusted), they are the smile's vols themselves.

    Raises InputError or UnitsError for the arguments, LabelError for a tenor or pair, InfeasibleError where
    no smile has these quotes.
    """
    given = MarketQuotes(
        tenors,
        atm,
        rr25,
        bf25,
        rr10,
        bf10,
        pair=pair,
        spot=spot,
        forwards=forwards,
        domestic_rates=domestic_rates,
        foreign_rates=foreign_rates,
        butterfly=butterfly,
    ).validated()
    vols = np.full((len(given.years), len(STANDARD_DELTAS)), np.nan)
    for wings, rows in given.patterns():
        quoted = np.array([delta == 0.5 or _wing(delta) in wings for delta in STANDARD_DELTAS])
        vols[np.ix_(rows, quoted)] = _at_deltas(given.smile(wings, rows), np.array(STANDARD_DELTAS)[quoted])
    return Surface(vols, given.years, deltas=STANDARD_DELTAS, forwards=given.known_forwards)


def _at_deltas(smile: Smile, deltas: FloatArray) -> FloatArray:
    vols = smile.vol_at_delta(deltas)
    for row, column in np.argwhere(~np.isfinite(vols)):
        raise InfeasibleError(
            f"the smile at {tenor_label(smile.tenors[row])} has no forward call delta {deltas[column]:g}; "
            "expected a smile whose call delta falls with strike"
        )
    return vols


def _wing(delta: float) -> str:
    return f"{100 * min(delta, 1 - delta):.0f}"
