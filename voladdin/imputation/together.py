"""Surfaces that share their axes, filled in one batch; each is answered as it would be alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..surface import Surface
from ..threads import on_one_thread
from .anywhere import Inputs
from .fat_fingers import answers_beside_fingers
from .filling import COVERAGE, FIELDS, Imputation, fill_holes, imputation_of
from .model import imputer
from .notes import words
from .requirements import check_grid, checked_prior, require_same_axes


@on_one_thread
def impute_each(
    surfaces: Sequence[Surface],
    *,
    prior: Sequence[Surface] | None = None,
    prior_age: float = 1.0,
    model: str | Path = "fx",
    coverage: float = COVERAGE,
    arbitrage_free: bool = True,
) -> list[Imputation]:
    """What `impute` answers to each of B surfaces of lognormal vols on the same axes, to about 1e-10 of vol.

    prior: one earlier surface each, or None. The batch adds and multiplies in another order than one surface
    does, hence the difference.

    Raises what `impute` raises, where it would for any of them.
    """
    axes, grid = _axes(surfaces[0]), np.array([surface.vols for surface in surfaces])
    for surface, earlier in zip(surfaces, prior or (), strict=prior is not None):
        require_same_axes(surface, earlier)
    holed = None if prior is None else [earlier.vols for earlier in prior]
    then = checked_prior(holed, grid.shape, prior_age)
    check_grid(grid, has_prior=then is not None, coverage=coverage)
    loaded = imputer(model)
    if then is not None:
        then = fill_holes(loaded, axes, then)
    answer, shares = answers_beside_fingers(loaded, axes, np.log(grid), then, prior_age)
    found, guarded = imputation_of(axes, grid, answer, shares, coverage, arbitrage_free=arbitrage_free)
    each = []
    for b, surface in enumerate(surfaces):
        one = slice(b, b + 1)
        own = None if guarded is None else guarded.of(one)
        said = words(loaded, found.mean[one], shares.of(one), answer.of(one), own, ~surface.observed[None])
        before = None if then is None else then[b]
        asked = Inputs(surface, before, prior_age, str(model), coverage, arbitrage_free)
        each.append(Imputation(**{name: getattr(found, name)[b] for name in FIELDS}, model=said, asked=asked))
    return each


def _axes(surface: Surface) -> Surface:
    """The surface as `impute_batch` has it: strikes are log-moneyness."""
    return Surface(surface.vols, surface.tenors, deltas=surface.deltas, moneyness=surface.log_moneyness)
