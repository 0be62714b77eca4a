"""Surfaces with exactly the features asked for, free of static arbitrage."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._typing import BoolArray, FloatArray
from ..arbitrage.verdicts import arbitrage_free
from ..bundles.generator import Generator, load
from ..errors import BundleError, InfeasibleError, InputError, UnitsError
from ..feature_map import NAMES
from ..surface import MAX_VOL, Surface
from ..threads import on_one_thread
from . import latents
from .axes import frame_moneyness, frame_tenors
from .grid_map import Frame

PERCENT_ABOVE = 2.0  # a level above is percent points
MAX_CELLS = 50_000_000
_LEAST_VOL = 1e-3
_EXACT = 1e-10
_FURTHEST = 0.5  # of the level: a repair that moves a vol further leaves no surface of this world
_HALVES = 30
_LARGEST = 1e6  # of a feature; beyond, nothing that follows is a number


@dataclass(frozen=True, eq=False)
class Generation:
    """Generated surfaces, B of them on one grid.

    vols: [B, T, K] decimals; every surface passes `check`. tenors: [T] years. moneyness: [K] ln(K/F); NaN on
    `axes` of deltas or strikes.
    features: [B, 4] level, skew, curv, term: those of the vols to 1e-10. latent: [B, E] the residual z.
    in_hull: [B] whether the features lie among those the model was trained on. moved: [B] in bp of vol, the
    largest move of the repair that kept the features; 0 where none was needed.
    """

    vols: FloatArray
    tenors: FloatArray
    moneyness: FloatArray
    features: FloatArray
    latent: FloatArray
    in_hull: BoolArray
    moved: FloatArray
    axes: Surface | None = None

    def __len__(self) -> int:
        return len(self.vols)

    @property
    def repaired(self) -> BoolArray:
        """[B]: whether the decoded surface had static arbitrage."""
        return self.moved > 0

    def surface(self, index: int = 0) -> Surface:
        """One of them."""
        if self.axes is not None:
            return self.axes.replace(self.vols[index])
        return Surface(self.vols[index], self.tenors, moneyness=self.moneyness)


@on_one_thread
def generate(
    level: ArrayLike,
    skew: ArrayLike,
    curv: ArrayLike,
    term: ArrayLike,
    *,
    latent: ArrayLike | None = None,
    scenario: int | Sequence[int] | None = None,
    seed: int | None = None,
    count: int = 1,
    tenors: Sequence[str | float] | FloatArray | None = None,
    moneyness: ArrayLike | None = None,
    model: str | Path = "equity",
) -> Generation:
    """Surfaces with exactly these features on the grid they are returned on, free of static arbitrage.

    level: vol (decimal) at tau -> 0, m = ln(K/F) = 0. skew: d vol/dm. curv: d2 vol/dm2. term: d vol/dtau, a
        year. Numbers, or vectors [F] that broadcast.
    count: surfaces for each of the F features, one after another: B = F * count.
    The residual latent z [E] is, whichever is given: `latent` [E] or [B, E]; `scenario`, a number for all or
        one for each of the F features, 0 is z = 0, the mean residual, and 1, 2, … each a draw of its own that
        is the same everywhere; `seed`, independent draws z ~ N(0, I). Otherwise scenarios 0 to count - 1.
    tenors: [T] years or labels, moneyness: [K] ln(K/F); the trained 28 x 28 grid unless told. Beyond it by
        more than a tenth of its span is refused.

    A surface with static arbitrage (rare where the features are in the trained hull) is moved to the nearest
    one without, its features kept. Source: Wang, Liu and Vuik (2025), section 4; exact by linear projection.

    Raises InputError, UnitsError (a level in percent points), LabelError (axes), InfeasibleError (no surface
    without arbitrage has these features; names the one beyond reach), BundleError (no such model).
    """
    targets = feature_rows(level, skew, curv, term)
    count = latents.whole_number("count", count)
    generator = generator_named(model)
    frame = frame_of(generator, tenors, moneyness)
    if not 1 <= len(targets) * count * frame.base.size <= MAX_CELLS:
        raise InputError(
            f"{len(targets)} features x count {count} x {frame.base.size} cells: expected at least one "
            f"surface, and at most {MAX_CELLS:,} cells in all"
        )
    z = _latents(latent, scenario, seed, len(targets), count, generator.latent_size)
    return generated(generator, frame, np.repeat(targets, count, axis=0), z)


def generated(generator: Generator, frame: Frame, features: FloatArray, latent: FloatArray) -> Generation:
    """Surfaces of features [B, 4] and latents [B, E] on a frame. Raises InfeasibleError."""
    vols = frame.vols(features, generator.decode(features, latent))
    if frame.coarse:
        _refuse_coarse(frame, vols, features)
    moved = np.zeros(len(vols))
    bad = np.flatnonzero(~arbitrage_free(frame.axes, np.nan_to_num(vols)))
    for index in bad:
        try:
            kept = _kept(frame, vols[index], features[index])
        except InfeasibleError as error:
            where = f"surface {index + 1} of {len(vols)}: " if len(vols) > 1 else ""
            raise InfeasibleError(f"{where}{error}{_within_reach(generator, features[index])}") from None
        moved[index] = 1e4 * np.abs(kept - vols[index]).max()
        vols[index] = kept
    return Generation(
        vols, frame.tenors, frame.moneyness, features, latent, generator.inside(features), moved
    )


def _refuse_coarse(frame: Frame, vols: FloatArray, features: FloatArray) -> None:
    """Raises InfeasibleError where the grid's numbers are too near to each other to hold a feature."""
    for one, asked in zip(vols, features, strict=True):
        off = np.abs(frame.left(one, asked)) / np.maximum(1.0, np.abs(asked))
        if off.max() > _EXACT:
            name = NAMES[int(off.argmax())]
            raise InfeasibleError(
                f"these tenors or moneyness are so near to each other that the last digit of a vol moves "
                f"{name} by {off.max():.1e}; expected axes that hold it to {_EXACT:.0e}"
            )


def _kept(frame: Frame, vols: FloatArray, features: FloatArray) -> FloatArray:
    """[T, K] the nearest surface without arbitrage that has these features. Raises InfeasibleError."""
    from ..arbitrage.repair.keep_features import keep

    start = np.clip(np.nan_to_num(vols, nan=features[0]), _LEAST_VOL, MAX_VOL)
    kept: FloatArray = keep(frame.axes, start, features)
    error = float(np.abs(frame.left(kept, features)).max())
    if error > _EXACT or not arbitrage_free(frame.axes, kept[None])[0]:
        raise InfeasibleError(f"no surface without arbitrage was found with {described(features)}")
    move = float(np.abs(kept - vols).max())
    if move > _FURTHEST * features[0]:
        raise InfeasibleError(
            f"the one surface without arbitrage found with {described(features)} is no market's: "
            f"{1e4 * move:.0f} bp lie between it and what the model draws"
        )
    return kept


def _within_reach(generator: Generator, features: FloatArray) -> str:
    """The features nearest to these on the way to the trained mean that the trained hull holds, in words."""
    centre, (low, high) = generator.centre, (0.0, 1.0)
    for _ in range(_HALVES):
        middle = 0.5 * (low + high)
        trained = generator.inside((centre + middle * (features - centre))[None])[0]
        low, high = (middle, high) if trained else (low, middle)
    nearest = described(centre + low * (features - centre))
    return f"; on the way to what the model was trained on, {nearest} can be had"


def described(features: FloatArray) -> str:
    """Such as "level 0.2, skew -0.1, curv 0.3, term 0.02"."""
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(NAMES, features.tolist(), strict=True))


def generator_named(model: str | Path) -> Generator:
    """A bundle that generates from all four features. Raises BundleError."""
    generator = load(model)
    if generator.features != NAMES:
        raise BundleError(
            f"model {str(model)!r} controls {', '.join(generator.features)}; expected {', '.join(NAMES)}"
        )
    return generator


def frame_of(
    generator: Generator,
    tenors: Sequence[str | float] | FloatArray | None,
    moneyness: ArrayLike | None,
) -> Frame:
    """The generator on these axes. Raises InputError, LabelError."""
    years = frame_tenors(tenors, generator.tenors)
    axis = frame_moneyness(moneyness, generator.moneyness)
    return _frame(generator, years.tobytes(), axis.tobytes())


@functools.lru_cache(maxsize=64)
def _frame(generator: Generator, years: bytes, axis: bytes) -> Frame:
    return Frame.of(generator, np.frombuffer(years), np.frombuffer(axis))


def feature_rows(*values: ArrayLike) -> FloatArray:
    """[F, 4] of the four features. Raises InputError, UnitsError naming the one and its place."""
    columns = [_column(name, value) for name, value in zip(NAMES, values, strict=True)]
    sizes = {len(column) for column in columns} - {1}
    if len(sizes) > 1:
        shown = ", ".join(f"{name} {len(column)}" for name, column in zip(NAMES, columns, strict=True))
        raise InputError(f"features of different lengths, {shown}; expected the same, or one number")
    rows = np.stack(np.broadcast_arrays(*columns), axis=1)
    for index in np.flatnonzero((rows[:, 0] <= 0) | (rows[:, 0] > PERCENT_ABOVE))[:1]:
        refuse_level(float(rows[index, 0]), "level" if len(rows) == 1 else f"level[{index}]")
    return rows


def refuse_level(level: float, name: str) -> None:
    """Raises UnitsError where a level is in percent points, InputError where it is not above 0."""
    if level > PERCENT_ABOVE:
        points = level <= 100 * PERCENT_ABOVE
        decimal = f"{level / 100:.2f}, not percent points" if points else "0.20"
        raise UnitsError(f"{name} is {level:g}; expected decimal such as {decimal}")
    if level <= 0:
        raise InputError(f"{name} is {level:g}; expected a vol above 0 such as 0.20")


def _column(name: str, value: Any) -> FloatArray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.ndim > 1:
        raise InputError(f"{name} is {value!r}; expected a number such as 0.2, or a vector of them")
    column = np.atleast_1d(array.astype(float))
    bad = np.flatnonzero(~(np.abs(column) <= _LARGEST))
    if len(bad) or not len(column):
        place = name if len(column) <= 1 else f"{name}[{bad[0]}]"
        what = f"{place} is {column[bad[0]]:g}" if len(bad) else f"{name} is empty"
        raise InputError(f"{what}; expected numbers of at most {_LARGEST:g} in size")
    return column


def _latents(
    latent: ArrayLike | None,
    scenario: int | Sequence[int] | None,
    seed: int | None,
    targets: int,
    count: int,
    size: int,
) -> FloatArray:
    """[targets * count, size]."""
    named = {"latent": latent, "scenario": scenario, "seed": seed}
    chosen = [name for name, value in named.items() if value is not None]
    if len(chosen) > 1:
        raise InputError(f"{' and '.join(chosen)} are given; expected at most one of latent, scenario, seed")
    if latent is not None:
        return latents.given(latent, targets * count, size)
    if seed is not None:
        return latents.normals(latents.SEEDS, latents.whole_number("seed", seed), (targets * count, size))
    if scenario is None:
        return np.tile(latents.of_scenarios(range(count), size), (targets, 1))
    z = latents.of_scenarios(scenario, size)
    if len(z) not in (1, targets):
        raise InputError(f"scenario has {len(z)} numbers; expected one, or {targets}, one for each features")
    return np.repeat(np.broadcast_to(z, (targets, size)), count, axis=0)
