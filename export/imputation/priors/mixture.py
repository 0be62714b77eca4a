"""The priors in PyTorch: as `voladdin.imputation.processes.process` and `evidence`, to be differentiated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from voladdin._typing import FloatArray
from voladdin.imputation.processes.bending import NUMBERS, WIDEST
from voladdin.imputation.processes.evidence import FARTHEST, LONGEST, ODD, STEPS, USUAL
from voladdin.imputation.processes.points import BEND
from voladdin.imputation.processes.process import HYPERPARAMETERS, NUGGET

from .samples import Sample
from .starting import PLAIN, starting

_TRAINED = ("hyper", "trend", "root", "bend", "bend_root")


@dataclass(frozen=True)
class Padded:
    """B samples as arrays [B, points]: quotes and what is hidden, with where they are; own: [B]."""

    t: Tensor
    u: Tensor
    y: Tensor
    quoted: Tensor
    hidden_t: Tensor
    hidden_u: Tensor
    hidden_y: Tensor
    hidden: Tensor
    own: Tensor


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
    own = torch.tensor([s.own for s in samples])
    return Padded(t, u, y, quoted, hidden_t, hidden_u, hidden_y, hidden, own)


class Priors(nn.Module):
    """G candidates: hyper [G, hyper-parameters], trend [G, 9], root [G, 9, 9], bend [G, 4] and its root,
    tempering [2].
    """

    def __init__(self, smooth: int, random: int, bent: int, seed: int, scale: float = 1.0) -> None:
        """`smooth` candidates much like a thin plate, on a ladder of sizes, and `random` ones about a smile;
        the smile of the last `bent` of them bends.

        scale: of the values that they are for, beside log-vols.
        """
        super().__init__()
        start = starting(smooth, random, bent, seed, scale)
        self.hyper, self.trend, self.root, self.bend, self.bend_root = (
            nn.Parameter(torch.tensor(start[name])) for name in _TRAINED
        )
        self.tempering = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def start_from(self, arrays: Mapping[str, FloatArray]) -> Priors:
        """Takes its values from a bundle's arrays of one kind, with as many candidates as those have."""
        for name in (*_TRAINED, "tempering"):
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
        both = (known[:, :, None] & known[:, None, :])[:, None]
        zero = torch.zeros((), dtype=torch.float64)
        own = torch.diag_embed(self._noise(at.u)) + self._covariance(at.t, at.u, at.t, at.u)
        whole = torch.where(both, own, zero) + torch.diag_embed((~known).double())[:, None]
        root = torch.linalg.cholesky_ex(whole)[0]
        about = self._about(at, root.detach())
        mean, factor = self._bent(about, at.t, at.u, at.own)
        residual = torch.where(known[:, None], at.y[:, None] - self._straight(at.t, at.u) - mean, zero)
        factor = torch.where(known[:, None, :, None], factor, zero)
        cross = self._covariance(at.hidden_t, at.hidden_u, at.t, at.u)
        cross = torch.where(known[:, None, None], cross, zero)
        solved = torch.linalg.solve_triangular(
            root, torch.cat([residual[..., None], factor, cross.transpose(-1, -2)], -1), upper=False
        )
        white, bent, gain = solved[..., 0], solved[..., 1 : 1 + NUMBERS], solved[..., 1 + NUMBERS :]
        inner = torch.linalg.cholesky(bent.transpose(-1, -2) @ bent + torch.eye(NUMBERS, dtype=torch.float64))
        pulled = torch.linalg.solve_triangular(inner, bent.transpose(-1, -2) @ white[..., None], upper=False)
        distance = (white**2).sum(-1) - (pulled[..., 0] ** 2).sum(-1)
        nu = self._value("degrees")[..., 0, 0] + 1.0
        log_det = sum(torch.log(torch.diagonal(x, dim1=-2, dim2=-1)).sum(-1) for x in (root, inner))
        log = torch.lgamma(0.5 * (nu + n)) - torch.lgamma(0.5 * nu) - 0.5 * n * torch.log(nu) - log_det
        log = log - 0.5 * (nu + n) * torch.log1p(distance.clamp_min(0.0) / nu)
        believed = torch.exp(self.tempering[0]) / (1.0 + torch.exp(self.tempering[1]) * n / 20.0)
        back = torch.linalg.solve_triangular(inner.transpose(-1, -2), pulled, upper=True)[..., 0]
        odd = ODD * (torch.linalg.vector_norm(back, dim=-1) - USUAL).clamp_min(0.0)
        weight = torch.softmax(believed * log - odd + self._value("logit")[..., 0, 0], -1)
        ahead, slope = self._bent(about, at.hidden_t, at.hidden_u, at.own)
        left_over = slope.transpose(-1, -2) - bent.transpose(-1, -2) @ gain
        open_ = torch.linalg.solve_triangular(inner, left_over, upper=False)
        mean = self._straight(at.hidden_t, at.hidden_u) + ahead + (gain * white[..., None]).sum(-2)
        mean = mean + (open_ * pulled).sum(-2)
        left = self._variance(at.hidden_t, at.hidden_u) - (gain**2).sum(-2) + (open_**2).sum(-2)
        return weight, mean, left.clamp_min(1e-9) * ((nu + distance) / (nu + n))[..., None]

    @torch.no_grad()
    def _about(self, at: Padded, root: Tensor) -> Tensor:
        """z [B, G, 4] that the quotes make likeliest, by Gauss-Newton steps, as `voladdin` has them."""
        residual = at.y[:, None] - self._straight(at.t, at.u)
        step = torch.zeros(len(at.t), *self.bend.shape, dtype=torch.float64)
        lower, known = torch.tril(self.bend_root), at.quoted[:, None, :, None]
        zero = torch.zeros((), dtype=torch.float64)
        about = self.bend.expand_as(step)
        for _ in range(STEPS):
            mean, factor = self._bent(about, at.t, at.u, at.own)
            both = torch.where(known, torch.cat([(residual - mean)[..., None], factor], -1), zero)
            white = torch.linalg.solve_triangular(root, both, upper=False)
            square = white.transpose(-1, -2) @ white
            inner = square[..., 1:, 1:] + torch.eye(NUMBERS, dtype=torch.float64)
            move = torch.linalg.solve(inner, square[..., 1:, :1])[..., 0] - step
            step = step + move * (LONGEST / move.norm(dim=-1, keepdim=True).clamp_min(LONGEST))
            step = step * (FARTHEST / step.norm(dim=-1, keepdim=True).clamp_min(FARTHEST))
            about = self.bend + (lower @ step[..., None])[..., 0]
        return about

    def _bent(self, about: Tensor, t: Tensor, u: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [B, G, N] and factor [B, G, N, 4] of the smile that bends, linear about `about`."""
        q, x = 0.5 * (t[:, None] + 1.0), BEND * torch.sinh((u[:, None] / BEND).clamp(-WIDEST, WIDEST))
        value, slope = _bend(about[..., None, :].unbind(-1), q, x, own[:, None, None])
        mean = value + (slope @ (self.bend - about)[..., None])[..., 0]
        return mean, slope @ torch.tril(self.bend_root)

    def _straight(self, t: Tensor, u: Tensor) -> Tensor:
        """[B, G, N] trends that are linear."""
        return (_basis(t, u) @ self.trend.T).transpose(1, 2)

    def _value(self, name: str) -> Tensor:
        """[G, 1, 1]."""
        column = self.hyper[..., HYPERPARAMETERS.index(name), None, None]
        return column if name in PLAIN else torch.exp(column)

    def _noise(self, u: Tensor) -> Tensor:
        std, wings = self._value("noise_std")[..., 0], self._value("noise_wings")[..., 0]
        return std**2 * (1.0 + wings * u[:, None] ** 2) + NUGGET

    def _variance(self, t: Tensor, u: Tensor) -> Tensor:
        """[B, G, N] of a quote: the process and its noise, but for the smile that bends."""
        basis = _basis(t, u)
        v = {name: self._value(name)[..., 0] for name in HYPERPARAMETERS}
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


def _bend(z: Sequence[Tensor], q: Tensor, x: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """As `voladdin.imputation.processes.bending.bend`; z are four numbers [B, G, 1], q and x [B, 1, N]."""
    r, tilt, c, turn = z
    rho, y = torch.tanh(r + tilt * q), torch.exp(c + turn * q) * x
    root = torch.where(own, torch.sqrt(4.0 + y * y), torch.sqrt(y * y + 2.0 * rho * y + 1.0))
    ratio = torch.where(own, 0.5 * (rho * y + root), 0.5 * (1.0 + rho * y + root))
    value = torch.log(ratio) * torch.where(own, 1.0, 0.5)
    by_y = torch.where(own, 0.5 * (rho + y / root), 0.25 * (rho + (y + rho) / root)) / ratio
    by_rho = torch.where(own, 0.5 * y, 0.25 * (y + y / root)) / ratio
    turned, scaled = by_rho * (1.0 - rho * rho), by_y * y
    return value, torch.stack([turned, turned * q, scaled, scaled * q], -1)


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
