"""Where the cells of a surface are drawn: strikes from low to high, and the finer axes of a smooth one."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray
from voladdin.arbitrage.trades import cell_label
from voladdin.surface import Surface

LINE = 41  # points of a smooth smile
ROWS = 25  # tenors of a smooth surface


def kind_of_axis(surface: Surface) -> str:
    """ "delta", "strike" or "moneyness"."""
    if surface.deltas is not None:
        return "delta"
    return "strike" if surface.strikes is not None else "moneyness"


def axis_of(surface: Surface) -> FloatArray:
    """[T, K] the surface's own deltas, strikes or ln(K/F)."""
    axis = surface.deltas if surface.deltas is not None else surface.strikes
    return np.broadcast_to(surface.moneyness if axis is None else axis, surface.shape)  # type: ignore[arg-type]


def positions(surface: Surface, axis: FloatArray) -> FloatArray:
    """Places from low strikes to high ones: a call delta counts from 1 down."""
    return 1.0 - axis if surface.deltas is not None else axis


def labels(surface: Surface) -> tuple[list[str], list[str]]:
    """Tenors, and strikes as the first tenor has them."""
    first = [cell_label(surface, 0, column).split(" ", 1)[1] for column in range(surface.shape[1])]
    return [cell_label(surface, row, 0).split(" ", 1)[0] for row in range(surface.shape[0])], first


def fine_axes(surface: Surface) -> tuple[FloatArray, FloatArray]:
    """[R] years and [R, N] of the surface's axis between its ends, on which a smooth surface is drawn."""
    years = np.log(surface.tenors)
    wanted = np.union1d(np.linspace(years[0], years[-1], ROWS), years)
    axis = axis_of(surface)
    ends = [np.interp(wanted, years, axis[:, end]) for end in (0, -1)]
    return np.exp(wanted), np.linspace(ends[0], ends[1], LINE, axis=1)
