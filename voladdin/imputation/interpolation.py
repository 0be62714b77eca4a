"""The vol anywhere: through every quote, with the model's own fills where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError
from ..surface import Surface, numbers
from .recent import filled_vols
from .smiles.normal_smiles import normal_vols_at
from .smiles.places_asked import strikes_of, tenors_of
from .smiles.through_cells import vols_at


def interpolate(
    surface: Surface,
    tenor: float | str,
    strike: float | str,
    *,
    kind: str = "delta",
    forward: float | None = None,
    model: str | Path = "fx",
) -> float:
    """Vol (decimal) at `tenor`, years or a label, and `strike`: a forward call delta or its label, a
    log-moneyness or a strike, by `kind`.

    See `interpolate_many`, which this is for one point.
    """
    given = None if forward is None else [forward]
    return float(interpolate_many(surface, [tenor], [strike], kind=kind, forwards=given, model=model)[0])


def interpolate_many(
    surface: Surface,
    tenors: ArrayLike | Sequence[str | float],
    strikes: ArrayLike | Sequence[str | float],
    *,
    kind: str = "delta",
    forwards: ArrayLike | None = None,
    model: str | Path = "fx",
) -> FloatArray:
    """[n] vols (decimals) at tenors [n], years or labels, and strikes [n]; kind: delta, moneyness or strike.

    A point on the grid gives the quote, or the filled cell; beside it the vol is continuous. Where the quotes
    are free of static arbitrage, so are all these vols together; of normal vols each tenor's.

    forwards: [n], of these tenors, for kind "strike"; the surface's own, interpolated in ln F, or in F of
    normal vols, unless told.

    Raises InputError (tenor or strike out of range, unknown kind, no forward) or BundleError.
    """
    years, at = tenors_of(tenors), strikes_of(kind, strikes)
    if surface.vol_type == "normal":
        if kind != "strike":
            raise InputError(f"kind is {kind!r}; expected 'strike' of normal vols")
        years, at = np.broadcast_arrays(years, at)
        ahead = None if forwards is None else np.broadcast_to(numbers("forwards", forwards), at.shape)
        return normal_vols_at(surface.replace(filled_vols(surface, str(model))), years, at, ahead)
    return vols_at(filled_vols, surface, years, at, kind=kind, forwards=forwards, model=model)
