"""The columns of a history of surfaces: wide, a row a surface, or long, a row a cell."""

from __future__ import annotations

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
_TENORS = ("tenor_years", "tenor")


@dataclass(frozen=True)
class HistoryColumns:
    """Which column holds what.

    kind: of the strikes. nodes: of the wide form, column: (tenor in years, strike).
    tenor, strike, vol, forward: of the long form; forward only where the strikes are absolute.
    """

    date: str
    underlying: str | None
    kind: StrikeKind
    nodes: dict[str, tuple[float, float]] = field(default_factory=dict)
    tenor: str = ""
    strike: str = ""
    vol: str = ""
    forward: str = ""

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
    """Finds the columns by their names, in any order.

    Wide: `date`, columns such as `1M|25P`, `1Y|0.5`, `1M|m=-0.1`. Long: `date`, `tenor` or `tenor_years`, one
    of `call_delta`, `delta`, `moneyness`, `log_moneyness`, `strike` (with `forward`), and `vol`. Either may
    have `underlying`. Raises InputError or LabelError that names the columns found.
    """
    if "date" not in names:
        raise InputError(f"the history has no column 'date'; expected one beside {_some(names)}")
    underlying = "underlying" if "underlying" in names else None
    labelled = [name for name in names if "|" in name]
    if labelled:
        return _wide(underlying, labelled)
    return _long(underlying, names)


def _wide(underlying: str | None, labelled: list[str]) -> HistoryColumns:
    nodes: dict[str, tuple[float, float]] = {}
    kinds: dict[StrikeKind, str] = {}
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
    return HistoryColumns("date", underlying, kind, nodes)


def _long(underlying: str | None, names: Sequence[str]) -> HistoryColumns:
    tenor = next((name for name in _TENORS if name in names), None)
    strike = next((name for name in _STRIKES if name in names), None)
    if tenor is None or strike is None or "vol" not in names:
        raise InputError(
            f"the history has columns {_some(names)}; expected such as '1M|25P' (a row a surface), or tenor, "
            f"vol and one of {', '.join(_STRIKES)} (a row a cell)"
        )
    kind = _STRIKES[strike]
    forward = "forward" if kind == "strike" else ""
    if forward and forward not in names:
        raise InputError("the history has strikes and no column 'forward'; expected the forward of each row")
    return HistoryColumns("date", underlying, kind, {}, tenor, strike, "vol", forward)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
