"""Level, skew, curvature and term structure of a surface, as one linear map of its vols.

The features are derivatives, at the anchor (tau -> 0, m = 0), of a polynomial in tau and m = ln(K/F) that is
fitted to the vols by least squares (Wang, Liu and Vuik 2025, section 3.3 and appendix B). The paper leaves
its orders open (the moments it prints are those of total degree 2, see export.simulation.equity). Ours are
total degree 3, which follows its surfaces closer:

    vol = sum of beta_ij tau^i m^j over i + j <= 3,
    level = beta_00,   skew = beta_01,   curv = 2 beta_02,   term = beta_10.

Given the cells' tenors and moneyness the fit is linear: y = P x. A grid that cannot tell ten monomials apart
gets fewer: a monomial is left out where the earlier ones of `MONOMIALS` span it on the cells given, and a
power m^j where no tenor has more than j strikes. A feature whose monomial is left out is unidentified.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._typing import FloatArray
from .errors import InputError
from .surface import Surface

NAMES = ("level", "skew", "curv", "term")
DEGREE = 3
# (i, j) of tau^i m^j, by total degree; skew and curvature before what varies with the tenor
MONOMIALS = tuple((d - j, j) for d in range(DEGREE + 1) for j in range(d, -1, -1))
_FEATURES = ((0, 0, 1.0), (0, 1, 1.0), (0, 2, 2.0), (1, 0, 1.0))  # i, j, i! j!
_SPANNED = 1e-8  # a column whose distance from the earlier ones is less, relative to its length


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a surface: derivatives at tau -> 0, m = ln(K/F) = 0 of the fitted polynomial.

    level: vol (decimal). skew: d vol/dm. curv: d2 vol/dm2, twice the polynomial's coefficient, as in the
    paper. term: d vol/dtau, a year. NaN where the grid cannot identify a feature.
    weights: [4, T, K], feature = sum of weights * vols; 0 where no vol is quoted, NaN rows for NaN features.
    The length of a row is the feature's error for independent errors of 1 in the vols.
    condition: largest over smallest singular value of the fit, with columns scaled to length 1.
    """

    level: float
    skew: float
    curv: float
    term: float
    weights: FloatArray
    condition: float

    @property
    def values(self) -> FloatArray:
        """[4]: level, skew, curv, term."""
        return np.array([self.level, self.skew, self.curv, self.term])


def features(surface: Surface) -> Features:
    """Level, skew, curvature and term structure of a surface on any grid; holes are left out.

    Strikes count by ln(K/F), deltas by the ln(K/F) that their own vols imply. Source: Wang, Liu and Vuik
    (2025), equations 9 to 12 and 33 to 35.

    Raises InputError (not a Surface, no quote).
    """
    if not isinstance(surface, Surface):
        raise InputError(f"surface is a {type(surface).__name__}; expected a voladdin.Surface")
    quoted = surface.observed
    if not quoted.any():
        raise InputError("no quote at all: expected at least one vol to take features of")
    tenors = np.broadcast_to(surface.tenors[:, None], surface.shape)[quoted]
    rows, condition = _fit(tenors, surface.quoted_moneyness()[quoted])
    weights = np.where(np.isnan(rows[:, :1, None]), np.nan, np.zeros((4, *surface.shape)))
    weights[:, quoted] = rows
    level, skew, curv, term = exact_sums(rows, surface.vols[quoted])
    return Features(level, skew, curv, term, weights, condition)


def feature_weights(tenors: ArrayLike, log_moneyness: ArrayLike, degree: int = DEGREE) -> FloatArray:
    """P [4, N] with level, skew, curv, term = P x for the vols x [N] of N cells; NaN rows are unidentified.

    tenors (years) and log_moneyness ln(K/F) of the cells broadcast, and are raveled: tenors[:, None] and
    log_moneyness [T, K] for a grid. degree: of the polynomial, at most 3. Source: as `features`.

    Raises InputError (shapes that do not broadcast, no cell, numbers that are not finite).
    """
    try:
        axes = np.broadcast_arrays(np.asarray(tenors, dtype=float), np.asarray(log_moneyness, dtype=float))
    except (TypeError, ValueError) as error:
        raise InputError(f"tenors and log_moneyness must be numbers that broadcast: {error}") from None
    if not (axes[0].size and np.isfinite(axes).all()):
        raise InputError("tenors and log_moneyness must be finite; expected at least one cell")
    return _fit(axes[0].ravel(), axes[1].ravel(), degree)[0]


def moneyness_slopes(tenors: FloatArray, log_moneyness: FloatArray, vols: FloatArray) -> FloatArray:
    """[4, N] how fast each feature moves with each cell's log-moneyness, its vol held; NaN if unidentified.

    tenors (years), log_moneyness and vols: [N]. The derivative of a least-squares fit by its design: with
    coefficients b = C v, residuals r and D the columns' derivatives, C C' D' diag(r) - C diag(D b).
    """
    terms, columns, coefficients, _ = _polynomial(tenors, log_moneyness, DEGREE)
    tau, m = tenors / _scale(tenors), log_moneyness / _scale(log_moneyness)
    steep = np.stack([j * tau**i * m ** max(j - 1, 0) for i, j in terms], axis=1) / _scale(log_moneyness)
    fitted = coefficients @ vols
    rest = vols - columns @ fitted
    slopes = coefficients @ (coefficients.T @ steep.T) * rest - coefficients * (steep @ fitted)
    return _features_of(slopes, terms, tenors, log_moneyness)


def _fit(tenors: FloatArray, moneyness: FloatArray, degree: int = DEGREE) -> tuple[FloatArray, float]:
    """P [4, N] and the condition of the fit, for cells [N]."""
    terms, _, coefficients, condition = _polynomial(tenors, moneyness, degree)
    return _features_of(coefficients, terms, tenors, moneyness), condition


def _polynomial(
    tenors: FloatArray, moneyness: FloatArray, degree: int
) -> tuple[list[tuple[int, int]], FloatArray, FloatArray, float]:
    """Terms (i, j) fitted, their scaled columns [N, C], coefficients [C, N] per vol, and the condition."""
    tau, m = tenors / _scale(tenors), moneyness / _scale(moneyness)
    terms = [(i, j) for i, j in MONOMIALS if i + j <= degree and j < _strikes(tenors)]
    columns = np.stack([tau**i * m**j for i, j in terms], axis=1)
    kept = _independent(columns)
    columns, terms = columns[:, kept], [term for term, keep in zip(terms, kept, strict=True) if keep]
    lengths = np.linalg.norm(columns, axis=0)
    u, s, vt = np.linalg.svd(columns / lengths, full_matrices=False)
    return terms, columns, (vt.T / s) @ u.T / lengths[:, None], float(s[0] / s[-1])


def _features_of(
    rows: FloatArray, terms: list[tuple[int, int]], tenors: FloatArray, moneyness: FloatArray
) -> FloatArray:
    """[4, N] of rows [C, N], one a term; NaN for features whose term is not there."""
    weights = np.full((len(_FEATURES), len(tenors)), np.nan)
    for row, (i, j, factor) in enumerate(_FEATURES):
        if (i, j) in terms:
            unit = _scale(tenors) ** i * _scale(moneyness) ** j
            weights[row] = factor / unit * rows[terms.index((i, j))]
    return weights


def exact_sums(rows: FloatArray, vols: FloatArray) -> list[float]:
    """rows [F, N] @ vols [N], rounded once (Dekker 1971): weights of 1e6 would leave 1e-10 of a plain sum."""
    product = rows * vols
    (a, b), (c, d) = _halves(rows), _halves(vols)
    rest = b * d - (((product - a * c) - b * c) - a * d)
    return [math.fsum(row) for row in np.hstack([product, rest]).tolist()]


def _halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two parts of 26 bits."""
    shifted = values * (2.0**27 + 1.0)
    high = shifted - (shifted - values)
    return high, values - high


def _scale(axis: FloatArray) -> float:
    return float(np.abs(axis).max()) or 1.0


def _strikes(tenors: FloatArray) -> int:
    """The most cells that one tenor has."""
    return int(np.unique(tenors, return_counts=True)[1].max())


def _independent(columns: FloatArray) -> NDArray[np.bool_]:
    """[C]: which columns the ones before them do not span (Gram-Schmidt, twice for rounding)."""
    basis = np.empty((len(columns), 0))
    kept = np.zeros(columns.shape[1], dtype=bool)
    for index, column in enumerate(columns.T):
        length = np.linalg.norm(column)
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if size > _SPANNED * length:
            kept[index] = True
            basis = np.column_stack([basis, rest / size])
    return kept
