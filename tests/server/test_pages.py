"""The surface page's routes and who may see them, in process; test_page_in_browser.py opens it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import page_routes
from server import pages as pages_module
from server.app import create_app

PORT, TOKEN = 8124, "t" * 43
HOST = f"127.0.0.1:{PORT}"
PAGE = Path(page_routes.__file__).with_name("page")
GRID = [
    [None, "25P", "ATM", "25C"],
    ["1M", 0.086, None, 0.083],
    ["1Y", 0.09, 0.085, None],
]
BROKEN = [[None, "25P", "ATM", "25C"], ["1W", 0.13, 0.12, 0.13], ["1M", 0.055, 0.05, 0.054]]


class Visitor:
    """One server and what a browser, or a program with the token, asks of it."""

    def __init__(self) -> None:
        self.app = create_app(token=TOKEN, port=PORT)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"host": HOST} | options.pop("headers", {})

        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as client:
                return await client.request(method, f"http://{HOST}{path}", headers=headers, **options)

        return asyncio.run(sent())

    def program(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.ask(method, path, headers={"authorization": f"Bearer {TOKEN}"}, **options)

    def opened(self, cells: Any = GRID, **more: Any) -> tuple[str, str]:
        """The path of a new page and its cookie."""
        body = {"title": "EURUSD", "source": {"book": "desk.xlsx", "range": "A1:D3"}, "cells": cells} | more
        address = self.program("POST", "/v1/pages", json=body).json()["address"]
        entered = self.ask("GET", address)
        assert entered.status_code == 303
        return entered.headers["location"], entered.headers["set-cookie"].split(";")[0]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_the_address_works_once_and_becomes_a_cookie_of_this_page_alone(visitor: Visitor) -> None:
    body = {"title": "t", "source": {"book": "b", "range": ""}, "cells": GRID}
    address = visitor.program("POST", "/v1/pages", json=body).json()["address"]
    entered = visitor.ask("GET", address)
    cookie = entered.headers["set-cookie"]
    path = entered.headers["location"]
    assert re.fullmatch(r"/pages/[\w-]{22}/", path)
    assert {"HttpOnly", "SameSite=strict", f"Path={path}"} <= set(cookie.split("; "))
    assert visitor.ask("GET", address).status_code == 403
    assert visitor.ask("GET", path, headers={"cookie": cookie.split(";")[0]}).status_code == 200


def test_an_old_address_does_not_open(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"title": "t", "source": {"book": "b", "range": ""}, "cells": GRID}
    address = visitor.program("POST", "/v1/pages", json=body).json()["address"]
    monkeypatch.setattr(pages_module, "KEY_SECONDS", -1.0)
    assert visitor.ask("GET", address).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda path, cookie, _: (path, ""),
        lambda path, cookie, _: (path, "voladdin=" + "x" * 43),
        lambda path, _cookie, other: (path, other),
        lambda _path, cookie, _: ("/pages/unknown/view", cookie),
        lambda _path, cookie, _: ("/pages/", cookie),
        lambda _path, cookie, _: ("/v1/health", cookie),
    ],
)
def test_without_its_cookie_no_page_is_seen(visitor: Visitor, change: Callable[..., Any]) -> None:
    path, cookie = visitor.opened()
    asked, shown = change(f"{path}view", cookie, visitor.opened()[1])
    assert visitor.ask("GET", asked, headers={"cookie": shown}).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://a.b"}]
)
def test_another_site_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    path, cookie = visitor.opened()
    assert visitor.ask("GET", f"{path}view", headers={"cookie": cookie} | headers).status_code == 403


def test_the_policy_has_no_inline_script_and_no_network(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    answer = visitor.ask("GET", path, headers={"cookie": cookie})
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["connect-src"] == "'self'"
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.S)
    assert scripts and all("src=" in tag and not body for tag, body in scripts)
    assert not re.search(r"\son\w+=|https?://", answer.text)


def test_the_page_is_shipped_and_light() -> None:
    named = set(page_routes.FILES) | {"index.html"}
    files = {path.name: path.stat().st_size for path in PAGE.iterdir()}
    assert named <= set(files)
    assert sum(size for name, size in files.items() if name in named) < 4_000_000


def test_quotes_fills_band_and_trades(visitor: Visitor) -> None:
    path, cookie = visitor.opened(BROKEN, prior=BROKEN)
    view = visitor.ask("GET", f"{path}view", headers={"cookie": cookie}).json()
    assert view["tenors"] == ["1W", "1M"] and view["strikes"] == ["25P", "ATM", "25C"]
    assert view["quotes"] == view["filled"] == view["yesterday"]
    assert [0, 1] in [cell for trade in view["trades"] for cell in trade["cells"]]
    repaired = visitor.ask("POST", f"{path}repair", headers={"cookie": cookie}).json()
    assert repaired["trades"] == [] and repaired["vols"] != view["quotes"]


def test_fills_lie_in_their_band_and_the_line_goes_through_the_quotes(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    view = visitor.ask("GET", f"{path}view", headers={"cookie": cookie}).json()
    assert view["quotes"][0][1] is None and view["low"][0][1] < view["filled"][0][1] < view["high"][0][1]
    smooth = view["smooth"]
    row = smooth["rows"][1]
    assert smooth["years"][row] == pytest.approx(1.0)
    assert smooth["vols"][row][0] == pytest.approx(0.09, rel=1e-6)
    assert smooth["positions"][row][0] == pytest.approx(0.25)


def test_sliders_move_and_what_was_drawn_is_sent(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    headers = {"cookie": cookie}
    view = visitor.ask("GET", f"{path}view", headers=headers).json()
    slide = {"kind": "move", "values": [0.01, 0.0, 0.0, 0.0]}
    moved = visitor.ask("POST", f"{path}slide", headers=headers, json=slide).json()
    assert moved["vols"][1][1] > view["filled"][1][1] + 0.005
    assert visitor.program("GET", "/v1/pages/sent/desk.xlsx").json() == {"sent": None}
    sent = visitor.ask("POST", f"{path}send", headers=headers, json={"what": "moved"}).json()
    assert sent["cells"][0] == [None, "25P", "ATM", "25C"]
    assert sent["cells"][2][1:] == moved["vols"][1]
    for _ in range(2):
        assert visitor.program("GET", "/v1/pages/sent/desk.xlsx").json()["sent"]["cells"] == sent["cells"]
    assert visitor.program("GET", "/v1/pages/sent/other.xlsx").json() == {"sent": None}


def test_a_slider_of_another_kind_is_refused_by_what_there_is(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    for name, expected in (("kind", "'move' or 'generate'"), ("words", "'paper' or 'market'")):
        body = {"kind": "move", "values": [0.0] * 4} | {name: "other"}
        answer = visitor.ask("POST", f"{path}slide", headers={"cookie": cookie}, json=body)
        assert answer.json()["error"]["message"] == f"{name} is 'other'; expected {expected}"


def test_sliders_generate_with_exactly_these_features(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    body = {"kind": "generate", "values": [0.2, -0.1, 0.3, 0.02], "scenario": 1}
    made = visitor.ask("POST", f"{path}slide", headers={"cookie": cookie}, json=body).json()
    assert made["axis"] == "moneyness" and made["trades"] == []
    assert made["values"] == pytest.approx(body["values"], abs=1e-10)
    body["scenario"] = 2
    other = visitor.ask("POST", f"{path}slide", headers={"cookie": cookie}, json=body).json()
    assert other["vols"] != made["vols"]


def test_market_sliders_move_and_generate_on_the_grids_own_axes(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    headers = {"cookie": cookie}
    view = visitor.ask("GET", f"{path}view", headers=headers).json()
    one, month = {"words": "market", "years": view["years"][0]}, view["filled"][0]
    name, least, most, start = view["ranges"]["generate"]["market"][0][0]
    assert name == "atm" and least < start == month[1] < most
    moved = {"kind": "move", "values": [0.01, 0.002, 0.0, 0.0]} | one
    found = visitor.ask("POST", f"{path}slide", headers=headers, json=moved).json()
    for before, after in zip(view["filled"], found["vols"], strict=True):
        assert after[1] == pytest.approx(before[1] + 0.01, abs=1e-12)
    assert found["values"][1] == pytest.approx(month[2] - month[0] + 0.002, abs=1e-12)
    decaying = visitor.ask("POST", f"{path}slide", headers=headers, json=moved | {"decay": "sqrt"}).json()
    year = decaying["vols"][1][1] - view["filled"][1][1]
    assert year == pytest.approx(0.01 * (view["years"][0] / view["years"][1]) ** 0.5, abs=1e-9)
    made = {"kind": "generate", "values": [0.09, None, 0.002, None], "scenario": 3} | one
    drawn = visitor.ask("POST", f"{path}slide", headers=headers, json=made).json()
    assert drawn["axis"] == "delta" and drawn["trades"] == []
    assert drawn["values"][::2] == pytest.approx([0.09, 0.002], abs=1e-10) and None not in drawn["values"]


def test_a_grid_without_the_markets_quotes_has_no_market_sliders(visitor: Visitor) -> None:
    path, cookie = visitor.opened([[None, "10P", "ATM"], ["1M", 0.09, 0.08], ["1Y", 0.1, 0.09]])
    view = visitor.ask("GET", f"{path}view", headers={"cookie": cookie}).json()
    assert list(view["ranges"]["move"]) == list(view["ranges"]["generate"]) == ["paper"]


def test_the_book_takes_what_was_sent_once_and_the_page_hears_of_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting(book: str = "desk.xlsx") -> str:
        return visitor.program("POST", "/v1/pages/waiting", content=book.encode()).json()["state"]

    path, cookie = visitor.opened()
    headers = {"cookie": cookie}
    visitor.ask("GET", f"{path}view", headers=headers)
    assert waiting() == "open" and waiting("other.xlsx") == "closed"
    visitor.ask("POST", f"{path}send", headers=headers, json={"what": "filled"})
    assert [waiting(), waiting()] == ["sent", "open"]
    assert visitor.ask("GET", f"{path}arrived", headers=headers).json() == {"arrived": ""}
    visitor.program("POST", "/v1/pages/arrived", content="desk.xlsx\n=wrote é at B2".encode())
    assert visitor.ask("GET", f"{path}arrived", headers=headers).json() == {"arrived": "=wrote é at B2"}
    assert visitor.ask("POST", "/v1/pages/waiting", headers=headers, content=b"desk.xlsx").status_code == 401
    monkeypatch.setattr(pages_module, "AWAKE_SECONDS", -1.0)
    assert waiting() == "closed"


def test_a_place_of_the_sliders_without_a_surface_says_why(visitor: Visitor) -> None:
    path, cookie = visitor.opened()
    body = {"kind": "move", "values": [-0.5, 0.0, 0.0, 0.0]}
    answer = visitor.ask("POST", f"{path}slide", headers={"cookie": cookie}, json=body)
    assert answer.status_code == 200 and "level" in answer.json()["refused"]


def test_what_cannot_be_drawn_is_named(visitor: Visitor) -> None:
    path, cookie = visitor.opened([["x", "y"], ["z", "w"]])
    answer = visitor.ask("GET", f"{path}view", headers={"cookie": cookie})
    assert answer.status_code == 422 and "surface" in answer.json()["error"]["message"]
    sent = visitor.ask("POST", f"{path}send", headers={"cookie": cookie}, json={"what": "moved"})
    assert sent.status_code == 422 and "'moved'" in sent.json()["error"]["message"]


def test_the_first_of_many_pages_is_forgotten(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "MOST", 1)
    path, cookie = visitor.opened()
    visitor.opened()
    assert visitor.ask("GET", path, headers={"cookie": cookie}).status_code == 401
