"""Dates and numbers of a desk's own file, as desks write them; what is neither is named, not left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from voladdin._typing import FloatArray
from voladdin.cells import is_missing, read_date, read_number
from voladdin.errors import InputError
from voladdin.labels.dates import common_order, date_of_text, day_of, day_orders

if TYPE_CHECKING:
    import pandas

Read = TypeVar("Read")


def dates_of(path: object, column: pandas.Series) -> NDArray[np.datetime64]:
    """[N] days; of texts such as 03/04/2026 in the one order in which all are dates. Raises InputError."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.tz_localize(None).astype(object).where(column.notna(), None)
    order = common_order({cell for cell in column if isinstance(cell, str)})

    def read(cell: Any) -> date | None:
        found = date_of_text(cell, order) if isinstance(cell, str) and day_orders(cell) else read_date(cell)
        return None if found is None else day_of(found)

    return np.array(_each(path, column, read, "a date such as 2026-01-31"), dtype="datetime64[D]")


def numbers_of(path: object, column: pandas.Series) -> FloatArray:
    """[N] numbers, also of texts such as 8,25 and 8.25%; NaN where there is none. Raises InputError."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))

    def read(cell: Any) -> float | None:
        number = read_number(cell)
        return np.nan if is_missing(cell) or cell is pd.NA else None if number is None else number.fraction

    return np.array(_each(path, column, read, "a number"), dtype=float)


def _each(
    path: object, column: pandas.Series, read: Callable[[Any], Read | None], expected: str
) -> list[Read]:
    found = []
    for row, cell in enumerate(column.tolist(), start=2):  # below the names
        value = read(cell)
        if value is None:
            raise InputError(f"{path}: {column.name} of row {row} is {cell!r}; expected {expected}")
        found.append(value)
    return found
