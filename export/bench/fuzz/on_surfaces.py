"""Fuzz of `impute`, `check` and `repair`, against what they promise and against linear programs."""

from __future__ import annotations

from typing import Any

import numpy as np

import voladdin as va
from voladdin.errors import InfeasibleError
from voladdin.surface import MAX_VOL

from ..repair.truth import least_distance, prices
from .draws import LEAST_VOL, MOST_VOL, DrawnSurface, drawn
from .trial import Trial, same_bits

_ARRAYS = ("filled", "mean", "low", "high", "std", "zscore")
_FREE, _FOUND = 1e-11, 1e-8  # of the linear program: no arbitrage, and some
_FAR = 5.0  # ln(K/F) to which the program's own rounding is small
_APART = 1e-7  # strikes nearer than that are one to the program or not, by its rounding


def impute(rng: np.random.Generator, trial: Trial) -> None:
    """Quotes to the bit, a band around each fill, no arbitrage added, the same answer again."""
    grid = drawn(rng, (40, 25) if rng.random() < 0.02 else (12, 15))
    surface = trial.call("Surface", grid.surface)
    options: dict[str, Any] = {"coverage": float(rng.choice([0.9, 0.5, 0.99, 1e-9, 1 - 1e-12]))}
    if rng.random() < 0.35:
        options["prior"] = trial.call("Surface", grid.surface, _prior(rng, grid))
        options["prior_age"] = float(np.exp(rng.uniform(np.log(1e-3), np.log(3650))))
    result = trial.call("impute", va.impute, surface, **options)
    trial.counts["answered"] += 1
    _expect_numbers(trial, surface, result)
    if "still add" not in result.model:
        _expect_no_arbitrage(trial, surface, result)
    if rng.random() < 0.2:
        again = trial.call("impute", va.impute, surface, **options)
        alike = [same_bits(getattr(result, name), getattr(again, name)) for name in _ARRAYS]
        trial.expect(alike, "impute differs when repeated")


def _prior(rng: np.random.Generator, grid: DrawnSurface) -> Any:
    anything = np.exp(rng.uniform(np.log(LEAST_VOL), np.log(MOST_VOL), grid.full.shape))
    near = grid.full * np.exp(rng.normal(0, rng.choice([0.003, 0.05, 0.5]), grid.full.shape))
    vols = np.clip(near if rng.random() < 0.8 else anything, LEAST_VOL, MOST_VOL)
    return np.where(rng.random(vols.shape) < rng.choice([0, 0, 0.3, 0.9]), np.nan, vols)


def _expect_numbers(trial: Trial, surface: va.Surface, result: va.Imputation) -> None:
    seen = surface.observed
    for name in ("filled", "mean", "low", "high"):
        values = getattr(result, name)
        trial.expect(np.isfinite(values) & (values > 0), f"impute: {name} is no vol")
        trial.expect(same_bits(values[seen], surface.vols[seen]), f"impute: {name} is not the quote")
    trial.expect(np.isfinite(result.std), "impute: std is not finite")
    trial.expect((result.std > 0) == ~seen, "impute: std is 0 on a fill, or not on a quote")
    trial.expect((result.low <= result.filled) & (result.filled <= result.high), "impute: fill outside band")
    trial.expect((result.low <= result.mean) & (result.mean <= result.high), "impute: mean outside band")
    trial.expect(result.filled <= MAX_VOL, "impute: fill above 1000%")
    trial.expect(np.isfinite(result.zscore) == seen, "impute: z-scores are not those of the quotes")
    alone = bool((result.disputed & seen).any())
    trial.expect(seen | alone | ~result.disputed, "impute: a hole is disputed and no quote is")


def _expect_no_arbitrage(trial: Trial, surface: va.Surface, result: va.Imputation) -> None:
    kept = result.filled
    if not trial.call("check", va.check, surface).ok:
        kept = np.where(result.disputed, np.nan, kept)
    if np.isfinite(kept).any():
        found = trial.call("check", va.check, surface.replace(kept))
        trial.expect(found.ok, "impute adds arbitrage", found.violations[:1])


def check(rng: np.random.Generator, trial: Trial) -> None:
    """The linear program's verdict, whichever way round the strikes are."""
    grid = drawn(rng, (6, 7))
    surface = trial.call("Surface", grid.surface)
    found = trial.call("check", va.check, surface)
    trial.counts["answered"] += 1
    trial.expect(np.isnan(found.map) == ~surface.observed, "check: the map's holes are not the surface's")
    for one in found.violations:
        trial.expect(np.isfinite(one.size) and one.size > 1e-10, "check: size of a violation", one.size)
        trial.expect(np.isfinite(one.vol_bp) and one.vol_bp >= 0, "check: vol_bp of a violation", one.vol_bp)
        trial.expect([surface.observed[cell] for cell in one.cells], "check: a violation names a hole")
    if rng.random() < 0.2:
        trial.call("diagnostics", lambda: found.diagnostics)
    if rng.random() < 0.3:
        axes = {k: v if k in ("tenors", "forwards") else v[..., ::-1] for k, v in grid.axes.items()}
        mirrored = trial.call("Surface", DrawnSurface(grid.vols[:, ::-1], grid.full, axes).surface)
        trial.expect(trial.call("check", va.check, mirrored).ok == found.ok, "check: differs when mirrored")
    distance = _distance(trial, surface)
    if distance is not None:
        trial.expect(not (found.ok and distance > _FOUND), "check passes, the program does not", distance)
        size = max((one.size for one in found.violations), default=0.0)
        trial.expect(not (size > 1e-7 and distance < _FREE), "check finds what the program does not", size)


def repair(rng: np.random.Generator, trial: Trial) -> None:
    """No arbitrage left, holes and fixed quotes as they were, features kept where asked."""
    grid = drawn(rng, (8, 8))
    surface = trial.call("Surface", grid.surface)
    options = _repair_options(rng, surface)
    result = trial.call("repair", _or_none, surface, options)
    if result is None:
        trial.counts["infeasible"] += 1
        trial.expect("fixed" in options or "method" in options, "repair finds nothing though all may move")
        return
    trial.counts["answered"] += 1
    _expect_repaired(trial, surface, result, options)
    if rng.random() < 0.15:
        again = trial.call("repair", va.repair, surface, **options)
        trial.expect(same_bits(again.surface.vols, result.surface.vols), "repair differs when repeated")
    distance = _distance(trial, result.surface)
    trial.expect(distance is None or distance <= _FOUND, "repair: the program still finds", distance)


def _or_none(surface: va.Surface, options: dict[str, Any]) -> va.Repair | None:
    try:
        return va.repair(surface, **options)
    except InfeasibleError:
        return None


def _repair_options(rng: np.random.Generator, surface: va.Surface) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if rng.random() < 0.2:
        options["fixed"] = (rng.random(surface.shape) < 0.2) & surface.observed
    if rng.random() < 0.2:
        half = surface.vols * rng.uniform(0, 0.05, surface.shape)
        options |= {"bid": surface.vols - half, "ask": surface.vols + half}
    if rng.random() < 0.2:
        options["keep_features"] = True
    elif rng.random() < 0.12:
        options["method"] = str(rng.choice(["prices", "envelope", "latent"]))
    return options


def _expect_repaired(trial: Trial, old: va.Surface, result: va.Repair, options: dict[str, Any]) -> None:
    new, seen = result.surface.vols, old.observed
    trial.expect(result.ok and va.check(result.surface).ok, "repair: arbitrage is left")
    trial.expect(np.isnan(new) == ~seen, "repair: holes are not where they were")
    trial.expect((new[seen] > 0) & (new[seen] <= MAX_VOL), "repair: no vol")
    trial.expect((result.change[seen] == 0) == (new[seen] == old.vols[seen]), "repair: change is not so")
    if "fixed" in options:
        fixed = options["fixed"]
        trial.expect(same_bits(new[fixed], old.vols[fixed]), "repair: a fixed quote moved")
    if result.method == "features":
        before, after = va.features(old).values, va.features(result.surface).values
        known = np.isfinite(before)
        off = np.abs(after - before)[known] / np.maximum(1.0, np.abs(before[known]))
        trial.expect(off <= 1e-10, "repair: features moved", off.max(initial=0.0))


def _distance(trial: Trial, surface: va.Surface) -> float | None:
    """The linear program's distance from no arbitrage, where its own rounding is small."""
    with np.errstate(over="ignore"):
        ranks, strikes, calls = prices(surface)
    if not ((strikes > np.exp(-_FAR)) & (strikes < np.exp(_FAR))).all():
        return None
    gaps = np.diff(np.sort(strikes))
    if ((gaps > 0) & (gaps < _APART)).any():
        return None
    try:
        distance = least_distance(ranks, strikes, calls)
    except AssertionError:
        trial.counts["programs that failed"] += 1
        return None
    trial.counts["programs"] += 1
    return distance
