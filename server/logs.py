"""voladdin.log in the home folder: rotating, for this user only, and never in the way of an answer."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voladdin.home import home, open_private

LOGGERS = {"voladdin": logging.INFO, "uvicorn": logging.WARNING}


class PrivateLog(logging.handlers.RotatingFileHandler):
    """Lines that a full disk has no room for are lost without a word."""

    def _open(self) -> io.TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return open(open_private(Path(self.baseFilename), flags), "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: not a traceback to standard error, which may be the same disk."""


@contextlib.contextmanager
def log_file() -> Iterator[None]:
    """The loggers write there, for the block. Raises ServerError where the file is not the user's own."""
    path = home() / "voladdin.log"
    os.close(open_private(path, os.O_WRONLY | os.O_CREAT))
    options: dict[str, Any] = {"maxBytes": 1_000_000, "backupCount": 3, "encoding": "utf-8", "delay": True}
    handler = PrivateLog(path, **options)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in LOGGERS.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(handler)
        with contextlib.suppress(OSError):
            handler.close()
