"""One thread for linear algebra: on matrices of a few hundred rows two are slower, on busy cores by far."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def one_thread() -> AbstractContextManager[Any]:
    """For as long as it is entered, in the whole process, whatever its environment says."""
    return _libraries().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


def on_one_thread(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """The function, which enters `one_thread` for as long as it runs."""

    @functools.wraps(function)
    def alone(*args: _Given.args, **kwargs: _Given.kwargs) -> _Found:
        with one_thread():
            return function(*args, **kwargs)

    return alone


@functools.cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  it brings its own library, which is to be known
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
