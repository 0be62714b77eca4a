"""Connections of the server: those that have not shown the token hold no place for long."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 5.0  # seconds in which a connection must show the token
MOST_STRANGERS = 64  # connections that have not: one more, and the oldest of them is closed

Address = tuple[str, int]


class Strangers:
    """The open connections that have not shown the token, oldest first, by the client's address."""

    def __init__(self, patience: float = PATIENCE, most: int = MOST_STRANGERS) -> None:
        self._patience, self._most = patience, most
        self._timers: dict[Address, asyncio.TimerHandle] = {}
        self._close: dict[Address, Callable[[], None]] = {}

    def __len__(self) -> int:
        return len(self._close)

    def admit(self, address: Address, close: Callable[[], None]) -> None:
        """A connection was made; `close` is called when its time is up, or where there are too many."""
        if len(self._close) >= self._most:
            self._expire(next(iter(self._close)))
        self._close[address] = close
        self._timers[address] = asyncio.get_running_loop().call_later(self._patience, self._expire, address)

    def forget(self, address: Address) -> None:
        """It has shown the token, or ended."""
        if self._close.pop(address, None) is not None:
            self._timers.pop(address).cancel()

    def _expire(self, address: Address) -> None:
        close = self._close[address]
        self.forget(address)
        close()


class Connection(H11Protocol):
    """One connection, whose answers go out at once (an event loop may leave TCP_NODELAY unset)."""

    def __init__(self, strangers: Strangers, **options: Any) -> None:
        super().__init__(**options)
        self._strangers = strangers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Sets the socket and starts the time in which the token must be shown."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client is not None:
            self._strangers.admit(self.client, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives its place back."""
        super().connection_lost(exc)
        if self.client is not None:
            self._strangers.forget(self.client)


def protocol(strangers: Strangers) -> Any:
    """What uvicorn makes of each connection."""
    return functools.partial(Connection, strangers)
