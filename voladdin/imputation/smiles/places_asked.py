"""Tenors, strikes and forwards at which a surface is asked for its vol, as a caller gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._typing import FloatArray
from ...errors import InputError
from ...labels import delta_of
from ...labels.tenors import parse_tenor
from ...surface import numbers


def tenors_of(tenors: Any) -> FloatArray:
    """Years, of numbers or labels such as "1M". Raises LabelError."""
    return _each(tenors, parse_tenor)


def strikes_of(kind: str, strikes: Any) -> FloatArray:
    """Numbers; deltas also of labels such as "25P". Raises InputError, LabelError."""
    if kind == "delta":
        return _each(strikes, delta_of)
    return numbers("strikes" if kind == "strike" else kind, strikes)


def _each(values: Any, parse: Any) -> FloatArray:
    try:
        found = np.asarray(values)
    except ValueError:
        raise InputError(f"{values!r} is no rectangle; expected as many in each row") from None
    if found.dtype.kind in "fiu":
        return found.astype(float)
    given = np.asarray(values, dtype=object)
    return np.array([parse(value) for value in given.ravel().tolist()], dtype=float).reshape(given.shape)
