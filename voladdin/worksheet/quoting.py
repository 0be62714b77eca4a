"""How a pair's quotes are quoted, as a sheet says it: its name, or a desk's own convention."""

from __future__ import annotations

from typing import Any

from .._typing import FloatArray
from ..cells import Cell
from ..conventions import Convention, convention, is_listed
from ..errors import LabelError
from .signature import Argument, choice

DEFAULT_PAIR = "EURUSD"
PREMIUMS = {"base": True, "quote": False}  # by the premium's currency: whether it comes off the delta

CONVENTION = (
    Argument(
        "delta",
        '"spot" or "forward": of the quotes, in the place of the pair\'s usual',
        "value",
        choices=("spot", "forward"),
    ),
    Argument(
        "premium",
        '"base" or "quote": the currency of the premium, which in base comes off the delta; the pair\'s usual'
        " unless told",
        "value",
        choices=tuple(PREMIUMS),
    ),
    Argument(
        "at_money",
        '"dns" (delta-neutral straddle) or "forward": what ATM is; the pair\'s usual unless told',
        "value",
        choices=("dns", "forward"),
    ),
)


def own_convention(delta: Cell, premium: Cell, at_money: Cell) -> dict[str, Any]:
    """What the arguments say, for `convention`. Raises InputError for any other word."""
    paid = choice("premium", premium, ["", *PREMIUMS])
    return {
        "delta": choice("delta", delta, ["", "spot", "forward"]) or None,
        "premium_adjusted": PREMIUMS.get(paid),
        "atm": choice("at_money", at_money, ["", "dns", "forward"]) or None,
    }


def conventions(
    pair: str | None, years: FloatArray, butterfly: Any, said: dict[str, Any]
) -> tuple[Convention, ...]:
    """Of each tenor: the pair's usual, or what `own_convention` says.

    Raises LabelError for a pair whose conventions are not known and are not all told.
    """
    name = pair or DEFAULT_PAIR
    if not is_listed(name):
        silent = [a.name for a, word in zip(CONVENTION, said.values(), strict=True) if word is None]
        if silent:
            raise LabelError(
                f"pair {name!r} has no convention that we know; expected a pair such as EURUSD, or with it "
                f"the arguments {', '.join(silent)}"
            )
    return tuple(convention(name, tenor, butterfly, **said) for tenor in years.tolist())
