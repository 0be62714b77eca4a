"""Surfaces on any axes where any of four numbers may be left open: the one way to all generators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .. import bundles
from .._typing import BoolArray, FloatArray
from ..bundles.any_axes import SurfaceGenerator
from ..bundles.generator import Generator
from ..errors import BundleError, InputError
from ..surface import Surface
from ..threads import on_one_thread
from . import latents
from .axes import trained_span
from .conditional import Ensemble, ensemble
from .generating import Generation, generate, generator_named, refuse_level
from .kernel import kernel_weights

WORDINGS = ("paper", "market")
_ATTEMPTS = 64
_STREAM = 1 << 42


@on_one_thread
def generate_on(
    axes: Surface,
    rows: FloatArray,
    scenario: ArrayLike = 0,
    *,
    words: str = "paper",
    tenor: str | float | None = None,
    model: str | Path | None = None,
) -> Generation:
    """A surface on the axes of `axes`, whose vols do not count, for each row; free of static arbitrage.

    rows: [F, 4] level, skew, curv, term in the paper's words, or atm, rr, bf, term at `tenor` in the market's
    (a delta axis); NaN is left open. scenario: [F] or one: 0 gives the mean of what is open, every other
    number a draw of its own. model: unless told "equity" where it reaches, else "markets".

    Numbers given are those of the vols to 1e-10. Raises InputError (words, axes that cannot tell one, a
    number), UnitsError (percent points), InfeasibleError, BundleError.
    """
    if words not in WORDINGS:
        raise InputError(f"words is {words!r}; expected one of {', '.join(WORDINGS)}")
    targets = np.atleast_2d(np.asarray(rows, dtype=float))
    numbers = np.broadcast_to(np.asarray(scenario, dtype=object).ravel(), (len(targets),))
    for level in targets[np.isfinite(targets[:, 0]), 0].tolist():
        refuse_level(level, "level" if words == "paper" else "atm")
    loaded = loaded_generator(default_model(axes, words) if model is None else model)
    if isinstance(loaded, Generator):
        return _by_paper(loaded, axes, targets, numbers, words, model or "equity")
    scenarios = [latents.whole_number("scenario", number) for number in numbers]
    return _on_any(ensemble(axes, words, tenor, _name(axes, words, model)), targets, scenarios)


def default_model(axes: Surface, words: str = "paper") -> str:
    """ "equity" where its trained span has the axes, else "markets"."""
    if words == "market" or axes.moneyness is None or axes.moneyness.ndim != 1:
        return "markets"
    equity = generator_named("equity")
    for axis, nodes in ((axes.tenors, equity.tenors), (axes.moneyness, equity.moneyness)):
        low, high = trained_span(nodes)
        if axis.min() < low - 1e-12 or axis.max() > high + 1e-12:
            return "markets"
    return "equity"


def loaded_generator(model: str | Path) -> Generator | SurfaceGenerator:
    """The generator of that name, of either kind. Raises BundleError."""
    try:
        return bundles.load(model, SurfaceGenerator)
    except BundleError as error:
        try:
            return generator_named(model)
        except BundleError as other:
            raise (error if "is for" in str(other) else other) from None


def _name(axes: Surface, words: str, model: str | Path | None) -> str | Path:
    return default_model(axes, words) if model is None else model


def _on_any(found: Ensemble, targets: FloatArray, numbers: list[int]) -> Generation:
    axes = found.wording.axes
    drawn = [found.drawn(row, number) for row, number in zip(targets, numbers, strict=True)]
    values = np.stack([one.values for one in drawn])
    within = (found.values.min(0) <= values) & (values <= found.values.max(0))
    m = np.full(axes.shape[1], np.nan) if axes.moneyness is None else axes.moneyness
    vols, moved = np.stack([one.vols for one in drawn]), np.array([one.moved for one in drawn])
    return Generation(vols, axes.tenors, m, values, np.zeros((len(drawn), 0)), within.all(1), moved, axes)


def _by_paper(
    model: Generator, axes: Surface, targets: FloatArray, numbers: FloatArray, words: str, name: str | Path
) -> Generation:
    if words != "paper" or axes.moneyness is None:
        raise InputError(
            f'model {str(name)!r} generates at ln(K/F) in the paper\'s words; expected model "markets" or '
            '"fx" for deltas, strikes and the market\'s words'
        )
    scenarios = [latents.whole_number("scenario", number) for number in numbers]
    filled = np.stack([_filled(model, row, n) for row, n in zip(targets, scenarios, strict=True)])
    return generate(*filled.T, scenario=scenarios, tenors=axes.tenors, moneyness=axes.moneyness, model=name)


def _filled(model: Generator, row: FloatArray, scenario: int) -> FloatArray:
    """[4] with what is open drawn, or its mean, given the rest: a kernel density of the training features."""
    known = np.isfinite(row)
    if known.all():
        return row
    examples = model.arrays["examples"]
    weight, width = kernel_weights(examples, row, known)
    covariance = np.cov(examples.T)
    gain = covariance[~known][:, known] @ np.linalg.pinv(covariance[np.ix_(known, known)])
    rest = covariance[np.ix_(~known, ~known)] - gain @ covariance[np.ix_(known, ~known)]
    means = examples[:, ~known] + (row[known] - examples[:, known]) @ gain.T
    if scenario == 0:
        return _with(row, known, weight @ means)
    u = latents.uniforms(_STREAM, scenario, (_ATTEMPTS, 1))
    noise = latents.normals(_STREAM + 1, scenario, (_ATTEMPTS, int((~known).sum())))
    root = np.linalg.cholesky(rest + 1e-12 * np.eye(len(rest)))
    chosen = np.minimum(np.searchsorted(np.cumsum(weight), u[:, 0]), len(weight) - 1)
    drawn = np.stack([_with(row, known, one) for one in means[chosen] + min(width, 0.3) * noise @ root.T])
    inside = np.flatnonzero(model.inside(drawn))
    return np.asarray(drawn[inside[0] if len(inside) else 0])


def _with(row: FloatArray, known: BoolArray, rest: FloatArray) -> FloatArray:
    filled = row.copy()
    filled[~known] = rest
    return filled
