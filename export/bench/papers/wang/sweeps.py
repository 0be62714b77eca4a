"""Figures 5 to 10, 12 to 15, 17 to 20, 23 to 35 and table 2: one feature or one latent moved at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from voladdin._typing import FloatArray
from voladdin.feature_map import NAMES

from ...generation.control import BASE
from ...generation.models import OURS
from ...generation.training_surfaces import TrainingSurfaces
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .generators_of import PAPER_TUNED, asked, features_of, generator, ran, surfaces_of

SLICES = 0, 14, 27  # tenors 0.10, 0.36 and 0.60
STEPS = np.array([-8.0, -4.0, 0.0, 4.0, 8.0])
LEVELS, SKEWS = (0.0983, 0.3430, 0.5000), (-0.5642, -0.1097, 0.3881)
CURVES, TERMS = (-0.5757, 0.1850, 1.3751), (-0.1841, 0.0069, 0.2497)
PAIR = OURS, PAPER_TUNED


def _smiles(axis: Any, found: TrainingSurfaces, vols: FloatArray, title: str) -> None:
    grid = found.grid(vols[None])[0]
    for row in SLICES:
        axis.plot(found.moneyness, grid[row], label=f"{found.tenors[row]:.2f}")
    axis.set_title(title, fontsize=7)


def sweep(key: str, count: int, feature: str, values: Sequence[float], z2: float, bench: Bench) -> Outcome:
    """One feature takes the paper's values, latents fixed: given and generated, and smiles of each."""
    found, place, rows = surfaces_of(bench), NAMES.index(feature), []
    with panels(bench, key, len(PAIR), len(values)) as axes:
        for row, name in enumerate(PAIR):
            network = generator(bench, name, count)
            z = np.zeros((len(values), network.latent_size))
            z[:, 1] = z2
            vols = network.vols(asked(network, np.array(values), feature), z)
            got = features_of(found, vols)[:, place]
            rows.append([name, *(f"{a:.4f} / {b:.4f}" for a, b in zip(values, got, strict=True))])
            for column, value in enumerate(values):
                _smiles(axes[row, column], found, vols[column], f"{name}: {feature} {value:g}")
        axes[0, 0].legend(fontsize=5)
    table = Table("Given / generated", ("generator", *map(str, range(1, len(values) + 1))), rows)
    ours = f"voladdin {', '.join(rows[0][1:])}; {PAPER_TUNED} {', '.join(rows[1][1:])}"
    return Outcome(ours, ran(bench), [table], [key])


def traversal(key: str, count: int, feature: str, bench: Bench) -> Outcome:
    """The latent that follows `feature` most goes from -8 to 8: features, and their correlation with it."""
    found, rows, shown = surfaces_of(bench), [], []
    with panels(bench, key, len(PAIR), len(STEPS)) as axes:
        for row, name in enumerate(PAIR):
            network = generator(bench, name, count)
            unit, vols = _follower(bench, name, count, feature)
            got = features_of(found, vols)
            correlations = [_pearson(STEPS, column) for column in got.T]
            words = [
                f"r with {NAMES[k]} {r:.3f}, " for k, r in enumerate(correlations) if k not in network.control
            ]
            shown.append(f"{name}, z{unit + 1}: {''.join(words)}")
            drift = np.ptp(got[:, list(network.control)], axis=0).max()
            rows += [[f"{name}, {NAMES[k]}", *(f"{v:.4f}" for v in got[:, k])] for k in range(len(NAMES))]
            shown[-1] += f"controlled ones drift {drift:.1e}"
            for column, step in enumerate(STEPS):
                _smiles(axes[row, column], found, vols[column], f"{name}: z{unit + 1} = {step:g}")
    table = Table("Features along the latent", ("", *(f"{step:g}" for step in STEPS)), rows)
    return Outcome("; ".join(shown), f"{ran(bench)}; a unit's number is a network's own", [table], [key])


def _follower(bench: Bench, name: str, count: int, feature: str) -> tuple[int, FloatArray]:
    """The latent along which the feature moves most, and its surfaces [5, N]."""
    network, found = generator(bench, name, count), surfaces_of(bench)
    y = np.tile(np.array(BASE)[list(network.control)], (len(STEPS), 1))
    ways = []
    for unit in range(network.latent_size):
        z = np.zeros((len(STEPS), network.latent_size))
        z[:, unit] = STEPS
        ways.append(network.vols(y, z))
    moves = [np.ptp(features_of(found, vols)[:, NAMES.index(feature)]) for vols in ways]
    return int(np.argmax(moves)), ways[int(np.argmax(moves))]


def _pearson(a: FloatArray, b: FloatArray) -> float:
    """0 where one of them does not move."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(b) > 1e-12 else 0.0


_SWEEPS = (  # places, features, which, values, z2, what the paper generated
    (("figure 5", "figure 23"), 1, "level", LEVELS, 0.0, "9.83 / 9.86, 34.30 / 34.39, 50.00 / 50.12%"),
    (("figure 6", "figure 24"), 1, "level", LEVELS, -6.0, "9.83 / 9.83, 34.30 / 34.31, 50.00 / 50.12%"),
    (("figure 12", "figure 27"), 3, "level", LEVELS, 0.0, "9.83 / 9.83, 34.30 / 34.31, 50.00 / 50.01%"),
    (
        ("figure 13", "figure 28"),
        3,
        "skew",
        SKEWS,
        0.0,
        "-0.5642 / -0.5641, -0.1097 / -0.1096, 0.3881 / 0.3882",
    ),
    (
        ("figure 14", "figure 35"),
        3,
        "term",
        TERMS,
        0.0,
        "-0.1841 / -0.1843, 0.0069 / 0.0071, 0.2497 / 0.2500",
    ),
    (("figure 17", "figure 30"), 4, "level", LEVELS, 0.0, "9.83 / 9.82, 34.30 / 34.28, 50.00 / 49.96%"),
    (
        ("figure 18", "figure 31"),
        4,
        "skew",
        SKEWS,
        0.0,
        "-0.5642 / -0.5669, -0.1097 / -0.1095, 0.3881 / 0.3863",
    ),
    (
        ("figure 19", "figure 32"),
        4,
        "curv",
        CURVES,
        0.0,
        "-0.5757 / -0.6093, 0.1850 / 0.1850, 1.3751 / 1.3754",
    ),
    (
        ("figure 20", "figure 33"),
        4,
        "term",
        TERMS,
        0.0,
        "-0.1841 / -0.1842, 0.0069 / 0.0080, 0.2497 / 0.2503",
    ),
)
_TRAVERSALS = (
    (
        ("figure 7", "figure 8", "figure 25"),
        1,
        "skew",
        "z2: r -0.991 with slope, -0.958 with term, 0.021 with curvature",
    ),
    (("figure 9", "figure 10", "figure 26"), 1, "curv", "z4: curvature 1.17 to 0.16, term -0.16 to 0.17"),
    (("figure 15", "figure 29"), 3, "curv", "curvature 2.575 to -0.250, controlled ones within 7e-4"),
    (("table 2", "figure 34"), 4, "level", "level within 2e-4, slope 1.2e-3, curvature 1.5e-3, term 5e-4"),
)


def _key(place: str) -> str:
    return f"004-{place.replace(' ', '-')}"


ITEMS = (
    *(
        Item(_key(places[0]), places, f"{feature} swept, {count} controlled, given / generated", printed,
             partial(sweep, _key(places[0]), count, feature, values, z2))
        for places, count, feature, values, z2, printed in _SWEEPS
    ),
    *(
        Item(_key(places[0]), places, f"latent traversal, {count} controlled", printed,
             partial(traversal, _key(places[0]), count, feature))
        for places, count, feature, printed in _TRAVERSALS
    ),
)  # fmt: skip
