"""Tables 1 to 6 and figure 11: latent size, schedules of beta, capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from ..fx import fx
from ..items import Bench, Item, Outcome, Table
from ..panels import panels
from .fitting import GAMMA, STOP, Spec, asset, days_of, epochs_of, fitted, scores
from .surfaces_vae import FEED_FORWARD, HYBRID

KINDS = FEED_FORWARD, HYBRID
LATENTS = (4, 6, 8, 10, 14)
CAPACITY = (
    25.0  # C_end: about the divergence of table 4; the paper's, from its cross-validation, is not printed
)
PRINTED_3 = {
    FEED_FORWARD: ((44, 46, 36, 30, 33), (13, 19, 22, 28, 30)),
    HYBRID: ((44, 39, 28, 31, 32), (17, 18, 24, 28, 27)),
}
PRINTED_4 = {FEED_FORWARD: ((35, 23), (30, 25)), HYBRID: ((28, 27), (25, 26))}  # on-off, linear
PRINTED_5 = {FEED_FORWARD: ((30, 25), (43, 21)), HYBRID: ((25, 26), (30, 33))}  # (9), (23), both cyclic
PRINTED_6 = {FEED_FORWARD: ((30, 25), (32, 22)), HYBRID: ((25, 26), (24, 28))}  # (9) cyclic, (23) constant


def measured(bench: Bench, spec: Spec, part: str = "test") -> tuple[float, float]:
    """MAE in bp and divergence of a network of one pair."""
    data = fx(bench.seed)
    pair = asset(data)
    model = fitted(bench, spec, days_of(data, "train", pair)).model
    return scores(model, days_of(data, part, pair))


def ran(bench: Bench, *specs: Spec) -> str:
    """The data, and how long networks of these specifications are trained."""
    data = fx(bench.seed)
    lengths = "; ".join(dict.fromkeys(_length(bench, spec) for spec in specs))
    return f"{asset(data)} for Apple, {data.words}, 40 points; {lengths}"


def _length(bench: Bench, spec: Spec) -> str:
    epochs = f"{epochs_of(bench, spec):,} epochs"
    if spec.ruled:
        return f"constant β: until the loss has not fallen for {STOP} epochs, his rule, or for {epochs}"
    return f"{epochs}, as his rule would end a loss that β or the capacity moves; he prints no total"


def first(bench: Bench) -> Outcome:
    """Table 1."""
    rows = []
    for kind, printed in ((FEED_FORWARD, (113.2, 120.5)), (HYBRID, (90.3, 95.4))):
        spec = Spec(kind, 4, "constant")
        maes = [measured(bench, spec, part)[0] for part in ("train", "test")]
        rows.append([kind, *(f"{value:.1f}" for value in (*maes, *printed))])
    table = Table(
        "MAE, bp, latent 4, β 1e-5", ("network", "train", "test", "paper: train", "paper: test"), rows
    )
    return Outcome("; ".join(f"{row[0]} {row[1]} / {row[2]}" for row in rows), ran(bench, spec), [table])


def architectures(bench: Bench) -> Outcome:
    """Table 2: the layers are the paper's; counted."""
    data = fx(bench.seed)
    rows = days_of(data, "train", asset(data))
    specs = {kind: Spec(kind, 8, "constant") for kind in KINDS}
    found = {kind: fitted(bench, spec, rows).model for kind, spec in specs.items()}
    counts = [f"{kind} {sum(p.numel() for p in model.parameters()):,}" for kind, model in found.items()]
    return Outcome(f"the same layers; parameters: {', '.join(counts)}", ran(bench, *specs.values()))


def latent_sizes(bench: Bench) -> Outcome:
    """Table 3 and figure 11."""
    found = {kind: [measured(bench, Spec(kind, size, "constant")) for size in LATENTS] for kind in KINDS}
    rows = []
    for place, metric in enumerate(("MAE, bp", "divergence")):
        for kind, values in found.items():
            rows.append([f"{metric}, {kind}", *(f"{value[place]:.0f}" for value in values)])
            rows.append([f"*paper: {metric}, {kind}*", *map(str, PRINTED_3[kind][place])])
    _plotted(bench, found)
    best = {kind: LATENTS[int(np.argmin(np.sum(values, axis=1)))] for kind, values in found.items()}
    ours = "; ".join(f"{kind} {' / '.join(f'{v[0]:.0f}' for v in values)}" for kind, values in found.items())
    words = ", ".join(f"{kind} {size}" for kind, size in best.items())
    table = Table("By latent size", ("", *map(str, LATENTS)), rows)
    one = f"β {GAMMA:g} for all, he has one for each size and does not print them"
    by_size = f"{ran(bench, Spec(schedule='constant'))}; {one}"
    return Outcome(f"MAE {ours}; least sum at {words}", by_size, [table], ["003-table-3"])


def _plotted(bench: Bench, found: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Figure 11: the sum of error and divergence by latent size, and the paper's."""
    with panels(bench, "003-table-3") as axes:
        for kind, values in found.items():
            axes[0, 0].plot(LATENTS, [sum(value) for value in values], marker=".", label=kind)
            paper = [mae + divergence for mae, divergence in zip(*PRINTED_3[kind], strict=True)]
            axes[0, 0].plot(LATENTS, paper, ":", label=f"paper: {kind}")
        axes[0, 0].set(xlabel="latent size", ylabel="MAE (bp) + divergence")
        axes[0, 0].legend(fontsize=5)


Columns = Sequence[tuple[str, str, float | None]]
Printed = Mapping[str, tuple[tuple[int, int], ...]]


def two_ways(columns: Columns, printed: Printed, bench: Bench) -> Outcome:
    """Tables 4 to 6: two columns of MAE and divergence; columns: (title, schedule, capacity)."""
    rows, shown, specs = [], [], []
    for kind in KINDS:
        specs = [Spec(kind, 8, schedule, capacity) for _, schedule, capacity in columns]
        found = [measured(bench, spec) for spec in specs]
        for place, metric in enumerate(("MAE, bp", "divergence")):
            paper = [str(column[place]) for column in printed[kind]]
            rows.append([f"{metric}, {kind}", *(f"{value[place]:.0f}" for value in found), *paper])
        shown.append(f"{kind} {' / '.join(f'{mae:.0f}' for mae, _ in found)}")
    titles = [title for title, _, _ in columns]
    table = Table("Test days", ("", *titles, *(f"paper: {title}" for title in titles)), rows)
    return Outcome(f"MAE {'; '.join(shown)}", ran(bench, *specs), [table])


def _said(printed: Printed) -> str:
    cells = (f"{kind} {' / '.join(str(mae) for mae, _ in columns)}" for kind, columns in printed.items())
    return f"MAE {'; '.join(cells)}"


_ON_OFF, _LINEAR = ("on-off", "on-off", None), ("linear", "linear", None)
_CAPACITY, _CONSTANT = ("(23), linear", "linear", CAPACITY), ("(23), constant", "constant", CAPACITY)
ITEMS = (
    Item(
        "003-table-1",
        ("table 1",),
        "feed-forward against hybrid, MAE train / test, bp",
        "feed-forward 113.2 / 120.5; hybrid 90.3 / 95.4",
        first,
        1,
    ),
    Item(
        "003-table-2",
        ("table 2", "figure 7"),
        "the two architectures",
        "layers of 64 neurons; 8, 32, 64 filters",
        architectures,
    ),
    Item(
        "003-table-3",
        ("table 3", "figure 11"),
        "latent size 4 / 6 / 8 / 10 / 14, test MAE, bp",
        "MAE feed-forward 44 / 46 / 36 / 30 / 33; hybrid 44 / 39 / 28 / 31 / 32; least sum at 8",
        latent_sizes,
        5,
    ),
    Item(
        "003-table-4",
        ("table 4",),
        "on-off / linear cyclical β, test MAE, bp",
        _said(PRINTED_4),
        partial(two_ways, (_ON_OFF, _LINEAR), PRINTED_4),
        1,
    ),
    Item(
        "003-table-5",
        ("table 5",),
        "loss (9) / with capacity (23), both cyclical",
        _said(PRINTED_5),
        partial(two_ways, (_LINEAR, _CAPACITY), PRINTED_5),
        1,
    ),
    Item(
        "003-table-6",
        ("table 6",),
        "loss (9) cyclical / capacity (23) constant β",
        _said(PRINTED_6),
        partial(two_ways, (_LINEAR, _CONSTANT), PRINTED_6),
        1,
    ),
)
