"""The one type that travels: an implied-volatility surface with holes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._typing import FloatArray
from .black import moneyness_from_delta
from .errors import InputError, LabelError
from .labels import delta_of, parse_tenor
from .options import Options, implied

MAX_CELLS = 20_000
MAX_WITH_HEADERS = 2 * (MAX_CELLS + 1)  # cells of a range of so many vols and their headers, of one row too
MAX_VOL = 10.0
MAX_LOG_STRIKE = 700.0  # beyond, K/F is no float
LARGEST = 1e100  # of an axis: squares are finite; its inverse, the least, of strikes and forwards
VOL_TYPES = ("lognormal", "normal")
_STRIKE_AXES = ("deltas", "moneyness", "strikes")


@dataclass(frozen=True, eq=False)
class Surface:
    """Implied vols on tenors x deltas (or log-moneyness, or strikes), immutable.

    vols: [T, K] decimals (0.0825 is 8.25%); NaN is a missing cell.
    tenors: [T] years, or labels such as "1W"; increasing.
    deltas: [K] forward call deltas N(d1) in (0, 1), or labels such as "25P", which is 0.75.
    moneyness: [K] or [T, K] log-moneyness ln(K/F).
    strikes: [K] or [T, K] with `forwards` [T].

    vol_type: "lognormal" (Black), or "normal" (Bachelier): vols are then in the unit of the strikes (85 bp is
        0.0085 beside a strike of 0.03), and strikes and forwards may be 0 or negative.

    Exactly one of `deltas`, `moneyness`, `strikes` is given; of normal vols it is `strikes`.

    Raises InputError (shape, range) or LabelError (an axis that is not strictly monotone).
    """

    vols: FloatArray
    tenors: FloatArray
    deltas: FloatArray | None = None
    moneyness: FloatArray | None = None
    strikes: FloatArray | None = None
    forwards: FloatArray | None = None
    vol_type: str = "lognormal"

    def __init__(
        self,
        vols: ArrayLike,
        tenors: Sequence[str | float] | FloatArray,
        *,
        deltas: ArrayLike | Sequence[str] | None = None,
        moneyness: ArrayLike | None = None,
        strikes: ArrayLike | None = None,
        forwards: ArrayLike | None = None,
        vol_type: str = "lognormal",
    ) -> None:
        if vol_type not in VOL_TYPES:
            raise InputError(f"vol_type is {vol_type!r}; expected one of {', '.join(VOL_TYPES)}")
        normal = vol_type == "normal"
        years = _years(tenors)
        grid = _vols(vols, len(years), LARGEST if normal else MAX_VOL)
        given = {"deltas": deltas, "moneyness": moneyness, "strikes": strikes}
        present = [name for name in _STRIKE_AXES if given[name] is not None]
        if len(present) != 1:
            raise InputError(f"give exactly one of deltas, moneyness or strikes; got {present or 'none'}")
        if normal and strikes is None:
            raise InputError(f"normal vols are at strikes, with forwards; got {present[0]}")
        _check_monotone("tenors", years, increasing=True)
        axis = _strike_axis(present[0], given[present[0]], grid.shape, signed=normal)
        fields: dict[str, Any] = dict.fromkeys(_STRIKE_AXES)
        fields |= {"vols": grid, "tenors": years, present[0]: axis, "forwards": None}
        if forwards is not None:
            fields["forwards"] = _forwards(forwards, len(years), signed=normal)
        elif strikes is not None:
            raise InputError(
                f"strikes need forwards: one {'' if normal else 'positive '}forward for each tenor"
            )
        for name, value in fields.items():
            if value is not None:
                value.flags.writeable = False
            object.__setattr__(self, name, value)
        object.__setattr__(self, "vol_type", vol_type)

    @classmethod
    def from_options(
        cls,
        years: ArrayLike,
        strikes: ArrayLike,
        calls: ArrayLike,
        bid: ArrayLike,
        ask: ArrayLike,
        *,
        forwards: dict[float, float] | None = None,
        rate: float | None = None,
        underlying: float | None = None,
        exercise: str = "european",
    ) -> Surface:
        """The mid vols of N listed options, by expiry and strike, holes where none is listed.

        years, strikes, calls (else puts), bid, ask: [N]; prices, NaN where there is none.
        forwards (by years to expiry), rate, underlying, exercise: as for `options.implied`, which also gives
            bid and ask vols, discount factors and the reason each option is left out.

        Raises InputError where no option is left, an expiry has no forward, or strikes and prices differ in
        unit; UnavailableError where American options need QuantLib.
        """
        given = [np.asarray(values, dtype=float) for values in (years, strikes, bid, ask)]
        put_or_call = np.asarray(calls, dtype=np.bool_)
        if len({values.shape for values in (*given, put_or_call)}) > 1 or put_or_call.ndim != 1:
            raise InputError(
                "years, strikes, calls, bid and ask differ in length; expected one of each an option"
            )
        listed = Options(
            given[0], given[1], put_or_call, given[2], given[3], np.full(len(put_or_call), np.nan)
        )
        chain = implied(listed, forwards=forwards, rate=rate, underlying=underlying, exercise=exercise)
        if chain.unit != 1.0:
            raise InputError(
                f"strikes and prices are in different units: {chain.notes[0]}; expected one unit"
            )
        return cls(chain.vols, chain.tenors, strikes=chain.strikes, forwards=chain.forwards)

    @property
    def shape(self) -> tuple[int, int]:
        """(number of tenors, number of strikes)."""
        return self.vols.shape[0], self.vols.shape[1]

    @property
    def observed(self) -> NDArray[np.bool_]:
        """[T, K]: where a vol is quoted."""
        return np.isfinite(self.vols)

    @property
    def distances(self) -> FloatArray:
        """[T, K] K - F of a surface on strikes. Raises InputError for one on other axes."""
        if self.strikes is None or self.forwards is None:
            raise InputError("the surface is not on strikes; expected strikes with forwards")
        return np.asarray(np.broadcast_to(self.strikes, self.shape) - self.forwards[:, None])

    @property
    def log_moneyness(self) -> FloatArray | None:
        """[T, K] ln(K/F), or None on a delta axis: it then depends on the vols.

        Raises InputError of normal vols, which have none.
        """
        if self.vol_type == "normal":
            raise InputError(
                "the vols are normal (Bachelier): these are checked, repaired, filled and interpolated; "
                "expected lognormal ones"
            )
        if self.strikes is not None and self.forwards is not None:
            return np.log(np.broadcast_to(self.strikes, self.shape) / self.forwards[:, None])
        return None if self.moneyness is None else np.broadcast_to(self.moneyness, self.shape).copy()

    def quoted_moneyness(self) -> FloatArray:
        """[T, K] ln(K/F) of every quote; on a delta axis it is that of its vol, NaN where there is none."""
        moneyness = self.log_moneyness
        if moneyness is not None:
            return moneyness
        assert self.deltas is not None
        return moneyness_from_delta(self.deltas, self.vols * np.sqrt(self.tenors)[:, None])

    def market(self, bid: ArrayLike | None, ask: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
        """[T, K] bid and ask vols, NaN where there is none. Raises InputError: a shape, range, bid > ask."""
        low, high = self._side("bid", bid), self._side("ask", ask)
        crossed = np.argwhere(low > high)
        if len(crossed):
            row, column = crossed[0]
            raise InputError(
                f"bid[{row}, {column}] is {low[row, column]:g}, above the ask {high[row, column]:g}; "
                "expected a bid of at most the ask"
            )
        return low, high

    def _side(self, name: str, vols: ArrayLike | None) -> FloatArray:
        side = np.full(self.shape, np.nan) if vols is None else numbers(name, vols)
        if side.shape != self.shape:
            raise InputError(f"{name} has shape {side.shape}; expected {self.shape}, as the vols")
        most = LARGEST if self.vol_type == "normal" else MAX_VOL
        bad = np.argwhere(~np.isnan(side) & ~((side >= 0) & (side <= most)))
        if len(bad):
            row, column = bad[0]
            raise InputError(
                f"{name}[{row}, {column}] is {side[row, column]:g}; expected a vol of 0 to {most:g} "
                "(decimal), or NaN where there is none"
            )
        return side

    def replace(self, vols: ArrayLike) -> Surface:
        """The same axes with other vols [T, K]."""
        return Surface(
            vols,
            self.tenors,
            deltas=self.deltas,
            moneyness=self.moneyness,
            strikes=self.strikes,
            forwards=self.forwards,
            vol_type=self.vol_type,
        )


def _years(tenors: Sequence[str | float] | FloatArray) -> FloatArray:
    if isinstance(tenors, str) or not isinstance(tenors, Iterable):
        raise LabelError(f"tenors is {tenors!r}; expected years or labels, one a row of the vols")
    return np.array([parse_tenor(tenor) for tenor in tenors], dtype=float)


def _vols(vols: ArrayLike, tenors: int, most: float) -> FloatArray:
    grid = numbers("vols", vols)
    if grid.ndim != 2 or grid.shape[0] != tenors or grid.shape[1] == 0:
        raise InputError(f"vols has shape {grid.shape}; expected {tenors} tenors x strikes")
    if grid.size > MAX_CELLS:
        raise InputError(f"vols has {grid.size} cells; at most {MAX_CELLS} are accepted")
    bad = np.argwhere(~np.isnan(grid) & ~((grid > 0) & (grid <= most)))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"vols[{row}, {column}] is {grid[row, column]:g}; expected a vol above 0 and at most {most:g} "
            "(decimal), or NaN where it is missing"
        )
    return grid


def numbers(name: str, values: ArrayLike) -> FloatArray:
    """A copy. Raises InputError where they are none, or ragged."""
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        rows: Any = values if isinstance(values, Sequence) else []
        widths = sorted({len(row) for row in rows if isinstance(row, Sequence)})
        if len(widths) > 1:
            why = f"{name} has rows of {widths[0]} and of {widths[-1]} numbers; expected all the same"
        else:
            why = f"{name} must be numbers or NaN: {error}"
    raise InputError(why)


def _strike_axis(name: str, values: Any, shape: tuple[int, ...], *, signed: bool) -> FloatArray:
    if name == "deltas" and isinstance(values, Sequence):
        values = [delta_of(label) for label in values]
    try:
        axis = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise LabelError(f"{name} is {values!r}; expected numbers") from None
    if axis.shape != shape[1:] and not (name != "deltas" and axis.shape == shape):
        raise InputError(f"{name} has shape {axis.shape}; expected ({shape[1]},) to match the vols")
    most = LARGEST if name != "moneyness" else MAX_LOG_STRIKE
    if not (np.abs(axis) <= most).all():
        raise LabelError(f"{name} must be finite and at most {most:g} in size; got {_extremes(axis)}")
    if name == "deltas" and not ((axis > 0) & (axis < 1)).all():
        raise LabelError(f"deltas must be forward call deltas in (0, 1); got {_extremes(axis)}")
    if name == "strikes" and not signed and not (axis >= 1 / LARGEST).all():
        raise LabelError(f"strikes must be positive; got {_extremes(axis)}")
    for row in np.atleast_2d(axis):
        _check_monotone(name, row)
        _check_apart(name, row)
    return axis


def _check_apart(name: str, axis: FloatArray) -> None:
    same = np.flatnonzero((np.diff(np.exp(axis)) == 0) if name == "moneyness" else False)
    if len(same):
        first, second = axis[same[0]], axis[same[0] + 1]
        raise LabelError(f"moneyness: {first:g} and {second:g} are one K/F to 16 digits; expected it once")


def _forwards(values: ArrayLike, tenors: int, *, signed: bool) -> FloatArray:
    given = numbers("forwards", values)
    if given.shape not in ((), (1,), (tenors,)):
        raise InputError(f"forwards has shape {given.shape}; expected one, or ({tenors},) as the tenors")
    forwards = np.array(np.broadcast_to(given, (tenors,)))
    least, need = (-LARGEST, "finite") if signed else (1 / LARGEST, "positive")
    if not ((forwards >= least) & (forwards <= LARGEST)).all():
        raise InputError(
            f"forwards must be {need} and at most {LARGEST:g} in size; got {_extremes(forwards)}"
        )
    return forwards


def _extremes(axis: FloatArray) -> str:
    return f"{axis.min():g} to {axis.max():g}"


def _check_monotone(name: str, axis: FloatArray, *, increasing: bool = False) -> None:
    """Strictly increasing, or (unless `increasing`) strictly decreasing; the two labels are named."""
    steps = np.diff(axis)
    sign = 1.0 if increasing or len(steps) == 0 or axis[-1] > axis[0] else -1.0
    bad = np.flatnonzero(steps * sign <= 0)
    if len(bad):
        first, second = axis[bad[0]], axis[bad[0] + 1]
        why = "twice" if first == second else "out of order"
        raise LabelError(f"{name}: {first:g} and {second:g} are {why}; expected a strictly monotone axis")
