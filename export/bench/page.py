"""`voladdin bench page`: the surface page in headless Chromium: first paint, weight, slider to surface."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from voladdin.errors import UnavailableError
from voladdin.service.pages import open_page
from voladdin.xlsx.tables import format_table, read_cells

from .calc.recalculation import own_home

BOOK = Path(__file__).resolve().parents[2] / "workbook" / "demo.xlsx"
RANGE, PRIOR = "EURUSD!A5:F13", "EURUSD!A17:F25"
STEPS, PAUSE = 100, 120  # moves of a slider, and milliseconds between them
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table; --pictures writes screenshots of the page too."""
    parser = argparse.ArgumentParser(prog="voladdin bench page", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots, light and dark")
    options = parser.parse_args(argv)
    with _browser() as browser:
        rows = [["figure", "value"], *_first(browser)]
        for words, kind in product(("market", "paper"), ("move", "generate")):
            rows += _slid(browser, words, kind)
        if options.pictures is not None:
            _pictures(browser, options.pictures)
    print(format_table(rows))
    return 0


def _open(browser: Any, place: str = RANGE, scheme: str = "light") -> Any:
    """A page of the demo workbook, drawn."""
    cells, prior = read_cells(str(BOOK), place), read_cells(str(BOOK), PRIOR)
    source = {"book": BOOK.name, "range": place, "host": ""}
    context = browser.new_context(viewport={"width": 1240, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(open_page({"title": place, "source": source, "cells": cells, "prior": prior}))
    page.wait_for_selector("html[data-drawn]", timeout=60_000)
    return page


def _first(browser: Any) -> Iterator[list[Any]]:
    """The second page of a server: its models are read."""
    _open(browser).context.close()
    page = _open(browser)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    sizes = "performance.getEntriesByType('resource').reduce((sum, e) => sum + e.encodedBodySize, 0)"
    yield ["first paint, ms", f"{paint:.0f}"]
    yield ["weight, MB", f"{page.evaluate(sizes) / 1e6:.2f}"]
    page.context.close()


def _slid(browser: Any, words: str, kind: str) -> Iterator[list[Any]]:
    page = _open(browser)
    page.check(f"input[name=words][value={words}]")
    page.check(f"input[name=kind][value={kind}]")
    page.locator("#slider-level, #slider-atm").focus()
    for step in range(STEPS):
        page.keyboard.press("ArrowRight" if step % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(PAUSE)
    times = page.evaluate("performance.getEntriesByName('slider').map(e => e.duration)")
    for share in (50, 95):
        yield [
            f"slider ({kind}, {words}) to redrawn surface, p{share}, ms",
            f"{np.percentile(times, share):.0f}",
        ]
    page.context.close()


def _pictures(browser: Any, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    page = _open(browser)
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "page-light.png", full_page=True)
    page.context.close()
    page = _open(browser, "Arbitrage!A5:F13", "dark")
    page.check("input[value=repair]")
    page.wait_for_timeout(4000)
    page.screenshot(path=folder / "page-dark.png", full_page=True)
    page.context.close()


@contextmanager
def _browser() -> Iterator[Any]:
    """Headless Chromium, and a server in a home of its own."""
    from playwright.sync_api import sync_playwright

    from voladdin.service import process

    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        raise UnavailableError(f"no Chromium on PATH; expected one of {', '.join(CHROMIUMS)}")
    with (
        tempfile.TemporaryDirectory() as folder,
        own_home(Path(folder)),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
        process.stop_if_running()
