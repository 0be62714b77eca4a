"""The command line: `voladdin COMMAND`."""

from .program import main

__all__ = ["main"]
