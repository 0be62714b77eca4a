"""The graphs of a bundle that imputes."""

from __future__ import annotations

import torch
from torch import nn

from ..onnx_export import export_modules
from .network import DecoderJacobian, Vae


class _Mean(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean: torch.Tensor = self.encoder(x)[0]
        return mean


def export_graphs(vae: Vae) -> tuple[dict[str, bytes], float]:
    """The three graphs of a bundle that imputes, and the largest difference from PyTorch.

    Raises RuntimeError where that is 1e-5 or more.
    """
    vae.eval()
    x, z = (
        torch.randn(257, lift.in_features, generator=torch.Generator().manual_seed(0))
        for lift in (vae.encoder.lift, vae.decoder.lift)
    )
    return export_modules(
        {
            "encoder": (_Mean(vae.encoder), {"x": x}),
            "decoder": (vae.decoder, {"z": z}),
            "decoder_jacobian": (DecoderJacobian(vae.decoder), {"z": z}),
        }
    )
