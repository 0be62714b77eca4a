"""A transformer that completes masked surfaces, trained on the same stream at equal budget.

`python -m export.bench.markets.completer OUTPUT --minutes 20 --pool FOLDER`. The set of shown quotes is
encoded by self-attention, every cell asked for attends to it; hidden cells are predicted by themselves, each
with a Laplace density. It learns from many markets but does not condition on the quotes exactly. In form the
masked completer of Rodriguez Manzi (2026).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import ndtri
from torch import nn

from export.simulation.markets import FAMILIES, Batch, stream

from .answers import Method, MethodFill
from .quoted import BoolArray, FloatArray, Quoted

_WIDTH, _LAYERS, _HEADS = 96, 3, 4
_CONTEXT, _QUERIES = 96, 48  # cells a training surface
_TAIL = float(np.log(10.0))  # 90% of a Laplace density lies within so many scales
_SCALE = 0.2  # of log-vols


class Completer(nn.Module):
    """Log-vols over the median of the shown ones, at (ln T, x): centre and log-scale of a Laplace density."""

    def __init__(self) -> None:
        super().__init__()
        self.quote = nn.Sequential(nn.Linear(7, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        self.place = nn.Sequential(nn.Linear(6, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        layer = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, 2 * _WIDTH, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, _LAYERS, nn.LayerNorm(_WIDTH), enable_nested_tensor=False)
        self.cross = nn.MultiheadAttention(_WIDTH, _HEADS, batch_first=True)
        self.out = nn.Sequential(nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, 2 * _WIDTH), nn.GELU())
        self.head = nn.Linear(2 * _WIDTH, 2)

    def forward(
        self, shown: torch.Tensor, values: torch.Tensor, known: torch.Tensor, asked: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """shown [B, N, 2], values and known [B, N], asked [B, M, 2]; answers [B, M]."""
        tokens = self.quote(torch.cat([_waves(shown), values[..., None] / _SCALE], -1))
        memory = self.encoder(tokens, src_key_padding_mask=~known)
        query = self.place(_waves(asked))
        query = query + self.cross(query, memory, memory, key_padding_mask=~known, need_weights=False)[0]
        centre, scale = self.head(self.out(query)).unbind(-1)
        return _SCALE * centre, (scale - 3.0).clamp(-9.0, 2.0)


def _waves(points: torch.Tensor) -> torch.Tensor:
    t, x = points.unbind(-1)
    return torch.stack([t / 2, x / 2, (x / 2) ** 2, t * x / 4, torch.tanh(x), torch.exp(t / 2) / 2], -1)


def coordinates(batch: Batch) -> FloatArray:
    """[n, T * K, 2] ln T and moneyness in deviations of the median shown vol, -N^-1(delta) on delta grids."""
    if batch.grid == "deltas":
        x = -ndtri(np.clip(batch.deltas, 1e-6, 1 - 1e-6))
    else:
        middle = np.nanmedian(np.where(batch.shown, batch.mid, np.nan), axis=(1, 2))[:, None, None]
        x = batch.moneyness / (middle * np.sqrt(batch.years)[..., None])
    t = np.broadcast_to(np.log(batch.years)[..., None], x.shape)
    return np.stack([t, np.clip(x, -8.0, 8.0)], -1).reshape(len(x), -1, 2)


def training_tensors(batch: Batch, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Shown places, values, which are real; asked places, their true values, which are real."""
    places = coordinates(batch)
    size = (len(places), -1)
    shown, hidden = batch.shown.reshape(size), batch.hidden.reshape(size)
    log_mid = np.log(np.where(shown, batch.mid.reshape(size), 1.0))
    middle = np.nanmedian(np.where(shown, log_mid, np.nan), axis=1, keepdims=True)
    parts = []
    for mask, values, most in (
        (shown, log_mid - middle, _CONTEXT),
        (hidden, np.log(batch.vols.reshape(size)) - middle, _QUERIES),
    ):
        most = min(most, int(mask.sum(axis=1).max()))
        chosen = np.where(mask, rng.random(mask.shape), 2.0).argsort(axis=1)[:, :most]
        parts += [np.take_along_axis(places, chosen[..., None], 1), np.take_along_axis(values, chosen, 1)]
        parts.append(np.take_along_axis(mask, chosen, 1))
    return tuple(torch.as_tensor(p, dtype=torch.bool if p.dtype == bool else torch.float32) for p in parts)


def train(minutes: float, seed: int, exclude: Sequence[str], pool: Path | None) -> Completer:
    """A completer of so many minutes of the stream; a line every 500 steps to standard error."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Completer()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-4)
    started, losses = time.monotonic(), []
    for step, batch in enumerate(stream(seed, exclude=exclude, size=48, pool=pool)):
        share = (time.monotonic() - started) / (60.0 * minutes)
        if share >= 1.0:
            break
        rate = 1e-3 * min(1.0, (step + 1) / 300) * (0.5 * (1.0 + np.cos(np.pi * share)) + 0.01)
        for group in optimiser.param_groups:
            group["lr"] = rate
        shown, values, known, asked, truth, real = training_tensors(batch, rng)
        centre, scale = model(shown, values, known, asked)
        error = torch.abs(centre - truth.clamp(-4.0, 4.0)) / scale.exp() + scale
        loss = (error * real).sum() / real.sum().clamp(min=1)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if step % 500 == 499:
            print(f"step {step + 1:,}: {np.mean(losses[-500:]):.3f}", file=sys.stderr, flush=True)
    return model.eval()


@lru_cache
def load_completer(path: Path) -> Method:
    """A trained completer as a rival."""
    model = Completer()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.eval()

    def answer(surface: Quoted, hidden: BoolArray) -> MethodFill:
        shown = surface.quoted & ~hidden
        vols = surface.vols[shown]
        if surface.deltas is not None:
            x = np.broadcast_to(-ndtri(surface.deltas), surface.vols.shape)
        else:
            assert surface.moneyness is not None
            x = surface.moneyness / (np.median(vols) * np.sqrt(surface.tenors)[:, None])
        places = np.stack(
            [np.broadcast_to(np.log(surface.tenors)[:, None], x.shape), np.clip(x, -8.0, 8.0)], -1
        )
        middle = np.median(np.log(vols))
        with torch.no_grad():
            centre, scale = model(
                torch.as_tensor(places[shown][None], dtype=torch.float32),
                torch.as_tensor(np.log(vols)[None] - middle, dtype=torch.float32),
                torch.ones(1, len(vols), dtype=torch.bool),
                torch.as_tensor(places.reshape(1, -1, 2), dtype=torch.float32),
            )
        fill = np.exp(centre.double().numpy().reshape(x.shape) + middle)
        width = scale.exp().double().numpy().reshape(x.shape)
        reach = np.exp(np.minimum(_TAIL * width, 5.0))
        return MethodFill(fill, fill / reach, fill * reach, np.sqrt(2.0) * width * fill)

    return answer


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write the weights."""
    parser = argparse.ArgumentParser("python -m export.bench.markets.completer", description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--exclude", action="append", default=[], choices=FAMILIES)
    parser.add_argument("--pool", type=Path)
    options = parser.parse_args(argv)
    model = train(options.minutes, options.seed, options.exclude, options.pool)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), options.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
