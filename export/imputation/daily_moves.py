"""A history's daily moves as a bundle: `python -m export.imputation.daily_moves HISTORY --output FOLDER`.

What a scenario draws from (`voladdin.generation.simulating`): moves, and where among surfaces they are made.
No move of the history is in it. Each is a draw (a smoothed bootstrap): the move of a day chosen by its
recency, mixed with those of a few of its underlying's days nearest to it, brought to its size; the shares are
drawn at random and their squares sum to 1, so that covariances stay. Half-life and width were chosen on 2016
and 2017 of the currency history, the weight of other underlyings' days on 2015 to 2017
(`voladdin bench scenarios --year 2016`), each from the years before it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voladdin._typing import FloatArray
from voladdin.bundles.moves import Moves

from ..bundle_writer import write_files
from ..history import Days, read_history
from .density import complete, growth

HALF_LIFE, KERNEL = 2.5, (1.5, 1e-3, 0.3)  # years; width, floor, and weight of another underlying's day
SCORES, NOISE = 6, 0.05
MOST = 6_000  # days, the latest
DRAWS, SEED = 4_000, 20161231
# days near to a drawn one, how many of them are mixed in, the spread of their shares
NEIGHBOURS, MIXED_IN, SHARE_STD = 20, 3, 0.2


def fit_moves(days: Days) -> dict[str, FloatArray]:
    """The arrays of `voladdin.bundles.moves`."""
    recency = 0.5 ** (days.age / HALF_LIFE)
    logs = complete(days.logs, recency)
    first, later = days.steps()
    latest = np.sort(np.argsort(days.date[first], kind="stable")[-MOST:])
    first, later = first[latest], later[latest]
    origin, basis, scores = _place(logs, recency, first)
    _, whose = np.unique(days.underlying, return_inverse=True)
    places, changes, whose = _drawn(scores, logs[later] - logs[first], recency[first], whose[first])
    return {
        "tenors": days.tenors,
        "deltas": days.deltas,
        "origin": origin,
        "basis": basis,
        "noise": np.array(NOISE),
        "scores": places.astype(np.float16),
        "weight": np.full(len(places), 1.0 / len(places)),
        "whose": whose.astype(float),
        "changes": changes.astype(np.float16),
        "kernel": np.array(KERNEL),
        "growth": np.array(growth(days, logs)),
        "short": np.array(_short(days, logs[later] - logs[first])),
    }


def _place(
    logs: FloatArray, recency: FloatArray, chosen: np.ndarray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """origin [c], basis [c, Q] and scores [S, Q] of the chosen days."""
    share = recency / recency.sum()
    origin = share @ logs
    centred = logs - origin
    values, vectors = np.linalg.eigh((centred * share[:, None]).T @ centred)
    top = slice(-1, -min(SCORES, len(values)) - 1, -1)
    basis = vectors[:, top] * np.sqrt(np.maximum(values[top], 1e-8))
    inner = basis.T @ basis + NOISE**2 * np.eye(basis.shape[1])
    return origin, basis, centred[chosen] @ basis @ np.linalg.inv(inner)


def _drawn(
    scores: FloatArray, changes: FloatArray, recency: FloatArray, whose: np.ndarray
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Scores [DRAWS, Q] and moves [DRAWS, c] that are like the days' [S, Q] and [S, c], and none of them; and
    whose [DRAWS] they are, as the days' [S]."""
    rng = np.random.default_rng(SEED)
    days = rng.choice(len(scores), DRAWS, p=recency / recency.sum())
    beside = rng.permuted(_beside(scores, whose, days), axis=1)[:, :MIXED_IN]
    share = np.concatenate([np.ones((DRAWS, 1)), SHARE_STD * rng.standard_normal(beside.shape)], axis=1)
    share /= np.sqrt((share**2).sum(1, keepdims=True))
    mixed = np.concatenate([days[:, None], beside], axis=1)
    places = np.einsum("dn,dnq->dq", share**2, scores[mixed])
    size = np.maximum(np.sqrt((changes**2).mean(1)), 1e-5)
    share *= size[days][:, None] / size[mixed]  # quiet days stay quiet
    return places, np.einsum("dn,dnc->dc", share, changes[mixed]), whose[days]


def _beside(scores: FloatArray, whose: np.ndarray, days: np.ndarray) -> np.ndarray:
    """[DRAWS, NEIGHBOURS - 1] the days nearest to each of `days`, of its underlying; fewer where one has."""
    from scipy.spatial import KDTree

    near = min(NEIGHBOURS, int(np.unique(whose, return_counts=True)[1].min()))
    found = np.zeros((len(days), near), dtype=int)
    for name in np.unique(whose[days]):
        own, mine = np.flatnonzero(whose == name), whose[days] == name
        found[mine] = own[KDTree(scores[own]).query(scores[days[mine]], near)[1].reshape(-1, near)]
    return found[:, near > 1 :]


def _short(days: Days, changes: FloatArray) -> float:
    """Power with which the middle half of changes falls with the tenor, over the two shortest at ATM."""
    if len(days.tenors) < 2:
        return 0.0
    middle = int(np.abs(days.deltas - 0.5).argmin())
    atm = changes.reshape(len(changes), *days.vols.shape[1:])[:, :2, middle]
    spread = np.subtract(*np.quantile(atm, [0.75, 0.25], axis=0))
    power = np.log(spread[0] / spread[1]) / np.log(days.tenors[1] / days.tenors[0])
    return float(np.clip(power, 0.0, 0.5))


def write_moves(days: Days, folder: Path, name: str) -> Path:
    """The bundle of a history's moves in `folder`."""
    arrays = fit_moves(days)
    card = {
        "grid": {"tenors_years": days.tenors.round(6).tolist(), "call_deltas": days.deltas.tolist()},
        "units": "changes of log vols from a day to the next quoted; forward call deltas; tenors in years",
        "training": {
            "underlyings": sorted({str(u) for u in days.underlying}),
            "days": len(arrays["changes"]),
            "first": str(days.date.min()),
            "last": str(days.date.max()),
            "half_life": HALF_LIFE,
        },
        "metrics": {"growth": float(arrays["growth"]), "short": float(arrays["short"])},
    }
    return write_files(folder, name, Moves, arrays, {}, card)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the moves of a history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history")
    parser.add_argument("--output", type=Path, required=True, help="such as voladdin/models/fx-moves")
    options = parser.parse_args(argv)
    written = write_moves(
        read_history(options.history), options.output, options.output.name.removesuffix(Moves.SUFFIX)
    )
    print(f"moves in {written}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
