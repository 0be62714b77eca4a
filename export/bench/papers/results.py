"""Results kept item by item, so that a run that was stopped goes on, and the document is made of them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .items import Bench, Item, Outcome


def kept(bench: Bench, item: Item) -> dict[str, Any] | None:
    """The stored result of an item, where it is of this budget and seed."""
    file = _file(bench.folder, item)
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found if found["budget"] == _budget(bench) else None


def measured(bench: Bench, item: Item) -> dict[str, Any]:
    """The result of an item: the stored one, else measured now and stored."""
    found = kept(bench, item)
    if found is None:
        started = time.process_time()
        outcome = item.measure(bench)
        seconds = time.process_time() - started
        found = {"key": item.key, "budget": _budget(bench), "seconds": seconds, **outcome.stored()}
        file = _file(bench.folder, item)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        file.write_text(text, encoding="utf-8")
        found = json.loads(text)
    return found


def outcome(stored: dict[str, Any]) -> Outcome:
    """What was measured, of a stored result."""
    return Outcome.of(stored)


def _budget(bench: Bench) -> dict[str, int]:
    return {**asdict(bench.budget), "seed": bench.seed}


def _file(folder: Path, item: Item) -> Path:
    return folder / "items" / f"{item.key}.json"
