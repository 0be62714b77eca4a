"""Normal vols in cells: expiries of today, strikes of which some have %, forwards of another unit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from voladdin.cells import Cells, parse
from voladdin.errors import LabelError, UnitsError

TODAY, NEXT = date(2026, 1, 5), date(2027, 1, 5)
EXPIRING: Cells = [[TODAY, "ATM-50", "ATM"], [TODAY, 80.0, 85.0], [NEXT, 81.0, 86.0]]


def sheet(forward: object, *strikes: object) -> Cells:
    return [["", "Fwd", *strikes], ["1Y", forward, 80.0, 85.0, 90.0], ["2Y", forward, 82.0, None, 91.0]]  # type: ignore[list-item]


def test_an_expiry_of_today_leaves_forwards_of_the_argument() -> None:
    grid = parse(EXPIRING, units="bp", forwards=[[0.02], [0.03]])
    assert grid.surface.forwards is not None and grid.surface.forwards.tolist() == [0.03]
    assert grid.written.tolist() == [[81.0, 86.0]]


def test_an_expiry_of_today_leaves_forwards_of_the_range() -> None:
    heads = ["Fwd", 0.02, 0.03]
    grid = parse([[row[0], head, *row[1:]] for row, head in zip(EXPIRING, heads, strict=True)], units="bp")
    assert grid.surface.forwards is not None and grid.surface.forwards.tolist() == [0.03]
    assert any("expires today" in warning for warning in grid.warnings)


@pytest.mark.parametrize("forward", [3.0, "3%"])
def test_strikes_with_and_without_percent(forward: object) -> None:
    surface = parse(sheet(forward, "2%", 3, 4), units="bp").surface
    assert surface.strikes is not None and surface.forwards is not None
    np.testing.assert_allclose(surface.strikes[0], [0.02, 0.03, 0.04])
    np.testing.assert_allclose(surface.forwards, 0.03)


@pytest.mark.parametrize(("forward", "strikes"), [(0.03, (2, 3, 4)), (3.0, (0.02, 0.03, 0.04))])
def test_strikes_and_forwards_of_two_units_are_refused(forward: float, strikes: tuple[float, ...]) -> None:
    with pytest.raises(LabelError, match="differ in unit"):
        parse(sheet(forward, *strikes), units="bp")


def test_a_forward_outside_the_strikes_is_none_of_another_unit() -> None:
    surface = parse(sheet("2.5%", "-1%", "0.5%", "2%"), units="bp").surface
    assert surface.forwards is not None and surface.forwards.tolist() == [0.025, 0.025]
    plain = parse(sheet(2.5, -1, 0.5, 2), units="bp").surface
    assert plain.forwards is not None and plain.forwards.tolist() == [0.025, 0.025]


def test_a_tenor_without_quotes_has_strikes_in_the_unit_of_the_others() -> None:
    surface = parse([*sheet(3.0, 2, 3, 4), ["5Y", 3.0, None, None, None]], units="bp").surface
    assert surface.strikes is not None
    np.testing.assert_allclose(surface.strikes[2], [0.02, 0.03, 0.04])


def test_a_blank_argument_is_no_unit() -> None:
    cells: Cells = [["bp", "ATM-50", "ATM"], ["1Y", 1.0, 1.1]]
    with pytest.raises(UnitsError, match="said to be basis points"):
        parse(cells, units=" ")
