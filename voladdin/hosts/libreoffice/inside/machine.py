"""This user's files, log and processes, for the client that runs inside LibreOffice's own Python.

Standard library only, Python 3.8 or later; packed into the .oxt as `voladdin_machine.py`.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

FOREIGN_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "UNO_PATH", "URE_BOOTSTRAP")
LOCKED_BYTE = 1 << 30  # of server.lock, on Windows

log = logging.getLogger("voladdin.libreoffice")


def read_private(path: Path) -> str:
    """The text of a file of this user's own that nobody else could have written, as `voladdin.home` asks."""
    descriptor = os.open(str(path), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        own = os.name != "posix" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)
        if not (stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and own):
            raise PermissionError(f"{path} is not a file of yours alone; expected mode 600")
        return file.read(1 << 16).decode("utf-8")


def keep_log(home: Path) -> None:
    """Messages go to libreoffice.log in the home folder: a cell can only show an error value."""
    if log.handlers:
        return
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        home / "libreoffice.log", maxBytes=1_000_000, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)


def launch(python: str, path: str, home: Path) -> subprocess.Popen[bytes]:
    """The server, in a process of its own that outlives LibreOffice, without LibreOffice's variables."""
    environment = {k: v for k, v in os.environ.items() if k not in FOREIGN_VARIABLES}
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")  # as voladdin.service.process starts it
    environment.update(PYTHONPATH=path, VOLADDIN_HOME=str(home.resolve()))
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    quiet = subprocess.DEVNULL
    command = [python, "-P", "-m", "voladdin", "serve"]
    return subprocess.Popen(
        command, cwd=home, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, **options
    )


def locked(path: Path) -> bool:
    """Whether a running server holds the lock file; the lock goes with its process, however that ends."""
    try:
        with path.open("r+b") as file:
            if sys.platform == "win32":
                import msvcrt

                file.seek(LOCKED_BYTE)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
