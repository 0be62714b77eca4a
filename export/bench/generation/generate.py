"""The command and its tables. Experiments, errors and rivals are described where they are computed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import voladdin as va
from voladdin.bundles.generator import load
from voladdin.errors import InputError
from voladdin.feature_map import NAMES

from ..report import rows_table
from . import control, likeness, shifts, timing, validity
from .generators import Generates, Ours, draw
from .models import OURS, PAPER, TUNED_BETA, Training, models
from .notes import (
    CONTROL_NOTE,
    DISTANCE_NOTE,
    DRIFT_NOTE,
    LATENT_NOTE,
    LEGEND,
    RECONSTRUCTION_NOTE,
    SHIFT_NOTE,
    TIME_NOTE,
    USER_NOTE,
    VALIDITY_NOTE,
)
from .paper import EPOCHS, PaperNetwork
from .pca_gaussian import COMPONENTS
from .training_surfaces import TrainingSurfaces, surfaces

Models = dict[tuple[int, str], Generates]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "voladdin bench generate", description="The experiments of Wang, Liu and Vuik (2025), with rivals."
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/generate"), help="data and trained rivals")
    parser.add_argument("--data", type=Path, help=".npz of python -m export.simulation.equity")
    parser.add_argument("--simulated", type=int, default=30_000, help="surfaces of each model to simulate")
    parser.add_argument("--model", default="equity", help="the bundle of four features")
    parser.add_argument("--epochs", type=int, default=30, help="of the paper's networks (default: 30)")
    parser.add_argument("--steps", type=int, default=2500, help="of ours of one and three features")
    parser.add_argument("--targets", type=int, default=10_000, help="held-out surfaces, and surfaces timed")
    parser.add_argument("--surfaces", type=int, default=60_000, help="drawn in each region")
    parser.add_argument("--sample", type=int, default=150, help="violating ones asked of va.generate")
    parser.add_argument("--shifts", type=int, default=100, help="surfaces shifted")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, help="a folder to draw into")
    parser.add_argument("--output", type=Path, help="write the tables to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error. Raises InputError."""
    options = parser().parse_args(argv)
    _check(options)
    known = surfaces(options.cache, options.targets, options.data, options.simulated)
    training = Training(options.epochs, options.steps, options.model)
    found = models(known, options.cache, training)
    parts = [_legend(known, options)]
    for part in _tables(known, found, options):
        print(part.splitlines()[0], file=sys.stderr, flush=True)
        parts.append(part)
    text = "\n".join(parts)
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    if options.pictures is not None:
        from .pictures import draw_all

        draw_all(known, found, options.pictures, options.seed)
    return 0


def _check(options: argparse.Namespace) -> None:
    counts = {name: getattr(options, name) for name in ("targets", "surfaces", "shifts", "epochs", "steps")}
    if min(counts.values()) < 1 or options.sample < 0:
        raise InputError(f"{counts}, sample {options.sample}; expected 1 or more, and of sample 0 or more")


def _legend(known: TrainingSurfaces, options: argparse.Namespace) -> str:
    card = load(options.model).card["training"]
    return LEGEND.format(
        train=len(known.train),
        held=len(known.held),
        model=options.model,
        bundle_steps=card["steps"],
        batch=card["batch"],
        steps=options.steps,
        epochs=options.epochs,
        paper=EPOCHS,
        tuned=TUNED_BETA,
        components=COMPONENTS,
        threads=os.environ.get("OMP_NUM_THREADS", "not set"),
        seed=options.seed,
    )


def _tables(known: TrainingSurfaces, found: Models, options: argparse.Namespace) -> Iterator[str]:
    yield _control(known, found, options.seed) + "\n" + CONTROL_NOTE.format(targets=len(known.held))
    yield _drift(known, found) + "\n" + DRIFT_NOTE
    yield from _validity(known, found, options)
    rows = [shifts.shift_row(known, name, size, options.shifts) for name, size in shifts.SHIFTS]
    table = rows_table("The naive shift", shifts.COLUMNS, rows)
    yield table + "\n" + SHIFT_NOTE.format(shifts=options.shifts)
    yield _reconstruction(known, found) + "\n" + RECONSTRUCTION_NOTE
    yield _distances(known, found, options) + "\n" + DISTANCE_NOTE
    yield _times(known, found, options)


def _control(known: TrainingSurfaces, found: Models, seed: int) -> str:
    rows = []
    for (count, name), generator in found.items():
        rng = np.random.default_rng([seed, 1, count])
        targets = known.held_features[:, list(generator.control)]
        errors = control.feature_errors(generator, known, targets, rng)
        if name == OURS:
            rows.append(control.printed_row(count))
        rows.append(control.error_row(name, generator.control, errors))
    return rows_table("Experiments I and II: error of the features", ("features", "generator", *NAMES), rows)


def _drift(known: TrainingSurfaces, found: Models) -> str:
    rows = [control.printed_drift()]
    rows += [control.drift_row(name, generator, known) for (_, name), generator in found.items()]
    return rows_table("Latent traversals: drift", ("features", "generator", *NAMES, "moved, bp"), rows)


def _validity(known: TrainingSurfaces, found: Models, options: argparse.Namespace) -> Iterator[str]:
    decoded, users, latent = [], [], []
    for place, region in enumerate(validity.REGIONS):
        for (count, name), generator in found.items():
            if count == 1:
                continue
            rng = np.random.default_rng([options.seed, 2, place, count])
            asked = validity.drawn(region, generator, known, options.surfaces, rng)
            bad = validity.decoded(generator, known, asked)
            decoded.append(validity.decoded_row(region, name, generator, bad))
            if (count, name) == (4, OURS):
                served = validity.served(asked, bad["grid"], options.sample, options.model, rng)
                users.append(validity.served_row(region, known, bad["grid"], served))
            if isinstance(generator, Ours) and region != "hull":
                row = validity.latent_row(region, generator, asked, bad["grid"], options.sample, rng)
                latent.append(row)
    tables = (
        ("Experiment III: surfaces that violate, as decoded", validity.COLUMNS, decoded, VALIDITY_NOTE),
        ("Experiment III: what `va.generate` returns", validity.USER_COLUMNS, users, USER_NOTE),
        ("Experiment III: repair in the latent space", validity.LATENT_COLUMNS, latent, LATENT_NOTE),
    )
    for title, columns, rows, note in tables:
        text = note.format(count=options.surfaces, sample=options.sample)
        yield rows_table(title, columns, rows) + "\n" + text


def _reconstruction(known: TrainingSurfaces, found: Models) -> str:
    rows = [likeness.reconstruction_row(name, generator, known) for (_, name), generator in found.items()]
    title = f"Reconstruction of {len(known.held):,} held-out surfaces"
    return rows_table(title, likeness.RECONSTRUCTION_COLUMNS, rows)


def _distances(known: TrainingSurfaces, found: Models, options: argparse.Namespace) -> str:
    rng = np.random.default_rng([options.seed, 3])
    yardstick = likeness.Yardstick.of(known, rng)
    half = len(known.held) // 2
    other, truth = known.held[:half], known.held[half:]
    sampled = va.sample(
        half, options.seed, tenors=known.tenors, moneyness=known.moneyness, model=options.model
    )
    rows = [
        yardstick.row("held-out, other half", other, truth),
        yardstick.row("`va.sample`", sampled.vols.reshape(half, -1), truth),
    ]
    for (count, name), generator in found.items():
        targets = known.held_features[:half, list(generator.control)]
        vols = generator.vols(targets, draw(generator, half, rng))
        rows.append(yardstick.row(f"{name}, {count}", vols, truth))
    return rows_table("Distance from held-out surfaces", likeness.distance_columns(known), rows)


def _times(known: TrainingSurfaces, found: Models, options: argparse.Namespace) -> str:
    network, count = found[4, PAPER], len(known.held)
    assert isinstance(network, PaperNetwork)
    rows = []
    for name, (generator, decode) in timing.decoders(found[4, OURS], network, options.model).items():
        z = draw(generator, count, np.random.default_rng([options.seed, 4]))
        rows.append(timing.time_row(name, decode, known.held_features, z, min(500, count)))
    note = TIME_NOTE.format(load=os.getloadavg()[0], processors=os.cpu_count())
    return rows_table(f"Time, one surface and {count:,}", timing.COLUMNS, rows) + "\n" + note
