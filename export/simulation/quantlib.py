"""Reference prices by QuantLib's engines; QuantLib is imported when called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from voladdin._typing import FloatArray

from .fourier import expand, otm_prices
from .surfaces import random_parameters

_YEARS = np.array([14 / 365, 91 / 365, 1.0, 5.0, 10.0])
_NODES = np.array([-2.3, -0.8, 0.0, 1.4])
_HERMITE_ORDER = 120


def price_differences(seed: int, count: int = 20) -> dict[str, FloatArray]:
    """Ours minus QuantLib's out-of-the-money prices, forward-normalised, [count, T, K] for each model.

    Parameters are random draws of the simulator. Heston++ and Bates++ have no engine in QuantLib: their
    shift is an independent Gaussian factor of the forward, integrated over (`shifted_price`).
    """
    rng = np.random.default_rng(seed)
    return {
        model: np.stack([_difference(model, rng) for _ in range(count)])
        for model in ("heston", "bates", "heston++", "bates++")
    }


def _difference(model: str, rng: np.random.Generator) -> FloatArray:
    params = {name: value[:1] for name, value in random_parameters(rng, 1, model, _YEARS).items()}
    items = expand(params, _YEARS)
    log_moneyness = _NODES * np.sqrt(items.total_variance)
    theirs = quantlib_prices({name: value[0] for name, value in params.items()}, _YEARS, log_moneyness)
    return otm_prices(items, _NODES) - theirs


def quantlib_prices(params: Mapping[str, Any], years: FloatArray, log_moneyness: FloatArray) -> FloatArray:
    """QuantLib's forward-normalised out-of-the-money prices [T, K] of one parameter set.

    years: [T], whole days of 1/365. log_moneyness: [T, K]. params as for `model_vols`, scalars, shift [T].
    """
    engine = _engine(params)
    shift = params.get("shift", np.zeros(len(years)))
    prices = np.empty_like(log_moneyness)
    for row, year in enumerate(years):
        for column, k in enumerate(log_moneyness[row]):
            call = shifted_price(partial(_call, engine, year=year), float(k), float(shift[row]))
            prices[row, column] = call if k >= 0 else call - 1.0 + np.exp(k)
    return prices


def shifted_price(call: Callable[[float], float], log_moneyness: float, shift: float) -> float:
    """Call price with an independent Gaussian of variance `shift` added to the log-price.

    E[F_Z c(k - ln F_Z)], ln F_Z = sqrt(shift) Z - shift / 2, by Gauss-Hermite quadrature.
    """
    if shift == 0:
        return call(log_moneyness)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_HERMITE_ORDER)
    live = weights > 1e-16 * weights.max()
    forwards = np.sqrt(shift) * nodes[live] - 0.5 * shift
    total = sum(
        weight * np.exp(forward) * call(log_moneyness - forward)
        for weight, forward in zip(weights[live], forwards, strict=True)
    )
    return float(total / np.sqrt(2 * np.pi))


def _engine(params: Mapping[str, Any]) -> Any:
    """A Heston or Bates engine at zero rates and a spot of 1, integrated adaptively."""
    import QuantLib as ql

    today = ql.Date(1, 1, 2020)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    heston = [float(params[name]) for name in ("v0", "kappa", "theta", "xi", "rho")]
    if "intensity" in params:
        jumps = [float(params[name]) for name in ("intensity", "jump_mean", "jump_std")]
        model = ql.BatesModel(ql.BatesProcess(flat, flat, spot, *heston, *jumps))
        return ql.BatesEngine(model, 1e-11, 1_000_000)
    model = ql.HestonModel(ql.HestonProcess(flat, flat, spot, *heston))
    return ql.AnalyticHestonEngine(model, 1e-11, 1_000_000)


def _call(engine: Any, log_moneyness: float, year: float) -> float:
    import QuantLib as ql

    expiry = ql.Settings.instance().evaluationDate + round(365 * year)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, float(np.exp(log_moneyness)))
    option = ql.VanillaOption(payoff, ql.EuropeanExercise(expiry))
    option.setPricingEngine(engine)
    return float(option.NPV())
