"""PyTorch to ONNX, with a parity check: the graph that ships is the model that was trained."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import torch
from torch import nn

from .network import DecoderJacobian, Vae

PARITY = 1e-5


class _Mean(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean: torch.Tensor = self.encoder(x)[0]
        return mean


def export_graphs(vae: Vae) -> tuple[dict[str, bytes], float]:
    """The three graphs of a bundle, and the largest difference from PyTorch (standardised log-vol).

    Raises RuntimeError where that is 1e-5 or more.
    """
    vae.eval()
    latent, nodes = vae.decoder.lift.in_features, vae.encoder.lift.in_features
    modules = {
        "encoder": (_Mean(vae.encoder), "x", nodes),
        "decoder": (vae.decoder, "z", latent),
        "decoder_jacobian": (DecoderJacobian(vae.decoder), "z", latent),
    }
    graphs, worst = {}, 0.0
    for graph, (module, name, width) in modules.items():
        graphs[graph] = _export(module, name, width)
        worst = max(worst, _difference(graphs[graph], module, name, width))
    if worst >= PARITY:
        raise RuntimeError(f"ONNX differs from PyTorch by {worst:.1e}; expected below {PARITY:g}")
    return graphs, worst


def _export(module: nn.Module, name: str, width: int) -> bytes:
    batch = torch.export.Dim("batch", min=1, max=1_000_000)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (torch.randn(4, width),),
            dynamo=True,
            input_names=[name],
            dynamic_shapes=({0: batch},),
            verbose=False,
        )
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    content: bytes = model.SerializeToString()
    return content


def _difference(graph: bytes, module: nn.Module, name: str, width: int) -> float:
    import onnxruntime

    x = torch.randn(257, width, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {name: x.numpy()})
    with torch.no_grad():
        expected = module(x)
    expected = expected if isinstance(expected, tuple) else (expected,)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(outputs, expected, strict=True))
