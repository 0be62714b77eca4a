"""Many calls at once: their surfaces are imputed together, and `evaluate` then knows the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ..cells import Cells
from ..errors import VoladdinError
from ..imputation.filling import Imputation
from ..imputation.recent import imputed_together
from .arguments import LATER, WARNINGS
from .registry import FUNCTIONS, RESULTS, key_of
from .signature import Pending, Result, bind

T = TypeVar("T")


class CallResult(NamedTuple):
    """A call's cells. noted: whether `evaluate` has something to say of them too."""

    cells: Cells
    noted: bool


@dataclass(frozen=True)
class _Begun:
    """A call as far as its imputation. context: where its warnings are."""

    key: bytes
    context: Context
    value: Pending | Result


def evaluate_together(calls: Iterable[tuple[str, Sequence[Any]]]) -> list[CallResult | None]:
    """The results of many calls, each a name and arguments: those of `evaluate`, to about 1e-10 of vol.

    Nothing is recorded of them. None where a call fails, which `evaluate` tells, or where its function has no
    surface to impute.
    """
    begun = [_attempt(_begin, *call) for call in calls]
    pending = [one.value for one in begun if one is not None and isinstance(one.value, Pending)]
    answers = iter(imputed_together([one.question for one in pending]))
    return [None if one is None else _prepared(one, answers) for one in begun]


def _begin(name: str, arguments: Sequence[Any]) -> _Begun | None:
    function = FUNCTIONS[name.upper()]
    if function.begin is None:
        return None
    values, context = bind(function, arguments), copy_context()
    key = key_of(function, values)
    known = RESULTS.get(key)
    if known is not None:
        return _Begun(key, context, known)
    for variable in (WARNINGS, LATER):
        context.run(variable.set, [])
    begun = context.run(function.begin, *values)
    return _Begun(key, context, begun if isinstance(begun, Pending) else _kept(key, context, begun))


def _prepared(one: _Begun, answers: Iterator[Imputation | VoladdinError]) -> CallResult | None:
    result: Result | None = None if isinstance(one.value, Pending) else one.value
    if isinstance(one.value, Pending):
        answer = next(answers)
        cells = (
            None if isinstance(answer, VoladdinError) else _attempt(one.context.run, one.value.then, answer)
        )
        result = None if cells is None else _kept(one.key, one.context, cells)
    return None if result is None else CallResult([list(row) for row in result[0]], bool(result[1]))


def _kept(key: bytes, context: Context, cells: Cells) -> Result:
    result: Result = cells, [*context[WARNINGS], *context[LATER]]
    RESULTS.put(key, result)
    return result


def _attempt(function: Callable[..., T], *arguments: Any) -> T | None:
    """None where it fails: `evaluate` tells why, of a defect too."""
    try:
        return function(*arguments)
    except Exception:
        return None
