"""Figures 10, 12 to 14, 16 and 17: strikes, schedules, divergence by epoch, where the error is."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtri

from export.imputation.training.beta import CYCLES, SCHEDULES
from voladdin._typing import FloatArray
from voladdin.black import moneyness_from_delta
from voladdin.labels.tenors import tenor_label

from ..fx import Fx, fx
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .fitting import Spec, as_rows, asset, days_of, fitted, grid_points, scores
from .reconstructions import measured, ran
from .surfaces_vae import FEED_FORWARD


def at_strikes(data: Fx, vols: FloatArray, centre: FloatArray) -> FloatArray:
    """[N, T, K] vols at fixed moneyness [T, K], linear between the quotes and flat beyond them."""
    axes = data.split.test.axes
    m = moneyness_from_delta(axes.deltas, vols * np.sqrt(axes.tenors)[:, None])
    out = np.empty_like(vols)
    for n, t in np.ndindex(vols.shape[:2]):
        order = np.argsort(m[n, t])
        out[n, t] = np.interp(centre[t], m[n, t, order], vols[n, t, order])
    return out


def strikes(bench: Bench) -> Outcome:
    """Figure 10: the feed-forward VAE on fixed strikes, against vols uniform on their range."""
    data = fx(bench.seed)
    axes, pair = data.split.test.axes, asset(data)
    train, test = (days_of(data, part, pair) for part in ("train", "test"))
    whole = [rows.numpy().astype(float).reshape(-1, *axes.shape) for rows in (train, test)]
    centre = moneyness_from_delta(axes.deltas, whole[0].mean(axis=0) * np.sqrt(axes.tenors)[:, None])
    fixed = [as_rows(at_strikes(data, vols, centre)) for vols in whole]
    points = grid_points(data)
    points[:, 1] = torch.tensor(centre.ravel(), dtype=torch.float32)
    model = fitted(bench, Spec(FEED_FORWARD, strikes=True), fixed[0], points=points).model
    mae, delta = scores(model, fixed[1])[0], measured(bench, Spec(FEED_FORWARD))[0]
    low, high = float(fixed[0].min()), float(fixed[0].max())
    drawn = np.random.default_rng(bench.seed).uniform(low, high, tuple(fixed[1].shape))
    random = float(1e4 * np.abs(drawn - fixed[1].numpy()).mean())
    ours = f"on strikes {mae:.1f}, drawn at random {random:.1f}; on deltas {delta:.1f}"
    return Outcome(
        ours, f"{ran(bench, Spec())}; random: uniform between the least and the most vol of training days"
    )


def schedules(bench: Bench) -> Outcome:
    """Figures 12 and 13."""
    done = np.linspace(0, 0.999, 400)
    with panels(bench, "003-figure-12", 1, 2) as axes:
        for axis, name in zip(axes[0], ("on-off", "linear"), strict=True):
            axis.plot(done, [SCHEDULES[name](value) for value in done])
            axis.set(title=name, xlabel="share of the steps", ylabel="β / γ")
    return Outcome(f"R 0.5 and 0.75, {CYCLES} cycles", "a definition: drawn", pictures=["003-figure-12"])


def divergences(bench: Bench) -> Outcome:
    """Figure 14."""
    data = fx(bench.seed)
    rows = days_of(data, "train", asset(data))
    specs = {name: Spec(schedule=name) for name in ("constant", "linear", "on-off")}
    found = {name: fitted(bench, spec, rows).divergence for name, spec in specs.items()}
    with panels(bench, "003-figure-14") as axes:
        for name, values in found.items():
            axes[0, 0].plot(range(1, len(values) + 1), values, label=name)
        axes[0, 0].set(xlabel="epoch", ylabel="divergence", yscale="log")
        axes[0, 0].legend(fontsize=5)
    ours = "; ".join(f"{name} {values[-1]:.0f}" for name, values in found.items())
    cycles = np.array_split(np.array(found["linear"]), CYCLES)
    peaks = " / ".join(f"{cycle.max():.0f}" for cycle in cycles if len(cycle))
    words = f"peaks of the linear cycles {peaks}; at the end: {ours}"
    return Outcome(words, ran(bench, *specs.values()), pictures=["003-figure-14"])


@torch.no_grad()
def heat_map(bench: Bench) -> Outcome:
    """Figure 16, plain and weighted by vega."""
    data = fx(bench.seed)
    axes, pair = data.split.test.axes, asset(data)
    model, test = fitted(bench, Spec(), days_of(data, "train", pair)).model, days_of(data, "test", pair)
    errors = 1e4 * (model.decode(model.encode(test).mean) - test).abs().mean(0).numpy().reshape(axes.shape)
    weights = vega(axes.tenors[:, None], axes.deltas)
    weighted = errors * weights / weights.mean()
    labels = [tenor_label(float(tenor)) for tenor in axes.tenors]
    with panels(bench, "003-figure-16", 1, 2) as axis:
        for place, (title, values) in enumerate((("MAE, bp", errors), ("weighted by vega", weighted))):
            axis[0, place].imshow(values, cmap="viridis")
            axis[0, place].set(title=title, xticks=range(len(axes.deltas)), yticks=range(len(labels)))
            axis[0, place].set_xticklabels([f"{delta:g}" for delta in axes.deltas])
            axis[0, place].set_yticklabels(labels)
    t, k = np.unravel_index(errors.argmax(), errors.shape)
    rows = [[label, *(f"{value:.1f}" for value in row)] for label, row in zip(labels, errors, strict=True)]
    table = Table("MAE, bp", ("tenor", *(f"{delta:g}" for delta in axes.deltas)), rows)
    ours = f"largest {errors.max():.0f} bp at {labels[t]}, delta {axes.deltas[k]:g}; mean {errors.mean():.0f}"
    words = f"; mean weighted by vega {weighted.mean():.0f}"
    return Outcome(ours + words, ran(bench, Spec()), [table], ["003-figure-16"])


def vega(tenor: FloatArray, delta: FloatArray) -> FloatArray:
    """Of a forward of 1: the density at d1 = N^-1(delta), times the root of the tenor."""
    return np.asarray(np.exp(-0.5 * ndtri(delta) ** 2) / np.sqrt(2 * np.pi) * np.sqrt(tenor))


def vegas(bench: Bench) -> Outcome:
    """Figure 17."""
    axes, deltas = fx(bench.seed).split.test.axes, np.linspace(0.02, 0.98, 60)
    with panels(bench, "003-figure-17") as axis:
        for tenor in axes.tenors:
            axis[0, 0].plot(deltas, vega(tenor, deltas), label=tenor_label(float(tenor)))
        axis[0, 0].set(xlabel="delta", ylabel="vega / forward")
        axis[0, 0].legend(fontsize=5)
    ratio = float(vega(axes.tenors[0], np.array(0.1)) / vega(axes.tenors[0], np.array(0.5)))
    return Outcome(
        f"at delta 0.1 it is {ratio:.2f} of that at 0.5, at any tenor",
        "Black's formula",
        pictures=["003-figure-17"],
    )


ITEMS = (
    Item(
        "003-figure-10",
        ("figure 10",),
        "VAE on strikes against random surfaces, MAE, bp",
        "on strikes 301.6, below random",
        strikes,
        1,
    ),
    Item("003-figure-12", ("figure 12", "figure 13"), "cyclical schedules of β", "R 0.5 and 0.75", schedules),
    Item(
        "003-figure-14",
        ("figure 14",),
        "divergence by epoch and schedule",
        "peaks that fall from cycle to cycle (a figure)",
        divergences,
    ),
    Item(
        "003-figure-16",
        ("figure 16",),
        "where the error is, and weighted by vega",
        "largest at 3M, delta 0.1; small at the money",
        heat_map,
    ),
    Item(
        "003-figure-17",
        ("figure 17",),
        "vega by delta and tenor",
        "almost 0 far from the money at short tenors",
        vegas,
    ),
)
