"""Jump diffusions as the Fourier integral needs them: Merton (1976) and Kou (2002)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from export.simulation.fourier import ComplexArray
from voladdin._typing import FloatArray


@dataclass(frozen=True)
class _JumpDiffusion:
    """One row an expiry, all [M, 1]: a Brownian motion of `vol` and `intensity` jumps a year."""

    years: FloatArray
    vol: FloatArray
    intensity: FloatArray

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> Self:
        return type(self)(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def _jump_square(self) -> FloatArray:
        """E[J^2] of a log-jump J."""
        raise NotImplementedError

    def _jumps(self, s: ComplexArray) -> ComplexArray:
        """E[exp(s J)] - 1."""
        raise NotImplementedError

    @property
    def total_variance(self) -> FloatArray:
        """[M, 1] expected quadratic variation of the log-price to expiry."""
        return self.years * (self.vol**2 + self.intensity * self._jump_square())

    def log_characteristic(self, u: ComplexArray) -> ComplexArray:
        """ln E[exp(i u ln(S_T/F))], [M, N]."""
        diffusion = -0.5 * self.vol**2 * u * (u + 1j)
        compensated = self._jumps(1j * u) - 1j * u * self._jumps(np.ones(1, complex)).real
        return np.asarray(self.years * (diffusion + self.intensity * compensated))


@dataclass(frozen=True)
class Merton(_JumpDiffusion):
    """Normal log-jumps."""

    jump_mean: FloatArray
    jump_std: FloatArray

    def _jump_square(self) -> FloatArray:
        return self.jump_mean**2 + self.jump_std**2

    def _jumps(self, s: ComplexArray) -> ComplexArray:
        return np.asarray(np.expm1(s * self.jump_mean + 0.5 * (self.jump_std * s) ** 2))


@dataclass(frozen=True)
class Kou(_JumpDiffusion):
    """Jumps up with probability `up`, exponential of mean 1/`gain`; else down, of mean 1/`loss`."""

    up: FloatArray
    gain: FloatArray
    loss: FloatArray

    def _jump_square(self) -> FloatArray:
        return 2.0 * (self.up / self.gain**2 + (1.0 - self.up) / self.loss**2)

    def _jumps(self, s: ComplexArray) -> ComplexArray:
        up, down = self.up * self.gain / (self.gain - s), (1.0 - self.up) * self.loss / (self.loss + s)
        return np.asarray(up + down - 1.0)


_Model = TypeVar("_Model", Merton, Kou)


def expiries(model: type[_Model], params: Mapping[str, FloatArray], years: FloatArray) -> _Model:
    """Parameters [n] at years [T] as n*T rows."""
    shape = (len(params["vol"]), len(years))
    rows = {name: np.broadcast_to(value[:, None], shape).reshape(-1, 1) for name, value in params.items()}
    return model(years=np.broadcast_to(years, shape).reshape(-1, 1), **rows)
