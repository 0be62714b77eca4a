"""Exact conditioning of Gaussians on masked cells, batched over surfaces.

Notation: n cells, `observed` [B, n] says which are quoted. The covariance is whitened on the quoted cells
only, W S_oo Wᵀ = I, with rows and columns of unquoted cells zero, so that one batched factorisation serves
surfaces with different holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray

NUGGET = 1e-8  # (1e-4 of vol, relative)²: half the last digit of any quote


@dataclass(frozen=True)
class Factor:
    """A covariance [n, n] or [B, n, n] factored on the quoted cells.

    whiten: [B, n, n], W above. gain: [B, n, n], S_·o Wᵀ. variance: [B, n], what the quotes leave open.
    """

    whiten: FloatArray
    gain: FloatArray
    variance: FloatArray


@dataclass(frozen=True)
class GaussianPosterior:
    """Cells given quotes: mean, std [B, n]; distance [B], their squared Mahalanobis distance; count [B].

    scale: [B], the density's factor that the distance leaves out, ln |S_oo|^(-1/2).
    zscore: [B, n], each quote's leave-one-out residual in its leave-one-out standard deviations
    (Rasmussen-Williams 2006, equation 5.12), left_out: [B, n]; NaN where nothing is quoted.
    """

    mean: FloatArray
    std: FloatArray
    distance: FloatArray
    count: FloatArray
    scale: FloatArray
    zscore: FloatArray
    left_out: FloatArray

    @classmethod
    def joined(cls, parts: Sequence[GaussianPosterior]) -> GaussianPosterior:
        """Of all the surfaces, in order."""
        each = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(*map(np.concatenate, each))

    def of(self, surfaces: NDArray[np.bool_] | NDArray[np.intp]) -> GaussianPosterior:
        """Some of them."""
        return GaussianPosterior(*(getattr(self, part.name)[surfaces] for part in fields(self)))


def factor(covariance: FloatArray, observed: NDArray[np.bool_]) -> Factor:
    """Whiten the quoted block of a covariance [n, n] or [B, n, n] for masks [B, n]."""
    if len(observed) == 1:
        return _factor_one(covariance.reshape(covariance.shape[-2:]), observed[0])
    mask, index = observed.astype(float), np.arange(observed.shape[1])
    whiten = inverse_root(_quoted_block(covariance, mask))
    whiten[:, index, index] *= mask
    gain = covariance @ whiten.transpose(0, 2, 1)
    diagonal = np.broadcast_to(np.diagonal(covariance, axis1=-2, axis2=-1), mask.shape)
    return Factor(whiten, gain, np.maximum(diagonal - np.einsum("bij,bij->bi", gain, gain), NUGGET))


def left_open(covariance: FloatArray, observed: NDArray[np.bool_]) -> FloatArray:
    """[n, n] of one surface's covariance [n, n] or [1, n, n]: what its quotes leave; observed: [1, n]."""
    gain = factor(covariance, observed).gain[0]
    return np.asarray(covariance.reshape(gain.shape) - gain @ gain.T)


def _quoted_block(covariance: FloatArray, mask: FloatArray) -> FloatArray:
    """[B, n, n], that of the identity where a cell is not quoted; mask: [B, n], 1 where it is."""
    block, index = covariance * mask[:, :, None], np.arange(mask.shape[1])
    block *= mask[:, None, :]
    block[:, index, index] += NUGGET + (1.0 - mask)
    return block


def _factor_one(covariance: FloatArray, observed: NDArray[np.bool_]) -> Factor:
    """The same for one surface, in the size of its quotes."""
    from scipy.linalg.lapack import dtrtri  # not at import, which is to be light

    quoted, rest = np.flatnonzero(observed), np.flatnonzero(~observed)
    whiten, gain = np.zeros_like(covariance), np.zeros_like(covariance)
    down = quoted[:, None]
    root = lower_root(covariance[down, quoted] + NUGGET * np.eye(len(quoted)))
    inverse = dtrtri(root, lower=1)[0] if len(quoted) else root
    whiten[down, quoted] = inverse
    gain[down, quoted] = root - NUGGET * inverse.T  # S_oo = root rootᵀ - NUGGET I
    gain[rest[:, None], quoted] = covariance[rest[:, None], quoted] @ inverse.T
    variance = np.maximum(np.diagonal(covariance) - (gain**2).sum(-1), NUGGET)
    return Factor(whiten[None], gain[None], variance[None])


def lower_root(covariance: FloatArray) -> FloatArray:
    """[..., n, n] Cholesky's, of covariances."""
    return np.asarray(np.linalg.cholesky(covariance), dtype=float)


def triangular_inverse(roots: FloatArray) -> FloatArray:
    """[..., n, n] of lower triangular matrices."""
    from scipy.linalg.lapack import dtrtri  # not at import, which is to be light

    found = np.array(roots, order="C")
    for root in found.reshape(-1, *roots.shape[-2:]).swapaxes(1, 2) if found.size else ():
        dtrtri(root, lower=0, overwrite_c=1)  # in place: a transpose is as Fortran has it
    return found


def inverse_root(covariances: FloatArray) -> FloatArray:
    """[..., n, n] lower triangular W of each, with W S Wᵀ = I; LinAlgError where one is not definite."""
    from scipy.linalg.lapack import dpotrf, dtrtri  # not at import, which is to be light

    found = np.array(covariances, order="C")
    for root in found.reshape(-1, *found.shape[-2:]).swapaxes(1, 2) if found.size else ():
        if dpotrf(root, lower=0, overwrite_a=1)[1]:  # in place: a transpose is as Fortran has it
            raise np.linalg.LinAlgError("a covariance is not positive definite")
        dtrtri(root, lower=0, overwrite_c=1)
    return found


def times_transposed(rows: FloatArray, roots: FloatArray) -> FloatArray:
    """[..., m, n] rows times the transposed of lower triangular [..., n, n]; rows are written over."""
    from scipy.linalg.blas import dtrmm  # not at import, which is to be light

    found = np.ascontiguousarray(rows)
    for place in np.ndindex(found.shape[:-2]) if found.size else ():
        each, root = found[place], roots[place]
        dtrmm(1.0, root.T, each.T, trans_a=1, overwrite_b=1)  # in place: transposes are as Fortran has them
    return found


def condition(
    mean: FloatArray, covariance: FloatArray, values: FloatArray, observed: NDArray[np.bool_]
) -> GaussianPosterior:
    """Cells ~ N(mean, covariance) given the quoted `values` [B, n] (anything where not quoted)."""
    parts = factor(covariance, observed)
    residual = np.where(observed, values - mean, 0.0)
    white = _matvec(parts.whiten, residual)
    precision = np.einsum("bij,bij->bj", parts.whiten, parts.whiten)
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = 1.0 / np.sqrt(precision)
        zscore = np.einsum("bij,bi->bj", parts.whiten, white) * left_out
    return GaussianPosterior(
        mean=mean + _matvec(parts.gain, white),
        std=np.sqrt(parts.variance),
        distance=(white**2).sum(-1),
        count=observed.sum(-1).astype(float),
        scale=np.log(np.where(observed, np.diagonal(parts.whiten, axis1=1, axis2=2), 1.0)).sum(-1),
        zscore=np.where(observed, zscore, np.nan),
        left_out=np.where(observed, left_out, np.nan),
    )


def core_mean(
    mean: FloatArray,
    cross: FloatArray,
    cell_covariance: FloatArray,
    observed: NDArray[np.bool_],
    residual: FloatArray,
) -> FloatArray:
    """E[x | quotes] [B, c] for x of that mean [c]; cells have the covariance `cross` [n, c] with x, and
    `cell_covariance` [n, n] or [B, n, n] among them.

    residual: [B, n], quotes less their mean.
    """
    back = np.zeros_like(residual)
    if len(observed) == 1:
        from scipy.linalg.lapack import dposv  # not at import, which is to be light

        quoted = np.flatnonzero(observed[0])
        one = cell_covariance.reshape(cell_covariance.shape[-2:])
        block = one[quoted[:, None], quoted] + NUGGET * np.eye(len(quoted))
        back[0, quoted] = dposv(block, residual[0, quoted], lower=1)[1]
    else:
        mask = observed.astype(float)
        whiten = inverse_root(_quoted_block(cell_covariance, mask))
        white = whiten @ (residual * mask)[..., None]
        back = (whiten.transpose(0, 2, 1) @ white)[..., 0]
    return np.asarray(mean + back @ cross)


def _matvec(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    result: FloatArray = (matrix @ vector[..., None])[..., 0]
    return result
