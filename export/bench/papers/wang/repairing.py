"""Table 3, figure 21 and algorithm 2: arbitrage by region, and repair in the latent space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voladdin._typing import BoolArray, FloatArray

from ...generation import validity
from ...generation.generators import Generates, Ours
from ...generation.models import CONTROLS, OURS
from ...generation.paper import PaperNetwork
from ...generation.smooth_violations import spline_slopes
from ...generation.training_surfaces import TrainingSurfaces
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .generators_of import PAPER_TUNED, generator, ran, surfaces_of
from .smoothed import Smoothed

HEADER = ("generator", "region", "valid", "violations", "tried", "repaired", "repaired, %")
SMOOTHED = f"{PAPER_TUNED}, smoothed"
DERIVATIVES = (
    "the paper leaves open how it takes derivatives: at the nodes, where a decoder's errors of single nodes "
    "fail the second ones; smoothed, by the polynomial of its section 3.3"
)
TRIED, ITERATIONS, SCALE = 60, 60, 1e5


@dataclass(frozen=True, eq=False)
class Loss:
    """Equations 22 to 24: mean fall of total variance, mean negative part of f, mean squared change."""

    found: TrainingSurfaces
    features: Tensor
    vols: Tensor
    decoder: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, z: Tensor) -> Tensor:
        decoded = self.decoder(self.features, z)
        calendar, butterfly = self.conditions(decoded)
        falls = torch.relu(-calendar).mean() + torch.relu(-butterfly).mean()
        total: Tensor = falls + (decoded - self.vols).square().mean()
        return total

    def conditions(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """dw/dtau and f [B, T, K], on the splines of `smooth_violations`."""
        tenors, m = (
            torch.tensor(axis, dtype=torch.float32) for axis in (self.found.tenors, self.found.moneyness)
        )
        w = decoded.view(-1, len(tenors), len(m)).square() * tenors[:, None]
        first, second = (w @ _tensor(spline_slopes(self.found.moneyness, order)).t() for order in (1, 2))
        f = (1 - m * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 0.25) + second / 2
        return _tensor(spline_slopes(self.found.tenors, 1)) @ w, f


def _tensor(values: FloatArray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


def repaired(loss: Loss, z: Tensor) -> tuple[bool, list[float]]:
    """Whether L-BFGS on z finds a surface without violations, and the loss by iteration (algorithm 2).

    A first step is as long as the gradient, and the losses are means over all nodes, of 1e-5: so scaled.
    """
    z = z.clone().requires_grad_()
    search = torch.optim.LBFGS(
        [z], max_iter=1, max_eval=25, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    losses: list[float] = []

    def closure() -> Tensor:
        search.zero_grad()
        value = SCALE * loss(z)
        value.backward()
        return value

    while not (done := _free(loss, z.detach())) and len(losses) < ITERATIONS:
        losses.append(float(search.step(closure).detach()) / SCALE)
    return done, losses


def _free(loss: Loss, z: Tensor) -> bool:
    calendar, butterfly = loss.conditions(loss.decoder(loss.features, z))
    return bool((calendar >= -1e-6).all() and (butterfly >= -1e-6).all())


def summary(bench: Bench) -> Outcome:
    """Table 3: three features, hull and rectangle; arbitrage as decoded, and what latent repair mends."""
    network = generator(bench, PAPER_TUNED, 3)
    assert isinstance(network, PaperNetwork)
    smooth = Smoothed.of(network, surfaces_of(bench))
    rows, losses = [], []
    for name, each in ((OURS, generator(bench, OURS, 3)), (PAPER_TUNED, network), (SMOOTHED, smooth)):
        for region in ("hull", "rectangle"):
            row, tried = _row(bench, each, region)
            rows.append([name, region, *row])
            losses += tried
    return _summarised(bench, rows, losses)


def _row(bench: Bench, network: Generates, region: str) -> tuple[list[str], list[list[float]]]:
    """A row of HEADER but for its first two, and the losses of the repairs."""
    found, rng = surfaces_of(bench), np.random.default_rng([bench.seed, int(region == "rectangle")])
    asked = validity.drawn(region, network, found, bench.budget.decoded, rng)
    wrong = _wrong(network, found, asked)
    most = min(TRIED, bench.budget.decoded // 50)
    tries, losses = rng.permutation(np.flatnonzero(wrong))[:most], []
    if isinstance(network, Ours):
        mended = int(float(validity.latent_row(region, network, asked, wrong, most, rng)[3] or 0))
    else:
        answers = [_tried(found, _decoder(network), asked, int(i)) for i in tries]
        mended, losses = sum(ok for ok, _ in answers), [values for _, values in answers]
    share = f"{100 * mended / len(tries):.1f}" if len(tries) else ""
    counts = f"{int((~wrong).sum()):,}", f"{int(wrong.sum()):,} ({100 * wrong.mean():.1f}%)"
    return [*counts, str(len(tries)), str(mended), share], losses


def _wrong(network: Generates, found: TrainingSurfaces, asked: validity.Drawn) -> BoolArray:
    bad = validity.decoded(network, found, asked)
    return np.asarray(bad["f"] | bad["calendar"])


def _decoder(network: Generates) -> Callable[[Tensor, Tensor], Tensor]:
    assert isinstance(network, (PaperNetwork, Smoothed))
    return network.decoder if isinstance(network, Smoothed) else network.vae.decoder


def _tried(
    found: TrainingSurfaces, decoder: Callable[[Tensor, Tensor], Tensor], asked: validity.Drawn, row: int
) -> tuple[bool, list[float]]:
    features, z = _tensor(asked.targets[row][None]), _tensor(asked.z[row][None])
    with torch.no_grad():
        vols = decoder(features, z)
    return repaired(Loss(found, features, vols, decoder), z)


def _summarised(bench: Bench, rows: list[list[str]], losses: list[list[float]]) -> Outcome:
    paper = ["*paper*", "rectangle", "54,588", "5,412 (9.0%)", "5,412", "2,462", "45.5"]
    with panels(bench, "004-table-3") as axes:
        for values in losses[-30:]:
            axes[0, 0].plot(values, lw=0.7)
        axes[0, 0].set(xlabel="iteration", ylabel="loss of the repair", yscale="log")
    shown = "; ".join(
        f"{row[0]}, {row[1]}: {row[3]}" + (f", {row[6]}% repaired" if row[6] else "") for row in rows
    )
    tried = f"{bench.budget.decoded:,} of 60,000 drawn a region, at most {TRIED} repaired"
    words = f"{ran(bench)}; {tried}; {DERIVATIVES}"
    return Outcome(shown, words, [Table("Decoded surfaces", HEADER, [*rows, paper])], ["004-table-3"])


def hull(bench: Bench) -> Outcome:
    """Figure 21: the features of the training surfaces and their hull, two at a time."""
    found, rng = surfaces_of(bench), np.random.default_rng(bench.seed)
    features = found.train_features[:, list(CONTROLS[3])]
    inside = found.in_hull(CONTROLS[3], 2_000, rng)
    names, pairs = ("level", "skew", "term"), ((0, 1), (0, 2), (1, 2))
    with panels(bench, "004-figure-21", 1, 3) as axes:
        for axis, (a, b) in zip(axes[0], pairs, strict=True):
            axis.scatter(inside[:, a], inside[:, b], s=1, label="hull, drawn")
            axis.scatter(*features[:2_000, [a, b]].T, s=1, label="training")
            axis.set(xlabel=names[a], ylabel=names[b])
        axes[0, 0].legend(fontsize=5)
    network = generator(bench, OURS, 3)
    asked = validity.drawn("hull", network, found, bench.budget.decoded, rng)
    count = int(_wrong(network, found, asked).sum())
    return Outcome(
        f"{count} of {bench.budget.decoded:,} surfaces in the hull violate (voladdin)",
        ran(bench),
        pictures=["004-figure-21"],
    )


ITEMS = (
    Item(
        "004-table-3",
        ("table 3", "section 4.4, loss of the repair"),
        "violations and latent repair, three features, rectangle",
        "9.0% of 60,000 violate (0 in the hull), 45.5% of them repaired",
        summary,
        4,
    ),
    Item(
        "004-figure-21",
        ("figure 21",),
        "hull of the training features",
        "0 of 60,000 in the hull violate",
        hull,
    ),
)
