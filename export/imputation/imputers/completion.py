"""Surfaces completed from weighted codes: moments in closed form given each code, and draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from voladdin._typing import FloatArray
from voladdin.errors import InputError

from ..networks.base import Network
from ..networks.weights import decoded, nodes_of, noise_of
from ..training.fit import Fitted
from .codes import Codes, Imputer
from .refit import Refit, refitted

_AT_ONCE = 4_000_000  # decoded nodes


@dataclass(frozen=True, eq=False)
class Completed:
    """Moments [B, c] and draws [m, B, c] of p(x | seen), quotes as they are.

    smooth, scatter: mean and deviation [B, c] of what the network would quote, at the quotes too. effective:
    [B] how many independent codes the weighted ones are worth.
    """

    mean: Tensor
    std: Tensor
    smooth: Tensor
    scatter: Tensor
    draws: Tensor
    effective: Tensor


@dataclass(frozen=True, eq=False)
class Imputed:
    """Vols [n, c] with holes filled: median, mean and standard deviation (0 at quotes), draws [m, n, c]."""

    median: FloatArray
    mean: FloatArray
    std: FloatArray
    draws: FloatArray
    effective: FloatArray


def impute(
    fitted: Fitted,
    vols: FloatArray,
    imputer: Imputer,
    count: int = 1_000,
    seed: int = 0,
    refit: Refit | None = None,
) -> Imputed:
    """Vols [n, c], NaN filled by a network that is trained, from `count` codes and in as many draws.

    Raises InputError for a surface without a quote, and for a network whose codes have no prior.
    """
    empty = np.flatnonzero(~np.isfinite(vols).any(axis=1))
    if len(empty):
        raise InputError(f"vols has no quote in row {empty[0]}; expected one a surface at least")
    rows = fitted.standard.rows(vols)
    found = completed(fitted.network, rows.nan_to_num(), torch.isfinite(rows), imputer, count, seed, refit)
    deviation = fitted.standard.std * found.std.double().numpy()
    median = np.where(np.isfinite(vols), vols, np.exp(fitted.standard.logs(found.mean)))
    mean = median * np.exp(0.5 * deviation**2)
    draws = np.where(np.isfinite(vols), vols, np.exp(fitted.standard.logs(found.draws)))
    return Imputed(median, mean, mean * np.sqrt(np.expm1(deviation**2)), draws, found.effective.numpy())


@torch.no_grad()
def completed(
    network: Network,
    x: Tensor,
    seen: Tensor,
    imputer: Imputer,
    count: int,
    seed: int = 0,
    refit: Refit | None = None,
    draws: int | None = None,
) -> Completed:
    """Surfaces x [B, c] completed where they are not `seen`, from `count` codes; as many draws unless given.

    Raises InputError for a network whose codes have no prior.
    """
    noise_of(network)
    if imputer.refits:
        network = refitted(network, x, seen, refit)
    generator, drawn = torch.Generator().manual_seed(seed), count if draws is None else draws
    size = max(_AT_ONCE // (count * nodes_of(network, x)), 1)
    pieces = [
        _completed(
            network, rows, known, imputer.draw(network, rows, known, count, generator), drawn, generator
        )
        for rows, known in zip(x.split(size), seen.split(size), strict=True)
    ]
    joined = {name: torch.cat([part[name] for part in pieces], int(name == "draws")) for name in pieces[0]}
    return Completed(**joined)


def _completed(
    network: Network, x: Tensor, seen: Tensor, codes: Codes, count: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Moments by Rao and Blackwell: of the nodes given each code, then over the codes; `count` draws."""
    nodes = nodes_of(network, x)
    x, seen = x[:, :nodes], seen[:, :nodes]
    share, mean, noise = codes.shares[..., None], decoded(network, codes.z), noise_of(network)
    centre, std = _moments(share, *noise.given(x, mean, seen, codes.z))
    given = torch.where(seen, x, centre), torch.where(seen, 0.0, std)
    alone = _moments(share, *noise.given(x, mean, torch.zeros_like(seen), codes.z))
    found = dict(zip(("mean", "std", "smooth", "scatter"), (*given, *alone), strict=True))
    drawn = _drawn(network, x, seen, codes, count, generator)
    return found | {"effective": codes.effective, "draws": drawn}


def _moments(share: Tensor, centre: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation [B, c] of a mixture of shares [m, B, 1]; centre, left: [m, B, c]."""
    mean = (share * centre).sum(0)
    return mean, (share * (left.square() + (centre - mean).square())).sum(0).sqrt()


def _drawn(
    network: Network, x: Tensor, seen: Tensor, codes: Codes, count: int, generator: torch.Generator
) -> Tensor:
    """[count, B, c]: codes resampled by their shares, then the hidden nodes drawn given each."""
    if not count:
        return torch.empty(0, *x.shape)
    picked = torch.multinomial(codes.shares.t(), count, replacement=True, generator=generator).t()
    z = torch.gather(codes.z, 0, picked[..., None].expand(-1, -1, codes.z.shape[2]))
    return noise_of(network).draw_given(x, decoded(network, z), seen, z, generator)
