"""The local server as a process of Windows: a second start, an upgrade, one that hangs with the lock."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from export.bench.hosts.wine import DRIVE, HOME, PYTHON, SERVE, by_http, served, started, wait_for, windows
from voladdin.worksheet.wire import Call, read_answer, write_call

HOLDER = """import time
from voladdin.service.state import server_lock
with server_lock(claim=True) as lock:
    assert lock is not None
    time.sleep(600)
"""


@pytest.fixture
def changed_code() -> Iterator[None]:
    """A file of the installed code is another one, as after an upgrade."""
    path = DRIVE / "project" / "voladdin" / "black.py"
    before = path.read_bytes()
    path.write_bytes(before + b"# of a newer version\n")
    yield
    path.write_bytes(before)


def answers() -> bool:
    call = write_call(Call("VOLINFO", ["version"]))
    return isinstance(read_answer(by_http([call])[0][0])[0][0][0], str)


def test_a_second_start_leaves_the_first(installed: str) -> None:
    with served() as first:
        state = wait_for(HOME / "server.json")
        said = windows("cmd", "/c", SERVE, seconds=90)
        port = json.loads(state)["port"]
        assert f"is already running on http://127.0.0.1:{port}" in said
        assert first.poll() is None and answers()
        by_http(["!stop"])
        assert first.wait(30) == 0


def test_an_upgrade_takes_the_place_of_the_running_server(installed: str, changed_code: None) -> None:
    path = DRIVE / "project" / "voladdin" / "black.py"
    newer, older = path.read_bytes(), path.read_bytes().removesuffix(b"# of a newer version\n")
    path.write_bytes(older)
    with served() as first:
        before = wait_for(HOME / "server.json")
        path.write_bytes(newer)
        with started("cmd", "/c", SERVE) as second:
            after = json.loads(wait_for(HOME / "server.json", other=before))
            assert after["code"] != json.loads(before)["code"]
            assert first.wait(60) == 0 and answers()
            by_http(["!stop"])
            assert second.wait(30) == 0


def test_one_that_hangs_with_the_lock_is_replaced(installed: str) -> None:
    (HOME / "server.json").unlink(missing_ok=True)
    (HOME / "server.lock").write_bytes(b"")
    (DRIVE / "c" / "holder.py").write_text(HOLDER)
    hold = rf"set VOLADDIN_HOME=C:\profile\.voladdin&& cd /d C:\project&& {PYTHON} -B C:\c\holder.py"
    with started("cmd", "/c", hold) as hung:
        wait_for(HOME / "server.lock")
        with served() as server:
            assert answers()
            assert hung.wait(30) != 0
            by_http(["!stop"])
            assert server.wait(30) == 0
