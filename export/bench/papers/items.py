"""What an item of a paper is: where it stands, what the paper prints, and how it is measured here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from export.imputation.training.slices import Deadline


@dataclass(frozen=True)
class Budget:
    """How much is run. The defaults are a full run's; `QUICK` shows that all works, not how good it is.

    steps: of the networks of Gopal (2024), those of its toys too; refit_steps, refit_draws, samples: of its
    imputation. every: each so many days of a split are scored. fits: of these, how many a pair are filled by
    models fitted to a surface each; every_rate: at each so many of the missing rates. drawn: surfaces sampled
    for arbitrage. search: configurations tried, in search_steps each. chapter_steps: of the networks of the
    chapter, that compares them all. epochs: of the VAEs of Mama (2022) whose loss changes with them;
    most_epochs: of his others, at most. simulated: surfaces of each model of Wang, Liu and Vuik (2025);
    wang_epochs: of their networks; wang_steps: of ours there. decoded: surfaces drawn a region. bundle_steps:
    of voladdin's own model, trained on the training days alone.
    """

    steps: int = 100_000
    refit_steps: int = 10_000
    refit_draws: int = 50
    samples: int = 10_000
    every: int = 10
    fits: int = 4
    every_rate: int = 1
    drawn: int = 100_000
    search: int = 6
    search_steps: int = 100_000
    chapter_steps: int = 2_000
    epochs: int = 60
    most_epochs: int = 1_000
    simulated: int = 6_000
    wang_epochs: int = 60
    wang_steps: int = 2_000
    decoded: int = 20_000
    bundle_steps: int = 6_000


FULL = Budget()
OWN = Budget(
    every=1, search=48, search_steps=100_000, epochs=300, simulated=30_000, wang_epochs=5_000, decoded=60_000
)
QUICK = Budget(
    steps=100, refit_steps=10, refit_draws=5, samples=50, every=80, fits=1, every_rate=4, drawn=1_000,
    search=2, search_steps=30, chapter_steps=30, epochs=2, most_epochs=2, simulated=200, wang_epochs=1,
    wang_steps=40, decoded=200, bundle_steps=40,
)  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """What an item is given: the budget, the folder of networks and pictures, and the time."""

    budget: Budget
    folder: Path
    deadline: Deadline = field(default_factory=Deadline)
    seed: int = 0

    def network_file(self, name: str) -> Path:
        """Where a network's checkpoint lies: words of its name and hyphens."""
        words = re.sub(r"[^\w.-]+", "-", name)
        return self.folder / "networks" / f"{words}.pt"


@dataclass(frozen=True)
class Table:
    """A title, a header, and rows as text; the first column is words."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Outcome:
    """What was measured. ours: its one line; ran: at which budget, and on which data where these differ."""

    ours: str
    ran: str = ""
    tables: Sequence[Table] = ()
    pictures: Sequence[str] = ()

    def stored(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Outcome:
        """Read back from what `stored` gave."""
        tables = [Table(**table) for table in stored["tables"]]
        return cls(stored["ours"], stored["ran"], tables, stored["pictures"])


@dataclass(frozen=True)
class Item:
    """One row of a paper. places: its tables and figures; printed: their numbers, as read from the paper.

    minutes: of one core, at the full budget, when what it shares with others is already there.
    """

    key: str
    places: Sequence[str]
    what: str
    printed: str
    measure: Callable[[Bench], Outcome]
    minutes: float = 0.1

    @property
    def paper(self) -> str:
        """Its paper's number: the first three digits of the key."""
        return self.key[:3]

    @property
    def command(self) -> str:
        """What prints it."""
        return f"voladdin bench papers --only {self.key}"
