"""ATM, risk reversals and butterflies of a surface: exact where it came from quotes, right elsewhere."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voladdin.conventions import Convention, quotes_from_surface, surface_from_quotes
from voladdin.conventions.smile import Smile
from voladdin.errors import InfeasibleError, InputError
from voladdin.surface import Surface

YEARS = np.array([0.02, 0.25, 1.0, 2.0, 5.0])
CONVENTIONS = [
    Convention(*way)  # type: ignore[arg-type]
    for way in itertools.product(("spot", "forward"), (True, False), ("dns", "forward"), ("broker", "smile"))
]
RATES: dict[str, Any] = {"spot": 1.1, "domestic_rates": 0.02, "foreign_rates": 0.03}


def random_quotes(rng: np.random.Generator) -> dict[str, np.ndarray]:
    level = np.exp(rng.normal(np.log(0.12), 0.4, len(YEARS)))
    quotes = {"atm": level, "rr25": level * rng.normal(0, 0.1, len(YEARS))}
    quotes["bf25"] = level * rng.uniform(0.01, 0.05, len(YEARS))
    quotes["rr10"] = quotes["rr25"] * rng.uniform(1.6, 2.0, len(YEARS))
    quotes["bf10"] = quotes["bf25"] * rng.uniform(3.0, 4.0, len(YEARS))
    return quotes


@pytest.mark.parametrize("rule", CONVENTIONS, ids=lambda rule: str(tuple(vars(rule).values())))
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_random_smiles_come_back_in_every_convention(rule: Convention, seed: int) -> None:
    quotes = random_quotes(np.random.default_rng(seed))
    try:
        surface = surface_from_quotes(YEARS, **quotes, pair=rule, **RATES)
    except InfeasibleError:
        return
    found = quotes_from_surface(surface, pair=rule, **RATES)
    for name, quoted in quotes.items():
        np.testing.assert_allclose(found[name], quoted, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("pair", ["EURUSD", "USDJPY", "USDBRL"])
def test_a_wing_or_tenor_without_vols_has_no_quote(pair: str) -> None:
    quotes = random_quotes(np.random.default_rng(3))
    quotes["rr10"][1] = quotes["bf10"][1] = quotes["rr25"][2] = np.nan
    quotes["rr25"][3] = quotes["rr10"][3] = quotes["atm"][4] = np.nan
    found = quotes_from_surface(surface_from_quotes(YEARS, **quotes, pair=pair, **RATES), pair=pair, **RATES)
    quotes["bf25"][2] = quotes["bf25"][3] = quotes["bf10"][3] = np.nan  # of no use without the other
    for name in ("rr25", "bf25", "rr10", "bf10"):
        quotes[name][4] = np.nan
    for name, quoted in quotes.items():
        np.testing.assert_allclose(found[name], quoted, atol=1e-11, err_msg=name)


def test_three_columns_in_any_order() -> None:
    quotes = {
        k: v for k, v in random_quotes(np.random.default_rng(4)).items() if k in ("atm", "rr25", "bf25")
    }
    surface = surface_from_quotes(YEARS, **quotes, pair="USDJPY", **RATES)
    three = Surface(surface.vols[:, 3:0:-1], YEARS, deltas=[0.25, 0.5, 0.75])
    found = quotes_from_surface(three, pair="USDJPY", **RATES)
    for name, quoted in quotes.items():
        np.testing.assert_allclose(found[name], quoted, atol=1e-11)
    assert np.isnan(found["rr10"]).all()


@pytest.mark.parametrize("rule", CONVENTIONS[::3], ids=str)
def test_a_function_of_moneyness_has_the_quotes_of_its_smile(rule: Convention) -> None:
    """The quotes of a flat smile are flat; those of a smile's own function are the smile's quotes."""
    flat = Surface(np.full((5, 2), 0.1), YEARS, moneyness=[-0.1, 0.1])
    found = quotes_from_surface(flat, pair=rule, vol=lambda m: np.full_like(m, 0.1), **RATES)
    np.testing.assert_allclose(found["atm"], 0.1, rtol=1e-12)
    for name in ("rr25", "bf25", "rr10", "bf10"):
        np.testing.assert_allclose(found[name], 0.0, atol=1e-11)
    skewed = Smile(YEARS, np.sqrt(YEARS)[:, None] * [-0.1, 0.0, 0.1], np.tile([0.11, 0.1, 0.095], (5, 1)))
    found = quotes_from_surface(flat, pair=rule, vol=skewed.vol, **RATES)
    assert (found["rr25"] < 0).all() and (found["rr10"] < found["rr25"]).all()


def test_other_axes_need_a_function() -> None:
    with pytest.raises(InputError, match=r"not at the deltas 0\.9, .*; expected the argument vol"):
        quotes_from_surface(Surface([[0.1, 0.1]], [1.0], moneyness=[-0.1, 0.1]))
    with pytest.raises(InputError, match="expected the argument vol"):
        quotes_from_surface(Surface([[0.1, 0.1]], [1.0], deltas=[0.6, 0.5]))
