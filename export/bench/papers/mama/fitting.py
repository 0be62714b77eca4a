"""Mama's losses (9) and (23), schedules of beta and the plateau rule; one checkpoint a specification."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from export.imputation.training.beta import SCHEDULES
from export.imputation.training.divergence import to_capacity
from export.imputation.training.slices import AdamSteps, Loss, Run
from voladdin._typing import FloatArray

from ..fx import Fx, fx
from ..items import Bench
from .surfaces_vae import HYBRID, SurfaceVae

GAMMA, BATCH, RATE = 1e-5, 16, 1e-3
PATIENCE, STOP = 5, 10  # epochs without a lower loss: the rate is divided by 10, training ends (section 5)


@dataclass(frozen=True)
class Spec:
    """What is trained.

    capacity: C_end of (23), None for (9). shown: cells seen, 0 for all; whole: the decoder is asked for all
    cells (method 2) instead of those (method 1). strikes: surfaces on fixed strikes.
    """

    kind: str = HYBRID
    latent: int = 8
    schedule: str = "linear"
    capacity: float | None = None
    labelled: bool = False
    shown: int = 0
    whole: bool = False
    strikes: bool = False

    @property
    def ruled(self) -> bool:
        """Whether his rule ends it: the loss is not one that β or the capacity moves from epoch to epoch."""
        return self.schedule == "constant" and self.capacity is None

    @property
    def name(self) -> str:
        return "mama-" + "-".join(str(value) for value in asdict(self).values())


@dataclass(frozen=True, eq=False)
class Fitted:
    """The network, frozen; by epoch, of training surfaces: mean divergence, and `calendar_share`."""

    model: SurfaceVae
    divergence: list[float]
    watched: list[float]


def grid_points(data: Fx) -> Tensor:
    """[T K, 2] ln tenor and delta, about 0."""
    axes = data.split.test.axes
    grid = np.meshgrid(np.log(axes.tenors), axes.deltas - 0.5, indexing="ij")
    return torch.tensor(np.stack([part.ravel() for part in grid], -1), dtype=torch.float32)


def asset(data: Fx) -> str:
    """The pair in Apple's place."""
    return "EURUSD" if "EURUSD" in data.pairs else data.pairs[0]


def as_rows(vols: FloatArray) -> Tensor:
    return torch.tensor(vols.reshape(len(vols), -1), dtype=torch.float32)


def days_of(data: Fx, part: str, pair: str) -> Tensor:
    """[N, T K] vols of a pair: "train", or every day of "test"."""
    if part == "train":
        return as_rows(data.split.train.select([pair]).vols[0])
    tests = data.part(part, 1)
    return as_rows(tests.vols[tests.pair == pair])


def labels_of(data: Fx, pair: str, count: int) -> Tensor:
    """[count, pairs - 1] one-hot, the last pair all 0, as the paper has Google."""
    row = torch.eye(len(data.pairs))[data.pairs.index(pair), :-1]
    return row.expand(count, -1)


def fitted(
    bench: Bench, spec: Spec, rows: Tensor, label: Tensor | None = None, points: Tensor | None = None
) -> Fitted:
    """Trained on vols [N, c] and their labels [N, l], or read."""
    data, labels = fx(bench.seed), 0 if label is None else label.shape[1]
    torch.manual_seed(bench.seed)
    where = grid_points(data) if points is None else points
    model = SurfaceVae(spec.kind, data.split.test.axes.shape, where, spec.latent, labels)
    model.centre, model.unit = rows.mean(), rows.std()
    epoch, stop = -(-len(rows) // BATCH), STOP if spec.ruled else 0
    plan = AdamSteps(epochs_of(bench, spec) * epoch, BATCH, RATE, seed=bench.seed)
    run = Run(
        model, plan, bench.network_file(spec.name), plateau=PATIENCE, stop=stop, logged=epoch, epochs=True
    )
    entries = rows if label is None else torch.cat([rows, label], -1)
    run.train(entries, _loss(spec, run, rows, label), bench.deadline)
    model.eval().requires_grad_(requires_grad=False)
    divergence, watched = zip(*run.notes, strict=True)
    return Fitted(model, list(divergence), list(watched))


def epochs_of(bench: Bench, spec: Spec) -> int:
    """All that it is trained, or the most where his rule ends it."""
    return bench.budget.most_epochs if spec.ruled else bench.budget.epochs


def _loss(spec: Spec, run: Run, rows: Tensor, label: Tensor | None) -> Loss:
    """Of (9) or (23), on rows of vols and label; at the end of each epoch it notes what is watched."""
    model, nodes = cast(SurfaceVae, run.model), rows.shape[1]

    def loss(batch: Tensor, step: int) -> Tensor:
        done = step / run.adam.steps
        error, divergence = terms(spec, model, batch[:, :nodes], None if label is None else batch[:, nodes:])
        if (step + 1) % run.logged == 0:
            every, known = rows.to(batch.device), None if label is None else label.to(batch.device)
            run.notes.append([scores(model, every, known)[1], calendar_share(model, every, known)])
        pull = divergence if spec.capacity is None else to_capacity(divergence, spec.capacity, done)
        return error + GAMMA * SCHEDULES[spec.schedule](done) * pull

    return loss


def terms(spec: Spec, model: SurfaceVae, vols: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean squared error of the cells asked for, summed over them, and mean divergence."""
    seen = None
    if spec.shown:
        ranks = torch.rand_like(vols).argsort(-1).argsort(-1)
        seen = ranks < spec.shown
    code = model.encode(vols, seen)
    gap = model.decode(code.draw(), label) - vols
    if seen is not None and not spec.whole:
        gap = torch.where(seen, gap, 0.0)
    return gap.square().sum(-1).mean(), code.divergence.sum(-1).mean()


@torch.no_grad()
def calendar_share(model: SurfaceVae, rows: Tensor, label: Tensor | None = None, count: int = 200) -> float:
    """Percent of points of reconstructions where total variance falls with the tenor at a delta (19)."""
    chosen = slice(None, None, max(len(rows) // count, 1))
    code = model.encode(rows[chosen]).mean
    vols = model.decode(code, None if label is None else label[chosen])
    w = (vols**2 * model.points[:, 0].exp()).view(len(vols), len(model.points[:, 0].unique()), -1)
    return float(100 * (w.diff(dim=1) < 0).float().mean())


@torch.no_grad()
def scores(model: SurfaceVae, rows: Tensor, label: Tensor | None = None) -> tuple[float, float]:
    """MAE in bp of reconstructions by the code's mean, and mean divergence."""
    code = model.encode(rows)
    gap = model.decode(code.mean, label) - rows
    return float(1e4 * gap.abs().mean()), float(code.divergence.sum(-1).mean())
