"""The surface page in headless Chromium: opened, moved, read aloud, printed; no word on the console."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from voladdin.service import process
from voladdin.service.client import Client
from voladdin.service.pages import open_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_LACKING = [name for name in ("playwright", "axe_playwright_python") if not importlib.util.find_spec(name)]
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
    pytest.mark.skipif(bool(_LACKING), reason=f"not installed: {', '.join(_LACKING)}"),
]
GRID = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", None, 7.85, 7.60, None, None],
    ["1M", 8.50, 7.90, 7.55, 7.60, None],
    ["3M", 8.90, 7.90, 9.60, 7.40, None],
    ["1Y", 9.75, None, 7.92, None, 8.42],
]
YESTERDAY = [
    [None, "10P", "25P", "ATM", "25C", "10C"],
    ["1W", 7.90, 7.45, 7.20, 7.30, 7.60],
    ["1M", 8.20, 7.60, 7.25, 7.30, 7.65],
    ["3M", 8.70, 7.90, 7.40, 7.40, 7.85],
    ["1Y", 9.60, 8.50, 7.80, 7.70, 8.30],
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("VOLADDIN_HOME", str(tmp_path_factory.mktemp("home")))
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
        process.stop_if_running()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of GRID that is drawn; in the end nothing was said on the console."""
    source = {"book": "desk.xlsx", "range": "A1:F5", "host": "libreoffice"}
    body = {"title": "EURUSD", "source": source, "cells": GRID, "prior": YESTERDAY}
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    outside: list[str] = []
    opened.on("request", lambda request: outside.append(request.url))
    opened.goto(open_page(body))
    opened.wait_for_selector("html[data-drawn]", timeout=60_000)
    yield opened
    assert said == []
    assert {url.split("/")[2].split(":")[0] for url in outside if "://" in url} == {"127.0.0.1"}
    context.close()


def _until(page: Any, expression: str) -> None:
    """Waits until it is true; the page's policy forbids the browser's own way, which evaluates texts."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def _pixels(page: Any) -> str:
    return str(page.evaluate("document.getElementById('surface').toDataURL()"))


def test_the_key_leaves_the_address_and_scripts_see_no_cookie(page: Any) -> None:
    assert "key" not in page.url and page.evaluate("document.cookie") == ""


def test_a_slider_redraws_the_surface(page: Any) -> None:
    before = _pixels(page)
    page.locator("#slider-atm").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    _until(page, "performance.getEntriesByName('slider').length > 0")
    _until(page, "!document.getElementById('said').textContent.includes('error')")
    assert _pixels(page) != before
    assert page.is_checked("input[value=slid]")
    assert page.text_content("#has-atm").startswith("→ ")
    page.check("input[name=words][value=paper]")
    page.check("input[name=kind][value=generate]")
    _until(page, "document.getElementById('smile').data.at(-1).name === 'generated'")


def test_market_sliders_generate_on_the_grids_own_axes_with_numbers_left_open(page: Any) -> None:
    page.check("input[name=kind][value=generate]")
    page.select_option("#at-tenor", label="1Y")
    _until(page, "performance.getEntriesByName('slider').length > 0")
    before = _pixels(page)
    page.check("#open-rr")
    page.locator("#slider-scenario").focus()
    page.keyboard.press("ArrowRight")
    _until(page, "document.getElementById('has-rr').textContent.startsWith('→ ')")
    assert page.is_disabled("#slider-rr") and page.is_hidden("#how") and page.is_visible("#at")
    _until(page, "document.getElementById('smile').data.some(d => d.name === 'sliders')")
    assert _pixels(page) != before


def test_the_table_is_walked_by_keys_and_read_aloud(page: Any) -> None:
    page.click("#cells td[data-i='0'][data-j='0']")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    said = page.text_content("#live")
    assert said.startswith("1M 10C: fill") and "90% band" in said and "yesterday 7.65%" in said
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    assert page.text_content("#live").startswith("3M 10P: quote 8.90%")
    assert page.eval_on_selector("#tenor", "e => e.selectedOptions[0].text") == "3M"
    _until(page, "document.getElementById('smile').getAttribute('aria-label').includes('3M')")


def test_the_slices_follow_the_pointer(page: Any) -> None:
    before = page.text_content("#live")
    box = page.locator("#surface").bounding_box()
    node = page.evaluate("document.getElementById('surface').nodes[0].seen")
    scale = page.evaluate("window.devicePixelRatio")
    page.mouse.move(box["x"] + node[0] / scale, box["y"] + node[1] / scale)
    assert page.text_content("#live") != before
    assert page.text_content("#live").startswith("1W 10P")


def test_repair_and_yesterday_are_shown_beside_today(page: Any) -> None:
    assert page.locator("#findings button.suspect").count() >= 1
    assert page.locator("#findings button.trade").count() >= 1
    seen = {_pixels(page)}
    for name in ("yesterday", "repair"):
        page.check(f"input[value={name}]")
        label = "repaired" if name == "repair" else name
        _until(page, f"document.getElementById('smile').data.some(d => d.name === '{label}')")
        seen.add(_pixels(page))
    assert len(seen) == 3


def test_what_is_shown_arrives_in_the_book(page: Any) -> None:
    """The test is the book's program: it asks what waits, and says what became of it."""
    with Client(process.ensure_running()) as client:
        assert client.request("POST", "/v1/pages/waiting", b"desk.xlsx")[1] == {"state": "open"}
        page.click("#send")
        _until(page, "document.getElementById('said').textContent.startsWith('sending the filled')")
        assert client.request("POST", "/v1/pages/waiting", b"desk.xlsx")[1] == {"state": "sent"}
        client.request("POST", "/v1/pages/arrived", b"desk.xlsx\n=wrote it at H4")
    _until(page, "document.getElementById('said').textContent === 'desk.xlsx: wrote it at H4'")


def test_where_no_program_answers_the_page_says_what_to_press(page: Any) -> None:
    page.click("#send")
    _until(page, "document.getElementById('said').textContent.includes('press From page')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(page: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(reduced_motion="reduce")
    if page.evaluate("document.documentElement.dataset.theme") != scheme:
        page.click("#theme")
    found = Axe().run(page).response["violations"]
    serious = [(f["id"], [n["target"] for n in f["nodes"]]) for f in found if f["impact"] != "minor"]
    assert serious == []


def test_it_prints(page: Any) -> None:
    page.emulate_media(color_scheme="dark", media="print")
    assert page.is_hidden("#send") and page.is_visible("#cells") and page.is_visible("#smile")


def test_a_surface_of_other_strikes_and_as_many_tenors_is_drawn_on_its_own(browser: Any) -> None:
    smile = (22.0, 20.0, 19.0)
    cells = [[None, "m=-0.1", "m=0", "m=0.1"], *([f"{month}M", *smile] for month in range(1, 8))]
    context = browser.new_context()
    page = context.new_page()
    source = {"book": "", "range": "", "host": ""}
    page.goto(open_page({"title": "equity", "source": source, "cells": cells, "prior": None}))
    page.wait_for_selector("html[data-drawn]", timeout=60_000)
    page.check("input[name=kind][value=generate]")
    _until(page, "document.getElementById('smile').data.at(-1).name === 'generated'")
    assert page.evaluate("document.getElementById('smile').data.at(-1).x.length") == 11
    context.close()
