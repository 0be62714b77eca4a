"""Surfaces imputed lately: several formulas of a sheet, or one and VOLINTERP's, ask of the same quotes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import bundles
from .._typing import FloatArray
from ..errors import VoladdinError
from ..surface import Surface
from .filling import Imputation, impute
from .together import impute_each
from .weighing import UNIVERSAL

_KEPT = 128  # surfaces: a book of a hundred is imputed once
_BATCH = 128  # surfaces: more are no faster each, and take memory
_OF_EACH = ("surface", "prior", "bid", "ask", "model")  # not of all of a batch, or said apart
_OF_SURFACE = tuple(part.name for part in fields(Surface))
_DEFAULTS = {
    name: given.default
    for name, given in inspect.signature(impute).parameters.items()
    if given.default is not given.empty
}


def imputed(surface: Surface, *, model: str | Path = "fx", **arguments: Any) -> Imputation:
    """What `impute` answers, kept for whoever asks the same again; nobody can write into its arrays.

    Raises what `impute` raises. Threads may ask at once.
    """
    return answer(Question.of(surface, model=model, **arguments))


def imputed_together(questions: Sequence[Question]) -> list[Imputation | VoladdinError]:
    """What `imputed` answers each, or raises, to about 1e-10 of vol: surfaces of the same axes in a batch."""
    groups: dict[Any, list[Question]] = {}
    for question in dict.fromkeys(questions):
        groups.setdefault(question.alike, []).append(question)
    found: dict[Question, Imputation | VoladdinError] = {}
    for alike, members in groups.items():
        for part in (members[i : i + _BATCH] for i in range(0, len(members), _BATCH)):
            found |= zip(part, _each(part, batch=alike is not None), strict=True)
    return [found[question] for question in questions]


def _each(questions: list[Question], *, batch: bool) -> list[Imputation | VoladdinError]:
    """One by one where they are few or different, or where the batch is refused: then one of them is."""
    if batch and len(questions) > 1:
        priors = [question.arguments.get("prior") for question in questions]
        earlier = [prior for prior in priors if prior is not None] or None
        how = {name: value for name, value in questions[0].arguments.items() if name not in _OF_EACH}
        with suppress(VoladdinError):
            return list(impute_each([question.surface for question in questions], prior=earlier, **how))
    return [_answer(question) for question in questions]


def _answer(question: Question) -> Imputation | VoladdinError:
    try:
        return answer(question)
    except VoladdinError as error:
        return error


def filled_vols(surface: Surface, model: str) -> FloatArray:
    """[T, K] of `imputed`."""
    return imputed(surface, model=model).filled


@dataclass(frozen=True)
class Question:
    """key: all that the answer depends on, to the last bit."""

    key: tuple[Any, ...]
    surface: Surface = field(compare=False)
    arguments: Mapping[str, Any] = field(compare=False)

    @classmethod
    def of(cls, surface: Surface, *, model: str | Path = "fx", **arguments: Any) -> Question:
        """Raises BundleError where there is no such model."""
        models = str(model), bundles.load(model).digest, bundles.load(UNIVERSAL).digest
        given = {name: arguments.get(name, default) for name, default in _DEFAULTS.items()}
        key = (models, _exact(surface), tuple(map(_exact, given.values())))
        return cls(key, surface, {"model": model, **arguments})

    @property
    def alike(self) -> tuple[Any, ...] | None:
        """What those of one batch share; None where it has to be answered alone."""
        given, surface = {**_DEFAULTS, **self.arguments}, self.surface
        if surface.vol_type == "normal" or given["bid"] is not None or given["ask"] is not None:
            return None
        axes = tuple(_exact(axis) for axis in (surface.tenors, surface.deltas, surface.log_moneyness))
        how = tuple(value for name, value in given.items() if name not in _OF_EACH)
        return self.key[0], axes, given["prior"] is None, how


@functools.lru_cache(maxsize=_KEPT)
def answer(question: Question) -> Imputation:
    """Of one question; raises what `impute` raises."""
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
