"""Dates in a line of tenors: one order of day and month for all, and the valuation that they count from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from ..labels.dates import at_midnight, common_order, date_of_text, day_of, day_orders, refuse_ambiguous
from ._values import Cell, Label, read_date


def dated(labels: Sequence[Label]) -> list[Label]:
    """The labels with texts such as "03/04/2026" as dates, in the one order of all of them."""
    texts = [label.cell for label in labels if isinstance(label.cell, str)]
    if not any(len(day_orders(text)) == 2 for text in texts):
        return list(labels)
    order = common_order(texts)
    return [
        label._replace(cell=date_of_text(label.cell, order) or label.cell)
        if isinstance(label.cell, str) and day_orders(label.cell)
        else label
        for label in labels
    ]


def valuation_for(labels: Sequence[Label], valuation: date | None) -> date | None:
    """The valuation as a moment (datetime) where an expiry has a time of day, else as a date."""
    if valuation is None:
        return None
    moments = any(isinstance(read_date(label.cell), datetime) for label in labels)
    return at_midnight(valuation) if moments else day_of(valuation)


def expiry_of(cell: Cell, valuation: date | None) -> date | None:
    """The expiry date in a cell, a moment where the valuation is one. Raises LabelError for 03/04/2026."""
    expiry = read_date(cell)
    if expiry is None:
        if isinstance(cell, str):
            refuse_ambiguous(cell)
        return None
    return at_midnight(expiry) if isinstance(valuation, datetime) else day_of(expiry)
