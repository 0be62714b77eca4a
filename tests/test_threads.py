"""Linear algebra on one thread, whatever the environment says."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import voladdin as va
from voladdin.imputation import filling, weighing
from voladdin.threads import one_thread


def _threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_is_one_while_it_is_entered() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = _threads()
        with one_thread():
            assert _threads() == {1}
        assert _threads() == before


def test_imputation_is_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, answers = [], weighing.answers

    def watched(*arguments: object) -> object:
        seen.append(_threads())
        return answers(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(filling, "answers", watched)
    with threadpool_limits(2, user_api="blas"):
        va.impute(va.Surface(np.array([[0.1, np.nan, 0.11]]), ["1M"], deltas=[0.75, 0.5, 0.25]))
    assert seen == [{1}]
