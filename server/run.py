"""`voladdin serve`: one server a home folder, on the loopback interface, until it is idle."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NoReturn

import uvicorn

from voladdin.errors import InputError, ServerError, VoladdinError
from voladdin.home import home, version
from voladdin.service import process
from voladdin.service.state import HOST, State, clear_state, ensure_token, server_lock, write_state

from .app import create_app
from .security import Activity

START_SECONDS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until idle, or say which server of this home already runs; the exit status, 0 for both."""
    options = _parser().parse_args(argv)
    try:
        serve(options.port, options.idle)
    except VoladdinError as error:
        print(f"voladdin serve: {error} ({error.reference})", file=sys.stderr)
        return 1
    return 0


def serve(port: int = 0, idle: float = 1800.0) -> None:
    """Serve on 127.0.0.1:`port` (0: any free port) until nothing was asked for `idle` seconds (0: forever).

    Raises ServerError when the port is taken or the running server of this home does not answer.
    """
    if not idle >= 0:
        raise InputError(f"--idle is {idle:g}; expected seconds, or 0 to serve until it is stopped")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with server_lock() as mine:
            if mine:
                return _serve(port, idle)
        state = process.running()
        if state is not None:
            where = f"http://{HOST}:{state.port}"
            print(f"voladdin {state.version} is already running on {where} (process {state.pid})", flush=True)
            return None
        time.sleep(0.05)
    raise ServerError(
        f"another voladdin server holds {home() / 'server.lock'} and does not answer; "
        "end that process, or set VOLADDIN_HOME to another folder"
    )


def _serve(port: int, idle: float) -> None:
    with _log_file(), _listen(port) as listener:
        port = listener.getsockname()[1]
        activity = Activity()
        app = create_app(token=ensure_token(), port=port, activity=activity)
        write_state(State(port, os.getpid(), version()))
        print(f"voladdin {version()} on http://{HOST}:{port}", flush=True)
        previous = signal.signal(signal.SIGTERM, _exit)
        try:
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(_until_idle(uvicorn.Server(_config(app)), listener, activity, idle))
        finally:
            clear_state()
            signal.signal(signal.SIGTERM, previous)


async def _until_idle(
    server: uvicorn.Server, listener: socket.socket, activity: Activity, idle: float
) -> None:
    async def watch() -> None:
        while activity.idle < idle:
            await asyncio.sleep(min(idle - activity.idle, 5.0))
        clear_state()
        server.should_exit = True

    watcher = asyncio.create_task(watch()) if idle else None
    await server.serve(sockets=[listener])
    if watcher is not None:
        watcher.cancel()


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is given; without it an answer takes 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Windows lets another program share a port unless it is taken exclusively.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    try:
        listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServerError(f"--port is {port}; expected a free port of {HOST}: {error}") from None
    return listener


@contextlib.contextmanager
def _log_file() -> Iterator[None]:
    handler = logging.handlers.RotatingFileHandler(
        home() / "voladdin.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    loggers = {logging.getLogger("voladdin"): logging.INFO, logging.getLogger("uvicorn"): logging.WARNING}
    for logger, level in loggers.items():
        logger.setLevel(level)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voladdin serve", description="Serve the functions locally.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--idle", type=float, default=1800.0, help="idle seconds before it stops (0: never)")
    return parser


def _exit(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
