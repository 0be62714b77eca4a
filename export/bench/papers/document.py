"""docs/papers.md: the table of all rows of the papers, then each item's tables and pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..report import rows_table
from .below import below
from .catalogue import ITEMS, PAPERS
from .items import Budget, Item, Outcome, Table

OPENING = """\
# The papers, measured again

`voladdin bench papers` wrote this file; its numbers are those of the results folder, and nothing here is
typed by hand but what each paper prints. Every row of the four papers has a command. Our history is fits
(three pairs, 2012 to 2018, eight tenors from 1M to 5Y, five deltas; trained to 2016, validated on 2017,
tested on 2018); the papers' is quotes that nobody may pass on. So the two columns are of different markets:
compare the order of the methods, not the basis points. A row says at which budget it was run.
"""


def text(results: Mapping[str, dict[str, Any]], pictures: str, less: Table | None = None) -> str:
    """The document of results by key; pictures: their folder, as it links to it; less: what trained less."""
    parts = [OPENING, _budget(results)]
    if less is not None and less.rows:
        parts.append(rows_table(less.title, less.header, less.rows))
    parts.append("## Every row\n")
    for paper, citation in PAPERS.items():
        parts += [f"### {paper}: {citation}\n", _coverage(paper, results)]
    for paper, citation in PAPERS.items():
        parts.append(f"## {paper}: {citation}\n")
        parts += [_section(item, results[item.key], pictures) for item in _with_more(paper, results)]
    return "\n".join(parts).rstrip() + "\n"


def write(results: Mapping[str, dict[str, Any]], folder: Path, file: Path) -> None:
    """The document, and its pictures copied beside it."""
    beside = file.with_suffix("")
    beside.mkdir(parents=True, exist_ok=True)
    for name in [name for stored in results.values() for name in stored["pictures"]]:
        shutil.copyfile(folder / "pictures" / f"{name}.png", beside / f"{name}.png")
    file.write_text(text(results, beside.name, below(folder)), encoding="utf-8")


def _with_more(paper: str, results: Mapping[str, dict[str, Any]]) -> Iterator[Item]:
    """Items with a table or a picture to show."""
    for item in ITEMS.values():
        stored = results.get(item.key)
        if item.paper == paper and stored is not None and (stored["tables"] or stored["pictures"]):
            yield item


def _budget(results: Mapping[str, dict[str, Any]]) -> str:
    """The budgets that the results are of, and the time that they took."""
    names = [field.name for field in fields(Budget)]
    of = {n: {r["budget"][n] for r in results.values() if n in r["budget"]} for n in names}
    words = ", ".join(f"{name} {' or '.join(f'{v:,}' for v in sorted(v))}" for name, v in of.items() if v)
    minutes = sum(stored["seconds"] for stored in results.values()) / 60
    time = f"{minutes:,.0f} minutes of processor, of the networks only those that an item had to train"
    return f"Budget: {words}. The items took {time}.\n"


def _coverage(paper: str, results: Mapping[str, dict[str, Any]]) -> str:
    header = ("item", "where", "command", "paper's number", "ours", "run")
    rows = [
        [item.what, place, f"`--only {item.key}`", item.printed, *_ours(results.get(item.key))]
        for item in ITEMS.values()
        if item.paper == paper
        for place in item.places
    ]
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def _ours(stored: dict[str, Any] | None) -> list[str]:
    return ["not run", ""] if stored is None else [stored["ours"], stored["ran"]]


def _section(item: Item, stored: dict[str, Any], pictures: str) -> str:
    found = Outcome.of(stored)
    where = ", ".join(item.places)
    parts = [f"### {where}: {item.what}\n", f"`{item.command}`. Paper: {item.printed}. Ours: {found.ours}.\n"]
    parts += [rows_table(table.title, table.header, table.rows) for table in found.tables]
    parts += [f"![{where}]({pictures}/{name}.png)\n" for name in found.pictures]
    return "\n".join(parts)
