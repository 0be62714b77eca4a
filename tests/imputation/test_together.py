"""Surfaces filled in one batch: the answers that each has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import voladdin as va
from voladdin.errors import InputError
from voladdin.imputation import recent, together
from voladdin.imputation.filling import FIELDS

TENORS, DELTAS = ["1W", "1M", "3M", "1Y"], [0.9, 0.75, 0.5, 0.25, 0.1]
EXACT = {"zscore": 1e-6, "disputed": 0.0}  # others: 1e-9 of vol


def surfaces(count: int, noise: float = 0.002, seed: int = 0, **axis: Any) -> list[va.Surface]:
    """Smiles of different levels with holes; of much noise, they can be arbitraged."""
    rng = np.random.default_rng(seed)
    vols = 0.01 * np.abs(np.arange(5) - 2) + 0.004 * np.arange(4)[:, None]
    found = rng.uniform(0.05, 0.2, (count, 1, 1)) + vols
    found *= np.exp(noise * rng.standard_normal(found.shape))
    holes = rng.random(found.shape) < 0.4
    holes[:, 1, 2] = False
    return [va.Surface(v, TENORS, **(axis or {"deltas": DELTAS})) for v in np.where(holes, np.nan, found)]


def assert_close(found: va.Imputation, alone: va.Imputation) -> None:
    for name in FIELDS:
        one, other = getattr(found, name), getattr(alone, name)
        np.testing.assert_allclose(one, other, rtol=0, atol=EXACT.get(name, 1e-9), err_msg=name)
    assert found.model == alone.model


@pytest.mark.parametrize(
    "axis",
    [
        {},
        {"moneyness": [-0.1, -0.05, 0.0, 0.05, 0.1]},
        {"strikes": [0.9, 0.95, 1, 1.1, 1.2], "forwards": [1] * 4},
    ],
)
@pytest.mark.parametrize("noise", [0.002, 0.2])
@pytest.mark.parametrize("model", ["fx", "universal"])
def test_each_is_answered_as_alone(axis: dict[str, Any], noise: float, model: str) -> None:
    asked = surfaces(20, noise, **axis)
    found = together.impute_each(asked, model=model)
    for one, surface in zip(found, asked, strict=True):
        assert_close(one, va.impute(surface, model=model))
    assert len({one.model for one in found}) > 1 or model == "universal"
    if noise == 0.2:
        assert any(one.disputed.any() for one in found) and any(one.moved.any() for one in found)


def test_with_priors_and_every_argument() -> None:
    asked, prior = surfaces(12), surfaces(12, seed=1)
    how: dict[str, Any] = {"prior_age": 3.0, "coverage": 0.5, "arbitrage_free": False}
    for n, one in enumerate(together.impute_each(asked, prior=prior, **how)):
        assert_close(one, va.impute(asked[n], prior=prior[n], **how))
        alone = va.impute(asked[n], prior=prior[n], **how)
        np.testing.assert_allclose(one.draws(2, 7), alone.draws(2, 7), rtol=0, atol=1e-9)


def test_a_question_that_fails_leaves_the_others() -> None:
    """Mixed axes, twice the same, normal vols, a market, no quote at all, another coverage."""
    plain, other = surfaces(3), surfaces(3, moneyness=[-0.1, -0.05, 0.0, 0.05, 0.1])
    empty = plain[0].replace(np.full((4, 5), np.nan))
    normal = va.Surface(
        1e-4 * plain[0].vols * 1e3, TENORS, strikes=DELTAS, forwards=[0.5] * 4, vol_type="normal"
    )
    asked = [*plain, empty, *other, plain[0], normal]
    questions = [recent.Question.of(one) for one in asked]
    questions.append(recent.Question.of(plain[1], bid=plain[1].vols * 0.99))
    questions.append(recent.Question.of(plain[1], coverage=2.0))
    found = recent.imputed_together(questions)
    assert found[7] is found[0]
    assert [n for n, one in enumerate(found) if isinstance(one, InputError)] == [3, 10]
    for one, question in zip(found, questions, strict=True):
        if isinstance(one, va.Imputation):
            assert_close(one, va.impute(question.surface, **question.arguments))
        else:
            with pytest.raises(InputError, match=str(one).partition(" ")[0]):
                va.impute(question.surface, **question.arguments)


def test_surfaces_of_one_grid_are_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def each(some: list[va.Surface], **how: Any) -> list[va.Imputation]:
        sizes.append(len(some))
        return together.impute_each(some, **how)

    monkeypatch.setattr(recent, "impute_each", each)
    recent.imputed_together([recent.Question.of(one) for one in surfaces(recent._BATCH + 9, seed=2)])
    assert sizes == [recent._BATCH, 9]
