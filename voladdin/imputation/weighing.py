"""Which model answers: a history's and the universal one, weighed by what each says of the surface's quotes.

Each quote is predicted from the others in closed form; the model whose predictions were the likelier has the
more weight, and the answer is the mixture. So a surface like the history gets the history's answer, and a
stranger the universal one.
"""

from __future__ import annotations

import numpy as np

from .. import bundles
from .._typing import BoolArray, FloatArray
from ..surface import Surface
from .answers import by_history, by_priors
from .model import Bundle, Imputer, UniversalBundle
from .moments import median_of
from .posterior import Posterior, mix

UNIVERSAL = "universal"
MOST_AT_DELTAS, MOST_AT_STRIKES = 300, 120  # cells of which a history is asked
_SHARP = 0.5  # log odds for the gain in log density over the root of the quotes: they are not independent
_FAVOUR_AT_DELTAS, _FAVOUR_AT_STRIKES = 2.0, 0.0  # log odds of a history, all else equal
_PRECISION = 4.0  # a cell's odds go with the ratio of the spreads to this power
_LEAST = 0.005
_TOLD = 0.05  # of less it is not said that the history fell back


def answers(
    loaded: Imputer, axes: Surface, cells: FloatArray, prior: FloatArray | None, age: float
) -> tuple[Posterior, FloatArray]:
    """Posterior [B, n] of the cells of B surfaces, and the share [B, n] that the history has in it.

    cells: log-vols [B, T, K], NaN where missing. prior: [B, T, K] full earlier surfaces, `age` days old.
    """
    universal = loaded if isinstance(loaded, UniversalBundle) else bundles.load(UNIVERSAL, UniversalBundle)
    general, foreign = by_priors(universal, axes, cells, prior, age)
    if not isinstance(loaded, Bundle) or not _asked(axes):
        return general, np.zeros_like(general.mean)
    own = by_history(loaded, axes, cells, prior, age)
    odds = _FAVOUR_AT_STRIKES if axes.deltas is None else _FAVOUR_AT_DELTAS
    share = _share(own, general, odds + _of_level(loaded, universal, cells), foreign)
    mean, std = mix(general.mean, general.std, own.mean, own.std, share)
    zscore = general.zscore + share * (own.zscore - general.zscore)
    density = general.density + share * (own.density - general.density)
    return Posterior(mean, std, zscore, own.unexplained & _told(share, general), density), share


def _asked(axes: Surface) -> bool:
    return axes.vols.size <= (MOST_AT_STRIKES if axes.deltas is None else MOST_AT_DELTAS)


def _of_level(loaded: Bundle, universal: UniversalBundle, cells: FloatArray) -> FloatArray:
    """[B, 1] log odds that surfaces of their level, the median log-vol, are the history's."""
    kinds = universal.levels.candidates.kinds
    level = median_of(cells.reshape(len(cells), -1))
    if kinds is None:
        return np.zeros((len(level), 1))
    own, general = (
        -0.5 * ((level - mean) / std) ** 2 - np.log(std) for mean, std in (loaded.level, kinds.level[0])
    )
    return np.asarray(np.nan_to_num(own - general)[:, None])


def _share(own: Posterior, general: Posterior, favour: FloatArray, foreign: FloatArray) -> FloatArray:
    """[B, n] weight of the history: logistic in how much likelier it makes the quotes, and in the spreads.

    favour: [B, 1], log odds all else equal. foreign: [B, n], the weight of other kinds of market in the
    universal answer: the history stands against the rest of it, and a spread that they widen tells nothing.
    """
    quoted = np.isfinite(general.density)
    gain = np.where(quoted, own.density - general.density, 0.0).sum(1)
    odds = favour + (_SHARP * gain / np.sqrt(np.maximum(quoted.sum(1), 1)))[:, None]
    spread = np.where(quoted, 1.0, general.std) / np.where(quoted, 1.0, own.std)
    rest = 1.0 - foreign
    odds = odds + rest * _PRECISION * np.log(spread) + np.log(np.maximum(rest, 1e-6))
    share = 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))
    return np.asarray(np.where(share < _LEAST, 0.0, np.where(share > 1.0 - _LEAST, 1.0, share)))


def _told(share: FloatArray, general: Posterior) -> BoolArray:
    """[B]: where the history has a share in the filled cells that is worth a word."""
    missing = np.isnan(general.density)
    return np.asarray((share * missing).sum(1) > _TOLD * np.maximum(missing.sum(1), 1))
