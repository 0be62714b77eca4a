"""One thread for linear algebra: on matrices of a few hundred rows two are slower, on busy cores by far."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """For as long as it is entered, in the whole process, whatever its environment says."""
    return _libraries().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@functools.cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  it brings its own library, which is to be known
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
