"""Figures 14 to 17: errors by rate and by tenor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from voladdin.labels.tenors import tenor_label

from ..fx import RATES, fx
from ..items import Bench, Item, Outcome
from ..panels import panels
from .errors_of import errors_of
from .missing import PAIR
from .rivals import AFFINE, VOLADDIN
from .trained import ran
from .vaes import OF_LATENT, SIGMA, SIGMA_RESIDUAL

BETA, WEIGHTED = "β-VAE (β = 1), no residual", "Σ-IWAE, residual"
BODY = (*AFFINE, SIGMA, SIGMA_RESIDUAL)


def against_rate(key: str, kind: str, methods: Sequence[str], bench: Bench) -> Outcome:
    """One panel: error against the missing rate, of the paper's pair."""
    found, data = errors_of(bench, "test"), fx(bench.seed)
    pair = PAIR if PAIR in data.pairs else data.pairs[0]
    with panels(bench, key) as axes:
        for name in methods:
            axes[0, 0].plot(
                RATES, [found.at(name, kind, rate, pair) for rate in RATES], label=name, marker="."
            )
        axes[0, 0].set(xlabel="% missing", ylabel=f"MAE, {kind}, bp", title=pair, ylim=(0, 80))
        axes[0, 0].legend(fontsize=5)
    ten = "; ".join(f"{name} {found.at(name, kind, 10, pair):.1f}" for name in methods)
    return Outcome(f"{pair} at 10%: {ten}", _ran(bench), pictures=[key])


def against_tenor(key: str, bench: Bench) -> Outcome:
    """A panel a tenor: error against the missing rate."""
    found, data = errors_of(bench, "test"), fx(bench.seed)
    pair = PAIR if PAIR in data.pairs else data.pairs[0]
    tenors, methods = data.split.test.axes.tenors, (*BODY, VOLADDIN)
    with panels(bench, key, 2, -(-len(tenors) // 2)) as axes:
        for t, axis in enumerate(axes.flat):
            for name in methods:
                axis.plot(RATES, [found.at(name, "missing", rate, pair, t) for rate in RATES], label=name)
            axis.set(title=f"{pair} {tenor_label(float(tenors[t]))}", ylim=(0, 80))
        axes[0, 0].legend(fontsize=5)
    best = [_first(found.by, methods, pair, t) for t in range(len(tenors))]
    won = {name: best.count(name) for name in methods if name in best}
    ours = ", ".join(f"{name} in {count}" for name, count in won.items())
    return Outcome(f"least at 10%, of {len(tenors)} tenors: {ours}", _ran(bench), pictures=[key])


def _first(by: dict[str, dict[str, float]], methods: Sequence[str], pair: str, tenor: int) -> str:
    errors = [by[name][f"missing 10 {pair} {tenor}"] for name in methods]
    return methods[int(np.nanargmin(errors))] if np.isfinite(errors).any() else ""


def _ran(bench: Bench) -> str:
    return f"{fx(bench.seed).words}; {ran(bench)}"


_FIGURES = (
    (14, "missing", (*AFFINE, BETA, SIGMA, SIGMA_RESIDUAL, VOLADDIN),
     "σ-VAE 19.9 to 8.4 with residual blocks, AUDUSD at 10%"),
    (16, "missing", (SIGMA_RESIDUAL, OF_LATENT, WEIGHTED, VOLADDIN),
     "Σ-VAE nearly as σ-VAE, Σ-IWAE worse (a figure, no number)"),
    (17, "observed", (*AFFINE, SIGMA, SIGMA_RESIDUAL, OF_LATENT, VOLADDIN),
     "AUDUSD at 10%: Heston++ 9.23; σ-VAE, residual 5.99"),
)  # fmt: skip
ITEMS = (
    *(
        Item(
            f"002-figure-{number}",
            (f"figure {number}",),
            f"MAE on {kind} cells by missing rate",
            words,
            partial(against_rate, f"002-figure-{number}", kind, methods),
        )
        for number, kind, methods, words in _FIGURES
    ),
    Item(
        "002-figure-15",
        ("figure 15",),
        "MAE on missing cells by rate and tenor",
        "residual σ-VAE least but at 2M, where Heston++ is (a figure, no number)",
        partial(against_tenor, "002-figure-15"),
    ),
)
