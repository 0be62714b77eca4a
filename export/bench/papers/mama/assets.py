"""Figures 18 to 20 and table 8: unseen assets, labels, completion by methods 1 and 2."""

from __future__ import annotations

import numpy as np
import torch

from ..fx import Fx, fx
from ..gopal.rivals import VOLADDIN, own_fill
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .fitting import Spec, as_rows, asset, days_of, fitted, labels_of, scores
from .reconstructions import ran

SHARES = (40 / 140, 60 / 140, 90 / 140)  # of the points, as many as the paper samples
METHODS = {"method 1": False, "method 2": True}


def _order(data: Fx) -> list[str]:
    """The trained pair first."""
    return [asset(data), *(pair for pair in data.pairs if pair != asset(data))]


def unseen(bench: Bench) -> Outcome:
    """Figure 18."""
    data = fx(bench.seed)
    model = fitted(bench, Spec(), days_of(data, "train", asset(data))).model
    found = {pair: scores(model, days_of(data, "test", pair)) for pair in _order(data)}
    return _by_pair(bench, found, (("25", "23", "24"), ("26", "25", "27")))


def labelled(bench: Bench) -> Outcome:
    """Table 8 and figure 19: one-hot label; our history has no spot."""
    data = fx(bench.seed)
    parts = [days_of(data, "train", pair) for pair in data.pairs]
    labels = [labels_of(data, pair, len(part)) for pair, part in zip(data.pairs, parts, strict=True)]
    model = fitted(bench, Spec(labelled=True), torch.cat(parts), torch.cat(labels)).model
    found = {}
    for pair in _order(data):
        test = days_of(data, "test", pair)
        found[pair] = scores(model, test, labels_of(data, pair, len(test)))
    return _by_pair(
        bench, found, (("25", "21", "24"), ("26", "23", "23")), "; no spot in our history: label alone"
    )


def _by_pair(
    bench: Bench, found: dict[str, tuple[float, float]], paper: tuple[tuple[str, ...], ...], more: str = ""
) -> Outcome:
    rows = []
    for place, metric in enumerate(("MAE, bp", "divergence")):
        rows.append([metric, *(f"{value[place]:.0f}" for value in found.values())])
        rows.append([f"*paper: {metric}: Apple, Microsoft, Google*", *paper[place]])
    ours = ", ".join(f"{pair} {mae:.0f}" for pair, (mae, _) in found.items())
    return Outcome(f"MAE {ours}", ran(bench, Spec()) + more, [Table("Test days", ("", *found), rows)])


def completion(bench: Bench) -> Outcome:
    """Figure 20: trained on some points drawn afresh each epoch, tested on surfaces with as many shown."""
    shares = [_at_share(bench, share) for share in SHARES]
    found = {name: [errors[name] for errors in shares] for name in shares[0]}
    percents = [round(100 * share) for share in SHARES]
    with panels(bench, "003-figure-20") as axes:
        for name, values in found.items():
            axes[0, 0].plot(percents, values, marker=".", label=name)
        axes[0, 0].set(xlabel="% of points shown", ylabel="MAE of the whole surface, bp")
        axes[0, 0].legend(fontsize=5)
    cells = {name: [f"{value:.1f}" for value in values] for name, values in found.items()}
    rows = [[name, *values] for name, values in cells.items()]
    table = Table("MAE of whole test surfaces, bp", ("", *(f"{share}% shown" for share in percents)), rows)
    ours = "; ".join(f"{name} {' / '.join(values)}" for name, values in cells.items())
    return Outcome(ours, f"{ran(bench, Spec())}, all pairs", [table], ["003-figure-20"])


def _at_share(bench: Bench, share: float) -> dict[str, float]:
    """Mean errors of whole test surfaces in bp, by method, this share of their points shown."""
    data, found = fx(bench.seed), {}
    train = torch.cat([days_of(data, "train", pair) for pair in data.pairs])
    tests, shown = data.part("test", bench.budget.every), round(share * data.nodes)
    rows = as_rows(tests.vols)
    order = torch.rand(rows.shape, generator=torch.Generator().manual_seed(bench.seed))
    seen = order.argsort(-1).argsort(-1) < shown
    for name, whole in METHODS.items():
        model = fitted(bench, Spec(shown=shown, whole=whole), train).model
        with torch.no_grad():
            filled = model.decode(model.encode(rows, seen).mean)
        found[name] = float(1e4 * (filled - rows).abs().mean())
    vols = np.where(seen.numpy().reshape(tests.vols.shape), tests.vols, np.nan)
    own = own_fill(bench, data)(vols, tests.axes)
    return found | {VOLADDIN: float(1e4 * np.abs(own - tests.vols).mean())}


ITEMS = (
    Item(
        "003-figure-18",
        ("figure 18",),
        "trained on one asset, tested on others, MAE, bp",
        "Apple 25, Microsoft 23, Google 24",
        unseen,
    ),
    Item(
        "003-table-8",
        ("table 8", "figure 19"),
        "all assets with a one-hot label, MAE, bp",
        "Apple 25, Microsoft 21, Google 24",
        labelled,
        1,
    ),
    Item(
        "003-figure-20",
        ("figure 20",),
        "completion with 29 / 43 / 64% of the points, MAE, bp",
        "down to 23.2; method 1 better than 2 (a figure)",
        completion,
        3,
    ),
)
