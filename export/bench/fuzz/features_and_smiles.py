"""Fuzz of `generate` and `shift`, whose features are exact, and of smiles against brokers' quotes."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

import voladdin as va
from voladdin._typing import FloatArray
from voladdin.surface import MAX_VOL

from .draws import drawn, tenors
from .trial import Trial, same_bits

_PAIRS = ("EURUSD", "USDJPY", "EURJPY", "USDBRL", "AUDUSD", "USDCAD", "USDTRY", "XAUUSD", "GBPCHF")
_EXACT = 1e-10  # of a feature, relative where it is above 1


def generate(rng: np.random.Generator, trial: Trial) -> None:
    """Features as asked, no arbitrage, the same surfaces again."""
    asked = _features(rng)
    options = _generate_options(rng)
    made = trial.call("generate", va.generate, *asked, **options)
    trial.counts["answered"] += len(made)
    for number in range(len(made)):
        surface = made.surface(number)
        trial.expect((surface.vols > 0) & (surface.vols <= MAX_VOL), "generate: no vol")
        trial.expect(va.check(surface).ok, "generate: arbitrage", asked)
        got = va.features(surface).values
        off = np.abs(got - asked) / np.maximum(1.0, np.abs(asked))
        trial.expect(off[np.isfinite(off)] <= _EXACT, "generate: features are off", off)
    again = trial.call("generate", va.generate, *asked, **options)
    trial.expect(same_bits(made.vols, again.vols), "generate differs when repeated")


def _features(rng: np.random.Generator) -> list[float]:
    vertices = _vertices()
    found = rng.dirichlet(np.full(5, 0.5)) @ vertices[rng.integers(len(vertices), size=5)]
    if rng.random() < 0.3:
        found = found + (found - vertices.mean(0)) * rng.uniform(0, 0.6)
    if rng.random() < 0.1:
        found = found * 10 ** rng.uniform(-3, 3, 4)
    return [float(value) for value in found]


@cache
def _vertices() -> FloatArray:
    return np.asarray(va.load("equity").arrays["hull_vertices"])


def _generate_options(rng: np.random.Generator) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if rng.random() < 0.5:
        options["tenors"] = np.sort(rng.uniform(0.08, 0.62, rng.integers(1, 9)))
        options["moneyness"] = np.sort(rng.uniform(-0.27, 0.27, rng.integers(1, 10)))
    kind = rng.random()
    if kind < 0.3:
        options["scenario"] = int(rng.integers(0, 1000))
    elif kind < 0.6:
        options |= {"seed": int(rng.integers(0, 1_000_000_000)), "count": int(rng.integers(1, 5))}
    return options


def shift(rng: np.random.Generator, trial: Trial) -> None:
    """Each feature moved by what was asked, no arbitrage, holes where they were."""
    grid = drawn(rng, (8, 8))
    surface = trial.call("Surface", grid.surface)
    asked = np.where(rng.random(4) < 0.6, rng.normal(0, [0.02, 0.1, 0.5, 0.05]), 0.0)
    before = trial.call("features", va.features, surface).values
    moved = trial.call("shift", va.shift, surface, *map(float, asked))
    trial.counts["answered"] += 1
    trial.expect(np.isnan(moved.vols) == ~surface.observed, "shift: holes are not where they were")
    trial.expect(va.check(moved).ok, "shift: arbitrage")
    after, known = va.features(moved).values, np.isfinite(before)
    off = np.abs(after - before - asked)[known] / np.maximum(1.0, np.abs(before[known]))
    trial.expect(off <= _EXACT, "shift: features are off", off)
    if rng.random() < 0.2:
        again = trial.call("shift", va.shift, surface, *map(float, asked))
        trial.expect(same_bits(again.vols, moved.vols), "shift differs when repeated")


def smile(rng: np.random.Generator, trial: Trial) -> None:
    """ATM and risk reversals to rounding, wings at their deltas, strangles at the broker's price."""
    quotes, options = _smile_quotes(rng)
    made = trial.call("smile", va.smile_from_quotes, *quotes, **options)
    surface = trial.call("surface_from_quotes", va.surface_from_quotes, *quotes, **options)
    trial.counts["answered"] += 1
    if quotes[4] is not None:
        trial.expect(np.isfinite(surface.vols) & (surface.vols > 0), "surface_from_quotes: no vol")
    for row in range(len(quotes[0])):
        _TenorQuoted(made, quotes, options, row).expect(trial)


def _smile_quotes(rng: np.random.Generator) -> tuple[list[Any], dict[str, Any]]:
    count = int(rng.integers(1, 9))
    years = tenors(rng, count, float(rng.choice([0.2, 0.8])))
    atm = np.exp(rng.normal(np.log(0.1), 0.5, count))
    size = rng.choice([0.05, 0.15, 0.4, 1.5])
    reversal, butterfly = atm * rng.normal(0, size, count), atm * rng.normal(0, size / 4, count)
    butterfly = np.abs(butterfly) if rng.random() < 0.9 else butterfly
    outer: list[Any] = [None, None]
    if rng.random() < 0.7:
        outer = [reversal * rng.uniform(1.4, 2.2), butterfly * rng.uniform(2, 5)]
    options: dict[str, Any] = {
        "pair": str(rng.choice(_PAIRS)),
        "butterfly": str(rng.choice(["broker", "smile"])),
    }
    if rng.random() < 0.6:
        rates = [float(rng.normal(0.02, 0.03)) for _ in range(2)]
        options |= {"spot": float(np.exp(rng.normal(0, 2)))}
        options |= dict(zip(("domestic_rates", "foreign_rates"), rates, strict=True))
    return [years, atm, reversal, butterfly, *outer], options


class _TenorQuoted:
    """One tenor of a smile against its quotes, by formulas of its own."""

    def __init__(self, made: Any, quotes: list[Any], options: dict[str, Any], row: int) -> None:
        self.years, self.atm = quotes[0][row], quotes[1][row]
        self.wings = [(0.25, quotes[2][row], quotes[3][row])]
        if quotes[4] is not None:
            self.wings.append((0.10, quotes[4][row], quotes[5][row]))
        self.rule = va.convention(options["pair"], self.years, options["butterfly"])
        self.root = math.sqrt(self.years)
        spot = self.rule.delta == "spot" and "foreign_rates" in options
        self.discount = math.exp(-options["foreign_rates"] * self.years) if spot else 1.0
        self.m, self.vols = made.log_moneyness[row], made.vols[row]
        self.smile = type(made)(made.tenors[row : row + 1], self.m[None], self.vols[None])
        self.inputs = (options, self.years, self.atm, self.wings)

    def expect(self, trial: Trial) -> None:
        """Everything a broker quotes."""
        middle, total = len(self.wings), self.atm * self.root
        at = 0.0 if self.rule.atm == "forward" else total**2 / (-2 if self.rule.premium_adjusted else 2)
        trial.expect(abs(self.m[middle] - at) <= 1e-12 * max(1, abs(at)), "smile: ATM strike", self.inputs)
        trial.expect(abs(self.vols[middle] - self.atm) <= 1e-15, "smile: ATM vol", self.inputs)
        for number, (delta, reversal, butterfly) in enumerate(self.wings, 1):
            put, call = middle - number, middle + number
            off = abs(self.vols[call] - self.vols[put] - reversal)
            trial.expect(off <= 1e-13, "smile: risk reversal", (off, self.inputs))
            for side, node in ((-1, put), (1, call)):
                off = abs(abs(self._delta(side, self.m[node], self.vols[node] * self.root)) - delta)
                trial.expect(off < 1e-10, "smile: delta of a wing", (side, off, self.inputs))
            if self.rule.butterfly == "smile":
                off = abs((self.vols[call] + self.vols[put]) / 2 - self.atm - butterfly)
                trial.expect(off <= 1e-13, "smile: butterfly", (off, self.inputs))
            else:
                self._expect_strangle(trial, delta, self.atm + butterfly)

    def _expect_strangle(self, trial: Trial, delta: float, vol: float) -> None:
        strikes = [self._strike(side, delta, vol * self.root) for side in (-1, 1)]
        if not np.isfinite(strikes).all():
            return
        trial.counts["strangles"] += 1
        under = self.smile.vol(np.array(strikes))[0] * self.root
        pairs = list(zip((-1, 1), strikes, strict=True))
        got = sum(_price(side, m, total) for (side, m), total in zip(pairs, under, strict=True))
        asked = sum(_price(side, m, vol * self.root) for side, m in pairs)
        trial.expect(abs(got - asked) < 1e-11, "smile: price of a strangle", (got - asked, self.inputs))

    def _delta(self, side: int, m: Any, total: float) -> Any:
        d1 = -m / total + total / 2
        if self.rule.premium_adjusted:
            return side * self.discount * np.exp(m) * ndtr(side * (d1 - total))
        return side * self.discount * ndtr(side * d1)

    def _strike(self, side: int, delta: float, total: float) -> float:
        """ln(K/F); NaN where no strike has that delta. The call's, premium-adjusted, is the higher of two."""
        if not self.rule.premium_adjusted:
            return float(-side * ndtri(delta / self.discount) * total + total**2 / 2)
        low, high = -12 * total - 1, 14 * total + 1
        if side > 0:
            grid = np.linspace(-10 * total, 12 * total, 4001)
            low = float(grid[np.argmax(self._delta(1, grid, total))])

        def off(m: float) -> float:
            return float(abs(self._delta(side, m, total))) - delta

        if off(low) * off(high) > 0:
            return math.nan
        return float(brentq(off, low, high, xtol=1e-15, rtol=1e-14))


def _price(side: int, m: float, total: float) -> float:
    """Of a call (+1) or put (-1), in forwards."""
    d1 = -m / total + total / 2
    return float(side * (ndtr(side * d1) - math.exp(m) * ndtr(side * (d1 - total))))
