"""Missing vols from the quotes that are there, with an honest uncertainty for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._typing import BoolArray, FloatArray
from ..errors import InputError
from ..surface import LARGEST, MAX_VOL, Surface, numbers
from ..threads import on_one_thread
from .anywhere import Anywhere, Inputs, anywhere
from .drawing import guard_draws, standard_draws
from .fat_fingers import answers_beside_fingers
from .history.posterior import Posterior, band
from .market import inside_market, on_their_sides, sides
from .model import Imputer, UniversalBundle, imputer
from .no_arbitrage.guard import Guarded, guard
from .normal import fill_normal_holes, guard_normal_draws, impute_normal
from .notes import words
from .requirements import check_grid, checked_prior, require_same_axes, require_surfaces
from .weighing import UNIVERSAL, QuotesAlone, Shares

COVERAGE = 0.90
MIN_VOL = 1e-6
FIELDS = ("mean", "std", "low", "high", "filled", "zscore", "disputed", "history")


@dataclass(frozen=True, eq=False)
class Imputation:
    """A full surface ([T, K] arrays) or a batch of them ([B, T, K]); vols are decimals.

    mean: the median vol given the quotes (the quote itself where there is one).
    std: standard deviation of the vol; 0 on quotes. low, high: the band of the asked coverage.
    filled: quotes to the last bit, elsewhere `mean`, moved where it would add arbitrage (see `impute_batch`);
    low and high then reach to it, `mean` and std stay the posterior's own.
    zscore: on quotes, how many standard deviations each lies from what the others say; NaN elsewhere.
    disputed: quotes that can be arbitraged against more plausible ones (of smaller z-score), and beside such
    quotes filled cells that only a move beyond their std would rid of arbitrage.
    history: weight of a history's model in filled cells; the universal one and SVI fits have the rest.
    model: which model answered, where it fell back to the Gaussian, and what the arbitrage guard did.
    """

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    filled: FloatArray
    zscore: FloatArray
    disputed: BoolArray
    history: FloatArray
    model: str
    asked: Inputs | None = field(default=None, repr=False)

    @property
    def moved(self) -> BoolArray:
        """Where a filled cell is not the posterior's, because that would have added arbitrage."""
        return np.asarray(self.filled != self.mean)

    @on_one_thread
    def draws(self, n: int, seed: int = 0) -> FloatArray:
        """[n, T, K] whole surfaces: quotes as given, filled cells drawn together, arbitrage-free as `filled`.

        Each cell has the answer's band, at any coverage; the cells move together as the models that answer
        say, given the quotes.
        The same seed gives the same surfaces. Raises InputError (how many, the answer of a batch).
        """
        asked = self._asked("draws")
        surface, missing = asked.surface, ~asked.surface.observed
        loaded = imputer(asked.model)
        normal = standard_draws(surface, loaded, self.filled, self.history, asked.prior, asked.age, n, seed)
        drawn = np.repeat(self.filled[None], n, axis=0)
        middle, relative = self.mean[missing], self.std[missing] / self.mean[missing]
        drawn[:, missing] = middle * np.exp(normal * relative)
        drawn[:, missing] = np.fmin(np.fmax(drawn, asked.bid), asked.ask)[:, missing]
        if surface.vol_type == "normal":
            return guard_normal_draws(surface, drawn, self.filled) if asked.arbitrage_free else drawn
        drawn = np.clip(drawn, MIN_VOL, MAX_VOL)
        if not asked.arbitrage_free:
            return drawn
        doubt = np.where(missing, self.std, np.nan_to_num(self.zscore))
        return guard_draws(surface, drawn, doubt, asked.bid, asked.ask)

    @on_one_thread
    def at(
        self,
        tenors: ArrayLike,
        *,
        deltas: ArrayLike | Sequence[str] | None = None,
        strikes: ArrayLike | None = None,
        moneyness: ArrayLike | None = None,
        forwards: ArrayLike | None = None,
    ) -> Anywhere:
        """The filled surface as a function: tenors [T] (years or labels) x strikes [K] or [T, K] of one kind
        (deltas also labels).

        It goes through every quote and filled cell, and adds no arbitrage between them, unless its vols come
        near 1,000%, which is the most; beyond them wings are at most linear in total variance and the forward
        variance is flat. std: at cells the answer's own. forwards: [T], for strikes of a surface without any.

        Raises InputError.
        """
        asked = self._asked("at")
        if asked.surface.vol_type == "normal":
            raise InputError("at is of lognormal vols; expected interpolate, which normal vols have")
        places = {"delta": deltas, "strike": strikes, "moneyness": moneyness}
        return anywhere(filled_vols, asked, self.filled, self.std, tenors, places, forwards)

    def _asked(self, name: str) -> Inputs:
        if self.asked is None:
            raise InputError(f"{name} is of one surface; expected the answer of impute, not of impute_batch")
        return self.asked


@on_one_thread
def impute(
    surface: Surface,
    *,
    prior: Surface | None = None,
    prior_age: float = 1.0,
    model: str | Path = "fx",
    coverage: float = COVERAGE,
    arbitrage_free: bool = True,
    bid: ArrayLike | None = None,
    ask: ArrayLike | None = None,
) -> Imputation:
    """Fill the missing vols of one surface; see `impute_batch` for the method.

    prior: an earlier surface on the same axes, `prior_age` days old; its own holes are filled first. Normal
    vols are filled by the universal model, whatever the model asked.
    bid, ask: [T, K] vols, NaN where there is none. Where the surface has no vol the middle is the quote,
    unless the market is so wide that the other quotes say more: such a cell is filled, inside it. Quotes with
    arbitrage are moved inside bid and ask where that suffices, filled cells stay on their side of a lone bid
    or ask, and `model` says how many quotes were moved and how many cannot stay inside.

    Raises InputError (no quote, too many cells, other axes, a crossed market) or BundleError.
    """
    require_surfaces(surface, prior)
    low = high = np.full(surface.shape, np.nan)
    if bid is not None or ask is not None:
        low, high = sides(surface, bid, ask)
    earlier = None
    if prior is not None:
        require_same_axes(surface, prior)
        earlier = _earlier(surface, prior, prior_age, model)
    asked = Inputs(surface, earlier, prior_age, str(model), coverage, arbitrage_free, low, high)

    def fill(quotes: Surface) -> Imputation:
        return _answer(asked, quotes, model, prior_age)

    if bid is None and ask is None:
        return replace(fill(surface), asked=asked)
    surface, notes = inside_market(fill, surface, low, high)
    asked = replace(asked, surface=surface)
    result, others = on_their_sides(fill, surface, low, high, coverage)
    return replace(result, **others, model="; ".join([result.model, *notes]), asked=asked)


def _earlier(surface: Surface, prior: Surface, age: float, model: str | Path) -> FloatArray:
    """[T, K] the prior's vols, its holes filled. Raises InputError where it has no vol."""
    normal = surface.vol_type == "normal"
    holed = checked_prior(prior.vols[None], (1, *surface.shape), age, LARGEST if normal else MAX_VOL)
    if normal:
        return fill_normal_holes(prior, _universal())
    assert holed is not None
    found: FloatArray = fill_holes(imputer(model), surface, holed)[0]
    return found


def _answer(asked: Inputs, surface: Surface, model: str | Path, age: float) -> Imputation:
    """Of one surface; normal vols by the universal model, whatever is asked: they have no history."""
    how: dict[str, Any] = {"coverage": asked.coverage, "arbitrage_free": asked.arbitrage_free}
    if surface.vol_type == "normal":
        check_grid(
            surface.vols[None], has_prior=asked.prior is not None, coverage=asked.coverage, most=LARGEST
        )
        found = impute_normal(surface, _universal(), asked.prior, age, **how)
        said = "; ".join(filter(None, ("normal vols", found.notes)))
        return Imputation(**{name: getattr(found, name) for name in FIELDS}, model=f"{UNIVERSAL} ({said})")
    prior, vols = None if asked.prior is None else asked.prior[None], surface.vols[None].copy()
    check_grid(vols, has_prior=prior is not None, coverage=asked.coverage)
    checked_prior(prior, vols.shape, age)
    batch = fill(imputer(model), surface, vols, prior, age, **how)
    return Imputation(**{name: getattr(batch, name)[0] for name in FIELDS}, model=batch.model)


def _universal() -> UniversalBundle:
    loaded = imputer(UNIVERSAL)
    assert isinstance(loaded, UniversalBundle)
    return loaded


def filled_vols(surface: Surface, model: str) -> FloatArray:
    """[T, K] of `impute`."""
    return impute(surface, model=model).filled


@on_one_thread
def impute_batch(
    vols: ArrayLike,
    tenors: ArrayLike,
    *,
    deltas: ArrayLike | None = None,
    moneyness: ArrayLike | None = None,
    prior: ArrayLike | None = None,
    prior_age: float = 1.0,
    model: str | Path = "fx",
    coverage: float = COVERAGE,
    arbitrage_free: bool = True,
) -> Imputation:
    """Fill B surfaces that share their axes, by a history's model and the universal one, weighed by what each
    says of the surface's own quotes (`weighing.py`).

    vols: [B, T, K] decimals, NaN where missing. tenors: [T] years or labels.
    deltas: [K] forward call deltas; or moneyness: [K] or [T, K] log-moneyness ln(K/F).
    prior: [B, T, K], earlier surfaces. prior_age: their age in days, above 0.
    coverage: of the band `low` to `high`, in (0, 1).
    arbitrage_free: filled cells add no violation that the quotes did not have. Where the quotes pass `check`,
    so does `filled`. Where they do not, the quotes stay all the same and move no filled cell by more than its
    std: quotes that do not fit to more plausible ones, and filled cells that would have to move further, are
    `disputed`, and `filled` without these passes `check`: every trade left takes one.

    Raises InputError naming the surface or argument, or BundleError. Deterministic.
    """
    grid = numbers("vols", vols)
    if grid.ndim != 3 or not len(grid):
        raise InputError(f"vols has shape {grid.shape}; expected [surfaces, tenors, strikes]")
    earlier = checked_prior(prior, grid.shape, prior_age)
    check_grid(grid, has_prior=earlier is not None, coverage=coverage)
    axes = Surface(grid[0], np.asarray(tenors).tolist(), deltas=deltas, moneyness=moneyness)
    loaded = imputer(model)
    if earlier is not None:
        earlier = fill_holes(loaded, axes, earlier)
    return fill(loaded, axes, grid, earlier, prior_age, coverage=coverage, arbitrage_free=arbitrage_free)


def fill(
    loaded: Imputer,
    axes: Surface,
    grid: FloatArray,
    prior: FloatArray | None,
    age: float,
    *,
    coverage: float = COVERAGE,
    arbitrage_free: bool = True,
    alone: QuotesAlone | None = None,
) -> Imputation:
    """As `impute_batch`, of arguments that are checked: vols [B, T, K] on the axes of `axes`, full priors.

    alone: what the quotes say without the priors, where that is known.
    """
    answer, shares = answers_beside_fingers(loaded, axes, np.log(grid), prior, age, alone)
    found, guarded = imputation_of(axes, grid, answer, shares, coverage, arbitrage_free=arbitrage_free)
    return replace(found, model=words(loaded, found.mean, shares, answer, guarded, np.isnan(grid)))


def imputation_of(
    axes: Surface, vols: FloatArray, answer: Posterior, who: Shares, coverage: float, *, arbitrage_free: bool
) -> tuple[Imputation, Guarded | None]:
    """The batch of a posterior, without words, and what the arbitrage guard did where it was asked.

    who: has which share in the answer.
    """
    log_mean, log_std = answer.mean.reshape(vols.shape), answer.std.reshape(vols.shape)
    observed = np.isfinite(vols)
    median = _vols(log_mean)
    spread = np.minimum(median * log_std, MAX_VOL)
    mean, std = np.where(observed, vols, median), np.where(observed, 0.0, spread)
    zscore = np.where(observed, answer.zscore.reshape(vols.shape), np.nan)
    guarded = guard(axes, mean, observed, np.where(observed, zscore, std)) if arbitrage_free else None
    filled = mean if guarded is None else guarded.vols
    disputed = np.zeros_like(observed) if guarded is None else guarded.disputed
    low, high = band(mean, log_std, observed, filled, coverage)
    high, history = np.minimum(high, MAX_VOL), np.where(observed, 0.0, who.history.reshape(vols.shape))
    return Imputation(mean, std, low, high, filled, zscore, disputed, history, ""), guarded


def _vols(log: FloatArray) -> FloatArray:
    """Of log-vols, none smaller or larger than a vol may be."""
    return np.asarray(np.clip(np.exp(np.minimum(log, np.log(MAX_VOL))), MIN_VOL, MAX_VOL))


def fill_holes(
    loaded: Imputer, axes: Surface, prior: FloatArray, alone: QuotesAlone | None = None
) -> FloatArray:
    """Earlier surfaces [B, T, K], their holes filled in place; alone: what their quotes say, if known."""
    holes = np.flatnonzero(~np.isfinite(prior).all((1, 2)))
    if len(holes):
        known = None if alone is None else alone.some(holes)
        answer, _ = answers_beside_fingers(loaded, axes, np.log(prior[holes]), None, 1.0, known)
        mean = _vols(answer.mean).reshape(prior[holes].shape)
        prior[holes] = np.where(np.isfinite(prior[holes]), prior[holes], mean)
    return prior
