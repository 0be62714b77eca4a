"""The search over the sizes of Gopal (2024), 7.1.3, by Optuna: kept in a file, gone on with from there.

    voladdin train search HISTORY -o FOLDER --trials 48 --minutes 30

A size is chosen by the validation days' bound with the encoder refitted on them; the correlations of the
paper's figure 19 say how good that choice is. The paper speaks of 64 sizes; those it lists are 48.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from voladdin.errors import InputError

from ..networks.base import Vae
from ..networks.residual import Size, sized
from ..training.slices import Deadline
from .judging import Budget, Judged, judged
from .splits import Split

GRID: dict[str, list[Any]] = {
    "width": [64, 128],
    "depth": [2, 3, 4],
    "dropout": [0.1, 0.2, 0.3, 0.4],
    "latent": [32, 64],
}
SIZES = int(np.prod([len(values) for values in GRID.values()]))
SAMPLERS = ("grid", "tpe")


@dataclass(frozen=True)
class Tried:
    """A size and what it was judged to be, the mean over the splits."""

    size: Size
    judged: Judged


def sigma_vae(nodes: int, size: Size) -> Vae:
    """The Sigma-VAE of a size."""
    return sized(nodes, None, size)


def search(
    splits: Sequence[Split],
    budget: Budget,
    folder: Path,
    trials: int = SIZES,
    sampler: str = "grid",
    deadline: Deadline | None = None,
) -> list[Tried]:
    """Sizes tried so far, the best first: `trials` in all, those of earlier runs in this folder included.

    sampler: "grid" tries every size once, in an order of the seed; "tpe" goes where the bound was best.
    Raises Paused once the deadline has passed (the same call goes on, within a size from its checkpoint),
    InputError for another sampler, and for a folder that holds another search.
    """
    if sampler not in SAMPLERS:
        raise InputError(f"sampler is {sampler!r}; expected one of {', '.join(SAMPLERS)}")
    study = _study(folder, budget, splits)
    objective = partial(_objective, splits, budget, folder, deadline or Deadline())
    while len(_tried(study)) < min(trials, SIZES):
        size = _asked_for(study, sampler, budget.options.seed)
        if size is not None:
            study.enqueue_trial(size)
        study.optimize(objective, n_trials=1)
    return sorted(_tried(study), key=lambda tried: tried.judged.bound)


def _study(folder: Path, budget: Budget, splits: Sequence[Split]) -> optuna.Study:
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{folder / 'search.db'}",
        sampler=optuna.samplers.TPESampler(seed=budget.options.seed),
        study_name="sizes",
        load_if_exists=True,
    )
    days = [[len(split.train), float(np.nansum(split.train.vols))] for split in splits]
    identity = asdict(budget) | {"days": days}
    known = study.user_attrs.get("of", identity)
    if known != identity:
        wrong = next(name for name in identity if known.get(name) != identity[name])
        raise InputError(
            f"{folder} holds a search whose {wrong} is {known.get(wrong)}; expected {identity[wrong]}, or "
            "another folder"
        )
    study.set_user_attr("of", identity)
    return study


def _asked_for(study: optuna.Study, sampler: str, seed: int) -> dict[str, Any] | None:
    """The size to try next: the grid's, one that was put down, another where one was repeated; else None."""
    done = [trial.params for trial in _of(study, TrialState.COMPLETE)]
    sizes: list[dict[str, Any]] = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]
    order = [sizes[k] for k in np.random.default_rng(seed).permutation(SIZES)]
    left: list[dict[str, Any]] = [size for size in order if size not in done]
    begun = [trial.params for trial in _of(study, TrialState.FAIL, TrialState.RUNNING)]
    put_down: list[dict[str, Any]] = [size for size in left if size in begun]
    if sampler == "grid" or (done and done[-1] in done[:-1]):
        return (put_down + left)[0]
    return put_down[0] if put_down else None


def _of(study: optuna.Study, *states: TrialState) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=states)


def _tried(study: optuna.Study) -> list[Tried]:
    """Each size that is done, once."""
    done = {tuple(t.params.values()): t for t in _of(study, TrialState.COMPLETE)}
    return [Tried(Size(**t.params), Judged(**t.user_attrs["judged"])) for t in done.values()]


def _objective(
    splits: Sequence[Split], budget: Budget, folder: Path, deadline: Deadline, trial: optuna.Trial
) -> float:
    size = Size(**{name: trial.suggest_categorical(name, values) for name, values in GRID.items()})
    known = [t for t in _of(trial.study, TrialState.COMPLETE) if Size(**t.params) == size]
    found = (
        Judged(**known[0].user_attrs["judged"]) if known else _mean(splits, budget, folder, deadline, size)
    )
    trial.set_user_attr("judged", asdict(found))
    return found.bound


def _mean(splits: Sequence[Split], budget: Budget, folder: Path, deadline: Deadline, size: Size) -> Judged:
    name = "-".join(str(value) for value in asdict(size).values())
    make = partial(sigma_vae, size=size)
    found = [
        judged(make, split, budget, folder / "networks" / f"{name}-{number}.pt", deadline)
        for number, split in enumerate(splits)
    ]
    return Judged(*(float(np.mean([getattr(one, field) for one in found])) for field in asdict(found[0])))


def correlations(tried: Sequence[Tried]) -> tuple[float, float]:
    """Figure 19: of the validation error with the test's, and with the negative bound; NaN below three."""
    values = np.array([[one.judged.validation, one.judged.test, one.judged.bound] for one in tried])
    if len(values) < 3:
        return np.nan, np.nan
    matrix = np.corrcoef(values, rowvar=False)
    return float(matrix[0, 1]), float(matrix[0, 2])
