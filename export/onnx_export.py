"""PyTorch to ONNX, with a parity check: the graph that ships is the model that was trained."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import torch
from torch import nn

PARITY = 1e-5


def export_modules(
    modules: dict[str, tuple[nn.Module, dict[str, torch.Tensor]]],
    outputs: dict[str, list[str]] | None = None,
    parity: float = PARITY,
) -> tuple[dict[str, bytes], float]:
    """Graphs of modules, and their largest difference from PyTorch at these inputs [B, width] by name.

    Differences are relative to the output's largest value, where that is above 1.
    Raises RuntimeError where one is `parity` or more.
    """
    graphs, worst = {}, 0.0
    for graph, (module, inputs) in modules.items():
        graphs[graph] = _export(module, inputs, (outputs or {}).get(graph))
        worst = max(worst, _difference(graphs[graph], module, inputs))
    if worst >= parity:
        raise RuntimeError(f"ONNX differs from PyTorch by {worst:.1e}; expected below {parity:g}")
    return graphs, worst


def _export(module: nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str] | None) -> bytes:
    batch = torch.export.Dim("batch", min=1, max=1_000_000)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(value[:4] for value in inputs.values()),
            dynamo=True,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            verbose=False,
        )
    assert program is not None  # what dynamo=True returns
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    content: bytes = model.SerializeToString()
    return content


def _difference(graph: bytes, module: nn.Module, inputs: dict[str, torch.Tensor]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    with torch.no_grad():
        expected = module(*inputs.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    sizes = [max(1.0, float(b.abs().max())) for b in expected]
    gaps = [float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True)]
    return max(gap / size for gap, size in zip(gaps, sizes, strict=True))
