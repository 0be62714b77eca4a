"""How a currency pair's options are quoted: delta, premium, at-the-money, butterfly.

Sources: Clark, "Foreign Exchange Option Pricing" (2011), chapter 3; Reiswich and Wystup, "A Guide to FX
Options Quoting Conventions" (2010) and "FX Volatility Smile Construction" (2010). These are defaults: a desk
that quotes otherwise builds its own `Convention`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..errors import LabelError

DeltaKind = Literal["spot", "forward"]
AtmKind = Literal["dns", "forward"]
ButterflyKind = Literal["broker", "smile"]

SPOT_DELTA_UNTIL = 1.0 + 1e-2  # years; "up to and including 1Y" whatever the day count

_DEVELOPED = ("USD", "EUR", "JPY", "GBP", "AUD", "NZD", "CAD", "CHF", "NOK", "SEK", "DKK")
_OTHERS = (
    "AED ARS BHD BRL CLP CNH CNY COP CZK EGP GEL GHS HKD HUF IDR ILS INR ISK JOD KES KRW KWD KZT LKR MAD "
    "MXN MYR NGN OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SGD THB TND TRY TWD UAH UGX UYU VND XAG XAU XPD XPT "
    "ZAR ZMW"
)
_CODES = frozenset([*_DEVELOPED, *_OTHERS.split()])
_PREMIUM_ORDER = ("USD", "EUR", "GBP", "AUD", "NZD", "CAD", "CHF", "NOK", "SEK", "DKK")
_PEGS = (frozenset(["USD", "HKD", "AED", "SAR", "QAR", "OMR", "BHD", "JOD"]), frozenset(["EUR", "DKK"]))
_PEGGED_VOLS = (0.0005, 0.05)
_MAJORS = frozenset(["USD", "EUR", "JPY", "GBP", "CHF", "AUD", "NZD", "CAD", "SEK", "NOK"])
_MAJOR_VOLS, _USUAL_VOLS = (0.007, 0.85), (0.008, 1.2)


@dataclass(frozen=True)
class Convention:
    """How the ATM, risk-reversal and butterfly quotes of one tenor are to be read.

    delta: "spot" (discounted by the base currency's rate) or "forward".
    premium_adjusted: the premium is paid in the base currency and comes off the delta.
    atm: "dns" (delta-neutral straddle, in the delta above) or "forward" (strike at the forward).
    butterfly: "broker" (market strangle: one vol for both wings) or "smile" (mean wing vol less ATM).
    """

    delta: DeltaKind = "forward"
    premium_adjusted: bool = False
    atm: AtmKind = "dns"
    butterfly: ButterflyKind = "broker"


def parse_pair(pair: str) -> tuple[str, str]:
    """Base (foreign) and quote (domestic) currency of "EURUSD", "eur/usd" or "EUR-USD".

    Raises LabelError where these are not two different known currency codes.
    """
    base, quote = _halves(pair)
    if not is_listed(pair):
        raise LabelError(
            f"currency pair {pair!r} is not understood; expected two currency codes such as EURUSD"
        )
    return base, quote


def is_listed(pair: str) -> bool:
    """Whether these are two different currency codes whose conventions are known."""
    base, quote = _halves(pair)
    return base in _CODES and quote in _CODES and base != quote


def _halves(pair: str) -> tuple[str, str]:
    text = "".join(letter for letter in str(pair).upper() if letter not in " /-.")
    return text[:3], text[3:]


def usual_vols(pair: str) -> tuple[float, float]:
    """Between which a pair's ATM vols lie: 0.05% to 5% in one peg, 0.7% to 85% of majors, else 0.8% to 120%.

    Raises LabelError for an unknown pair.
    """
    currencies = set(parse_pair(pair))
    if any(currencies <= peg for peg in _PEGS):
        return _PEGGED_VOLS
    return _MAJOR_VOLS if currencies <= _MAJORS else _USUAL_VOLS


def premium_currency(pair: str) -> str:
    """Currency the option premium is paid in: USD before EUR, GBP, AUD, NZD, CAD, CHF, NOK, SEK, DKK.

    A pair with none of them pays in its base currency. Clark (2011), section 3.3.
    """
    base, quote = parse_pair(pair)
    return next((code for code in _PREMIUM_ORDER if code in (base, quote)), base)


def convention(
    pair: str,
    tenor: float,
    butterfly: ButterflyKind = "broker",
    *,
    delta: DeltaKind | None = None,
    premium_adjusted: bool | None = None,
    atm: AtmKind | None = None,
) -> Convention:
    """The usual market convention of a pair (EURUSD: base EUR, quoted in USD) at a tenor, or a desk's own.

    tenor: years. butterfly: how the butterflies at hand are quoted; brokers quote market strangles.
    delta, premium_adjusted, atm: as in `Convention`, in the place of what is usual at every tenor. All three
        make a convention of any two codes (USDXAF), also where none is known.

    Spot delta up to and including 1Y between the currencies of developed markets (USD, EUR, JPY, GBP, AUD,
    NZD, CAD, CHF, NOK, SEK, DKK), forward delta beyond and wherever another currency is involved;
    premium-adjusted where the premium currency is the base (USDJPY, EURJPY, USDCAD; not EURUSD);
    delta-neutral straddle at the money, but ATM forward beyond 1Y where another currency is involved.

    Raises LabelError for a pair that is not listed without all three, and for what is no pair.
    """
    if delta is not None and premium_adjusted is not None and atm is not None:
        _require_codes(pair)
        return Convention(delta, premium_adjusted, atm, butterfly)
    currencies = parse_pair(pair)
    developed, long = all(code in _DEVELOPED for code in currencies), tenor > SPOT_DELTA_UNTIL
    adjusted = premium_currency(pair) == currencies[0]
    return Convention(
        delta=delta or ("spot" if developed and not long else "forward"),
        premium_adjusted=adjusted if premium_adjusted is None else premium_adjusted,
        atm=atm or ("forward" if long and not developed else "dns"),
        butterfly=butterfly,
    )


def _require_codes(pair: str) -> None:
    """Raises LabelError where these are not two different codes of three letters."""
    codes = _halves(pair)
    if codes[0] == codes[1] or not all(re.fullmatch("[A-Z]{3}", code) for code in codes):
        raise LabelError(
            f"currency pair {pair!r} is not understood; expected two codes of three letters such as EURUSD"
        )
