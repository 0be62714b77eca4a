"""`voladdin bench hosts`: what an answer takes by each way from a host to Python.

On this system against a local server of its own; with VOLADDIN_WINE also by Windows' Python under Wine, from
the C clients of `tests/wine`: WinHTTP to the server on Windows' event loop, and COM through xlwings' library.
"""

from __future__ import annotations

import argparse
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np

from voladdin.cells import Cells
from voladdin.errors import InputError
from voladdin.service.client import Client
from voladdin.service.process import ensure_running, stop
from voladdin.service.state import HOST, read_token
from voladdin.worksheet.registry import evaluate
from voladdin.worksheet.wire import Call, read_answer, write_call

from ..calc.recalculation import grid, own_home
from ..report import rows_table
from . import in_basic, wine

Ask = Callable[[str], object]
HTTP_BAR = 3.0  # ms, half of the answers of Windows' loop
KINDS = ("VOLINFO", "known", "new")
LEGEND = """\
Milliseconds, p50; p95, of {count} calls after {warm} others: VOLINFO, which computes nothing; a VOLIMPUTE of
an 8 x 5 grid whose answer is known; one of a grid never seen. Windows' HTTP sends a request's head and body
apart, and the body waits for the head's acknowledgement, so VBA puts a short call into the head. Expected of
WinHTTP, VOLINFO: at most {bar:g} ms.
"""


class Lines:
    """The local server asked in lines of cells over one kept connection, as VBA asks it.

    apart: head and body in two sends with Nagle's algorithm, as Windows' HTTP does; else the call is in the
        head.
    """

    def __init__(self, port: int, *, apart: bool) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not apart)
        self._apart = apart
        self._head = (
            f"POST /v1/cells HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {read_token()}\r\n"
        )

    def __call__(self, call: str) -> str:
        """The answer to a call."""
        body = call.encode() if self._apart else b""
        headed = "" if self._apart else f"Voladdin-Call: {quote(call)}\r\n"
        self._socket.sendall(f"{self._head}{headed}Content-Length: {len(body)}\r\n\r\n".encode())
        if body:
            self._socket.sendall(body)
        return self._answer()

    def _answer(self) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        size = re.search(rb"content-length: (\d+)", head, re.I)
        assert size is not None
        while len(body) < int(size[1]):
            body += self._socket.recv(65536)
        return body.decode()

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


def calls(kind: str, count: int, rng: np.random.Generator) -> list[str]:
    """Calls as text."""
    if kind == "VOLINFO":
        return [write_call(Call("VOLINFO", ["version"]))] * count
    grids: list[Cells] = [grid(rng)] * count if kind == "known" else [grid(rng) for _ in range(count)]
    return [write_call(Call("VOLIMPUTE", [cells])) for cells in grids]


def timed(ask: Ask, kind: str, count: int, warm: int, rng: np.random.Generator) -> list[float]:
    """Milliseconds of `count` calls after `warm` others."""
    found = []
    for call in calls(kind, warm + count, rng):
        start = time.perf_counter()
        ask(call)
        found.append(1e3 * (time.perf_counter() - start))
    return found[warm:]


def here(count: int, warm: int) -> Iterator[list[str]]:
    """A row for each way on this system."""
    state = ensure_running()
    apart, headed = Lines(state.port, apart=True), Lines(state.port, apart=False)
    try:
        with Client(state) as client:
            ways: dict[str, Ask] = {
                "in Python": lambda call: _evaluated(evaluate, call),
                "HTTP, JSON, one send each": lambda call: _evaluated(client_of(client), call),
                "HTTP, lines, in the head": headed,
                "HTTP, lines, head and body apart": apart,
            }
            for name, ask in ways.items():
                rng = np.random.default_rng(len(name))
                yield [name, *(_shown(timed(ask, kind, count, warm, rng)) for kind in KINDS)]
    finally:
        for lines in (apart, headed):
            lines.close()
        stop(state)


def client_of(client: Client) -> Callable[[str, list[Cells]], Cells]:
    """The client's `evaluate`, as the registry's."""
    return lambda name, arguments: client.evaluate(name, *arguments)


def _evaluated(function: Callable[[str, list[Cells]], Cells], call: str) -> Cells:
    name, _, rest = call.split("\n", 2)
    return function(name, [read_answer(rest)[0]])


def under_wine(count: int, warm: int) -> Iterator[list[str]]:
    """A row for each way of Windows' Python; nothing where VOLADDIN_WINE names no folder."""
    if not wine.DRIVE.is_dir():
        return
    with _windows():
        for name, ask in {"Wine: WinHTTP": wine.by_http, "Wine: COM": wine.by_com}.items():
            rng, shown = np.random.default_rng(len(name)), []
            for kind in KINDS:
                said = ask(calls(kind, warm + count, rng))[1]
                shown.append(_shown([float(ms) for ms in re.findall(r"p50 ([\d.]+) ms", said)][warm:]))
            yield [name, *shown]


@contextmanager
def _windows() -> Iterator[None]:
    if not (wine.HOME / "voladdin.conf").exists():
        wine.excel("install")
    try:
        with wine.served():
            yield
    finally:
        wine.stop_all()


def figures(count: int) -> Iterator[list[str]]:
    """Rows of the figures, ms, and what is expected; or a line that says why there is none."""
    cells, nothing = grid(np.random.default_rng(1)), "not measured"
    basic = in_basic.measured(cells, count)
    if isinstance(basic, str):
        yield ["the add-in's VBA", f"{nothing}: {basic}", ""]
    else:
        yield ["A:F with an 8 x 5 grid, made a call by the VBA", f"{basic.whole_columns:.1f}", ""]
        yield ["broken Python, first formula, the VBA's part", f"{basic.first:.0f}", ""]
        yield ["broken Python, each later formula", f"{basic.later:.1f}", "5"]
    if not wine.DRIVE.is_dir():
        yield ["through COM", f"{nothing}: VOLADDIN_WINE names no folder of tests/wine/setup.sh", ""]
        return
    with _windows():
        said = wine.by_com([write_call(Call("VOLIMPUTE", [cells]))] * (count + 5))[1]
        ending = 1e3 * wine.given_up(wine.ENDING)
    answer = float(np.median([float(ms) for ms in re.findall(r"p50 ([\d.]+) ms", said)][5:]))
    yield ["that call by COM, known", f"{answer:.1f}", ""]
    if not isinstance(basic, str):
        yield ["A:F through COM, both", f"{basic.whole_columns + answer:.1f}", "50"]
    yield ["broken Python, the first formula's COM", f"{ending:.0f}", "3000"]


def _shown(found: Sequence[float]) -> str:
    return "; ".join(f"{value:.1f}" for value in np.percentile(found, (50, 95)))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voladdin bench hosts", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--count", type=int, default=100, help="calls a figure (default: 100)")
    parser.add_argument("--output", type=Path, help="write the table to this file too")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table as markdown. Raises InputError for a wrong option."""
    options = parser().parse_args(argv)
    if options.count < 2:
        raise InputError(f"--count is {options.count}; expected at least 2")
    warm = 5
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder, "home")):
        rows = [*here(options.count, warm), *under_wine(options.count, warm)]
        found = list(figures(options.count))
    text = LEGEND.format(count=options.count, warm=warm, bar=HTTP_BAR)
    text += "\n" + rows_table("An answer by each way, ms", ["way", *KINDS], rows)
    text += "\n" + rows_table("Figures, ms", ["figure", "is", "expected, at most"], found)
    print(text)
    if options.output:
        options.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
