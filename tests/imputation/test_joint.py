"""How cells move together as a history has them: its spreads tell whether a covariance is the answer's."""

from __future__ import annotations

import numpy as np
import pytest

import voladdin as va
from tests.imputation.example import DELTAS, TENORS, holes, surface
from voladdin._typing import BoolArray, FloatArray
from voladdin.black import moneyness_from_delta
from voladdin.imputation.drawing import standard_draws
from voladdin.imputation.history.joint import covariance_given
from voladdin.imputation.history.posterior import from_prior, from_quotes
from voladdin.imputation.model import Bundle, UniversalBundle

FX = va.load("fx", Bundle)
AXES = va.Surface(surface(), TENORS, deltas=DELTAS)
OBSERVATION = FX.observation(tuple(np.repeat(AXES.tenors, 5).tolist()), tuple(np.tile(DELTAS, 8).tolist()))


def _cells(vols: FloatArray) -> tuple[FloatArray, BoolArray]:
    observed = np.isfinite(vols).reshape(1, -1)
    return np.log(np.where(observed, vols.reshape(1, -1), 1.0)), observed


def _rough(vols: FloatArray) -> FloatArray:
    """Quotes that no smile has: answered with noise, without the deep model."""
    return np.asarray(vols * np.exp(0.05 * np.random.default_rng(1).standard_normal(vols.shape)))


@pytest.mark.parametrize("rough", [False, True])
def test_spreads_are_those_of_the_answer_but_for_a_factor(*, rough: bool) -> None:
    vols = holes(surface(), 0.5)
    cells, observed = _cells(_rough(vols) if rough else vols)
    found = covariance_given(FX, OBSERVATION, cells, observed, None, 1.0)
    answer = from_quotes(FX, OBSERVATION, cells, observed)
    assert answer.unexplained[0] == rough
    ratio = (answer.std[0] / np.sqrt(np.diagonal(found)))[~observed[0]]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


@pytest.mark.parametrize("age", [1.0, 9.0])
def test_after_an_earlier_surface_alone(age: float) -> None:
    prior, (cells, observed) = np.log(surface()).reshape(1, -1), _cells(np.full((8, 5), np.nan))
    found = covariance_given(FX, OBSERVATION, cells, observed, prior, age)
    answer = from_prior(FX, OBSERVATION, cells, observed, prior, age)
    ratio = answer.std[0] / np.sqrt(np.diagonal(found))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_quotes_beside_an_earlier_surface_leave_less() -> None:
    prior, (cells, observed) = np.log(surface()).reshape(1, -1), _cells(holes(surface(), 0.5))
    both = covariance_given(FX, OBSERVATION, cells, observed, prior, 1.0)
    alone = covariance_given(FX, OBSERVATION, cells, observed, None, 1.0)
    missing = ~observed[0]
    assert (np.diagonal(both) < np.diagonal(alone) + 1e-12)[missing].all()
    assert (np.linalg.eigvalsh(both) > -1e-9).all()


@pytest.mark.parametrize("strikes", [False, True])
def test_draws_of_a_surface_like_the_history_s_move_as_it_says(*, strikes: bool) -> None:
    """At strikes the deltas are those of the filled vols."""
    usual = np.exp(OBSERVATION.push(*FX.levels.whole)[0]).reshape(8, 5)
    moneyness = moneyness_from_delta(np.array(DELTAS), usual * np.sqrt(AXES.tenors)[:, None])
    places = {"moneyness": moneyness} if strikes else {"deltas": DELTAS}
    quotes = va.Surface(holes(usual, 0.6), TENORS, **places)
    missing, found = ~quotes.observed.ravel(), va.impute(quotes)
    covariance = covariance_given(FX, OBSERVATION, *_cells(quotes.vols), None, 1.0)
    wanted = _correlation(covariance[np.ix_(missing, missing)])
    loaded = FX, va.load("universal", UniversalBundle)
    drawn = (standard_draws(quotes, one, found.filled, found.history, None, 1.0, 8000, 0) for one in loaded)
    own, general = (np.abs(np.corrcoef(one.T) - wanted).mean() for one in drawn)
    assert own < 0.4 * general


def test_the_weight_of_a_history_is_the_answer_s() -> None:
    """Also where a lone bid holds a filled cell, which is drawn all the same."""
    usual = np.exp(OBSERVATION.push(*FX.levels.whole)[0]).reshape(8, 5)
    quotes = va.Surface(holes(usual, 0.6), TENORS, deltas=DELTAS)
    found, hidden, bid = va.impute(quotes), ~quotes.observed, np.full((8, 5), np.nan)
    assert (found.history[hidden] > 0.5).all() and not found.history[quotes.observed].any()
    assert not va.impute(quotes, model="universal").history.any()
    row, column = np.argwhere(hidden)[0]
    bid[row, column] = 1.01 * found.filled[row, column]
    held = va.impute(quotes, bid=bid)
    assert held.filled[row, column] == bid[row, column]
    np.testing.assert_array_equal(held.history, found.history)


def _correlation(covariance: FloatArray) -> FloatArray:
    spread = np.sqrt(np.diagonal(covariance))
    return np.asarray(covariance / np.outer(spread, spread))
