"""The floor on refused examples: a property that refuses most of them fails, however they are refused."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PROPERTIES = """
from hypothesis import HealthCheck, assume, given, settings, strategies as st

few = settings(max_examples=50, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
numbers = st.integers(0, 9)

@few
@given(numbers)
def test_assumed(number):
    assume(number < 3)

@few
@given(numbers.filter(lambda number: number in {3}))
def test_filtered(number):
    pass

@few
@given(numbers)
def test_usual(number):
    assume(number < 8)

@few
@given(numbers)
def test_wrong(number):
    assume(number < 8)
    assert number < 0

def test_no_property():
    pass
"""


def test_most_refused_fails(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> None:
    own = request.config.rootpath / "tests" / "conftest.py"
    pytester.makeconftest(own.read_text(encoding="utf-8"))
    pytester.makepyfile(PROPERTIES)
    found = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-vv")
    found.assert_outcomes(passed=2, failed=3)
    found.stdout.fnmatch_lines(["*test_assumed*examples are refused; expected at most 50%*"])
