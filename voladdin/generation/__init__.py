"""Surfaces from features: generated, sampled, and the user's own moved."""

from __future__ import annotations

from .generate import Generation, generate
from .shift import shift

__all__ = ["Generation", "generate", "shift"]
