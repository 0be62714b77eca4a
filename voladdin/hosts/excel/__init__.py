"""Windows Excel: functions and a ribbon in VBA, which asks Python by HTTP or by xlwings' COM server.

Cells go: Excel -> VBA -> lines of text -> the local server, or `calls` by COM -> `worksheet.wire` -> back.
A button goes: Excel -> VBA callback -> the same way -> `calls.on_book` -> `voladdin.commands.execute`.
"""

from .installer import install, uninstall
from .offline import build_installer
from .signing import sign
from .xlam import build

__all__ = ["build", "build_installer", "install", "sign", "uninstall"]
