"""Help pages of the worksheet functions: HTML files for a browser, one a function, that need no network."""

from __future__ import annotations

from html import escape

from ..home import VERSION
from .registry import FUNCTIONS
from .signature import Argument, Function

INDEX = "index.html"
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: light-dark(#1456a0, #8ab8f0); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding-bottom: .5rem; }
nav { border-bottom: 1px solid var(--line); }
a { color: var(--accent); }
nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
code { font-family: ui-monospace, Consolas, monospace; }
pre { border: 1px solid var(--line); border-radius: 4px; padding: .5rem .75rem; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
"""
_ERRORS = (
    ("#VALUE!", "the input cannot be read"),
    ("#N/A", "a model, or the local server, is absent"),
    ("#NUM!", "there is no solution"),
)


def pages() -> dict[str, str]:
    """The pages by file name: INDEX, and such as VOLIMPUTE.html."""
    found = {INDEX: _page("voladdin's worksheet functions", _index(), "")}
    for function in FUNCTIONS.values():
        found[file_of(function.name)] = _page(function.name, _described(function), function.name)
    return found


def file_of(name: str) -> str:
    """The page of a function."""
    return f"{name}.html"


def _page(title: str, body: str, current: str) -> str:
    links = "\n".join(_link(name, current) for name in FUNCTIONS)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<style>{_STYLE}</style>\n<nav aria-label="Functions">\n<a href="{INDEX}">All</a>\n{links}\n</nav>\n'
        f"<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n"
        f"<footer><p>voladdin {VERSION}</p></footer>\n</html>\n"
    )


def _link(name: str, current: str = "") -> str:
    return f'<a href="{file_of(name)}"{" aria-current=page" * (name == current)}>{name}</a>'


def _index() -> str:
    rows = "\n".join(
        f"<tr><td>{_link(function.name)}</td><td>{escape(function.help)}</td></tr>"
        for function in FUNCTIONS.values()
    )
    return f"<table>\n<tr><th>function</th><th>what it gives</th></tr>\n{rows}\n</table>\n{_errors()}"


def _described(function: Function) -> str:
    rows = "\n".join(map(_row, function.arguments))
    return (
        f"<p>{escape(function.help)}</p>\n<pre><code>={escape(function.signature)}</code></pre>\n"
        f"<h2>Example</h2>\n<pre><code>{escape(function.example)}</code></pre>\n<h2>Arguments</h2>\n"
        f"<table>\n<tr><th>argument</th><th>takes</th><th>what it is</th></tr>\n{rows}\n</table>\n"
        f"<p>Arguments in [brackets] may be left out.</p>\n{_errors()}"
    )


def _row(argument: Argument) -> str:
    name = f"[{argument.name}]" if argument.optional else argument.name
    return f"<tr><td><code>{name}</code></td><td>{argument.kind}</td><td>{escape(argument.help)}</td></tr>"


def _errors() -> str:
    rows = "\n".join(f"<tr><td><code>{cell}</code></td><td>{why}</td></tr>" for cell, why in _ERRORS)
    return (
        f"<h2>Errors</h2>\n<table>\n{rows}\n</table>\n"
        '<p><code>=VOLINFO("why", L18)</code> says why the cell L18 shows what it shows.</p>'
    )
