"""Which column of a list of options is which: the usual words, in any order."""

from __future__ import annotations

import re

from ..errors import InputError
from ._values import Cell, Cells, is_missing, shown
from ._words import unaccented

_FLAGS = ("flag", "cpflag", "callputflag", "pcflag")
HEADINGS = {
    "expiry": ("expiry", "expiration", "exp", "maturity", "expirydate", "expirationdate", "expdate", "tenor"),
    "days": ("days", "dte", "daystoexpiry", "daystoexpiration", "daystoexp", "daystomaturity", "dtm"),
    "years": ("years", "yearstoexpiry", "timetoexpiry", "tte", "yearfraction", "tau", "tenoryears"),
    "strike": ("strike", "k", "strikeprice", "exerciseprice", "strk", "strikepx"),
    "side": ("type", "callput", "cp", "putcall", "pc", "right", "optiontype", "side", "callorput", *_FLAGS),
    "bid": ("bid", "bidprice", "b", "bidpx", "bestbid"),
    "ask": ("ask", "askprice", "offer", "a", "askpx", "bestoffer", "bestask"),
    "mid": ("mid", "mark", "midprice", "price", "premium", "settle", "settlement", "settlementprice"),
    "last": ("last", "lastprice", "lasttrade", "close"),
    "iv": ("iv", "impliedvol", "impliedvolatility", "vol", "ivol", "impvol", "midiv", "midvol", "volatility"),
    "bid iv": ("bidiv", "bidvol", "ivbid", "volbid", "bidimpliedvol", "bidimpliedvolatility"),
    "ask iv": ("askiv", "askvol", "ivask", "volask", "askimpliedvol", "askimpliedvolatility"),
    "volume": ("volume", "vlm", "contractstraded"),
    "interest": ("openinterest", "oi", "openint"),
    "underlying": ("underlying", "underlyingprice", "spot", "underlyinglast", "stockprice", "spotprice"),
    "forward": ("forward", "fwd", "forwardprice", "future", "futures", "futuresprice"),
    "symbol": ("symbol", "stock", "aktie"),
    "root": ("root", "ticker", "underlyingsymbol", "rootsymbol", "class", "underlier"),
    "rate": ("rate", "interestrate", "riskfreerate", "riskfree"),
    "ampm": ("ampm", "settlementtype", "settletype", "settlementstyle", "expirytype", "expirationtype"),
    "currency": ("currency", "ccy", "curr"),
    "multiplier": ("multiplier", "contractsize", "contractmultiplier", "lotsize", "sharespercontract"),
    "style": ("exercise", "style", "exercisestyle", "optionstyle"),
    "valuation": ("valuation", "valuationdate", "quotedate", "tradedate", "asof", "asofdate", "date"),
}
ELSEWHERE = {  # German, French, Italian, Spanish; accents are off
    "expiry": ("falligkeit", "verfall", "laufzeit", "echeance", "maturite", "scadenza", "vencimiento"),
    "days": ("tage", "restlaufzeit", "restlaufzeittage", "jours", "giorni", "dias"),
    "strike": ("basispreis", "ausubungspreis", "prixdexercice", "prezzodesercizio", "preciodeejercicio"),
    "side": ("typ", "optionstyp", "tipo", "art", "sens"),
    "bid": ("geld", "geldkurs", "achat", "denaro", "compra", "demande"),
    "ask": ("brief", "briefkurs", "vente", "lettera", "venta", "offre"),
    "mid": ("mitte", "milieu", "moyen", "preis", "prix", "prezzo", "precio", "prime", "pramie", "premio"),
    "last": ("letzter", "dernier", "ultimo"),
    "iv": (
        "implizitevolatilitat",
        "volatilitat",
        "volatiliteimplicite",
        "volatilite",
        "volatilita",
        "volatilidad",
    ),
    "forward": ("terminkurs", "terme"),
    "underlying": ("basiswert", "sousjacent", "sottostante", "subyacente"),
}
PRICES, VOLS = ("bid", "ask", "mid", "last"), ("bid iv", "ask iv", "iv")
_KINDS = {name: kind for words in (HEADINGS, ELSEWHERE) for kind, names in words.items() for name in names}
_SIDES = {"call": "c", "calls": "c", "c": "c", "put": "p", "puts": "p", "p": "p"}
_LOOKED_AT = 20  # rows among which the headings are


def find_headings(cells: Cells, name: str) -> tuple[int, dict[str, int]]:
    """The row of the headings, and the column of each; "call bid" is a column "c bid" of its own.

    Raises InputError naming what has no column, with the headings found.
    """
    top = heading_row(cells)
    columns = _columns(cells[top])
    if top and (banners := _banners(cells[top - 1])):
        under = _under(banners, cells[top])
        columns = {key: j for key, j in columns.items() if f"c {key}" not in under} | under
    lacking = [need for need, there in _needs(columns).items() if not there]
    if lacking:
        given = ", ".join(shown(cell) for cell in cells[top] if not is_missing(cell)) or "none"
        raise InputError(f"the {name}: no column for {', '.join(lacking)}; the headings found are {given}")
    return top, columns


def heading_row(cells: Cells) -> int:
    """The row, among the first, that has the most headings."""
    return max(range(len(cells[:_LOOKED_AT])), key=lambda i: len(_columns(cells[i])))


def sides_of(columns: dict[str, int]) -> list[str]:
    """Of "c" and "p" those that have columns of their own."""
    return [side for side in ("c", "p") if any(key.startswith(f"{side} ") for key in columns)]


def _columns(row: list[Cell]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for j, cell in enumerate(row):
        heading = _heading(cell)
        if heading is not None:
            columns.setdefault(heading, j)
    return columns


def _banners(row: list[Cell]) -> list[str]:
    """The sides in the order in which a row has "Calls" and "Puts" over the headings; none of another row."""
    found = [_SIDES.get(unaccented(cell).strip()) for cell in row if isinstance(cell, str)]
    sides = [side for side in found if side is not None]
    return sides if sorted(sides) == ["c", "p"] else []


def _under(banners: list[str], row: list[Cell]) -> dict[str, int]:
    """Headings that occur twice, once under each banner."""
    found: dict[str, int] = {}
    for kind in (*PRICES, *VOLS, "volume", "interest"):
        places = [j for j, cell in enumerate(row) if _heading(cell) == kind]
        if len(places) == len(banners):
            found |= {f"{side} {kind}": j for side, j in zip(banners, places, strict=True)}
    return found


def _heading(cell: Cell) -> str | None:
    if not isinstance(cell, str):
        return None
    words = re.sub(r"[^a-z]", " ", unaccented(cell)).split()
    if (kind := _KINDS.get("".join(words))) is not None or len(words) < 2:
        return kind
    for side, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
        kind = _KINDS.get("".join(rest))
        if side in _SIDES and kind in (*PRICES, *VOLS, "volume", "interest"):
            return f"{_SIDES[side]} {kind}"
    return None


def _needs(columns: dict[str, int]) -> dict[str, bool]:
    values = {re.sub(r"^[cp] ", "", key) for key in columns}
    return {
        "expiry or days": bool({"expiry", "days", "years"} & set(columns)),
        "strike": "strike" in columns,
        "call or put": "side" in columns or bool(sides_of(columns)) or not values & {*PRICES},
        "bid and ask, or mid": bool(values & {*PRICES, *VOLS}),
    }
