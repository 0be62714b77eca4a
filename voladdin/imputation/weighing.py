"""Which model answers: a history's and the universal one, weighed by what each says of the surface's quotes.

Each quote is predicted from the others in closed form; the model whose predictions were the likelier has the
more weight, and the answer is the mixture. So a surface like the history gets the history's answer, and a
stranger the universal one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
import scipy

from .. import bundles
from .._typing import BoolArray, FloatArray, IntArray
from ..surface import Surface
from .answers import by_history, by_universal, levels_alone
from .fits.parametric import with_parametric
from .history.posterior import Posterior, mix
from .model import Bundle, Imputer, UniversalBundle
from .processes.moments import Moments, median_of
from .spreads import stretch_of

UNIVERSAL = "universal"
MOST_AT_DELTAS, MOST_AT_STRIKES = 300, 120  # cells of which a history is asked
_SHARP = 0.5  # log odds for the gain in log density over the root of the quotes: they are not independent
_FAVOUR_OF_COLUMNS, _FAVOUR_ELSEWHERE = 2.0, 0.0  # log odds of a history, all else equal
_OF_PAIRS = np.array([0.05, 0.10, 0.15, 0.25, 0.35, 0.50])  # deltas of puts and calls, as pairs are quoted
_NEAR = 0.01  # of a delta
_PRECISION = 4.0  # a cell's odds go with the ratio of the spreads to this power
_LEAST = 0.005
_STRANGE = 0.5  # of less, the mean share of a history, parametric surfaces are tried too
_WORTH_A_WORD = 0.05  # of less it is not said that the history fell back


@dataclass(frozen=True)
class Shares:
    """[B, n] the weights of a history and of SVI fits in missing cells; the rest is the universal's."""

    history: FloatArray
    parametric: FloatArray

    def of(self, surfaces: slice) -> Shares:
        """Some of them."""
        return Shares(self.history[surfaces], self.parametric[surfaces])


@dataclass(frozen=True)
class QuotesAlone:
    """What the quotes of B surfaces say without an earlier one: by the universal model, and by the history's
    where that is asked. NaN where a surface has none.
    """

    general: Moments
    own: Posterior | None

    @classmethod
    def of(cls, loaded: Imputer, axes: Surface, cells: FloatArray) -> QuotesAlone:
        """cells: log-vols [B, T, K], NaN where missing."""
        general = levels_alone(_universal(loaded), axes, cells)
        if not isinstance(loaded, Bundle) or not _asked(axes):
            return cls(general, None)
        some, own = np.isfinite(cells).any((1, 2)), Posterior.nothing(general.mean.shape)
        if some.any():
            found = by_history(loaded, axes, cells[some], None, 1.0)
            for part in fields(Posterior):
                getattr(own, part.name)[some] = getattr(found, part.name)
        return cls(general, own)

    @classmethod
    def joined(cls, parts: Sequence[QuotesAlone]) -> QuotesAlone:
        """Of all the surfaces, in order."""
        own = [part.own for part in parts if part.own is not None]
        return cls(Moments.joined([part.general for part in parts]), Posterior.joined(own) if own else None)

    def some(self, surfaces: IntArray) -> QuotesAlone:
        """Of some of them."""
        return QuotesAlone(self.general.of(surfaces), None if self.own is None else self.own.of(surfaces))


def answers(
    loaded: Imputer,
    axes: Surface,
    cells: FloatArray,
    prior: FloatArray | None,
    age: float,
    alone: QuotesAlone | None = None,
) -> tuple[Posterior, Shares]:
    """Posterior [B, n] of the cells of B surfaces, and who has which share in it.

    cells: log-vols [B, T, K], NaN where missing. prior: [B, T, K] full earlier surfaces, `age` days old.
    alone: what is known of the cells without the prior.
    """
    universal = _universal(loaded)
    levels = levels_alone(universal, axes, cells) if alone is None else alone.general
    general, foreign = by_universal(universal, axes, cells, prior, age, levels)
    wider = stretch_of(universal, axes, cells, levels) if prior is None else 1.0
    if not isinstance(loaded, Bundle) or not _asked(axes):
        every = np.ones(len(cells), dtype=np.bool_)
        general, fitted = with_parametric(axes, cells, general, every, earlier=prior is not None)
        return replace(general, std=general.std * wider), Shares(np.zeros_like(fitted), fitted)
    own = by_history(loaded, axes, cells, prior, age, None if alone is None else alone.own)
    columns = None if axes.deltas is None else tuple(axes.deltas.tolist())
    favour = _favour(loaded, columns) + _of_level(loaded, universal, cells)
    share = _share(own, general, favour, foreign)
    strange, fitted = share.mean(1) < _STRANGE, np.zeros_like(share)
    if strange.any():
        general, fitted = with_parametric(axes, cells, general, strange, earlier=prior is not None)
        share = _share(own, general, favour, foreign)
    spread = general.std * wider
    mean, std = mix(general.mean, spread, own.mean, own.std, share)
    zscore = general.zscore + share * (own.zscore - general.zscore)
    density = general.density + share * (own.density - general.density)
    found = Posterior(mean, std, zscore, own.unexplained & _worth_a_word(share, general), density)
    return found, Shares(share, (1.0 - share) * fitted)


def _universal(loaded: Imputer) -> UniversalBundle:
    return loaded if isinstance(loaded, UniversalBundle) else bundles.load(UNIVERSAL, UniversalBundle)


def _asked(axes: Surface) -> bool:
    return axes.vols.size <= (MOST_AT_STRIKES if axes.deltas is None else MOST_AT_DELTAS)


@lru_cache(maxsize=64)
def _favour(loaded: Bundle, deltas: tuple[float, ...] | None) -> float:
    """Log odds of a history: more on delta columns [K] that it, or any currency pair, is quoted at."""
    if deltas is None:
        return _FAVOUR_ELSEWHERE
    usual = np.concatenate([loaded.extension.deltas, _OF_PAIRS, 1.0 - _OF_PAIRS])
    away = np.abs(np.array(deltas)[:, None] - usual).min(1)
    return _FAVOUR_OF_COLUMNS if (away < _NEAR).all() else _FAVOUR_ELSEWHERE


def _of_level(loaded: Bundle, universal: UniversalBundle, cells: FloatArray) -> FloatArray:
    """[B, 1] log odds that surfaces of their level, the median log-vol, are the history's."""
    kinds = universal.levels.candidates.kinds
    level = median_of(cells.reshape(len(cells), -1))
    if kinds is None:
        return np.zeros((len(level), 1))
    own, general = (
        -0.5 * ((level - mean) / std) ** 2 - np.log(std) for mean, std in (loaded.level, kinds.level[0])
    )
    return np.asarray(np.where(np.isnan(level), 0.0, own - general)[:, None])


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
    share = scipy.special.expit(odds)
    return np.asarray(np.where(share < _LEAST, 0.0, np.where(share > 1.0 - _LEAST, 1.0, share)))


def _worth_a_word(share: FloatArray, general: Posterior) -> BoolArray:
    """[B]: where the history has a share in the filled cells that is worth a word."""
    missing = np.isnan(general.density)
    return np.asarray((share * missing).sum(1) > _WORTH_A_WORD * np.maximum(missing.sum(1), 1))
