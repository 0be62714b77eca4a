"""The server's routes and refusals, in process; its life as a process is in test_local.py."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server import app as app_module
from server.app import create_app
from server.schemas import FunctionCall, ImputeBody, parse
from server.security import Activity
from tests.stubs import calc
from voladdin import bundles, cells
from voladdin.errors import BundleError, InfeasibleError, InputError
from voladdin.imputation import filling
from voladdin.journal import Caller
from voladdin.worksheet import registry, wire

PORT = 8123
TOKEN = "t" * 43
HOST = f"127.0.0.1:{PORT}"
SURFACE = {"vols": [[0.1, None], [0.11, 0.12]], "tenors": ["1W", 1], "deltas": [0.25, 0.75]}

SHIPPED_FX = bundles.SHIPPED / "fx" / "card.json"
with_fx = pytest.mark.skipif(not SHIPPED_FX.is_file(), reason="the fx model is not built in this checkout")


@pytest.fixture(scope="module", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOLADDIN_HOME", str(tmp_path_factory.mktemp("home")))
        yield


async def send(*requests: httpx.Request) -> list[httpx.Response]:
    transport = httpx.ASGITransport(create_app(token=TOKEN, port=PORT))
    async with httpx.AsyncClient(transport=transport) as client:
        return list(await asyncio.gather(*(client.send(request) for request in requests)))


def request(
    method: str, path: str, headers: dict[str, str | None] | None = None, **body: Any
) -> httpx.Request:
    """With the right Host and token; a header that is None is left out."""
    wanted = {"host": HOST, "authorization": f"Bearer {TOKEN}", "user-agent": "test"} | (headers or {})
    built = httpx.Request(method, f"http://{HOST}{path}", **body)
    for name, value in wanted.items():
        built.headers.pop(name, None)
        if value is not None:
            built.headers[name] = value
    return built


def ask(method: str, path: str, headers: dict[str, str | None] | None = None, **body: Any) -> httpx.Response:
    return asyncio.run(send(request(method, path, headers, **body)))[0]


def refused(response: httpx.Response, status: int, cell: str = "#VALUE!") -> str:
    """The message of the one error body."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    error = response.json()["error"]
    assert list(error) == ["cell", "message", "reference"]
    assert error["cell"] == cell
    assert re.fullmatch(r"VA-[0-9a-f]{8}", error["reference"])
    return str(error["message"])


def test_health_names_the_models() -> None:
    response = ask("GET", "/v1/health")
    assert response.status_code == 200
    assert list(response.json()) == ["status", "version", "pid", "models", "requests", "cpu_seconds"]
    assert response.json()["models"] == bundles.names()
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers


@pytest.mark.parametrize(
    "host", [None, "evil.example", "evil.example:8123", "127.0.0.1", "localhost:80", "[::1]:8123"]
)
def test_a_foreign_host_is_refused(host: str | None) -> None:
    assert "Host" in refused(ask("GET", "/v1/health", {"host": host}), 403, "#N/A")


def test_two_host_headers_are_refused() -> None:
    twice = httpx.Request("GET", f"http://{HOST}/v1/health", headers=[("host", HOST), ("host", HOST)])
    assert "Host" in refused(asyncio.run(send(twice))[0], 403, "#N/A")


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", f"https://{HOST}", "http://localhost:8123", ""]
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert "Origin" in refused(ask(method, "/v1/health", {"origin": origin}), 403, "#N/A")


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}"])
def test_the_own_origin_is_welcome(host: str) -> None:
    assert ask("GET", "/v1/health", {"host": host, "origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    "given_token",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"],
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/nothing", "/docs"])
def test_a_client_without_the_token_is_refused(given_token: str | None, path: str) -> None:
    response = ask("GET", path, {"authorization": given_token})
    assert "token" in refused(response, 401, "#N/A")
    assert response.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in response.text


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/redoc", "/openapi.json", "/v1/health/", "/v1/functions", "/v1/%00%0a"]
)
def test_other_paths_are_not_found(path: str) -> None:
    assert "Not Found" in refused(ask("GET", path), 404, "#N/A")


def test_another_method_is_not_allowed() -> None:
    response = ask("GET", "/v1/impute")
    assert "GET /v1/impute" in refused(response, 405, "#N/A")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400])
@pytest.mark.parametrize("path", ["/v1/functions/VOLIMPUTE", "/v1/impute"])
def test_numbers_that_are_not_finite_are_refused(number: str, path: str) -> None:
    message = refused(ask("POST", path, content=f'{{"arguments": [[[{number}]]]}}'), 400)
    assert number[:30] in message
    assert "null where missing" in message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"arguments": ["\\ud800"]}', b"nul"],
)
def test_bad_json_is_refused(body: bytes) -> None:
    assert "the body" in refused(ask("POST", "/v1/functions/VOLINFO", content=body), 400)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body is []; expected an object with named fields"),
        ({}, "arguments is missing"),
        ({"arguments": 1}, "arguments is 1.0; expected a list"),
        ({"arguments": [{}]}, "arguments[0] is {}; expected a number or text or true or false"),
        ({"arguments": [1, [2]]}, "arguments[1][0] is 2.0; expected a list"),
        (
            {"arguments": [[[1], [[2]]]]},
            "arguments[0][1][0] is [2.0]; expected a number or text or true or false",
        ),
        ({"arguments": [], "seed": 1}, "seed is unknown; expected one of arguments, caller"),
    ],
)
def test_a_wrong_field_is_named(body: Any, message: str) -> None:
    assert refused(ask("POST", "/v1/functions/VOLINFO", json=body), 422) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vols": [["0.1"]]}, "vols[0][0] is '0.1'; expected a number"),
        ({"vols": [[True]]}, "vols[0][0] is True; expected a number"),
        ({"tenors": [None]}, "tenors[0] is None; expected a number or text"),
        ({"prior": {"vols": [["x" * 999]]}}, f"prior.vols[0][0] is '{'x' * 56}…; expected a number"),
        ({"model": "../secret"}, "model is '../secret'; expected the name of a model"),
        ({"moneyness": [[0.0, "a"]]}, "moneyness[0][1] is 'a'; expected a number"),
        ({"vols": [[0.1, -0.2], [0.1, 0.1]]}, "vols[0, 1] is -0.2"),
        ({"tenors": ["1W", "1X"]}, "1X"),
        ({"deltas": None}, "deltas, moneyness or strikes"),
    ],
)
def test_a_wrong_surface_is_named(change: dict[str, Any], message: str) -> None:
    assert message in refused(ask("POST", "/v1/impute", json=SURFACE | change), 422)


@settings(deadline=None, max_examples=50)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_parse_or_are_an_input_error(data: bytes) -> None:
    for body in (FunctionCall, ImputeBody):
        try:
            parse(data, body)
        except InputError as error:
            assert error.reference


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(children) | st.dictionaries(st.sampled_from([*ImputeBody.model_fields, "x"]), children)


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), _nested, max_leaves=20)
)
def test_any_value_parses_or_is_an_input_error(value: Any) -> None:
    for data in (
        {"arguments": value},
        {"arguments": [value]},
        SURFACE | {"vols": value},
        SURFACE | {"prior": value},
    ):
        for body in (FunctionCall, ImputeBody):
            try:
                parse(json.dumps(data).encode(), body)
            except InputError as error:
                assert error.reference


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b" " * 100


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [11, 160, 1000])
def test_a_large_request_is_refused(chunked: bool, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "MAX_BYTES", 1000)
    content: Any = _chunks(size) if chunked else b" " * 100 * size
    message = refused(ask("POST", "/v1/functions/VOLINFO", content=content), 413)
    assert "at most 1000" in message


def test_a_request_of_the_largest_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "MAX_BYTES", 1000)
    for content in (b"{}" + b" " * 998, _chunks(10)):
        assert ask("POST", "/v1/functions/VOLINFO", content=content).status_code in (400, 422)


def test_a_function_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate(name: str, arguments: list[Any], *_: Any) -> list[list[Any]]:
        return [[name, *arguments[0]], *arguments[1]]

    monkeypatch.setattr(registry, "evaluate", evaluate)
    body = {"arguments": [[], [["1W", None, 0.1, True, "é", 3]]]}
    response = ask("POST", "/v1/functions/VOLANY", json=body)
    assert response.json() == {"cells": [["VOLANY"], ["1W", None, 0.1, True, "é", 3]]}


@with_fx
def test_volimpute_fills_the_grid() -> None:
    body = {
        "arguments": [[["", "25P", "ATM", "25C"], ["1M", "8.9%", None, "8.7%"], ["1Y", 0.09, 0.088, "#N/A"]]]
    }
    cells = ask("POST", "/v1/functions/VOLIMPUTE", json=body).json()["cells"]
    assert cells[0] == ["", "25P", "ATM", "25C"]
    assert cells[2][1:3] == [0.09, 0.088]
    assert 0.05 < cells[1][2] < 0.15
    assert 0.05 < cells[2][3] < 0.15


def test_many_calls_are_answered_together() -> None:
    """null for what has to be asked alone."""
    grid = [["", "25P", "ATM"], ["1M", 0.11, None], ["1Y", 0.12, 0.115]]
    calls = [{"name": name, "arguments": [grid, "fill"]} for name in ("VOLIMPUTE", "VOLCHECK", "NONE")]
    answers = ask("POST", "/v1/calls", json={"calls": calls}).json()["answers"]
    assert answers[1:] == [None, None]
    assert answers[0] == {"cells": registry.evaluate("VOLIMPUTE", [grid, "fill"]), "noted": False}
    refused(ask("POST", "/v1/calls", json={"calls": [{"name": "VOLIMPUTE"}]}), 422)


def test_an_unknown_function_is_named() -> None:
    assert "VOLNOTHING" in refused(ask("POST", "/v1/functions/VOLNOTHING", json={"arguments": []}), 422)


def test_an_error_keeps_its_cell_message_and_reference(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = InfeasibleError("no smile has\nthese quotes")
    monkeypatch.setattr(registry, "evaluate", lambda *_: (_ for _ in ()).throw(error))
    with caplog.at_level(logging.INFO, "voladdin"):
        response = ask("POST", "/v1/functions/VOLQUOTES", json={"arguments": []})
    assert refused(response, 422, "#NUM!") == str(error)
    assert response.json()["error"]["reference"] == error.reference
    assert f"{error.reference} 422 no smile has these quotes" in caplog.messages


@pytest.mark.parametrize("wrong", ["raise", "nan"])
def test_a_defect_tells_the_log_and_not_the_client(
    wrong: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def evaluate(*_: Any) -> list[list[float]]:
        if wrong == "nan":
            return [[float("nan")]]
        raise RuntimeError("secret in /home/someone")

    monkeypatch.setattr(registry, "evaluate", evaluate)
    response = ask("POST", "/v1/functions/VOLINFO", json={"arguments": []})
    message = refused(response, 500, "#N/A")
    assert "secret" not in message
    assert "Error" not in message
    reference = response.json()["error"]["reference"]
    assert reference in message
    assert reference in caplog.text
    assert "Traceback" in caplog.text


def test_models_show_their_cards_and_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, kind: object = None) -> SimpleNamespace:
        if name == "broken":
            raise BundleError("model 'broken' is truncated")
        return SimpleNamespace(card={"name": name, "units": "decimal"})

    monkeypatch.setattr(bundles, "names", lambda: ["fx", "broken"])
    monkeypatch.setattr(bundles, "load", load)
    assert ask("GET", "/v1/models").json() == {
        "models": [
            {"name": "fx", "card": {"name": "fx", "units": "decimal"}},
            {"name": "broken", "error": "model 'broken' is truncated"},
        ]
    }


def test_impute_hands_over_every_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def impute(surface: Any, **options: Any) -> SimpleNamespace:
        seen.update(options, surface=surface)
        arrays = {name: np.full((2, 2), 0.1) for name in ("mean", "std", "low", "high", "filled")}
        return SimpleNamespace(
            **arrays, zscore=np.array([[1.0, np.nan], [0.0, 2.0]]), disputed=np.eye(2) > 0, model="fx"
        )

    monkeypatch.setattr(filling, "impute", impute)
    body = SURFACE | {
        "prior": SURFACE,
        "prior_age": 2,
        "model": "mydesk",
        "coverage": 0.5,
        "arbitrage_free": False,
    }
    answer = ask("POST", "/v1/impute", json=body).json()
    assert list(answer) == ["mean", "std", "low", "high", "filled", "zscore", "disputed", "model"]
    assert answer["zscore"] == [[1.0, None], [0.0, 2.0]]
    assert answer["disputed"] == [[True, False], [False, True]]
    assert (seen["prior_age"], seen["model"], seen["coverage"]) == (2.0, "mydesk", 0.5)
    assert seen["arbitrage_free"] is False
    assert np.isnan(seen["surface"].vols[0, 1])
    assert seen["prior"].tenors[1] == 1.0


def test_an_absent_model_is_named() -> None:
    assert "nosuch" in refused(ask("POST", "/v1/impute", json=SURFACE | {"model": "nosuch"}), 422, "#N/A")


@with_fx
@pytest.mark.parametrize(
    "axis",
    [
        {"deltas": [0.25, 0.75]},
        {"moneyness": [-0.1, 0.1]},
        {"moneyness": [[-0.1, 0.1], [-0.2, 0.2]]},
        {"strikes": [0.9, 1.1], "forwards": [1.0, 1.01]},
    ],
)
def test_impute_fills_any_axis(axis: dict[str, Any]) -> None:
    answer = ask(
        "POST", "/v1/impute", json={"vols": SURFACE["vols"], "tenors": SURFACE["tenors"]} | axis
    ).json()
    assert answer["filled"][1] == [0.11, 0.12]
    assert answer["filled"][0][1] > 0
    assert answer["zscore"][0][1] is None


def test_health_answers_while_the_pool_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(registry, "evaluate", lambda *_: [[release.wait(20)]])

    async def both() -> None:
        transport = httpx.ASGITransport(create_app(token=TOKEN, port=PORT))
        async with httpx.AsyncClient(transport=transport) as client:
            calls = [request("POST", "/v1/functions/VOLINFO", json={"arguments": []}) for _ in range(6)]
            busy = [asyncio.create_task(client.send(call)) for call in calls]
            await asyncio.sleep(0.1)
            health = await asyncio.wait_for(client.send(request("GET", "/v1/health")), 5)
            assert health.status_code == 200
            assert not any(call.done() for call in busy)
            release.set()
            assert [response.json()["cells"] for response in await asyncio.gather(*busy)] == [[[True]]] * 6

    asyncio.run(both())


def test_activity_counts_what_runs() -> None:
    activity = Activity()
    with activity:
        time.sleep(0.01)
        assert activity.idle == 0
    time.sleep(0.01)
    assert 0.01 <= activity.idle < 5


@with_fx
def test_a_command_asks_for_cells_and_then_gives_its_edits() -> None:
    rows: list[list[Any]] = [[None, "25P", "ATM", "25C"], ["1M", 0.1, None, 0.1], ["1Y", 0.11, 0.105, 0.11]]
    book, blocks = calc.sent({"S": {"A1": rows}}, "B2")
    first = ask("POST", "/v1/commands/fill", json={"book": book, "blocks": []})
    assert (first.status_code, first.json()) == (200, {"need": {"sheet": "S", "area": [1, 1, 3, 4]}})
    answer = ask("POST", "/v1/commands/fill", json={"book": book, "blocks": blocks}).json()
    assert list(answer) == ["label", "message", "edits"]
    model = filling.impute(cells.parse(rows).surface).model
    assert answer["message"] == f"filled 1 hole of S!A1:D3, tenors 1M to 1Y by deltas 25P to 25C ({model})"
    values = [edit for edit in answer["edits"] if edit["op"] == "value" and edit["sheet"] == "S"]
    assert [edit["area"] for edit in values] == [[2, 3, 2, 3]]


@pytest.mark.parametrize(
    ("name", "body", "match"),
    [
        ("paint", {}, "command 'paint' is unknown"),
        ("fill", {"selection": []}, "no cell is selected"),
        ("fill", {"selection": [[1, 2]]}, "the book cannot be read"),
        ("fill", {"active": "other"}, "other"),
    ],
)
def test_a_command_that_cannot_be_done(name: str, body: dict[str, Any], match: str) -> None:
    book, _ = calc.sent({"S": {}}, "B2")
    assert match in refused(
        ask("POST", f"/v1/commands/{name}", json={"book": book | body, "blocks": []}), 422
    )


def test_a_command_of_another_shape() -> None:
    assert "blocks is missing" in refused(ask("POST", "/v1/commands/fill", json={"book": {}}), 422)
    wrong = {"book": {}, "blocks": [], "more": 1}
    assert "more is unknown" in refused(ask("POST", "/v1/commands/fill", json=wrong), 422)


def test_a_call_as_lines_of_cells() -> None:
    grid = [[None, "25P", "ATM"], ["1M", 0.09, None], ["1Y", None, 0.08]]
    call = wire.Call("VOLIMPUTE", [grid], Caller("b.xlsx", "S!E1", ("S!A1:C3",)))
    response = ask("POST", "/v1/cells", content=wire.write_call(call).encode())
    assert response.status_code == 200 and response.headers["content-type"] == "text/plain; charset=utf-8"
    assert wire.read_answer(response.text)[0] == registry.evaluate("VOLIMPUTE", [grid])
    wrong = ask("POST", "/v1/cells", content=wire.write_call(wire.Call("VOLIMPUTE", ["x"])).encode())
    assert wrong.status_code == 200 and wire.read_answer(wrong.text)[0] == [["#VALUE!"]]


def test_a_call_in_the_head_of_a_request() -> None:
    """Percent-encoded, as a client sends it whose body would go out later than its head."""
    call = wire.Call("VOLIMPUTE", [[[None, "25P", "ATM"], ["1M", "9%", None], ["1Ÿ", None, 0.08]]])
    text = wire.write_call(call)
    response = ask("POST", "/v1/cells", {app_module.CALL: quote(text)})
    assert response.status_code == 200 and response.text == ask("POST", "/v1/cells", content=text).text
    assert ask("POST", "/v1/cells", {app_module.CALL: quote(text), "authorization": None}).status_code == 401
    assert "not UTF-8 text" in refused(ask("POST", "/v1/cells", {app_module.CALL: "VOLINFO%ff"}), 400)


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [(b"VOLINFO", 422, "line 2 of the call is missing"), (b"\xff", 400, "not UTF-8 text")],
)
def test_what_is_no_call(content: bytes, status: int, message: str) -> None:
    assert message in refused(ask("POST", "/v1/cells", content=content), status)
    assert ask("POST", "/v1/cells", {"authorization": None}, content=content).status_code == 401


def test_the_extension_of_0_1_shows_that_it_has_to_be_installed_again() -> None:
    """It sends these headers and no others, and shows the cells of an answer as they are."""
    body: dict[str, Any] = {"arguments": [[["", 0.5], [1.0, 0.1]]]}
    response = ask("POST", "/v1/functions/VOLIMPUTE", {"user-agent": None}, json=body)
    assert response.status_code == 200
    ((cell,),) = response.json()["cells"]
    assert "`voladdin install libreoffice` again" in cell
