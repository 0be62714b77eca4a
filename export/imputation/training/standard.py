"""Standardised log-vols: by cell, or in the three ways of Mama (2022), section 5.2.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from voladdin._typing import FloatArray
from voladdin.errors import InputError

Way = Literal["cell", "delta", "tenor", "all"]
_POOLED: dict[str, tuple[int, ...]] = {"cell": (0,), "delta": (0, 1), "tenor": (0, 2), "all": (0, 1, 2)}


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and deviation [c] of log-vols of c cells, of the training days alone."""

    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, vols: FloatArray, tenors: int, way: Way = "cell") -> Standard:
        """Of vols [N, c], NaN left out; c cells tenor by tenor.

        way: statistics of each cell; of each delta over all tenors; of each tenor over all deltas; of all
        cells together. Raises InputError for another way, and for a cell of which nothing is known.
        """
        if way not in _POOLED:
            raise InputError(f"way is {way!r}; expected one of {', '.join(_POOLED)}")
        logs, over = np.log(vols).reshape(len(vols), tenors, -1), _POOLED[way]
        if not np.isfinite(logs).any(axis=over).all():
            raise InputError("vols have no quote on some cell; expected one quote a cell at least")
        mean, std = np.nanmean(logs, axis=over, keepdims=True), np.nanstd(logs, axis=over, keepdims=True)
        shape = (1, *logs.shape[1:])
        spread = np.where(std > 0.0, std, 1.0)
        return cls(np.broadcast_to(mean, shape).reshape(-1), np.broadcast_to(spread, shape).reshape(-1))

    def rows(self, vols: FloatArray) -> Tensor:
        """[N, c] standardised log-vols of vols [N, c]; NaN stays."""
        return torch.tensor((np.log(vols) - self.mean) / self.std, dtype=torch.float32)

    def logs(self, rows: Tensor) -> FloatArray:
        """[..., c] log-vols of standardised ones."""
        return np.asarray(self.mean + self.std * rows.double().numpy())

    def vols(self, rows: Tensor) -> Tensor:
        """[..., c] vols, with a gradient."""
        mean, std = (torch.tensor(part, dtype=rows.dtype) for part in (self.mean, self.std))
        return (mean + std * rows).exp()
