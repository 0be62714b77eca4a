"""Figures 14 to 17: errors by rate and by tenor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from voladdin.labels.tenors import tenor_label

from ..fx import RATES, fx
from ..items import Bench, Item, Outcome
from ..panels import panels
from .errors_of import errors_of
from .missing import PAIR, days_of_fits, first_at
from .rivals import AFFINE, SAME_DAYS, VOLADDIN
from .trained import ran
from .vaes import OF_LATENT, SIGMA, SIGMA_RESIDUAL

BETA, WEIGHTED = "β-VAE (β = 1), no residual", "Σ-IWAE, residual"
BODY = (*AFFINE, SIGMA, SIGMA_RESIDUAL, VOLADDIN, SAME_DAYS)


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
    return Outcome(f"{pair} at 10%: {ten}", _ran(bench, methods), pictures=[key])


def against_tenor(key: str, bench: Bench) -> Outcome:
    """A panel a tenor: error against the missing rate."""
    found, data = errors_of(bench, "test"), fx(bench.seed)
    pair = PAIR if PAIR in data.pairs else data.pairs[0]
    labels = [tenor_label(float(tenor)) for tenor in data.split.test.axes.tenors]
    with panels(bench, key, 2, -(-len(labels) // 2)) as axes:
        for t, axis in enumerate(axes.flat):
            for name in BODY:
                axis.plot(RATES, [found.at(name, "missing", rate, pair, t) for rate in RATES], label=name)
            axis.set(title=f"{pair} {labels[t]}", ylim=(0, 80))
        axes[0, 0].legend(fontsize=5)
    by_label: dict[int | None, str] = dict(enumerate(labels))
    first = first_at(bench, "test", "missing", pair, [10], by_label, BODY)
    return Outcome(f"{pair} at 10%: {first}", _ran(bench, BODY), pictures=[key])


def _ran(bench: Bench, methods: Sequence[str]) -> str:
    fits = f"; {days_of_fits(bench, 'test')}" if SAME_DAYS in methods else ""
    return f"{fx(bench.seed).words}; {ran(bench)}{fits}"


_FIGURES = (
    (14, "missing", (BETA, *BODY),
     "σ-VAE 19.9 to 8.4 with residual blocks, AUDUSD at 10%"),
    (16, "missing", (SIGMA_RESIDUAL, OF_LATENT, WEIGHTED, VOLADDIN),
     "Σ-VAE nearly as σ-VAE, Σ-IWAE worse (a figure, no number)"),
    (17, "observed", (OF_LATENT, *BODY),
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
