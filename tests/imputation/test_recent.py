"""Answers kept for whoever asks the same again: those that `impute` gives, whoever asks, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest

import voladdin as va
from voladdin.imputation import recent
from voladdin.imputation.interpolation import interpolate_many

TENORS, DELTAS = ["1W", "1M", "3M", "1Y"], [0.9, 0.75, 0.5, 0.25, 0.1]


def surface(level: float = 0.1, hole: int = 7, **axis: object) -> va.Surface:
    vols = level + 0.01 * np.abs(np.arange(5) - 2)[None] + 0.004 * np.arange(4)[:, None]
    vols[np.unravel_index([hole, 3], vols.shape)] = np.nan
    return va.Surface(vols, TENORS, **(axis or {"deltas": DELTAS}))  # type: ignore[arg-type]


def assert_same(found: va.Imputation, expected: va.Imputation) -> None:
    for field in fields(found):
        given, right = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(right, np.ndarray):
            np.testing.assert_array_equal(given, right)
    assert found.model == expected.model


def test_a_kept_answer_is_the_fresh_one_and_nobody_can_change_it() -> None:
    asked = surface()
    first = recent.imputed(asked)
    assert recent.imputed(surface()) is first
    assert_same(first, va.impute(asked))
    with pytest.raises(ValueError, match="read-only"):
        first.filled[0, 0] = 1.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"coverage": 0.5},
        {"prior": surface(0.11)},
        {"prior": surface(0.11), "prior_age": 3.0},
        {"bid": np.full((4, 5), 0.09)},
        {"arbitrage_free": False},
        {"model": "universal"},
    ],
)
def test_every_argument_tells_answers_apart(arguments: dict[str, object]) -> None:
    asked = surface()
    plain, found = recent.imputed(asked), recent.imputed(asked, **arguments)
    assert found is not plain
    assert_same(found, va.impute(asked, **arguments))  # type: ignore[arg-type]


def test_what_is_said_and_what_is_left_unsaid_are_one_question() -> None:
    plain = recent.imputed(surface())
    assert recent.imputed(surface(), prior=None, prior_age=1.0, coverage=0.9, bid=None, model="fx") is plain


def test_the_last_bit_and_the_kind_of_axis_tell_surfaces_apart() -> None:
    nearly = va.Surface(np.nextafter(surface().vols, 1.0), TENORS, deltas=DELTAS)
    axis = np.array(DELTAS)
    several = [surface(), nearly, surface(moneyness=axis), surface(strikes=axis, forwards=np.ones(4))]
    answers = [recent.imputed(one) for one in several]
    assert len({id(answer) for answer in answers}) == len(several)


def test_threads_get_the_answers_of_one() -> None:
    asked = [surface(0.1 + 0.01 * n, hole) for n in range(4) for hole in (7, 12)]
    expected = [va.impute(one) for one in asked]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(recent.imputed, asked * 3))
    for answer, right in zip(found, expected * 3, strict=True):
        assert_same(answer, right)


@pytest.mark.parametrize("axis", [{"deltas": DELTAS}, {"moneyness": [-0.1, -0.05, 0.0, 0.05, 0.1]}])
def test_the_vol_anywhere_does_not_depend_on_what_was_asked_before(axis: dict[str, object]) -> None:
    asked, kind = surface(**axis), "delta" if "deltas" in axis else "moneyness"
    years, strikes = [0.1, 0.3, 1.5], [0.07, 0.4, 0.6]
    first = interpolate_many(asked, years, strikes, kind=kind)
    interpolate_many(surface(0.2, **axis), years, strikes, kind=kind)
    recent.imputed(asked)
    np.testing.assert_array_equal(interpolate_many(asked, years, strikes, kind=kind), first)
