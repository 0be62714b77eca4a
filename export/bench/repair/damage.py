"""Surfaces with arbitrage for `bench repair`: planted damage on clean history, and published surfaces."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import voladdin as va
from export.simulation.equity import MONEYNESS, TENORS, simulate_equity
from voladdin._typing import FloatArray
from voladdin.bundles.generator import load

from ..data import DATA, History, load_history

NOISE = (2, 5, 10, 20)  # percent
STALE_DAYS = 250
VOGT_MONEYNESS = np.linspace(-1.5, 1.5, 25)
EXTREME = 1e-4  # of the forward, what the largest trade against a deformed surface locks in
WIDER = 0.25  # than the trained ranges of features, in all
_LEAST_VOL = 0.02

Damage = Callable[[FloatArray, FloatArray, np.random.Generator], FloatArray]


@dataclass(frozen=True)
class DamageCase:
    """Surfaces with arbitrage by one kind of damage: the first of `violating` among `drawn`."""

    name: str
    surfaces: tuple[va.Surface, ...]
    violating: int
    drawn: int


def _case(name: str, drawn: Sequence[va.Surface], keep: int) -> DamageCase:
    bad = [surface for surface in drawn if not va.check(surface).ok]
    return DamageCase(name, tuple(bad[:keep]), len(bad), len(drawn))


def noise(percent: float) -> Damage:
    """Every vol times exp(percent/100 z), z standard normal and independent."""

    def damage(vols: FloatArray, tenors: FloatArray, rng: np.random.Generator) -> FloatArray:
        return np.asarray(vols * np.exp(percent / 100 * rng.standard_normal(vols.shape)))

    return damage


def fat_finger(vols: FloatArray, tenors: FloatArray, rng: np.random.Generator) -> FloatArray:
    """One vol half as large again, or two thirds."""
    wrong = vols.copy()
    wrong[rng.integers(vols.shape[0]), rng.integers(vols.shape[1])] *= rng.choice([1.5, 1 / 1.5])
    return wrong


def crossed_tenors(vols: FloatArray, tenors: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The total variance of one tenor is 3% below that of the tenor before, at every delta."""
    row = int(rng.integers(1, len(tenors)))
    crossed = vols.copy()
    crossed[row] = vols[row - 1] * np.sqrt(0.97 * tenors[row - 1] / tenors[row])
    return crossed


PLANTED: dict[str, Damage] = {
    **{f"noise {percent}%": noise(percent) for percent in NOISE},
    "fat finger": fat_finger,
    "crossed tenors": crossed_tenors,
}


def clean_days(history: History, count: int) -> Iterator[tuple[int, int, va.Surface]]:
    """(pair, day, surface) of the first `count` without arbitrage, pair after pair, of 4 `count` days tried.

    The days tried are spread over the history: where few have arbitrage, those found are its first years'.
    """
    found = 0
    for day in np.linspace(STALE_DAYS, len(history.dates) - 1, 4 * count).astype(int).tolist():
        pair = found % len(history.pairs)
        surface = va.Surface(history.vols[pair, day], history.axes.tenors, deltas=history.axes.deltas)
        if found < count and va.check(surface).ok:
            found += 1
            yield pair, day, surface


def with_strikes(surface: va.Surface) -> va.Surface:
    """A delta grid as a grid of the strikes its deltas have, forwards 1."""
    strikes = np.exp(surface.quoted_moneyness())
    return va.Surface(surface.vols, surface.tenors, strikes=strikes, forwards=np.ones(len(surface.tenors)))


def planted_cases(history: History, drawn: int, keep: int, seed: int) -> Iterator[DamageCase]:
    """Each kind of damage on `drawn` clean days, as a delta grid and as a grid of these days' strikes."""
    days = list(clean_days(history, drawn))
    clean = [surface for _, _, surface in days]
    grids = {"deltas": clean, "strikes": [with_strikes(surface) for surface in clean]}
    damaged: dict[str, list[FloatArray]] = {}
    for number, (name, damage) in enumerate(PLANTED.items()):
        rng = np.random.default_rng([seed, number])
        damaged[name] = [damage(surface.vols, surface.tenors, rng) for surface in clean]
    damaged["stale row"] = _stale_rows(history, days, np.random.default_rng([seed, len(PLANTED)]))
    for name, vols in damaged.items():
        for axis, surfaces in grids.items():
            wrong = [surface.replace(new) for surface, new in zip(surfaces, vols, strict=True)]
            yield _case(f"{name}, 8 x 5 {axis}", wrong, keep)


def _stale_rows(
    history: History, days: Sequence[tuple[int, int, va.Surface]], rng: np.random.Generator
) -> list[FloatArray]:
    """One tenor of each surface is that of STALE_DAYS before."""
    stale = []
    for pair, day, clean in days:
        row = rng.integers(len(clean.tenors))
        stale.append(clean.vols.copy())
        stale[-1][row] = history.vols[pair, day - STALE_DAYS, row]
    return stale


def published_cases() -> Iterator[DamageCase]:
    """The DAX surface, the index sample and the Vogt slice, as published."""
    for name in ("dax_surface", "index_sample_surface"):
        surface = strike_file(DATA / f"{name}.csv")
        yield _case(f"{name}, {surface.shape[0]} x {surface.shape[1]} strikes", [surface], 1)
    values = json.loads((DATA / "reference_values.json").read_text("utf-8"))["svi_vogt_butterfly_arb"]
    surface = svi_slice(*(float(values[name]) for name in ("a", "b", "rho", "m", "sigma", "T")))
    yield _case(f"Vogt slice, 1 x {surface.shape[1]} moneyness", [surface], 1)


def svi_slice(a: float, b: float, rho: float, m: float, sigma: float, tenor: float) -> va.Surface:
    """One tenor of w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)) on VOGT_MONEYNESS."""
    shifted = VOGT_MONEYNESS - m
    w = a + b * (rho * shifted + np.sqrt(shifted**2 + sigma**2))
    return va.Surface(np.sqrt(w / tenor)[None], [tenor], moneyness=VOGT_MONEYNESS)


def strike_file(path: Path) -> va.Surface:
    """A surface of a file with columns tenor_years, strike, forward, vol; as many strikes at each tenor."""
    with path.open(newline="") as file:
        rows = sorted(
            (float(r["tenor_years"]), float(r["strike"]), float(r["forward"]), float(r["vol"]))
            for r in csv.DictReader(file)
        )
    tenors = sorted({row[0] for row in rows})
    table = np.array(rows).reshape(len(tenors), -1, 4)
    return va.Surface(table[..., 3], tenors, strikes=table[..., 1], forwards=table[:, 0, 2])


def large_cases(count: int, seed: int) -> Iterator[DamageCase]:
    """Heston and SABR surfaces on paper 004's 28 x 28 grid: 2% noise, and bent smoothly beyond arbitrage."""
    vols = simulate_equity(count, seed=seed)[0]
    mixed = [surface for pair in zip(*vols.values(), strict=False) for surface in pair][:count]
    clean = [va.Surface(surface, TENORS, moneyness=MONEYNESS) for surface in mixed]
    rng = np.random.default_rng([seed, 1000])
    noisy = [surface.replace(noise(2)(surface.vols, TENORS, rng)) for surface in clean]
    yield _case("noise 2%, 28 x 28 moneyness", noisy, count)
    yield _case("smooth deformation, 28 x 28 moneyness", [bent(surface, rng) for surface in clean], count)


def generated_case(drawn: int, keep: int, seed: int) -> DamageCase:
    """Surfaces of the shipped generator before its repair, standard normal latents.

    Features are uniform in the box of the trained ranges widened by WIDER; surfaces with a vol of 0 or less
    are left out.
    """
    generator = load()
    rng = np.random.default_rng([seed, 2000])
    low, high = generator.ranges
    margin = WIDER * (high - low) / 2
    features = rng.uniform(low - margin, high + margin, (drawn, len(low)))
    vols = generator.vols(features, rng.standard_normal((drawn, generator.latent_size)))
    positive = vols[(vols > 0).all(axis=(1, 2))]
    surfaces = [va.Surface(grid, generator.tenors, moneyness=generator.moneyness) for grid in positive]
    return _case("generated, extreme features, 28 x 28 moneyness", surfaces, keep)


def bent(clean: va.Surface, rng: np.random.Generator) -> va.Surface:
    """The surface plus a random polynomial of degree 2 in moneyness and tenor.

    The polynomial grows until the largest trade locks in EXTREME of the forward; vols stay above 2%.
    """
    tau, m = np.meshgrid(*(np.linspace(-1, 1, n) for n in clean.shape), indexing="ij")
    shapes = np.stack([m, m**2, tau, m * tau, tau**2])
    direction = clean.vols.mean() * np.tensordot(rng.standard_normal(len(shapes)), shapes, 1)
    size, found = 0.01, clean
    while max((violation.size for violation in va.check(found).violations), default=0.0) < EXTREME:
        found = clean.replace(np.maximum(clean.vols + size * direction, _LEAST_VOL))
        size *= 1.1
    return found


def cases(drawn: int, keep: int, large: int, seed: int) -> Iterator[DamageCase]:
    """All cases, `keep` surfaces of each planted damage, `large` of 28 x 28; needs the market data."""
    yield from planted_cases(load_history(), drawn, keep, seed)
    yield from published_cases()
    if large:
        yield from large_cases(large, seed)
        yield generated_case(drawn, large, seed)
