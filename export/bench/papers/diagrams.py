"""What the papers draw to explain and do not measure: the code that it is, so that no row is left out."""

from __future__ import annotations

from functools import partial

from .items import Bench, Item, Outcome

_DIAGRAMS = (
    ("002-figure-1", ("figure 1",), "a VAE and its loss", "`export/imputation/networks/base.py`"),
    ("002-figure-7", ("figure 7", "figure 8"), "MLP blocks", "`export/imputation/networks/feed_forward.py`"),
    (
        "002-figure-9",
        ("figure 9", "figure 10"),
        "residual blocks",
        "`export/imputation/networks/residual.py`",
    ),
    ("003-figure-1", ("figure 1",), "an autoencoder", "`export/imputation/networks/autoencoder.py`"),
    ("003-figure-2", ("figure 2",), "a VAE", "`export/imputation/networks/base.py`"),
    ("003-figure-3", ("figure 3",), "call and put prices by moneyness", "`voladdin/black.py`"),
    ("003-figure-4", ("figure 4",), "delta by maturity", "`voladdin/black.py`"),
    (
        "003-figure-5",
        ("figure 5", "figure 6"),
        "one surface on strikes and on deltas",
        "`export/history/__init__.py`",
    ),
    ("003-figure-8", ("figure 8",), "a convolution", "`export/bench/papers/mama/surfaces_vae.py`"),
    (
        "003-figure-9",
        ("figure 9",),
        "k-fold cross-validation",
        "`voladdin train folds`: purged blocks of time",
    ),
    ("004-figure-1", ("figure 1",), "the framework's flowchart", "`export/generation/train.py`"),
    ("000-variants", ("22.4 variants",), "the family of VAEs", "`export/imputation/networks/__init__.py`"),
    (
        "000-finance",
        ("22.7 finance",),
        "synthetic data, imputation, scenarios",
        "items 002-table-2 and 002-table-3; `voladdin bench scenarios`",
    ),
)


def shown(where: str, _: Bench) -> Outcome:
    """Nothing to measure."""
    return Outcome(where, "a diagram or a text: nothing to measure")


ITEMS = tuple(
    Item(key, places, what, "a diagram, no number", partial(shown, where), 0.0)
    for key, places, what, where in _DIAGRAMS
)
