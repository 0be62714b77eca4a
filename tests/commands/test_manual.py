"""The help pages of the worksheet functions, and the command that opens them."""

from __future__ import annotations

import webbrowser
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

from tests.stubs import calc
from voladdin.commands import COMMANDS
from voladdin.hosts.documents.engine import book_of
from voladdin.worksheet.help_pages import INDEX, pages
from voladdin.worksheet.registry import FUNCTIONS

VOID = {"meta"}


class Page(HTMLParser):
    """Its text and links; elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.links += [str(value) for name, value in attributes if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the browser was asked to open."""
    found: list[str] = []
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "x's home"))
    monkeypatch.setattr(webbrowser, "open", lambda address: not found.append(address))
    return found


def path_of(address: str) -> Path:
    return Path(unquote(urlparse(address).path))


def test_every_function_has_a_page_with_all_that_the_wizard_says() -> None:
    found = pages()
    assert set(found) == {INDEX, *(f"{name}.html" for name in FUNCTIONS)}
    for function in FUNCTIONS.values():
        page = Page(found[f"{function.name}.html"])
        text = "".join(page.said)
        assert function.help in text and function.example in text and f"={function.signature}" in text
        assert all(argument.help in text for argument in function.arguments)
        assert set(page.links) == set(found)  # and no other address
    assert all(function.help in "".join(Page(found[INDEX]).said) for function in FUNCTIONS.values())


@pytest.mark.parametrize(
    ("cell", "page", "said"),
    [
        ("=IFERROR(VOLINTERP(A1:F9,1,2),0)", "VOLINTERP.html", "VOLINTERP"),
        ("=volimpute(A1:F9)", "VOLIMPUTE.html", "VOLIMPUTE"),
        ("=SUM(A1:A2)", INDEX, "the worksheet functions"),
        ("VOLIMPUTE", INDEX, "the worksheet functions"),
        (None, INDEX, "the worksheet functions"),
    ],
)
def test_the_page_of_the_function_in_the_cell(cell: Any, page: str, said: str, opened: list[str]) -> None:
    document = calc.opened({"S": {"A1": [[1.0, cell]]}}, "B1")
    before = calc.state(document)
    assert COMMANDS["help"].run(book_of(document)) == f"the help on {said} is open in the browser"
    assert path_of(opened[0]).name == page and path_of(opened[0]).read_text("utf-8") == pages()[page]
    assert calc.state(document) == before


def test_pages_of_another_version_are_written_again(opened: list[str]) -> None:
    document = calc.opened({"S": {"A1": [[1.0]]}}, "A1")
    COMMANDS["help"].run(book_of(document))
    path_of(opened[0]).write_text("old")
    COMMANDS["help"].run(book_of(document))
    assert path_of(opened[0]).read_text("utf-8") == pages()[INDEX]


def test_without_a_browser_the_page_is_named(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    said = COMMANDS["help"].run(book_of(calc.opened({"S": {"A1": [["=VOLCHECK(A2:C4)"]]}}, "A1")))
    assert said.startswith("open ") and "VOLCHECK.html in a browser for the help on VOLCHECK" in said
