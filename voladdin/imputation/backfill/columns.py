"""The columns of a history of surfaces: wide, a row a surface, or long, a row a cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import InputError
from ...labels import StrikeKind, parse_strike, parse_tenor

_STRIKES: dict[str, StrikeKind] = {  # of the long form
    "call_delta": "delta",
    "delta": "delta",
    "log_moneyness": "moneyness",
    "moneyness": "moneyness",
    "strike": "strike",
}
_IN_A_YEAR = {  # of the numbers of a column of tenors
    "tenor_years": 1.0,
    "tenor_months": 12.0,
    "tenor_days": 365.0,
    "days": 365.0,
    "dte": 365.0,
    "tenor": 1.0,
}
_EXPIRIES = ("expiry", "expiration")
_WHOLE = re.compile(r"[0-9]+([.,]0*)?")
_PAIRS = ("underlying", "pair", "ccy_pair", "currency_pair")
_NAMES = ("ticker", "symbol", "root", "asset", "instrument")  # of underlyings, or of options


@dataclass(frozen=True)
class HistoryColumns:
    """Which column holds what.

    kind: of the strikes. nodes: of the wide form, column: (tenor in years, strike).
    tenor, strike, vol, forward: of the long form; forward only where the strikes are absolute. in_a_year: of
    the numbers in tenor, 0 where it has the dates of expiries. open_reading: "tenor", "moneyness" where their
    names leave it open what their numbers are.
    """

    date: str
    underlying: str | None
    kind: StrikeKind
    nodes: dict[str, tuple[float, float]] = field(default_factory=dict)
    tenor: str = ""
    strike: str = ""
    vol: str = ""
    forward: str = ""
    in_a_year: float = 1.0
    open_reading: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The columns that tell one surface from another."""
        return [self.date] if self.underlying is None else [self.date, self.underlying]

    @property
    def wide(self) -> bool:
        """Whether a row is a surface."""
        return bool(self.nodes)

    @property
    def wanted(self) -> list[str]:
        """The columns that are read to fill."""
        cells = list(self.nodes) or [self.tenor, self.strike, self.vol, *filter(None, [self.forward])]
        return [*self.keys, *cells]


def columns_of(names: Sequence[str]) -> HistoryColumns:
    """Finds the columns by their names, in any order, small letters or capitals.

    Wide: `date`, columns such as `1M|25P`, `1Y|0.5`, `1M|m=-0.1`. Long: `date`, `tenor` (labels, or
    `tenor_years`, `tenor_months`, `tenor_days`, or `expiry`), one of `call_delta`, `delta`, `log_moneyness`,
    `strike` (with `forward`), and `vol`. Either may have `underlying` or `pair`.

    Raises InputError or LabelError that names the columns found.
    """
    known = known_columns(names)
    if "date" not in known:
        raise InputError(f"the history has no column 'date'; expected one beside {_some(names)}")
    underlying = underlying_of(known)
    labelled = [name for name in names if "|" in name]
    if labelled:
        return _wide(known["date"], underlying, labelled)
    return _long(known, underlying, names)


def known_columns(names: Sequence[str]) -> dict[str, str]:
    """The columns by their names in small letters, with underscores."""
    return {name.strip().lower().replace(" ", "_"): name for name in names} | {name: name for name in names}


def underlying_of(known: dict[str, str]) -> str | None:
    """The column of underlyings, if any. Raises InputError where one may be that, or of options."""
    found = next((known[name] for name in _PAIRS if name in known), None)
    other = next((known[name] for name in _NAMES if name in known), None)
    if found is None and other is not None:
        raise InputError(
            f"the history has a column {other!r} and none of underlyings; expected it to be named underlying "
            "where it tells one from another, or left out"
        )
    return found


def whole_numbers(labels: Sequence[str | None]) -> str:
    """The first of labels that are all whole numbers, which may be days, months or years; "" of others."""
    plain = [label for label in labels if label is not None and _WHOLE.fullmatch(label.strip())]
    return ", ".join(plain[:4]) if len(plain) == len(labels) else ""


def _wide(date: str, underlying: str | None, labelled: list[str]) -> HistoryColumns:
    nodes: dict[str, tuple[float, float]] = {}
    kinds: dict[StrikeKind, str] = {}
    if whole := whole_numbers(list(dict.fromkeys(name.partition("|")[0] for name in labelled))):
        raise InputError(f"the columns have tenors {whole}: days, months or years; expected such as 1M|25P")
    for name in labelled:
        tenor, _, label = name.partition("|")
        found = parse_strike(label)
        if found is None:
            raise InputError(f"column {name!r}: {label!r} is no strike; expected such as 25P, 0.25 or m=-0.1")
        nodes[name] = (parse_tenor(tenor), found[1])
        kinds[found[0]] = name
    if len(set(nodes.values())) < len(nodes):
        raise InputError(f"two of the columns {_some(labelled)} are the same tenor and strike; expected one")
    if len(kinds) > 1:
        raise InputError(f"columns {' and '.join(kinds.values())} are of two kinds of strike; expected one")
    (kind,) = kinds
    if kind == "strike":
        raise InputError(
            f"column {kinds[kind]!r} is a strike, which needs a forward; expected the long form, with "
            "columns strike and forward"
        )
    return HistoryColumns(date, underlying, kind, nodes)


def _long(known: dict[str, str], underlying: str | None, names: Sequence[str]) -> HistoryColumns:
    tenor = next((name for name in (*_IN_A_YEAR, *_EXPIRIES) if name in known), None)
    strike = next((name for name in _STRIKES if name in known), None)
    if tenor is None or strike is None or "vol" not in known:
        raise InputError(
            f"the history has columns {_some(names)}; expected such as '1M|25P' (a row a surface), or tenor, "
            f"vol and one of {', '.join(_STRIKES)} (a row a cell)"
        )
    kind = _STRIKES[strike]
    if kind == "strike" and "forward" not in known:
        raise InputError("the history has strikes and no column 'forward'; expected the forward of each row")
    return HistoryColumns(
        known["date"],
        underlying,
        kind,
        tenor=known[tenor],
        strike=known[strike],
        vol=known["vol"],
        forward=known["forward"] if kind == "strike" else "",
        in_a_year=_IN_A_YEAR.get(tenor, 0.0),
        open_reading=tuple(name for name in (tenor, strike) if name in ("tenor", "moneyness")),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
