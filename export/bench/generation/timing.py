"""Time of one surface and of many: `va.generate`, its decoder alone, and the paper's network."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch

import voladdin as va
from export.onnx_export import export_modules
from voladdin._typing import FloatArray

from .generators import Generates
from .paper import PaperNetwork

COLUMNS = ("28 x 28", "one, ms p50", "one, ms p99", "all at once, s", "surfaces a second")
Decode = Callable[[FloatArray, FloatArray], object]


def time_row(name: str, decode: Decode, targets: FloatArray, z: FloatArray, repeats: int) -> list[str]:
    """One at a time over the first `repeats` targets, then all of them (median of 3)."""
    for row in range(20):
        decode(targets[row : row + 1], z[row : row + 1])
    singles = [_seconds(decode, targets[row : row + 1], z[row : row + 1]) for row in range(repeats)]
    whole = float(np.median([_seconds(decode, targets, z) for _ in range(3)]))
    p50, p99 = 1e3 * np.quantile(singles, [0.5, 0.99])
    return [name, f"{p50:.3f}", f"{p99:.3f}", f"{whole:.3f}", f"{len(z) / whole:,.0f}"]


def _seconds(decode: Decode, targets: FloatArray, z: FloatArray) -> float:
    start = time.perf_counter()
    decode(targets, z)
    return time.perf_counter() - start


def decoders(ours: Generates, network: PaperNetwork, model: str) -> dict[str, tuple[Generates, Decode]]:
    """By name, with the generator whose latents it takes.

    `va.generate` ends in vols that passed `check`, the others in vols nobody checked.
    """
    graphs, _ = export_modules({"decoder": (network.vae.decoder, _example(network))})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graphs["decoder"], options, providers=["CPUExecutionProvider"])

    def in_onnxruntime(targets: FloatArray, z: FloatArray) -> object:
        return session.run(None, {"y": targets.astype(np.float32), "z": z.astype(np.float32)})[0]

    return {
        "va.generate, checked": (ours, lambda y, z: va.generate(*y.T, latent=z, model=model)),
        "its decoder and projection alone": (ours, ours.vols),
        "paper's network, onnxruntime": (network, in_onnxruntime),
        "paper's network, torch": (network, network.vols),
    }


def _example(network: PaperNetwork) -> dict[str, torch.Tensor]:
    y = network.vae.features.centre.repeat(8, 1)
    return {"y": y, "z": torch.randn(8, network.latent_size, generator=torch.Generator().manual_seed(0))}
