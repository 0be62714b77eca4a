"""The priors in PyTorch: as `voladdin.imputation.process` and `evidence`, to be differentiated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from voladdin._typing import FloatArray
from voladdin.imputation.process import HYPERPARAMETERS, NUGGET

from .samples import Sample

BASIS = 9
_SCALES = (1.0, 0.15, 0.05, 0.12, 0.05, 0.08, 0.03, 0.03, 0.02)  # of the trends at the start
_START = {
    "level_std": (0.2, 0.5),
    "level_length": (2.0, 0.3),
    "event_std": (0.03, 0.7),
    "event_length": (0.5, 0.4),
    "event_growth": (-0.2, 0.2),
    "skew_std": (0.07, 0.7),
    "curvature_std": (0.05, 0.7),
    "wing_std": (0.02, 0.7),
    "smile_length": (2.5, 0.3),
    "smile_growth": (0.0, 0.1),
    "residual_std": (0.02, 1.0),
    "residual_width": (1.5, 0.3),
    "residual_length": (1.0, 0.4),
    "residual_wings": (0.37, 0.3),
    "residual_growth": (0.0, 0.2),
    "rough_std": (0.005, 1.0),
    "rough_width": (0.8, 0.3),
    "rough_length": (0.3, 0.4),
    "rough_wings": (0.37, 0.3),
    "noise_std": (0.002, 1.2),
    "noise_wings": (0.14, 0.5),
    "degrees": (8.0, 0.2),
    "logit": (0.0, 0.0),
}  # value and spread at the start; of logarithms but for growths and the logit
_PLAIN = ("event_growth", "smile_growth", "residual_growth", "logit")
_SMOOTH = {
    "level_std": 0.15,
    "level_length": 4.0,
    "event_std": 1e-3,
    "skew_std": 0.03,
    "curvature_std": 0.03,
} | {
    "wing_std": 0.01,
    "smile_length": 4.0,
    "residual_wings": 0.05,
    "rough_std": 1e-3,
    "rough_width": 0.6,
    "rough_length": 1.0,
    "rough_wings": 0.1,
    "noise_wings": 0.1,
}
_SMOOTH_SCALES = (1.0, 0.3, 0.1, 0.15, 0.08, 0.1, 0.05, 0.05, 0.03)


@dataclass(frozen=True)
class Padded:
    """B samples as arrays [B, points]: quotes and what is hidden, with where they are."""

    t: Tensor
    u: Tensor
    y: Tensor
    quoted: Tensor
    hidden_t: Tensor
    hidden_u: Tensor
    hidden_y: Tensor
    hidden: Tensor


def padded(samples: Sequence[Sample]) -> Padded:
    """Samples of different sizes side by side."""
    most = max(s.count for s in samples), max(len(s.t) - s.count for s in samples)
    quotes, rest = (np.zeros((3, len(samples), size)) for size in most)
    masks = [np.zeros((len(samples), size), dtype=bool) for size in most]
    for i, s in enumerate(samples):
        whole, n = np.stack([s.t, s.u, s.y]), s.count
        quotes[:, i, :n], rest[:, i, : len(s.t) - n] = whole[:, :n], whole[:, n:]
        masks[0][i, :n], masks[1][i, : len(s.t) - n] = True, True
    (t, u, y), (hidden_t, hidden_u, hidden_y) = torch.from_numpy(quotes), torch.from_numpy(rest)
    quoted, hidden = map(torch.from_numpy, masks)
    return Padded(t, u, y, quoted, hidden_t, hidden_u, hidden_y, hidden)


class Priors(nn.Module):
    """G candidates: hyper [G, hyper-parameters], trend [G, 9], root [G, 9, 9], tempering [2]."""

    def __init__(self, smooth: int, random: int, seed: int, scale: float = 1.0) -> None:
        """`smooth` candidates much like a thin plate, on a ladder of sizes, and `random` ones about a smile.

        scale: of the values that they are for, beside log-vols.
        """
        super().__init__()
        rng = np.random.default_rng(seed)
        tables = [_smooth_table(smooth), _random_table(random, rng)]
        hyper = np.concatenate(tables)
        for index, name in enumerate(HYPERPARAMETERS):
            hyper[:, index] += math.log(scale) if name.endswith("_std") else 0.0
        roots = [np.tile(np.diag(_SMOOTH_SCALES), (smooth, 1, 1))]
        spread = np.exp(0.3 * rng.standard_normal((random, BASIS))) * _SCALES
        roots.append(np.stack([np.diag(s) for s in spread]) if random else np.zeros((0, BASIS, BASIS)))
        trend = 0.5 * rng.standard_normal((random, BASIS)) * _SCALES * (np.arange(BASIS) > 0)
        trend = np.concatenate([np.zeros((smooth, BASIS)), trend])
        self.hyper = nn.Parameter(torch.tensor(hyper))
        self.trend = nn.Parameter(torch.tensor(trend * scale))
        self.root = nn.Parameter(torch.tensor(np.concatenate(roots) * scale))
        self.tempering = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def start_from(self, arrays: Mapping[str, FloatArray]) -> Priors:
        """Takes its values from a bundle's arrays of one kind, with as many candidates as those have."""
        for name in ("hyper", "trend", "root", "tempering"):
            setattr(self, name, nn.Parameter(torch.tensor(arrays[name], dtype=torch.float64)))
        return self

    def arrays(self) -> dict[str, FloatArray]:
        """What a bundle keeps of it."""
        return {name: value.detach().numpy().copy() for name, value in self.named_parameters()}

    def forward(self, at: Padded) -> tuple[Tensor, Tensor]:
        """Mean and variance [B, hidden] of what is hidden, given the quotes."""
        weight, mean, variance = self.components(at)
        centre = (weight[..., None] * mean).sum(1)
        return centre, (weight[..., None] * (variance + (mean - centre[:, None]) ** 2)).sum(1)

    def components(self, at: Padded) -> tuple[Tensor, Tensor, Tensor]:
        """Weights [B, G], means and variances [B, G, hidden] of the candidates."""
        known, n = at.quoted, at.quoted.sum(-1)[:, None].double()
        basis, ahead = _basis(at.t, at.u), _basis(at.hidden_t, at.hidden_u)
        both = (known[:, :, None] & known[:, None, :])[:, None]
        zero = torch.zeros((), dtype=torch.float64)
        own = torch.diag_embed(self._noise(at.u)) + self._covariance(at.t, at.u, at.t, at.u)
        whole = torch.where(both, own, zero) + torch.diag_embed((~known).double())[:, None]
        root = torch.linalg.cholesky_ex(whole)[0]
        residual = at.y[:, None] - (basis @ self.trend.T).transpose(1, 2)
        residual = torch.where(known[:, None], residual, zero)
        cross = self._covariance(at.hidden_t, at.hidden_u, at.t, at.u)
        cross = torch.where(known[:, None, None], cross, zero)
        solved = torch.linalg.solve_triangular(
            root, torch.cat([residual[..., None], cross.transpose(-1, -2)], -1), upper=False
        )
        white, gain = solved[..., 0], solved[..., 1:]
        distance, nu = (white**2).sum(-1), self._value("degrees")[:, 0, 0] + 1.0
        log_det = torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(-1)
        log = torch.lgamma(0.5 * (nu + n)) - torch.lgamma(0.5 * nu) - 0.5 * n * torch.log(nu) - log_det
        log = log - 0.5 * (nu + n) * torch.log1p(distance / nu)
        believed = torch.exp(self.tempering[0]) / (1.0 + torch.exp(self.tempering[1]) * n / 20.0)
        weight = torch.softmax(believed * log + self._value("logit")[:, 0, 0], -1)
        mean = (ahead @ self.trend.T).transpose(1, 2) + (gain * white[..., None]).sum(-2)
        left = self._variance(at.hidden_t, at.hidden_u, ahead) - (gain**2).sum(-2)
        return weight, mean, left.clamp_min(1e-9) * ((nu + distance) / (nu + n))[..., None]

    def _value(self, name: str) -> Tensor:
        """[G, 1, 1]."""
        column = self.hyper[:, HYPERPARAMETERS.index(name), None, None]
        return column if name in _PLAIN else torch.exp(column)

    def _noise(self, u: Tensor) -> Tensor:
        std, wings = self._value("noise_std")[:, :, 0], self._value("noise_wings")[:, :, 0]
        return std**2 * (1.0 + wings * u[:, None] ** 2) + NUGGET

    def _variance(self, t: Tensor, u: Tensor, basis: Tensor) -> Tensor:
        """[B, G, N] of a quote: the process and its noise."""
        v = {name: self._value(name)[:, :, 0] for name in HYPERPARAMETERS}
        late, size = t[:, None] + 1.0, u.abs()[:, None]
        trends = (basis[:, None] @ torch.tril(self.root)).square().sum(-1)
        smile = sum((v[f"{name}_std"] * x[:, None]) ** 2 for name, x in zip(_PARTS, _smile(u), strict=True))
        total = trends + v["level_std"] ** 2 + (v["event_std"] * torch.exp(v["event_growth"] * late)) ** 2
        total = total + smile * torch.exp(2.0 * v["smile_growth"] * late)
        residual = (
            v["residual_std"] * (1.0 + v["residual_wings"] * size) * torch.exp(v["residual_growth"] * late)
        )
        return total + residual**2 + (v["rough_std"] * (1.0 + v["rough_wings"] * size)) ** 2 + self._noise(u)

    def _covariance(self, t: Tensor, u: Tensor, t2: Tensor, u2: Tensor) -> Tensor:
        """[B, G, N, M] of the process."""
        v = self._value
        lower = torch.tril(self.root)
        left, right = _basis(t, u)[:, None] @ lower, _basis(t2, u2)[:, None] @ lower
        total = left @ right.transpose(-1, -2)
        gap, across = (
            (t[:, :, None] - t2[:, None]).abs()[:, None],
            (u[:, :, None] - u2[:, None]).abs()[:, None],
        )
        late = (t[:, :, None] + t2[:, None])[:, None] + 2.0
        total = total + v("level_std") ** 2 * _matern32(gap / v("level_length"))
        event = torch.exp(v("event_growth") * late - gap / v("event_length"))
        total = total + v("event_std") ** 2 * event
        smile = sum(
            v(f"{name}_std") ** 2 * (a[:, :, None] * b[:, None])[:, None]
            for name, a, b in zip(_PARTS, _smile(u), _smile(u2), strict=True)
        )
        total = total + smile * _matern52(gap / v("smile_length")) * torch.exp(v("smile_growth") * late)
        times = {"residual": _matern32(gap / v("residual_length")) * torch.exp(v("residual_growth") * late)}
        times["rough"] = torch.exp(-gap / v("rough_length"))
        for name, time in times.items():
            wings = v(f"{name}_wings")
            size = (1.0 + wings * u.abs()[:, None, :, None]) * (1.0 + wings * u2.abs()[:, None, None])
            total = total + v(f"{name}_std") ** 2 * time * _matern52(across / v(f"{name}_width")) * size
        return total


_PARTS = ("skew", "curvature", "wing")


def _smile(u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return u, torch.sqrt(1.0 + u * u) - 1.0, u - torch.tanh(u)


def _basis(t: Tensor, u: Tensor) -> Tensor:
    x, h, g = _smile(u)
    q = (t + 1.0) / 2.0
    steep = torch.clamp(torch.exp(-0.5 * (t + 1.0)) / 4.0, max=4.0)
    return torch.stack([torch.ones_like(q), q, q * q - 1.0, x, x * q, h, h * q, g, 0.5 * x * steep], -1)


def _matern32(distance: Tensor) -> Tensor:
    r = math.sqrt(3.0) * distance
    return (1.0 + r) * torch.exp(-r)


def _matern52(distance: Tensor) -> Tensor:
    r = math.sqrt(5.0) * distance
    return (1.0 + r + r * r / 3.0) * torch.exp(-r)


def _table(values: dict[str, float]) -> FloatArray:
    return np.array([v if name in _PLAIN else math.log(v) for name, v in values.items()])


def _random_table(count: int, rng: np.random.Generator) -> FloatArray:
    middle = _table({name: value for name, (value, _) in _START.items()})
    spread = np.array([s for _, s in _START.values()])
    return middle + 1.3 * spread * rng.standard_normal((count, len(middle)))


def _smooth_table(count: int) -> FloatArray:
    """Residuals of all sizes and long lengths, without noise to speak of and with some."""
    ladder = [(n, s, r) for n in (2e-4, 2e-3) for s in (0.03, 0.12, 0.4) for r in (2.0, 5.0)][:count]
    start = {name: value for name, (value, _) in _START.items()} | _SMOOTH | {"event_growth": 0.0}
    rows = [
        _table(start | {"noise_std": n, "residual_std": s, "residual_width": r, "residual_length": r})
        for n, s, r in ladder
    ]
    return np.stack(rows) if rows else np.zeros((0, len(start)))
