"""Table 7 and figure 15: butterfly (16), calendar by derivative (18) and by differences (19), by autodiff."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..fx import fx
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .fitting import Spec, asset, calendar_share, days_of, fitted
from .reconstructions import ran
from .surfaces_vae import SurfaceVae

HEADER = ("% of points", "training", "test", "paper: training", "paper: test")
_NORMAL = torch.distributions.Normal(0.0, 1.0)


def point_shares(model: SurfaceVae, rows: Tensor) -> tuple[float, float, float]:
    """Percent of points of reconstructions that violate (16), (18) and (19)."""
    z = model.encode(rows).mean.detach()
    points = model.points.expand(len(z), -1, -1).clone().requires_grad_()
    code = z[:, None].expand(-1, points.shape[1], -1)
    vols = model.decoder(torch.cat([code, points], -1))[..., 0] * model.unit
    root = vols * (0.5 * points[..., 0]).exp()
    (slope,) = torch.autograd.grad(root.sum(), points)
    butterfly = _butterfly(points[..., 1] + 0.5, root, slope[..., 1])
    return butterfly, _percent(slope[..., 0] < 0), calendar_share(model, rows, count=len(rows))


def _butterfly(delta: Tensor, root: Tensor, slope: Tensor) -> float:
    """(16): d1 falls with the strike, and the digital's price, section 3.2.1.2, falls with the delta.

    slope: of root = sqrt(w) by the delta. The digital is compared from one delta of the grid to the next.
    """
    quantile = _NORMAL.icdf(delta)
    density = _NORMAL.log_prob(quantile).exp()
    bracket = root * (1 - slope * density) + quantile * density * slope
    other = root - quantile
    shift = _NORMAL.log_prob(other).exp() * slope / (bracket / density)
    digital = (_NORMAL.cdf(other) - shift).detach().view(len(root), -1, _columns(delta))
    falls = torch.cat([digital.diff(dim=-1) > 1e-6, torch.zeros_like(digital[..., :1], dtype=torch.bool)], -1)
    return _percent((bracket.detach() <= 0) | falls.flatten(1))


def _columns(delta: Tensor) -> int:
    return len(delta[0].unique())


def _percent(bad: Tensor) -> float:
    return float(100 * bad.float().mean())


def shares(bench: Bench) -> Outcome:
    """Of the best hybrid: latent 8, linear cycles."""
    data = fx(bench.seed)
    pair = asset(data)
    train, test = days_of(data, "train", pair), days_of(data, "test", pair)
    found = fitted(bench, Spec(), train)
    ours = [point_shares(found.model, rows) for rows in (train[::5], test)]
    names = ("butterfly (16)", "calendar (18), derivative", "calendar (19), differences")
    paper = (("0", "0"), ("27", "43"), ("0", "0"))
    rows = [[name, f"{ours[0][k]:.2f}", f"{ours[1][k]:.2f}", *paper[k]] for k, name in enumerate(names)]
    words = "; ".join(f"{row[0]} {row[1]} / {row[2]}" for row in rows)
    return Outcome(
        words,
        f"{ran(bench, Spec())}; delta differences in place of a continuum in (16)",
        [Table("Share", HEADER, rows)],
    )


def by_epoch(bench: Bench) -> Outcome:
    """Figure 15."""
    data = fx(bench.seed)
    watched = fitted(bench, Spec(), days_of(data, "train", asset(data))).watched
    with panels(bench, "003-figure-15") as axes:
        axes[0, 0].plot(range(1, len(watched) + 1), watched, marker=".")
        axes[0, 0].set(xlabel="epoch", ylabel="% of points violating (19)")
    free = next((epoch for epoch, share in enumerate(watched, 1) if math.isclose(share, 0.0)), None)
    ours = "never 0" if free is None else f"0 from epoch {free}"
    return Outcome(
        f"{watched[0]:.2f}% after the first epoch; {ours}", ran(bench, Spec()), pictures=["003-figure-15"]
    )


ITEMS = (
    Item(
        "003-table-7",
        ("table 7",),
        "points with arbitrage, training / test, %",
        "butterfly 0 / 0; calendar (18) 27 / 43; calendar (19) 0 / 0",
        shares,
        0.5,
    ),
    Item("003-figure-15", ("figure 15",), "points violating (19) by epoch", "0 from epoch 2", by_epoch),
)
