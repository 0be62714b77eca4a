"""The way into a LibreOffice that listens on a pipe; run by LibreOffice's own Python."""

import time
from typing import Any

import uno
from com.sun.star.connection import NoConnectException


def connect(pipe: str) -> Any:
    """The component context, within half a minute."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(600):
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            time.sleep(0.05)
    raise TimeoutError("LibreOffice does not listen")
