"""Windows Excel: worksheet functions through xlwings' COM server, in process (no HTTP).

The cells go: Excel -> VBA wrapper -> xlwings -> udfs -> `voladdin.functions.evaluate` -> the same way back.
"""

from .addin import install, uninstall, wrapper_text

__all__ = ["install", "uninstall", "wrapper_text"]
