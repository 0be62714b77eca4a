"""Results kept item by item, so that a run that was stopped goes on, and the document is made of them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .items import Bench, Budget, Item

_FIELDS = frozenset(one.name for one in fields(Budget))


@dataclass(frozen=True)
class _Watched(Budget):
    """A budget that knows which of its fields were read: what a result depends on."""

    read: set[str] = field(default_factory=set)

    def __getattribute__(self, name: str) -> Any:
        if name in _FIELDS:
            object.__getattribute__(self, "read").add(name)
        return object.__getattribute__(self, name)


def kept(bench: Bench, item: Item) -> dict[str, Any] | None:
    """The stored result of an item, where it is of this seed, and of this budget in what it read of one."""
    file = _file(bench.folder, item)
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    now = {**asdict(bench.budget), "seed": bench.seed}
    return found if found["budget"] == {name: now[name] for name in found["budget"] if name in now} else None


def measured(bench: Bench, item: Item) -> dict[str, Any]:
    """The result of an item: the stored one, else measured now and stored."""
    found = kept(bench, item)
    if found is None:
        started = time.process_time()
        budget = _Watched(**asdict(bench.budget))
        outcome = item.measure(replace(bench, budget=budget))
        seconds = time.process_time() - started
        read = {name: getattr(bench.budget, name) for name in sorted(budget.read)}
        found = {
            "key": item.key,
            "budget": {**read, "seed": bench.seed},
            "seconds": seconds,
            **outcome.stored(),
        }
        file = _file(bench.folder, item)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        file.write_text(text, encoding="utf-8")
        found = json.loads(text)
    return found


def _file(folder: Path, item: Item) -> Path:
    return folder / "items" / f"{item.key}.json"
