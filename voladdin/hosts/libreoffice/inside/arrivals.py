"""What is sent from a page to its book: a thread asks the local server for it while the page is open.

Runs inside LibreOffice's own Python (standard library), packed into the .oxt as `voladdin_arrivals.py`. The
thread holds no document: what it finds is taken on the main thread, which looks the book up again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from voladdin_connection import FAILURES, Server  # type: ignore[import-not-found]
from voladdin_main_thread import later  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PERIOD = 0.5  # seconds between questions

log = logging.getLogger("voladdin.libreoffice")
_watched: set[str] = set()


def watch(context: Any, home: Path, document: Any, take: Callable[[str], None]) -> None:
    """Calls `take` with the document's identifier, on the main thread, for each surface that is sent to it.

    It ends with the last page of the document, or with the server.
    """
    identifier, title = document.RuntimeUID, document.getTitle()
    if identifier in _watched:
        return
    _watched.add(identifier)
    given = (context, home, title, identifier, take)
    threading.Thread(target=_asked, args=given, name="voladdin arrivals", daemon=True).start()


def _asked(context: Any, home: Path, title: str, identifier: str, take: Callable[[str], None]) -> None:
    server = Server(home)
    try:
        server.connect()
        while True:
            state = server.repeat("POST", "/v1/pages/waiting", title.encode())[1]["state"]
            if state == "closed":
                return
            if state == "sent":
                later(context, lambda: take(identifier))
            time.sleep(PERIOD)
    except FAILURES as error:
        log.info("pages of %s are no longer asked: %s", title, error)
    finally:
        server.close()
        _watched.discard(identifier)
