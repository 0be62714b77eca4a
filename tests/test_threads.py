"""Linear algebra on one thread, whatever the environment says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import voladdin as va
from voladdin import bundles
from voladdin.generation import sampling
from voladdin.imputation import filling
from voladdin.threads import one_thread


def _threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_is_one_while_it_is_entered() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = _threads()
        with one_thread():
            assert _threads() == {1}
        assert _threads() == before


_SURFACE = va.Surface(np.array([[0.1, np.nan, 0.11]]), ["1M"], deltas=[0.75, 0.5, 0.25])


@pytest.mark.parametrize(
    ("ask", "module", "inside"),
    [
        (lambda: va.impute(_SURFACE), filling, "answers_beside_fingers"),
        (lambda: va.impute(_SURFACE, prior=_SURFACE), filling, "fill_holes"),
        (lambda: va.impute(_SURFACE), filling, "guard"),
        (
            lambda: va.impute_batch(_SURFACE.vols[None], ["1M"], deltas=_SURFACE.deltas),
            filling,
            "answers_beside_fingers",
        ),
        (lambda: va.impute(_SURFACE).draws(2), filling, "standard_draws"),
        (lambda: va.impute(_SURFACE).at([0.1], deltas=[0.3]), filling, "anywhere"),
        (lambda: va.sample(2, 1), sampling, "generated"),
        (lambda: bundles._load.__wrapped__(*_card_of("fx")), bundles, "weighted_sums"),
    ],
)
def test_answers_are_on_one(
    ask: Callable[[], object], module: ModuleType, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, part = set(), getattr(module, inside)

    def watched(*arguments: object, **named: object) -> object:
        seen.update(_threads())
        return part(*arguments, **named)

    monkeypatch.setattr(module, inside, watched)
    with threadpool_limits(2, user_api="blas"):
        ask()
    assert seen == {1}


def _card_of(name: str) -> tuple[Path, bytes]:
    return bundles.SHIPPED / name, (bundles.SHIPPED / name / "card.json").read_bytes()
