"""`voladdin bench generate`: the experiments of Wang, Liu and Vuik (2025), ours against their network."""

from .generate import main

__all__ = ["main"]
