"""`voladdin bench generate`: the experiments of Wang, Liu and Vuik (2025), ours against their network."""

from .command import main

__all__ = ["main"]
