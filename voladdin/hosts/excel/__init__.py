"""Windows Excel: worksheet functions and a ribbon through xlwings' COM server, in process (no HTTP).

The cells go: Excel -> VBA wrapper -> xlwings -> udfs -> `worksheet.registry.evaluate` -> the same way back.
A button goes: Excel -> VBA callback -> xlwings -> ribbon -> `voladdin.commands.execute` on the active book.
"""

from .installer import install, uninstall
from .offline import build_installer
from .xlam import build

__all__ = ["build", "build_installer", "install", "uninstall"]
