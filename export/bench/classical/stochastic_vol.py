"""Heston, Bates and Heston++ fitted to each surface's quotes, with QuantLib's engines.

Heston and Bates are calibrated by QuantLib (`HestonModel.calibrate`: Levenberg-Marquardt on implied vols).
Heston++ (Pacati, Renò and Santilli 2014) adds a deterministic variance, piecewise constant between the
tenors and not negative, to Heston's; its characteristic function is QuantLib's Heston's times that of the
shift, and Levenberg-Marquardt fits price errors over vega. Forwards and discounts are 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import QuantLib as ql
from scipy.optimize import least_squares

from voladdin import black
from voladdin._typing import FloatArray

from ..data import DeltaAxes, History
from ..methods import Prediction
from .fourier import NODES, Characteristic, ComplexArray, lewis_call_price, lewis_matrix, model_smile

LAGUERRE = 64  # integration order of QuantLib's engines
YEAR = 365.0
_TODAY = ql.Date(2, 1, 2020)


def heston_characteristic(theta: float, kappa: float, sigma: float, rho: float, v0: float) -> Characteristic:
    """QuantLib's Heston characteristic function, over an array."""
    flat = ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    model = ql.HestonModel(ql.HestonProcess(flat, flat, spot, v0, kappa, theta, sigma, rho))
    engine = ql.AnalyticHestonEngine(model, LAGUERRE)

    def characteristic(z: ComplexArray, tenor: float) -> ComplexArray:
        return np.array([engine.chF(complex(x), float(tenor)) for x in z])

    return characteristic


class StochasticVol:
    """Shared by the three: fit the quotes of one surface, then ask the model for every missing cell."""

    uses_prior = False
    name: str

    def fit(self, history: History) -> None:
        """Nothing to learn: the model is fitted to the quotes of each surface."""

    def predict(self, vols: FloatArray, axes: DeltaAxes, prior: FloatArray | None = None) -> Prediction:
        return Prediction(np.stack([self._fill(surface, axes) for surface in vols]))

    def _fill(self, vols: FloatArray, axes: DeltaAxes) -> FloatArray:
        characteristic = self.calibrate(vols, axes)
        rows = [
            row if np.isfinite(row).all() else model_smile(row, tenor, axes.deltas, characteristic)
            for row, tenor in zip(vols, axes.tenors, strict=True)
        ]
        return np.stack(rows)

    def calibrate(self, vols: FloatArray, axes: DeltaAxes) -> Characteristic:
        """The characteristic function of the fitted model."""
        ql.Settings.instance().evaluationDate = _TODAY
        return self._calibrated(vols, axes)

    def _calibrated(self, vols: FloatArray, axes: DeltaAxes) -> Characteristic:
        raise NotImplementedError


def _start(vols: FloatArray) -> tuple[float, float]:
    """Instantaneous and long variance from the first and the last quoted tenor."""
    level = [np.nanmean(row) for row in vols if np.isfinite(row).any()]
    return float(level[0] ** 2), float(level[-1] ** 2)


def _helpers(vols: FloatArray, axes: DeltaAxes, engine: ql.PricingEngine) -> list[ql.HestonModelHelper]:
    flat = ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, 0.0, ql.Actual365Fixed()))
    helpers = []
    for i, k in np.argwhere(np.isfinite(vols)):
        days = max(round(axes.tenors[i] * YEAR), 1)
        strike = float(np.exp(black.moneyness_from_delta(axes.deltas[k], vols[i, k] * np.sqrt(days / YEAR))))
        quote = ql.QuoteHandle(ql.SimpleQuote(float(vols[i, k])))
        period, calendar = ql.Period(days, ql.Days), ql.NullCalendar()
        error = ql.BlackCalibrationHelper.ImpliedVolError
        helper = ql.HestonModelHelper(period, calendar, 1.0, strike, quote, flat, flat, error)
        helper.setPricingEngine(engine)
        helpers.append(helper)
    return helpers


def _calibrate(model: ql.HestonModel, helpers: list[ql.HestonModelHelper], fix_first: list[int]) -> None:
    """Fit in place; at most half the quotes + 1 are free, `fix_first` stay first."""
    count = len(list(model.params()))
    fixed = [False] * count
    for parameter in fix_first[: max(count - len(helpers) // 2 - 1, 0)]:
        fixed[parameter] = True
    method, end = ql.LevenbergMarquardt(1e-8, 1e-8, 1e-8), ql.EndCriteria(100, 20, 1e-8, 1e-8, 1e-8)
    model.calibrate(helpers, method, end, ql.NoConstraint(), [1.0] * len(helpers), fixed)


def _market() -> list[object]:
    flat = ql.YieldTermStructureHandle(ql.FlatForward(_TODAY, 0.0, ql.Actual365Fixed()))
    return [flat, flat, ql.QuoteHandle(ql.SimpleQuote(1.0))]


def _fit_heston(vols: FloatArray, axes: DeltaAxes) -> tuple[float, float, float, float, float]:
    """theta, kappa, sigma, rho, v0 of QuantLib's calibration."""
    first, last = _start(vols)
    model = ql.HestonModel(ql.HestonProcess(*_market(), first, 1.5, last, 0.4, 0.0))
    _calibrate(model, _helpers(vols, axes, ql.AnalyticHestonEngine(model, LAGUERRE)), [1, 2, 3, 0])
    theta, kappa, sigma, rho, v0 = model.params()
    return theta, kappa, sigma, rho, v0


class Heston(StochasticVol):
    """Heston (1993): five parameters for the whole surface."""

    name = "Heston"

    def _calibrated(self, vols: FloatArray, axes: DeltaAxes) -> Characteristic:
        return heston_characteristic(*_fit_heston(vols, axes))


class Bates(StochasticVol):
    """Bates (1996): Heston and lognormal jumps, eight parameters, started at the Heston fit and few jumps."""

    name = "Bates"

    def _calibrated(self, vols: FloatArray, axes: DeltaAxes) -> Characteristic:
        theta, kappa, sigma, rho, v0 = _fit_heston(vols, axes)
        model = ql.BatesModel(ql.BatesProcess(*_market(), v0, kappa, theta, sigma, rho, 0.05, 0.0, 0.03))
        engine = ql.BatesEngine(model, LAGUERRE)
        _calibrate(model, _helpers(vols, axes, engine), [7, 6, 5, 1, 2, 3, 0])
        theta, kappa, sigma, rho, v0, nu, delta, intensity = model.params()
        heston = heston_characteristic(theta, kappa, sigma, rho, v0)
        mean = np.exp(nu + 0.5 * delta**2) - 1

        def characteristic(z: ComplexArray, tenor: float) -> ComplexArray:
            jump = np.exp(1j * z * nu - 0.5 * delta**2 * z**2) - 1 - 1j * z * mean
            return np.asarray(heston(z, tenor) * np.exp(intensity * tenor * jump))

        return characteristic


class HestonShift(StochasticVol):
    """Heston++: five parameters and one shift of the variance for each tenor."""

    name = "Heston++"

    def _calibrated(self, vols: FloatArray, axes: DeltaAxes) -> Characteristic:
        first, last = _start(vols)
        start = np.r_[np.log([0.8 * last, 1.5, 0.4]), 0.0, np.log(0.8 * first)]
        start = np.r_[start, np.full(len(axes.tenors), np.sqrt(0.2 * min(first, last)))]
        quotes = _TenorResiduals(vols, axes, start)
        fit = least_squares(quotes.residuals, start, method="lm", xtol=1e-7, ftol=1e-7, max_nfev=600)
        return _shifted(fit.x, axes.tenors)


def _parameters(x: FloatArray) -> tuple[float, float, float, float, float]:
    """theta, kappa, sigma, rho, v0 from their unbounded transforms, kept where Fourier pricing is sound."""
    theta, kappa, sigma, v0 = np.exp(np.clip(x[[0, 1, 2, 4]], [-14, -5, -5, -14], [2, 4, 2, 2]))
    return float(theta), float(kappa), float(sigma), float(0.999 * np.tanh(x[3])), float(v0)


def _shift(x: FloatArray, tenors: FloatArray) -> FloatArray:
    """Total shift variance [T] at the tenors: squares of the last entries are the piecewise rates."""
    return np.cumsum(x[5:] ** 2 * np.diff(tenors, prepend=0.0))


def _shifted(x: FloatArray, tenors: FloatArray) -> Characteristic:
    heston, shift = heston_characteristic(*_parameters(x)), _shift(x, tenors)

    def characteristic(z: ComplexArray, tenor: float) -> ComplexArray:
        total = np.interp(tenor, tenors, shift)
        return heston(z, tenor) * np.exp(-0.5 * total * (z**2 + 1j * z))

    return characteristic


@dataclass(frozen=True)
class _Row:
    """The quotes of one tenor: vol error = base - Re(matrix @ characteristic)."""

    index: int
    tenor: float
    u: FloatArray
    matrix: ComplexArray
    base: FloatArray


def _row(index: int, tenor: float, deltas: FloatArray, vols: FloatArray) -> _Row:
    s = vols * np.sqrt(tenor)
    m, w = black.moneyness_from_delta(deltas, s), float(np.mean(s**2))
    u, vega = NODES / np.sqrt(w), black.vega(m, s) * np.sqrt(tenor)
    gap = lewis_call_price(m, w, np.zeros(len(u), complex), u) - black.call_price(m, s)
    return _Row(index, tenor, u, lewis_matrix(m, w, u) / vega[:, None], gap / vega)


class _TenorResiduals:
    """Residuals of Heston++ on one surface; the Heston part is kept while only the shifts move."""

    def __init__(self, vols: FloatArray, axes: DeltaAxes, start: FloatArray) -> None:
        self.tenors, self.start = axes.tenors, start
        self.rows = [
            _row(i, float(axes.tenors[i]), axes.deltas[quoted], vols[i, quoted])
            for i, quoted in enumerate(np.isfinite(vols))
            if quoted.any()
        ]
        self.heston = lru_cache(maxsize=4)(self._heston)

    def _heston(self, *parameters: float) -> list[ComplexArray]:
        characteristic = heston_characteristic(*parameters)
        return [characteristic(np.asarray(row.u - 0.5j, complex), row.tenor) for row in self.rows]

    def residuals(self, x: FloatArray) -> FloatArray:
        """Vol errors (price over vega), then weak ridges that keep unquoted directions where they start."""
        shift = _shift(x, self.tenors)
        errors = [
            row.base - (row.matrix @ (heston * np.exp(-0.5 * shift[row.index] * (row.u**2 + 0.25)))).real
            for row, heston in zip(self.rows, self.heston(*_parameters(x)), strict=True)
        ]
        return np.concatenate([*errors, 1e-5 * (x - self.start)[:5], 1e-3 * np.diff(x[5:])])
