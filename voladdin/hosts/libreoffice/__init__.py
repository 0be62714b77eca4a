"""LibreOffice Calc: an .oxt whose functions ask the local server.

The cells go: Calc -> addin -> values -> client -> local server -> the same way back.
"""

from .extension import build
from .installer import install, recalculate, uninstall
from .picture import screenshot

__all__ = ["build", "install", "recalculate", "screenshot", "uninstall"]
