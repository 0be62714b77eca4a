"""`voladdin bench history FILE`: how well a model of a desk's history fills the desk's own last year.

The model is trained on the days before, and asked for hidden cells of the last year; beside it are the
universal model alone, which has not seen the desk, and a thin-plate spline. Also by tenor and column, and
coverage.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri

import voladdin as va
from export.imputation.loop import Config
from export.imputation.train import train_bundle
from voladdin._typing import BoolArray, FloatArray
from voladdin.errors import InputError
from voladdin.labels import tenor_label

from ...history import Days, read_history
from ..classical.interpolators import linear, thin_plate
from ..data import DeltaAxes
from ..masks import all_masks
from ..report import rows_table

OURS, UNIVERSAL, SPLINE = "own model", "universal", "thin plate"
_YEAR = np.timedelta64(365, "D")


@dataclass(frozen=True)
class MaskErrors:
    """Of one mask: errors in bp [n, T, K] by method, NaN where nothing was hidden; covered: by our band."""

    errors: dict[str, FloatArray]
    covered: FloatArray


def last_year(days: Days) -> tuple[Days, Days]:
    """The days before the last year, or the last fifth of a shorter history, and those since."""
    dates = np.unique(days.date)
    cut = max(dates[-1] - _YEAR, dates[int(0.8 * (len(dates) - 1))])
    if (days.date < cut).sum() < 60:
        raise InputError(f"{(days.date < cut).sum()} days before the last fifth; expected at least 60")
    return days.keep(days.date < cut), days.keep(days.date >= cut)


def answers(held: Days, model: str | Path, mask: BoolArray) -> MaskErrors:
    """mask: [n, T, K] True where hidden; cells that the history lacks are neither shown nor scored."""
    shown = np.where(mask, np.nan, held.vols)
    usable = np.asarray(np.isfinite(shown).any((1, 2)))
    truth = np.where(mask & usable[:, None, None], held.vols, np.nan)
    shown = np.where(usable[:, None, None], shown, held.vols)
    ours = va.impute_batch(shown, held.tenors, deltas=held.deltas, model=model)
    others = va.impute_batch(shown, held.tenors, deltas=held.deltas, model="universal")
    found = {OURS: ours.filled, UNIVERSAL: others.filled, SPLINE: _splines(shown, held)}
    inside = np.where(np.isfinite(truth), (ours.low <= truth) & (truth <= ours.high), np.nan)
    return MaskErrors({name: 1e4 * np.abs(vols - truth) for name, vols in found.items()}, inside)


def _splines(shown: FloatArray, held: Days) -> FloatArray:
    return np.stack([_spline(held, vols) for vols in shown])


def _spline(held: Days, vols: FloatArray) -> FloatArray:
    x = -ndtri(held.deltas) * np.nanmedian(vols) * np.sqrt(held.tenors)[:, None]
    try:
        return thin_plate(held.tenors, x, vols)
    except (np.linalg.LinAlgError, ValueError):  # quotes on one line
        return linear(held.tenors, x, vols)


def tables(held: Days, model: str | Path) -> Iterator[str]:
    """The error table, coverage, and errors by tenor and by column."""
    masks = all_masks(len(held), DeltaAxes(held.tenors, held.deltas))
    found = {name: answers(held, model, mask) for name, mask in masks.items()}
    header = ["method", *masks]
    rows = [
        [method, *(f"{np.nanmean(a.errors[method]):.1f}" for a in found.values())]
        for method in (OURS, UNIVERSAL, SPLINE)
    ]
    rows.append(["90% band covers", *(f"{100 * np.nanmean(a.covered):.0f}%" for a in found.values())])
    yield rows_table(f"Mean absolute error of hidden cells of {len(held)} days, bp of vol", header, rows)
    half = found["50%"].errors
    tenors = [tenor_label(t) for t in held.tenors.tolist()]
    deltas = [
        f"{100 * d:g}C" if d < 0.5 else "ATM" if d == 0.5 else f"{100 * (1 - d):g}P" for d in held.deltas
    ]
    for title, labels, axis in (("tenor", tenors, (0, 2)), ("column", deltas, (0, 1))):
        rows = [[m, *(f"{e:.1f}" for e in np.nanmean(half[m], axis=axis))] for m in (OURS, UNIVERSAL, SPLINE)]
        yield rows_table(f"By {title}, half of the cells hidden", ["method", *labels], rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser("voladdin bench history", description=__doc__)
    parser.add_argument("history", help="as `voladdin train` takes it")
    parser.add_argument("--steps", type=int, default=2000, help="of training (default: 2000)")
    parser.add_argument("--every", type=int, default=2, help="score every so many days (default: 2)")
    parser.add_argument("--folder", type=Path, help="keeps the model, and takes it up where it is there")
    options = parser.parse_args(argv)
    before, since = last_year(read_history(options.history))
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "own"
        if not (folder / "card.json").is_file():
            train_bundle(before, folder, folder.name, Config(steps=options.steps, every=500))
        rows = np.zeros(len(since), bool)
        rows[:: options.every] = True
        for table in tables(since.keep(rows), folder):
            print(table)
    return 0
