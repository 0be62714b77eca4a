"""Surfaces from features: generated, sampled, and the user's own moved."""

from __future__ import annotations

from .generating import Generation, generate
from .sampling import sample
from .shifting import shift

__all__ = ["Generation", "generate", "sample", "shift"]
