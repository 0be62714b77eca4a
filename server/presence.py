"""What the running server keeps in its home folder, put back where it is lost or damaged."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from voladdin.errors import ServerError
from voladdin.home import home, read_private, write_private
from voladdin.service.state import State, read_state, write_state

log = logging.getLogger("voladdin.server")


@dataclass
class Presence:
    """state, token: as written at the start. lock: descriptor of the lock file that is held."""

    state: State
    token: str
    lock: int
    _full: bool = False

    def restore(self) -> bool:
        """Puts token and state file back; False where this server must end.

        That is where its lock file or home is gone, so that another server may start, or where others could
        have read the token. What a full disk has no room for is tried again the next time.
        """
        try:
            kept = os.fstat(self.lock), os.stat(home() / "server.lock")
            if not os.path.samestat(*kept) or self._is_seen():
                return False
        except (OSError, ServerError) as error:
            log.warning("the home folder is not what it was: %s", error)
            return False
        try:
            if self._token() != self.token:
                write_private(home() / "token", self.token)
            if read_state() != self.state:
                write_state(self.state)
            self._full = False
        except ServerError as error:
            if not self._full:
                log.warning("%s", error)
            self._full = True
        return True

    def _is_seen(self) -> bool:
        """Whether the token file is readable by others."""
        try:
            mode = os.lstat(home() / "token").st_mode
        except FileNotFoundError:
            return False
        return os.name == "posix" and bool(mode & 0o077) and self._token(secret=False) == self.token

    def _token(self, *, secret: bool = True) -> str:
        try:
            return read_private(home() / "token", secret=secret).strip()
        except ServerError:
            return ""
