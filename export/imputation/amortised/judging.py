"""Trained models on samples that they were never trained on, as graphs, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from export.imputation.priors.mixture import Padded, Priors, padded
from export.imputation.priors.samples import Sample
from export.imputation.priors.training import loss
from export.onnx_export import export_modules

from .amortising import QUOTES, Amortised, as_set
from .source import BATCH


@torch.no_grad()
def judged(model: nn.Module, held: Sequence[Sample]) -> tuple[float, float, float]:
    """Mean loss and mean absolute error of log-vols of what is hidden, and the factor on spreads with which
    90% bands cover 90% of it.
    """
    losses, errors, scores = [], [], []
    for i in range(0, len(held), BATCH):
        batch = padded(held[i : i + BATCH])
        mean, variance = model(batch)
        gap = (batch.hidden_y - mean).abs()
        losses.append(loss(model, batch).item())
        errors.append(gap[batch.hidden].numpy())
        scores.append((gap / torch.sqrt(variance))[batch.hidden].numpy())
    factor = float(np.quantile(np.concatenate(scores), 0.9) / 1.6449)
    return float(np.mean(losses)), float(np.concatenate(errors).mean()), factor


@torch.no_grad()
def size_of_mean(model: Amortised, held: Sequence[Sample]) -> float:
    """Root mean square, in log-vols, of what the decoder says of hidden cells."""
    squares = []
    for i in range(0, len(held), BATCH):
        batch = padded(held[i : i + BATCH])
        ahead = model.means(batch, model.encoder(as_set(batch))[0])[1]
        squares.append((ahead**2)[batch.hidden].numpy())
    return float(np.sqrt(np.concatenate(squares).mean()))


def graphs(model: Amortised, held: Sequence[Sample]) -> tuple[dict[str, bytes], float]:
    """ONNX of encoder and decoder, and their largest difference from PyTorch on some samples, relative.

    Raises RuntimeError where it is 1e-5 or more.
    """
    few = held[:8]
    quotes = torch.cat([as_set(_whole(sample)) for sample in few])
    points = torch.tensor([[s.t[-1], s.u[-1], float(s.own)] for s in few], dtype=torch.float32)
    with torch.no_grad():
        code = model.eval().encoder(quotes)[0]
    inputs: dict[str, Any] = {
        "encoder": (model.encoder, {"quotes": quotes}),
        "decoder": (model.decoder, {"code": code, "point": points}),
    }
    return export_modules(inputs, {"encoder": ["z", "psi"], "decoder": ["mean"]})


def _whole(sample: Sample) -> Padded:
    """One sample in as many places as the encoder's graph has."""
    at, more = padded([sample]), QUOTES - sample.count
    names = ("t", "u", "y", "quoted")
    pad = {name: torch.nn.functional.pad(getattr(at, name), (0, more)) for name in names}
    return replace(at, **pad)


def read(path: Path) -> tuple[Amortised, float]:
    """A trained model, to answer, and the factor on its spreads."""
    state = torch.load(path, weights_only=True)
    count = len(state["model"]["process.trend"])
    model = Amortised(Priors(0, count, 1, 0), alone=state["alone"])
    model.load_state_dict(state["model"])
    return model.eval(), float(state["stretch"])
