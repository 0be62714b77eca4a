"""From the trained nodes to any tenors and moneyness: splines, how far they reach, and default axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._typing import FloatArray
from ..errors import InputError, LabelError
from ..labels import parse_tenor, tenor_label
from ..surface import MAX_CELLS

MARGIN = 0.1  # of the trained span, beyond either end
SHEET_TENORS = ("1M", "2M", "3M", "4M", "5M", "6M", "7M")
SHEET_DELTA_TENORS, SHEET_DELTAS = (
    ("1W", "1M", "2M", "3M", "6M", "1Y", "2Y", "5Y"),
    ("10P", "25P", "ATM", "25C", "10C"),
)
SHEET_MONEYNESS = tuple(round(0.05 * step, 2) for step in range(-5, 6))


def along(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """[..., N]: weights of values at `nodes` [N] in their cubic spline at `points` [...]; linear beyond them.

    nodes increase.
    """
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(nodes, np.eye(len(nodes)))
    inside = np.clip(points, nodes[0], nodes[-1])
    beyond = np.asarray(points - inside)[..., None]
    return np.asarray(spline(inside) + np.where(beyond == 0, 0.0, beyond * spline(inside, 1)))


def frame_tenors(tenors: Sequence[str | float] | FloatArray | None, nodes: FloatArray) -> FloatArray:
    """[T] years: the trained nodes, or the tenors given, increasing and within reach.

    Raises InputError (none, no line of them), LabelError (no tenor, not increasing, beyond `MARGIN`).
    """
    if tenors is None:
        return nodes
    if isinstance(tenors, str) or np.ndim(tenors) != 1:
        raise InputError(f"tenors is {tenors!r}; expected a line of them, such as ['1M', '6M']")
    years = np.array([parse_tenor(tenor) for tenor in tenors])
    _refuse("tenors", [tenor_label(tenor) for tenor in years.tolist()], years, nodes)
    return years


def frame_moneyness(moneyness: ArrayLike | None, nodes: FloatArray) -> FloatArray:
    """[K] log-moneyness ln(K/F): the trained nodes, or the ones given, increasing and within reach.

    Raises InputError (none, no numbers), LabelError (not increasing, beyond `MARGIN`).
    """
    if moneyness is None:
        return nodes
    try:
        axis = np.array(moneyness, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"moneyness is {moneyness!r}; expected numbers ln(K/F) such as -0.1") from None
    if axis.ndim != 1 or not np.isfinite(axis).all():
        raise InputError(f"moneyness is {moneyness!r}; expected one line of finite numbers ln(K/F)")
    _refuse("moneyness", [f"{m:g}" for m in axis.tolist()], axis, nodes)
    return axis


def _refuse(name: str, labels: list[str], axis: FloatArray, nodes: FloatArray) -> None:
    if not 0 < len(axis) <= MAX_CELLS:
        raise InputError(f"{name} has {len(axis)} values; expected 1 to {MAX_CELLS}")
    falling = np.flatnonzero(np.diff(axis) <= 0)
    if len(falling):
        one, other = labels[falling[0]], labels[falling[0] + 1]
        raise LabelError(f"{name}: {one} and {other} are out of order or the same; expected them increasing")
    low, high = trained_span(nodes)
    beyond = np.flatnonzero((axis < low - 1e-12) | (axis > high + 1e-12))
    if len(beyond):
        unit = " years" if name == "tenors" else " of ln(K/F)"
        raise LabelError(
            f"{name}: {labels[beyond[0]]} is beyond what the model was trained on, {nodes[0]:.3g} to "
            f"{nodes[-1]:.3g}{unit}; expected {low:.3g} to {high:.3g}{unit}"
        )


def trained_span(nodes: FloatArray) -> tuple[float, float]:
    """The least and the largest value that is not refused."""
    margin = MARGIN * (nodes[-1] - nodes[0])
    return float(nodes[0] - margin), float(nodes[-1] + margin)
