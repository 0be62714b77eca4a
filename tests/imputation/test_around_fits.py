"""eSSVI fits with a process of what they leave: the same as conditioning by hand, and what it is for."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from voladdin.imputation.fits.around_fits import Around, Cells, mixed_with_process
from voladdin.imputation.fits.essvi import Prior
from voladdin.imputation.fits.families import Family
from voladdin.imputation.fits.fitted_quotes import Places, Quotes
from voladdin.imputation.fits.gauss_newton import fitted
from voladdin.imputation.processes.covariance import matern32, matern52
from voladdin.imputation.processes.points import Points

TENORS = np.array([0.1, 0.25, 0.5, 1.0, 2.0])
U = np.linspace(-2.0, 2.0, 9)
K = 0.2 * np.sqrt(TENORS)[:, None] * U
ROWS = np.repeat(np.arange(len(TENORS)), len(U))
POINTS = Points(np.log(TENORS), ROWS, np.tile(U, len(TENORS)), False)
AT = Places(ROWS, K.reshape(1, -1), POINTS.u)


def ssvi(rho=-0.5, eta=1.0, gamma=0.4):
    """[T, K] vols of a flat term structure."""
    theta = (0.2**2 * TENORS)[:, None]
    y = eta * theta**-gamma * (1.0 + theta) ** (gamma - 1.0) * K
    return np.sqrt(0.5 * theta * (1.0 + rho * y + np.sqrt(y * y + 2.0 * rho * y + 1.0)) / TENORS[:, None])


def bent():
    """No eSSVI surface: its wings rise and fall again, at all expiries alike."""
    return ssvi() * (1.0 + 0.03 * np.sin(1.5 * U))


def fit(vols, quoted):
    values = np.log(vols).reshape(1, -1)
    prior = Prior.of(POINTS.tenors, np.log([0.2]), Family(0.02, 0.01))
    seen = np.flatnonzero(quoted)
    places = Places(ROWS[seen], AT.k[:, seen], POINTS.u[seen])
    quotes = Quotes(places, values[:, seen], np.ones((1, len(seen))))
    return fitted(prior, prior.near(np.log(vols[None, :, 4]), quotes), quotes, np.ones(1))


def hidden_at(seed, share=0.4):
    return np.random.default_rng(seed).random(K.shape) < share


@pytest.mark.parametrize("seed", range(3))
def test_quotes_given_the_others_and_cells_are_those_of_dense_conditioning(seed):
    """The process outweighs noise alone here: the answer is that of its covariance, each quote left out."""
    vols, quoted = bent(), ~hidden_at(seed).ravel()
    fits, values = fit(vols, quoted), np.log(vols).reshape(1, -1)
    found = mixed_with_process(fits, AT, Cells.of(POINTS, AT, values, quoted[None]))
    about = fits.linear(AT)
    mean, by_e = about.value[0], about.by_e[0]
    start, size = mean - by_e @ fits.e[0], (2.0 * fits.noise[0]) ** 2
    t, u = POINTS.t, POINTS.u
    wide = np.sqrt(1.0 + 0.1 * u * u)
    process = matern32(abs(t[:, None] - t) / 4.0) * matern52(abs(u[:, None] - u) / 3.0) * np.outer(wide, wide)
    of_cells = by_e @ by_e.T + size * (1.0 - 5e-4) * process
    whole = of_cells + np.diag(size * 5e-4 * wide**2 + 1e-10 * (1.0 + (by_e**2).sum(1)))
    q = np.flatnonzero(quoted)
    said = start + of_cells[:, q] @ np.linalg.solve(whole[np.ix_(q, q)], values[0, q] - start[q])
    np.testing.assert_allclose(found.mean[0], said[~quoted], atol=1e-6)
    for place, left in list(enumerate(q))[::7]:
        others = q[q != left]
        gain = np.linalg.solve(whole[np.ix_(others, others)], whole[others, left])
        miss = values[0, left] - start[left] - gain @ (values[0, others] - start[others])
        std = np.sqrt(whole[left, left] - gain @ whole[others, left])
        assert found.zscore[0, place] == pytest.approx(miss / std, rel=1e-4, abs=1e-4)


def test_many_cells_and_few_quotes_take_no_memory_for_all_pairs_of_cells():
    """All pairs of 5,000 cells are 200 MB, of 20,000 3 GB."""
    seen = np.repeat(np.arange(K.size), 112)
    points = POINTS[seen]
    quoted = np.zeros((1, len(seen)), dtype=bool)
    quoted[:, ::112] = True
    fits, values = fit(ssvi(), np.ones(K.size, dtype=bool)), np.log(ssvi()).reshape(1, -1)[:, seen]
    tracemalloc.start()
    places = Places(points.rows, AT.k[:, seen], points.u)
    found = mixed_with_process(fits, places, Cells.of(points, places, values, quoted))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(found.mean).all()
    assert most < 8 * len(seen) ** 2 / 4


def test_a_mixture_lies_between_and_the_likelier_outweighs():
    one = Around.of((np.zeros((1, 2)), np.ones((1, 2))), (np.ones((1, 3)), np.ones((1, 3))), np.array([0.0]))
    other = replace(one, mean=one.mean + 1.0, log=np.array([np.log(3.0)]))
    both = one.beside(other)
    np.testing.assert_allclose(both.mean, 0.75)
    np.testing.assert_allclose(both.std**2, 1.0 + 0.75 * 0.25)
    assert both.log[0] == pytest.approx(np.log(4.0))
    np.testing.assert_allclose(one.beside(replace(other, log=np.array([-900.0]))).mean, 0.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_surface_that_is_nearly_ssvi_is_nearer_than_the_fit_alone_and_one_that_is_stays(seed):
    quoted = ~hidden_at(seed).ravel()
    errors = []
    for vols in (bent(), ssvi()):
        fits, values = fit(vols, quoted), np.log(vols).reshape(1, -1)
        around = mixed_with_process(fits, AT, Cells.of(POINTS, AT, values, quoted[None]))
        both = around.mean, fits.linear(AT).value[:, ~quoted]
        errors.append([np.abs(mean - values[:, ~quoted]).mean() for mean in both])
    assert errors[0][0] < 0.5 * errors[0][1]
    assert errors[1][0] < 1e-4
