"""The floor on refused examples."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.answered import answered


def test_a_property_of_refusals_fails() -> None:
    @answered(st.integers(0, 9), max_examples=100)
    def seldom(number: int) -> bool | None:
        return None if number < 3 else False

    with pytest.raises(AssertionError, match="examples are refused"):
        seldom()


@answered(st.integers(0, 9), max_examples=50)
def test_a_property_of_answers_passes(number: int) -> bool | None:
    return None if number < 8 else False


def test_a_failing_example_is_reported() -> None:
    @answered(st.integers(0, 9), max_examples=50)
    def wrong(number: int) -> None:
        assert number < 9

    with pytest.raises(AssertionError, match="assert 9 < 9"):
        wrong()
