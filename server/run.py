"""`voladdin serve`: one server a home folder, on the loopback interface, until it is idle."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import uvicorn

from voladdin.errors import InputError, ServerError, VoladdinError
from voladdin.home import VERSION, code, folder, home
from voladdin.service.process import end, running, stop
from voladdin.service.state import HOST, State, clear_state, ensure_token, holder, server_lock, write_state

from .app import create_app
from .connections import Strangers, protocol
from .logs import log_file
from .presence import Presence
from .security import Activity

START_SECONDS = 10.0
PROOF_SECONDS = 1.0
SILENT_SECONDS = 4.0  # of a server that holds the lock: then it is killed
WATCH_SECONDS = 0.5
WAITING_SECONDS = 2.0  # between tries to install what Excel has open
CODE_SECONDS = 15.0  # between looks at the code on disk: of another one, the server ends

log = logging.getLogger("voladdin.server")


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

    A server of this home that runs is left alone if it is of this code, stopped if it is of another, and
    killed if it holds the lock without an answer for `SILENT_SECONDS`.

    Raises ServerError when the port is taken or the running server cannot be ended, InputError for `idle`.
    """
    if not idle >= 0:
        raise InputError(f"--idle is {idle:g}; expected seconds, or 0 to serve until it is stopped")
    start = heard = time.monotonic()
    silent = holder()
    while time.monotonic() < start + START_SECONDS:
        with server_lock(claim=True) as lock:
            if lock is not None:
                return _serve(lock, port, idle)
        state = running(PROOF_SECONDS)
        if state is not None and state.code == code():
            where = f"http://{HOST}:{state.port}"
            _say(f"voladdin {state.version} is already running on {where} (process {state.pid})")
            return None
        if state is not None:
            stop(state)
        elif silent is None or holder() != silent:
            heard, silent = time.monotonic(), holder()
        elif time.monotonic() > heard + SILENT_SECONDS:
            log.warning(
                "process %d, silent for %g s while it holds the lock, is killed", silent, SILENT_SECONDS
            )
            end(silent)
        time.sleep(0.05)
    raise ServerError(
        f"another voladdin server holds {home() / 'server.lock'} and does not answer; "
        "end that process, or set VOLADDIN_HOME to another folder"
    )


def _serve(lock: int, port: int, idle: float) -> None:
    clear_state()  # of a server that crashed: a stranger may have its port
    with log_file(), _listen(port) as listener:
        port, token = listener.getsockname()[1], ensure_token()
        presence = Presence(State.of(token, port, VERSION, code()), token, lock)
        ended, activity, strangers = asyncio.Event(), Activity(), Strangers()
        app = create_app(token=token, port=port, activity=activity, strangers=strangers, stop=ended.set)
        write_state(presence.state)
        _say(f"voladdin {VERSION} on http://{HOST}:{port}")
        previous = signal.signal(signal.SIGTERM, _exit)
        server = uvicorn.Server(_config(app, strangers))
        try:
            with contextlib.suppress(KeyboardInterrupt):
                is_idle = functools.partial(activity.is_idle, idle)
                asyncio.run(_until_ended(server, listener, presence, ended, is_idle))
        finally:
            clear_state(presence.state)
            signal.signal(signal.SIGTERM, previous)


async def _until_ended(
    server: uvicorn.Server,
    listener: socket.socket,
    presence: Presence,
    ended: asyncio.Event,
    is_idle: Callable[[], bool],
) -> None:
    async def watch() -> None:
        while not (ended.is_set() or (is_idle() and not _is_waiting())) and presence.restore():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), WATCH_SECONDS)
        server.should_exit = True

    async def watch_code() -> None:
        seen = presence.state.code
        while True:
            await asyncio.sleep(CODE_SECONDS)
            before, seen = seen, await asyncio.to_thread(code)
            if before == seen != presence.state.code:  # twice the same: no upgrade is halfway
                ended.set()

    watchers = [asyncio.create_task(one()) for one in (watch, watch_code, _finish_installation)]
    await server.serve(sockets=[listener])
    for watcher in watchers:
        watcher.cancel()


def _is_waiting() -> bool:
    return (folder() / "waiting").is_dir()


async def _finish_installation() -> None:
    """An add-in that Excel had open while it was installed is put in its place once it is closed."""
    while True:
        if _is_waiting():
            from voladdin.hosts.excel import installer

            if await asyncio.to_thread(installer.finish):
                log.info("the add-in that waited for Excel to be closed is installed")
        await asyncio.sleep(WAITING_SECONDS)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk
        print(text, flush=True)


def _config(app: object, strangers: Strangers) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=protocol(strangers),
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voladdin serve", description="Serve the functions locally.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--idle", type=float, default=1800.0, help="idle seconds before it stops (0: never)")
    return parser


def _exit(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
