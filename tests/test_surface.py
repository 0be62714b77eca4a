"""Surface: what it accepts, and how it names what it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voladdin.errors import InputError, LabelError
from voladdin.surface import Surface

VOLS = [[0.09, 0.08, np.nan], [0.1, 0.09, 0.095]]
DELTAS = [0.75, 0.5, 0.25]


def test_labels_are_read() -> None:
    surface = Surface(VOLS, ["1M", "1Y"], deltas=["25P", "ATM", "25C"])
    np.testing.assert_array_equal(surface.deltas, DELTAS)
    np.testing.assert_array_equal(surface.tenors, [1 / 12, 1.0])


def test_it_is_immutable() -> None:
    surface = Surface(VOLS, ["1M", "1Y"], deltas=DELTAS)
    with pytest.raises(ValueError, match="read-only"):
        surface.vols[0, 0] = 1.0


@pytest.mark.parametrize(
    ("vols", "axes", "kind", "message"),
    [
        ([[0.1], [0.1, 0.2]], {"deltas": DELTAS}, InputError, "vols has rows of 1 and of 2 numbers"),
        ([["x", 0.1, 0.1], [0.1] * 3], {"deltas": DELTAS}, InputError, "vols must be numbers or NaN"),
        ([[-0.1, 0.1, 0.1], [0.1] * 3], {"deltas": DELTAS}, InputError, r"vols\[0, 0\] is -0.1"),
        ([[np.inf, 0.1, 0.1], [0.1] * 3], {"deltas": DELTAS}, InputError, r"vols\[0, 0\] is inf"),
        (VOLS, {"deltas": ["25P", "foo", "25C"]}, LabelError, "deltas has 'foo'; expected a delta"),
        (VOLS, {"deltas": [75, 50, 25]}, LabelError, r"deltas must be forward call deltas in \(0, 1\)"),
        (VOLS, {"deltas": [0.75, 0.5, 0.5]}, LabelError, "0.5 and 0.5 are twice"),
        (VOLS, {"deltas": DELTAS[:2]}, InputError, r"deltas has shape \(2,\)"),
        (VOLS, {"moneyness": ["a", "b", "c"]}, LabelError, "moneyness is .*; expected numbers"),
        (VOLS, {"strikes": [1.0, 1.1, 1.2]}, InputError, "strikes need forwards"),
        (
            VOLS,
            {"strikes": [1.0, 1.1, 1.2], "forwards": [1.0, -1.0]},
            InputError,
            "forwards must be positive",
        ),
        (VOLS, {}, InputError, "exactly one of deltas, moneyness or strikes"),
    ],
)
def test_errors(vols: Any, axes: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Surface(vols, ["1M", "1Y"], **axes)


def test_log_moneyness_of_one_strike_is_refused() -> None:
    with pytest.raises(
        LabelError, match=r"moneyness: 0 and 1e-300 are one K/F to 16 digits; expected it once"
    ):
        Surface([[0.1, 0.1]], [1.0], moneyness=[0.0, 1e-300])


def test_forwards_of_normal_vols_may_be_negative_and_must_be_finite() -> None:
    assert Surface([[0.01]], ["1Y"], strikes=[0.0], forwards=[-0.001], vol_type="normal").vols[0, 0] == 0.01
    with pytest.raises(InputError, match=r"forwards must be finite and at most 1e\+100 in size; got nan"):
        Surface([[0.01]], ["1Y"], strikes=[0.0], forwards=[np.nan], vol_type="normal")
    with pytest.raises(InputError, match="strikes need forwards: one forward for each tenor"):
        Surface([[0.01]], ["1Y"], strikes=[0.0], vol_type="normal")
