"""Surfaces imputed lately: several formulas of a sheet, or one and VOLINTERP's, ask of the same quotes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import bundles
from .._typing import FloatArray
from ..surface import Surface
from .filling import Imputation, impute
from .weighing import UNIVERSAL

_KEPT = 128  # surfaces: a book of a hundred is imputed once
_OF_SURFACE = tuple(part.name for part in fields(Surface))
_UNLESS_TOLD = {
    name: given.default
    for name, given in inspect.signature(impute).parameters.items()
    if given.default is not given.empty
}


def imputed(surface: Surface, *, model: str | Path = "fx", **arguments: Any) -> Imputation:
    """What `impute` answers, kept for whoever asks the same again; nobody can write into its arrays.

    Raises what `impute` raises. Threads may ask at once.
    """
    digests = bundles.load(model).digest, bundles.load(UNIVERSAL).digest
    given = tuple(_exact(arguments.get(name, default)) for name, default in _UNLESS_TOLD.items())
    key = (str(model), digests, _exact(surface), given)
    return _imputed(_Question(key, surface, {"model": model, **arguments}))


def filled_vols(surface: Surface, model: str) -> FloatArray:
    """[T, K] of `imputed`."""
    return imputed(surface, model=model).filled


@dataclass(frozen=True)
class _Question:
    """key: all that the answer depends on, to the last bit."""

    key: tuple[Any, ...]
    surface: Surface = field(compare=False)
    arguments: Mapping[str, Any] = field(compare=False)


@functools.lru_cache(maxsize=_KEPT)
def _imputed(question: _Question) -> Imputation:
    found = impute(question.surface, **question.arguments)
    for array in vars(found).values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return found


def _exact(value: Any) -> Any:
    """What is equal where two values are to the last bit, and can be hashed."""
    if isinstance(value, Surface):
        return tuple(_exact(getattr(value, name)) for name in _OF_SURFACE)
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return tuple(map(_exact, value)) if isinstance(value, list | tuple) else value
