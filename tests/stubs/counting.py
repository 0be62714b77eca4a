"""Counts what is asked of a stub of Excel's object model, as COM would carry it."""

from __future__ import annotations

from collections import Counter
from types import MethodType
from typing import Any


class Counted:
    """An object whose gets, sets and calls are counted by name: each goes to Excel's process and back."""

    def __init__(self, inner: Any, calls: Counter[str]) -> None:
        object.__setattr__(self, "_of", (inner, calls))

    def __getattr__(self, name: str) -> Any:
        inner, calls = self._of
        calls[name] += 1
        found = getattr(inner, name)
        if isinstance(found, MethodType):
            return lambda *a, **k: _counted(
                found(*map(_bare, a), **{n: _bare(v) for n, v in k.items()}), calls
            )
        return _counted(found, calls)

    def __setattr__(self, name: str, value: Any) -> None:
        inner, calls = self._of
        calls[f"{name}="] += 1
        setattr(inner, name, _bare(value))

    def __call__(self, *given: Any) -> Any:
        inner, calls = self._of
        calls["()"] += 1
        return _counted(inner(*map(_bare, given)), calls)

    def __iter__(self) -> Any:
        inner, calls = self._of
        calls["iter"] += 1
        for one in inner:
            calls["next"] += 1
            yield _counted(one, calls)


def _bare(value: Any) -> Any:
    return value._of[0] if isinstance(value, Counted) else value


def _counted(value: Any, calls: Counter[str]) -> Any:
    plain = value is None or isinstance(value, (str, int, float, bool, tuple, list))
    return value if plain else Counted(value, calls)
