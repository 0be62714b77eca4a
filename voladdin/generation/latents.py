"""The residual latent z ~ N(0, I): given, of a scenario, or drawn; the same on every machine and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError

SCENARIOS, SEEDS, SAMPLES = 0, 1, 2  # streams, of SAMPLES one a block: none repeats another
_LARGEST = 2**63


def uniforms(stream: int, key: int, shape: tuple[int, ...]) -> FloatArray:
    """Uniform in (0, 1): Philox with key (key, stream), 53 bits each, which numpy promises to keep."""
    raw = np.random.Philox(key=np.array([key, stream], dtype=np.uint64)).random_raw(int(np.prod(shape)))
    return np.asarray(((raw >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53).reshape(shape)


def normals(stream: int, key: int, shape: tuple[int, ...]) -> FloatArray:
    """Standard normal, by inversion of `uniforms`."""
    return np.asarray(scipy.special.ndtri(uniforms(stream, key, shape)))


def of_scenarios(scenarios: Any, size: int) -> FloatArray:
    """[S, size] latents of scenario numbers: 0 is z = 0, and each other number a draw of its own.

    Raises InputError where one is not a whole number of at least 0.
    """
    given = np.atleast_1d(np.asarray(scenarios, dtype=object)).ravel()
    return np.stack([_of_scenario(whole_number("scenario", number), size) for number in given])


def _of_scenario(number: int, size: int) -> FloatArray:
    return normals(SCENARIOS, number, (size,)) if number else np.zeros(size)


def whole_number(name: str, value: Any) -> int:
    """A whole number of at least 0. Raises InputError."""
    try:
        number = None if isinstance(value, bool | np.bool_ | str) else int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or number != value or not 0 <= number < _LARGEST:
        raise InputError(f"{name} is {value!r}; expected a whole number such as 0, 1 or 2")
    return number


def given(latent: ArrayLike | Sequence[Any], rows: int, size: int) -> FloatArray:
    """[rows, size] of a latent [size], or [rows, size]. Raises InputError."""
    try:
        z = np.array(latent, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"latent is {latent!r}; expected {size} numbers") from None
    if z.shape not in ((size,), (1, size), (rows, size)) or not np.isfinite(z).all():
        raise InputError(
            f"latent has shape {z.shape}; expected {size} finite numbers, or {rows} rows of them"
        )
    return np.broadcast_to(z, (rows, size)).copy()
