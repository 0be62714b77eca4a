"""A family of Gaussian-process priors on log-vol: what a smile and its term structure may look like.

Candidate g of G says of a surface's log-vols, in t = ln T and the compressed moneyness u (`coordinates.py`),

    f = B a_g + B L_g e + S(t, u; z) + level(t) + event(t) + u skew(t) + h(u) curvature(t) +
    g(u) wings(t) + residual(t, u) + rough(t, u)

B a basis of trends, e ~ N(0, I), S a smile that bends (`bending.py`), z ~ N(b_g, R_g R_gᵀ) and S linear in z
about what the quotes make likeliest (`Candidates.about`); the rest independent Gaussian processes: level and
residual Matern 3/2 in t, event and rough exponential, skew, curvature and wings Matern 5/2 in t, residual and
rough Matern 5/2 in u. The hyper-parameters of all candidates, and the weight each has before a quote is seen,
are learned from many markets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._typing import FloatArray, IntArray
from .covariance import covariance_between
from .kinds import Kinds
from .points import Points

HYPERPARAMETERS = (
    *("level_std", "level_length", "event_std", "event_length", "event_growth"),
    *("skew_std", "curvature_std", "wing_std", "smile_length", "smile_growth"),
    *("residual_std", "residual_width", "residual_length", "residual_wings", "residual_growth"),
    *("rough_std", "rough_width", "rough_length", "rough_wings"),
    *("noise_std", "noise_wings", "degrees", "logit"),
)
LOGARITHMS = ("std", "length", "width", "wings", "degrees")  # stored as logarithms
NUGGET = 1e-8
FEW = 30  # quotes
TRENDS, _OF_LEVEL = 9, 3  # columns of the basis; the first are of the level, the others of the smile
_AXES = {"trend": -2, "root": -3, "bend": -2, "bend_root": -3, "about": -2}  # of the candidates


@dataclass(frozen=True)
class Candidates:
    """G priors. hyper: each hyper-parameter [G]; trend: [G, 9]; root: [G, 9, 9] lower triangular.

    bend: [G, 4] and bend_root: [G, 4, 4], lower triangular, of z. tempering: [2], see `belief`.
    about: [G, 4], where S is taken linear in z; [S, G, 4] of several surfaces.
    wander: [h], how far a surface's own hyper-parameters may lie from a candidate's (`adapting.py`), one
    standard deviation; adapting: quotes from which they are looked for; adapted_stretch: [2], see `widened`;
    adapting_root: [h, h], A Aᵀ is the inverse of the curvature that the search for them begins with.
    kinds: what smiles are like where the quotes say little of them.

    Those that each of S surfaces keeps have [S, G] in place of [G].
    """

    hyper: Mapping[str, FloatArray]
    trend: FloatArray
    root: FloatArray
    bend: FloatArray
    bend_root: FloatArray
    tempering: FloatArray
    about: FloatArray
    wander: FloatArray
    adapting: float
    adapted_stretch: FloatArray
    adapting_root: FloatArray
    kinds: Kinds | None = None

    @classmethod
    def of(cls, arrays: Mapping[str, FloatArray]) -> Candidates:
        """From a bundle's arrays: "hyper" [G, hyper-parameters], with scales and lengths as logarithms."""
        columns = dict(zip(HYPERPARAMETERS, arrays["hyper"].T, strict=True))
        hyper = {k: np.exp(v) if k.split("_")[-1] in LOGARITHMS else v for k, v in columns.items()}
        bend, roots = arrays["bend"], [np.tril(arrays[name]) for name in ("root", "bend_root")]
        adapting = arrays["wander"], float(arrays["adapting"]), arrays["adapted_stretch"]
        of_bend = bend, roots[1], arrays["tempering"], bend
        return cls(hyper, arrays["trend"], roots[0], *of_bend, *adapting, arrays["adapting_root"])

    def __len__(self) -> int:
        return len(self.trend)

    def __getitem__(self, chosen: IntArray) -> Candidates:
        if self.about.ndim == 2:
            return self._at(chosen, self.about[chosen])
        return self._at(chosen, np.take_along_axis(self.about, chosen[..., None], -2))

    def of_surface(self, surface: int) -> Candidates:
        """Those that one of several surfaces keeps."""
        return self._at(surface, self.about[surface])

    def _at(self, chosen: IntArray | int, about: FloatArray) -> Candidates:
        hyper = {k: v[chosen] for k, v in self.hyper.items()}
        names = ("trend", "root", "bend", "bend_root")
        arrays: dict[str, Any] = {name: getattr(self, name)[chosen] for name in names}
        return replace(self, hyper=hyper, about=about, **arrays)

    @property
    def first(self) -> Candidates:
        """The first alone, [..., 1]."""
        arrays: dict[str, Any] = {
            name: np.take(getattr(self, name), [0], axis) for name, axis in _AXES.items()
        }
        return replace(self, hyper={k: v[..., :1] for k, v in self.hyper.items()}, **arrays)

    def beside(self, others: Candidates) -> Candidates:
        """These, and then others."""
        hyper = {k: np.concatenate([v, others.hyper[k]], -1) for k, v in self.hyper.items()}
        pairs = {name: (getattr(self, name), getattr(others, name)) for name in _AXES}
        arrays: dict[str, Any] = {name: np.concatenate(pair, _AXES[name]) for name, pair in pairs.items()}
        return replace(self, hyper=hyper, **arrays)

    @property
    def with_each_kind(self) -> Candidates:
        """The one candidate [..., 1] with the smile of each kind [..., M] in place of its own."""
        kinds = self.kinds
        assert kinds is not None
        count, ahead = len(kinds.bend), self.trend.shape[:-2]
        hyper = {name: np.repeat(value, count, -1) for name, value in self.hyper.items()}
        of_level = np.arange(TRENDS) < _OF_LEVEL
        trend, root = np.repeat(self.trend * of_level, count, -2), np.repeat(self.root, count, -3)
        bend, bend_root = (np.broadcast_to(a, (*ahead, *a.shape)) for a in (kinds.bend, kinds.root))
        straight = replace(self, hyper=hyper, trend=trend, root=root * of_level[:, None])
        return replace(straight, bend=bend, bend_root=bend_root, about=bend)

    def after(self, step: FloatArray) -> Candidates:
        """About z so many deviations [..., 4] from the usual."""
        return replace(self, about=self.bend + (self.bend_root @ step[..., None])[..., 0])

    @property
    def trends(self) -> FloatArray:
        """[..., G, 9, 9] covariance of the trends."""
        return np.asarray(self.root @ self.root.swapaxes(-1, -2))

    @property
    def degrees(self) -> FloatArray:
        """[G] of freedom of each one's scale."""
        return self.hyper["degrees"] + 1.0

    @property
    def weight(self) -> FloatArray:
        """[G] before a quote is seen."""
        weight = np.exp(self.hyper["logit"] - self.hyper["logit"].max())
        return np.asarray(weight / weight.sum())

    def belief(self, count: int) -> float:
        """The power of the evidence of so many quotes: models are wrong, and more so of many."""
        return float(np.exp(self.tempering[0]) / (1.0 + np.exp(self.tempering[1]) * count / 20.0))

    def widened(self, count: int) -> float:
        """The factor on spreads once adapted to so many quotes, which then say less than they seem to."""
        return float(np.exp(self.adapted_stretch @ [1.0, np.log(count / FEW)]))

    def mean(self, at: Points) -> FloatArray:
        """[G, N]."""
        return self.straight_mean(at) + self.bent(at)[0]

    def straight_mean(self, at: Points) -> FloatArray:
        """[G, N] but for the smile that bends."""
        return self.trend @ at.basis.swapaxes(-1, -2)

    def bent(self, at: Points) -> tuple[FloatArray, FloatArray]:
        """Mean [G, N] and factor F [G, N, 4], of covariance F Fᵀ, of the smile that bends."""
        value, slope = at.bend(self.about)
        mean = value + (slope @ (self.bend - self.about)[..., None])[..., 0]
        return mean, slope @ self.bend_root

    def bent_after(self, step: FloatArray, at: Points) -> tuple[FloatArray, FloatArray]:
        """The same about z so many deviations [G, 4] from the usual."""
        turned = (self.bend_root @ step[..., None])[..., 0]
        value, slope = at.bend(self.bend + turned)
        return value - (slope @ turned[..., None])[..., 0], slope @ self.bend_root

    def noise(self, at: Points) -> FloatArray:
        """[G, N] variance of quotes about the process."""
        h = self.hyper
        return h["noise_std"][:, None] ** 2 * (1.0 + h["noise_wings"][:, None] * at.u**2) + NUGGET

    def variance(self, at: Points) -> FloatArray:
        """[G, N] of the process, without the noise."""
        return np.asarray(self.straight_variance(at) + (self.bent(at)[1] ** 2).sum(-1))

    def straight_variance(self, at: Points) -> FloatArray:
        """[G, N] but for the smile that bends."""
        h = {k: v[:, None] for k, v in self.hyper.items()}
        u, bend, wing = at.smile
        late, size = at.t + 1.0, np.abs(u)
        total = ((at.basis @ self.root) ** 2).sum(-1) + h["level_std"] ** 2
        total += (h["event_std"] * np.exp(h["event_growth"] * late)) ** 2
        shape = (h["skew_std"] * u) ** 2 + (h["curvature_std"] * bend) ** 2 + (h["wing_std"] * wing) ** 2
        total += shape * np.exp(2.0 * h["smile_growth"] * late)
        total += (
            h["residual_std"] * (1 + h["residual_wings"] * size) * np.exp(h["residual_growth"] * late)
        ) ** 2
        return np.asarray(total + (h["rough_std"] * (1.0 + h["rough_wings"] * size)) ** 2)

    def straight_of_quotes(self, at: Points) -> FloatArray:
        """[G, N, N] of quotes, the process and its noise, but for the smile that bends."""
        covariance, index = self.straight_covariance(at, at), np.arange(len(at))
        covariance[:, index, index] += self.noise(at)
        return covariance

    def covariance(self, a: Points, b: Points) -> FloatArray:
        """[G, N, M] of the process between points a [N] and b [M] of one surface (the same tenors)."""
        left = self._factor(a)
        return covariance_between(self.hyper, a, b, left, left if a is b else self._factor(b))

    def straight_covariance(self, a: Points, b: Points) -> FloatArray:
        """[G, N, M] but for the smile that bends."""
        left = a.basis @ self.root
        return covariance_between(self.hyper, a, b, left, left if a is b else b.basis @ self.root)

    def _factor(self, at: Points) -> FloatArray:
        """[G, N, 13] of the covariance of the trends and of the smile that bends."""
        return np.concatenate([at.basis @ self.root, self.bent(at)[1]], axis=-1)
