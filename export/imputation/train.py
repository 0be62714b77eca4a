"""Train a bundle from a history of surfaces; reads from top to bottom.

    voladdin train HISTORY.csv|.parquet|.xlsx --name mydesk

1. The history's density: regimes of log-vols and of their daily changes (`density`).
2. The market simulator's extension of the core grid to any tenor and delta (`extension`).
3. The VAE learns the smoothed density: each step draws surfaces afresh from the local Gaussians of the
   regimes, so that it cannot memorise days (on the days themselves it overfits within a thousand steps).
4. Held-out days, the last of the history, choose the step and calibrate the spread (`validate`);
   then, unless --no-refit, everything is fitted to the whole history with these choices.
5. ONNX, parity, card, hashes (`graphs`, `bundle_writer`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from voladdin._typing import BoolArray, FloatArray
from voladdin.bundles.moves import Moves
from voladdin.home import home
from voladdin.imputation.history import deep_posterior
from voladdin.imputation.history.observation import GridExtension
from voladdin.imputation.history.posterior import Posterior, from_prior, from_quotes, local_gaussian
from voladdin.imputation.history.regimes import Regimes
from voladdin.imputation.model import Bundle

from ..bundle_writer import write_bundle
from ..history import Days, read_history
from . import validate
from .daily_moves import write_moves
from .density import SCALE_VARIANCE, Choices, fit_density
from .extension import fit_extension
from .graphs import export_graphs
from .loop import Config, Run, batches
from .network import Vae

LEVEL_DEGREES = 3.0  # of the Student-t that the spread follows, for levels and for daily changes
CHANGE_DEGREES = 8.0
STACK = 0.5  # the network's weight beside the local Gaussian
SHARPNESS = 2.0  # how fast the answer goes over from prior to quotes: weights are variances to this power


class TorchBundle(Bundle):
    """A bundle whose graphs are still PyTorch modules: training validates with the code that ships."""

    vae: Vae

    @torch.no_grad()
    def run(self, graph: str, **inputs: FloatArray) -> list[FloatArray]:
        from .network import DecoderJacobian

        (value,) = (torch.tensor(x, dtype=torch.float32) for x in inputs.values())
        if graph == "encoder":
            outputs = (self.vae.encoder(value)[0],)
        elif graph == "decoder":
            outputs = (self.vae.decoder(value),)
        else:
            outputs = DecoderJacobian(self.vae.decoder)(value)
        return [output.numpy().astype(float) for output in outputs]


def train_bundle(
    days: Days,
    folder: Path,
    name: str,
    config: Config | None = None,
    *,
    choices: Choices | None = None,
    refit: bool = False,
    quiet: bool = False,
) -> Path:
    """Train on `days`, write the bundle into `folder` and return it; resumes from `folder`/checkpoints.

    The last fifth of the dates (at most the last year) is held out to choose and calibrate.
    """
    config = config or Config()
    checkpoints = folder / "checkpoints"
    train, held = _split(days)
    extension, simulated = fit_extension(days.tenors, days.deltas)
    arrays = _arrays(train, simulated, extension, choices)
    vae, arrays, course = _fit(arrays, validate.holdout(held), checkpoints, config, quiet=quiet)
    arrays |= _calibration(held, _bundle(arrays, vae))
    if refit:
        chosen = {key: arrays[key] for key in ("level_stretch", "change_stretch")}
        arrays = _arrays(days, simulated, extension, choices) | chosen
        steps = Config(**(asdict(config) | {"steps": course["best_step"], "every": 10**9}))
        vae, arrays, _ = _fit(arrays, None, checkpoints / "refit", steps, quiet=quiet)
    graphs, parity = export_graphs(vae)
    training = {**asdict(config), **course, "refit": refit, "parity": parity}
    written = write_bundle(folder, name, days if refit else train, arrays, graphs, training)
    shutil.rmtree(checkpoints)
    return written


def _split(days: Days) -> tuple[Days, Days]:
    """Training days, and the last fifth of the dates (at most a year)."""
    dates = np.unique(days.date)
    cut = max(dates[int(0.8 * len(dates))], dates[-1] - np.timedelta64(365, "D"))
    return days.keep(days.date < cut), days.keep(days.date >= cut)


def _arrays(
    days: Days, simulated: FloatArray, extension: GridExtension, choices: Choices | None
) -> dict[str, FloatArray]:
    arrays = fit_density(days, simulated, choices)
    mean, covariance = Regimes.of(arrays, "level").whole
    std = np.sqrt(np.diag(covariance) + SCALE_VARIANCE)
    arrays |= {f"extension_{key}": value for key, value in vars(extension).items()}
    return arrays | {
        "mean": mean,
        "std": std,
        "stack": np.array(STACK),
        "level_degrees": np.array(LEVEL_DEGREES),
        "change_degrees": np.array(CHANGE_DEGREES),
        "sharpness": np.array(SHARPNESS),
        "level_stretch": np.array(1.0),
        "change_stretch": np.array(1.0),
    }


def _bundle(arrays: dict[str, FloatArray], vae: Vae) -> TorchBundle:
    bundle = TorchBundle({"name": "training"}, "", arrays | {"noise": vae.noise}, {})
    object.__setattr__(bundle, "vae", vae)
    return bundle


def _fit(
    arrays: dict[str, FloatArray], held: validate.Holdout | None, folder: Path, config: Config, *, quiet: bool
) -> tuple[Vae, dict[str, FloatArray], dict[str, Any]]:
    """Train with checkpoints; with `held`, keep the weights with the best validation CRPS of hidden cells.

    Returns the network, the arrays with its noise, and the course of the training: scores by step, the best.
    """
    run = Run(arrays, folder, config)
    first = run.state["step"]
    with tqdm(total=config.steps, initial=first, disable=quiet, unit="step", file=sys.stderr) as progress:
        for step, x in enumerate(batches(arrays, config, first), start=first):
            if held is not None and step % config.every == 0:
                score = run.judge(_score(_bundle(arrays, run.vae), held))
                progress.set_postfix(crps=f"{score:.5f}", best=run.state["best_step"])
                if step - run.state["best_step"] >= config.patience * config.every:
                    break
            run.step(x)
            progress.update()
            if run.state["step"] % config.every == 0:
                run.save()
    if held is not None:
        run.judge(_score(_bundle(arrays, run.vae), held))
        run.vae.load_state_dict(run.state["best"])
    course = {key: run.state[key] for key in ("best_step", "best_crps", "log")}
    return run.vae, arrays | {"noise": run.vae.noise}, course


def _score(bundle: Bundle, held: validate.Holdout) -> float:
    """Mean CRPS of hidden log-vols of the deep model alone, relative to the local Gaussian's."""
    ratios = []
    core = validate.core_nodes(held.logs.shape[1])
    for mask in held.masks:
        near, start = local_gaussian(bundle, core, held.logs, mask.observed)
        deep = deep_posterior.posterior(bundle, core, held.logs, mask.observed, start)
        answers = (deep, (near.mean, near.std))
        ours, theirs = (validate.gaussian_crps(held.logs, *answer)[mask.hidden].mean() for answer in answers)
        ratios.append(ours / theirs)
    return float(np.mean(ratios))


def _calibration(held: Days, bundle: TorchBundle) -> dict[str, FloatArray]:
    """Factors on the spread with which 90% bands cover 90% of the held-out days' hidden cells."""
    hold = validate.holdout(held)
    core = validate.core_nodes(hold.logs.shape[1])

    def stretch(answer: Callable[[BoolArray], Posterior]) -> FloatArray:
        """One factor for all missing shares: a year tells no more."""
        posteriors = [(answer(mask.observed), mask.hidden) for mask in hold.masks]
        factors = [validate.stretch(hold.logs, p.mean, p.std, hidden) for p, hidden in posteriors]
        return np.array(np.exp(np.log(factors).mean()))

    level = stretch(lambda mask: from_quotes(bundle, core, hold.logs, mask))
    bundle.arrays["level_stretch"] = level
    change = stretch(lambda mask: from_prior(bundle, core, hold.logs, mask, hold.prior, 1.0))
    return {"level_stretch": level, "change_stretch": change}


def main(argv: Sequence[str] | None = None) -> int:
    """`voladdin train`; with --generator `export.generation.any_axes` takes its place."""
    parser = argparse.ArgumentParser(
        prog="voladdin train",
        description="Train a model bundle from a history.",
        epilog="voladdin train search, voladdin train folds: sizes and networks of the literature compared.",
    )
    parser.add_argument(
        "history", help=".csv, .csv.gz, .parquet or .xlsx with date, [underlying], tenor|delta columns"
    )
    parser.add_argument("--name", required=True, help="the bundle's name, as in VOLIMPUTE's model argument")
    parser.add_argument("--output", type=Path, help="folder of bundles; voladdin's home unless told")
    parser.add_argument("--until", help="use days before this date only (yyyy-mm-dd)")
    parser.add_argument("--underlying", nargs="*", help="use these underlyings only")
    parser.add_argument("--steps", type=int, default=Config.steps)
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--no-refit", action="store_true", help="keep the held-out days out (for benches)")
    options = parser.parse_args(argv)
    days = read_history(options.history)
    if options.until:
        days = days.keep(days.date < np.datetime64(options.until))
    if options.underlying:
        days = days.keep(np.isin(days.underlying, options.underlying))
    folder = (options.output or home() / "models") / options.name
    config = Config(steps=options.steps, seed=options.seed)
    written = train_bundle(days, folder, options.name, config, refit=not options.no_refit)
    write_moves(days, written.with_name(f"{written.name}{Moves.SUFFIX}"), options.name)
    print(
        f"{len(days)} days, {len(np.unique(days.underlying))} underlyings: bundle {options.name} in {written}"
    )
    return 0
