"""Train a bundle from a history of surfaces; reads from top to bottom.

    voladdin train HISTORY.csv|.parquet|.xlsx --name mydesk

1. The history's density: regimes of log-vols and of their daily changes (`density`).
2. The market simulator's extension of the core grid to any tenor and delta (`extension`).
3. The VAE learns the smoothed density: each step draws surfaces afresh from the local Gaussians of the
   regimes, so that it cannot memorise days (on the days themselves it overfits within a thousand steps).
4. Held-out days, the last of the history, choose the step and calibrate the spread (`validate`);
   with --refit everything is then fitted to the whole history with these choices.
5. ONNX, parity, card, hashes (`onnx_export`, `write`).
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from voladdin import latent, local
from voladdin.bundle import Bundle
from voladdin.emission import Extension
from voladdin.posterior import BoolArray, Posterior, from_prior, from_quotes, local_gaussian
from voladdin.surface import FloatArray

from . import validate
from .density import SCALE_VARIANCE, fit_density, regimes_of
from .extension import fit_extension
from .history import Days, read_history
from .network import Vae
from .onnx_export import export_graphs
from .write import write_bundle

LEVEL_DEGREES = 3.0  # of the Student-t that the spread follows, for levels and for daily changes
CHANGE_DEGREES = 8.0
STACK = 0.5  # the network's weight beside the local Gaussian
SHARPNESS = 2.0  # how fast the answer goes over from prior to quotes: weights are variances to this power


@dataclass(frozen=True)
class Config:
    """Training choices; the defaults are what the bench was run with."""

    steps: int = 6000
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-4
    every: int = 1000
    patience: int = 3
    seed: int = 0


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
    arrays = _arrays(train, simulated, extension)
    vae, arrays, history = _fit(arrays, validate.holdout(held), checkpoints, config, quiet)
    arrays |= _calibration(held, _bundle(arrays, vae))
    if refit:
        chosen = {key: arrays[key] for key in ("level_stretch", "change_stretch")}
        arrays = _arrays(days, simulated, extension) | chosen
        steps = Config(**(asdict(config) | {"steps": history["best_step"], "every": 10**9}))
        vae, arrays, _ = _fit(arrays, None, checkpoints / "refit", steps, quiet)
    graphs, parity = export_graphs(vae)
    training = {**asdict(config), **history, "refit": refit, "parity": parity}
    written = write_bundle(folder, name, days if refit else train, arrays, graphs, training)
    shutil.rmtree(checkpoints)
    return written


def _split(days: Days) -> tuple[Days, Days]:
    """Training days, and the last fifth of the dates (at most a year)."""
    dates = np.unique(days.date)
    cut = max(dates[int(0.8 * len(dates))], dates[-1] - np.timedelta64(365, "D"))
    return days.keep(days.date < cut), days.keep(days.date >= cut)


def _arrays(days: Days, simulated: FloatArray, extension: Extension) -> dict[str, FloatArray]:
    arrays = fit_density(days, simulated)
    mean, covariance = regimes_of(arrays).whole
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


def _batches(arrays: dict[str, FloatArray], config: Config, first: int) -> Iterator[torch.Tensor]:
    """Standardised surfaces from the smoothed density: the local Gaussian at a regime drawn by weight."""
    regimes = regimes_of(arrays)
    mean, covariance = regimes.near(regimes.mean)
    root = np.linalg.cholesky(covariance + SCALE_VARIANCE + 1e-8 * np.eye(mean.shape[1]))
    centre = torch.tensor((mean - arrays["mean"]) / arrays["std"], dtype=torch.float32)
    root_t = torch.tensor(root / arrays["std"][:, None], dtype=torch.float32)
    weight = torch.tensor(regimes.weight)
    for step in range(first, config.steps):
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        k = torch.multinomial(weight, config.batch, replacement=True, generator=generator)
        noise = torch.randn(config.batch, centre.shape[1], generator=generator)
        yield centre[k] + torch.einsum("bij,bj->bi", root_t[k], noise)


def _fit(
    arrays: dict[str, FloatArray], held: validate.Holdout | None, folder: Path, config: Config, quiet: bool
) -> tuple[Vae, dict[str, FloatArray], dict[str, Any]]:
    """Train with checkpoints; keep the weights with the best validation CRPS of hidden cells."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    vae = Vae(len(arrays["mean"]))
    regimes = regimes_of(arrays)
    covariance = regimes.whole[1] + SCALE_VARIANCE
    vae.start_at_gaussian(
        covariance / np.outer(arrays["std"], arrays["std"]) + 1e-6 * np.eye(len(covariance))
    )
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for n, p in vae.named_parameters() if n != "whiten"]},
            {"params": [vae.whiten], "weight_decay": 0.0},
        ],
        lr=config.rate,
        weight_decay=config.decay,
    )
    state: dict[str, Any] = {"step": 0, "best_step": 0, "best_crps": math.inf, "log": [], "best": None}
    checkpoint = folder / "checkpoint.pt"
    identity = {**asdict(config), "nodes": len(arrays["mean"]), "data": float(arrays["level_mean"].sum())}
    if checkpoint.is_file():
        stored = torch.load(checkpoint, weights_only=False)
        if stored["identity"] == identity:
            vae.load_state_dict(stored["vae"])
            optimiser.load_state_dict(stored["optimiser"])
            state = stored["state"]

    progress = tqdm(total=config.steps, initial=state["step"], disable=quiet, unit="step", file=sys.stderr)
    for step, x in enumerate(_batches(arrays, config, state["step"]), start=state["step"]):
        if step % config.every == 0 and held is not None:
            score = _score(_bundle(arrays, vae), held)
            state["log"].append({"step": step, "crps": score})
            if score < state["best_crps"]:
                state |= {"best_crps": score, "best_step": step, "best": _copy(vae)}
            progress.set_postfix(crps=f"{score:.5f}", best=state["best_step"])
            if step - state["best_step"] >= config.patience * config.every:
                break
        warm = min(1.0, (step + 1) / 200)
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
        for group in optimiser.param_groups:
            group["lr"] = config.rate * warm * cosine
        loss = -vae.elbo(x).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 50.0)
        optimiser.step()
        state["step"] = step + 1
        progress.update()
        if state["step"] % config.every == 0:
            stored = {"vae": vae.state_dict(), "optimiser": optimiser.state_dict(), "state": state}
            torch.save(stored | {"identity": identity}, checkpoint)
    progress.close()
    if held is not None:
        score = _score(_bundle(arrays, vae), held)
        if score < state["best_crps"]:
            state |= {"best_crps": score, "best_step": state["step"], "best": _copy(vae)}
        vae.load_state_dict(state["best"])
    arrays = arrays | {"noise": vae.noise}
    return vae, arrays, {key: state[key] for key in ("best_step", "best_crps", "log")}


def _copy(vae: Vae) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in vae.state_dict().items()}


def _score(bundle: Bundle, held: validate.Holdout) -> float:
    """Mean CRPS of hidden log-vols of the deep model alone, relative to the local Gaussian's."""
    ratios = []
    core = validate.core_nodes(held.logs.shape[1])
    for mask in held.masks:
        near, start = local_gaussian(bundle, core, held.logs, mask.observed)
        deep = latent.posterior(bundle, core, held.logs, mask.observed, start)
        answers = (deep, (near.mean, near.std))
        ours, theirs = (validate.crps(held.logs, *answer)[mask.hidden].mean() for answer in answers)
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
    """`voladdin train`."""
    parser = argparse.ArgumentParser(
        prog="voladdin train", description="Train a model bundle from a history."
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
    folder = (options.output or local.home() / "models") / options.name
    config = Config(steps=options.steps, seed=options.seed)
    written = train_bundle(days, folder, options.name, config, refit=not options.no_refit)
    print(
        f"{len(days)} days, {len(np.unique(days.underlying))} underlyings: bundle {options.name} in {written}"
    )
    return 0
