"""What imputation asks of its arguments."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from ..surface import MAX_CELLS, MAX_VOL, Surface, numbers

MAX_AGE = 3_650.0  # days


def require_surfaces(surface: Surface, prior: Surface | None) -> None:
    """Raises InputError for what is none."""
    for name, given in (("surface", surface), ("prior", prior)):
        if not isinstance(given, Surface) and (name == "surface" or given is not None):
            raise InputError(f"{name} is a {type(given).__name__}; expected a voladdin.Surface")


def is_number(value: object) -> bool:
    """Of a caller in Python, who may give anything."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_vols(name: str, grid: FloatArray, most: float = MAX_VOL) -> None:
    """Raises InputError naming a vol that is not above 0, or above the most."""
    wrong = ~np.isnan(grid) & ~((grid > 0) & (grid <= most))
    if wrong.any():
        bad = np.argwhere(wrong)
        place = ", ".join(str(i) for i in bad[0])
        value = grid[tuple(bad[0])]
        raise InputError(
            f"{name}[{place}] is {value:g}; expected a vol above 0 and at most {most:g} (decimal)"
        )


def check_grid(grid: FloatArray, *, has_prior: bool, coverage: float, most: float = MAX_VOL) -> None:
    """Raises InputError for grids [B, T, K] without a quote or with too many cells, and for the coverage."""
    if not (is_number(coverage) and 0 < coverage < 1):
        raise InputError(f"coverage is {coverage!r}; expected a probability in (0, 1), such as 0.9")
    if grid[0].size > MAX_CELLS:
        raise InputError(f"the grid has {grid[0].size} cells; imputation takes at most {MAX_CELLS}")
    check_vols("vols", grid, most)
    empty = np.flatnonzero(~np.isfinite(grid).any((1, 2)))
    if len(empty) and not has_prior:
        where = "" if len(grid) == 1 else f" (surface {empty[0]})"
        raise InputError(f"no quote at all{where}: expected at least one vol, or a prior surface")


def require_same_axes(surface: Surface, prior: Surface) -> None:
    """Raises InputError where the axes differ."""
    for name in ("tenors", "deltas", "moneyness", "strikes"):
        now, then = getattr(surface, name), getattr(prior, name)
        if (now is None) != (then is None) or (now is not None and not np.array_equal(now, then)):
            raise InputError(f"the prior's {name} are {then}; expected those of the surface, {now}")


def checked_prior(
    prior: ArrayLike | None, shape: tuple[int, ...], age: float, most: float = MAX_VOL
) -> FloatArray | None:
    """A copy of earlier vols of the shape of the vols, None without; raises InputError, for their age too."""
    if not (is_number(age) and 0 < age <= MAX_AGE):
        raise InputError(f"prior_age is {age!r}; expected days above 0 and at most {MAX_AGE:g}")
    if prior is None:
        return None
    earlier = numbers("prior", prior)
    if earlier.shape != shape:
        raise InputError(f"prior has shape {earlier.shape}; expected {shape}, as the vols")
    check_vols("prior", earlier, most)
    empty = np.flatnonzero(~np.isfinite(earlier).any((1, 2)))
    if len(empty):
        raise InputError(f"prior[{empty[0]}] has no vol at all; leave the prior out or give one")
    return earlier
