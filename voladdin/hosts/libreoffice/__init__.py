"""LibreOffice Calc: an .oxt whose functions ask the local server.

The cells go: Calc -> addin -> values -> client -> local server -> the same way back.
"""

from .extension import build
from .picture import screenshot
from .programs import install, recalculate, uninstall

__all__ = ["build", "install", "recalculate", "screenshot", "uninstall"]
