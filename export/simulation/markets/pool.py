"""The pool on disk: tables of the slow families (`python -m export.simulation.markets pool FOLDER`, once).

One .npz a family, named after it. The same seed and count give the same pool.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from .affine import AFFINE
from .clocks import draw_clocks
from .rough import draw_rough, smile_nodes
from .smile_tables import SmileTable, Tabulated

TABLED = (*AFFINE, "rough")
COUNT = 3000
_BLOCK = 200


def build_pool(
    folder: Path, count: int = COUNT, seed: int = 0, say: Callable[[str], None] = lambda line: None
) -> None:
    """Write the families that `folder` does not hold yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, family in enumerate(TABLED):
        path = folder / f"{family}.npz"
        if path.is_file():
            say(f"{family}: there")
            continue
        table = _draw(family, count, seed + number, say)
        part = path.with_suffix(".part.npz")
        np.savez(part, level=table.level, atm_vol=table.atm, ratio=table.ratio)
        part.replace(path)


def _draw(family: str, count: int, seed: int, say: Callable[[str], None]) -> SmileTable:
    rng = np.random.default_rng(seed)
    if family == "rough":
        say("rough: simulating")
        return draw_rough(rng, count, smile_nodes())
    parts = []
    for start in range(0, count, _BLOCK):
        parts.append(AFFINE[family](rng, min(_BLOCK, count - start)))
        say(f"{family}: {min(start + _BLOCK, count):,} of {count:,}")
    return SmileTable(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in SmileTable.__dataclass_fields__)
    )


@lru_cache(maxsize=16)
def load(folder: Path, family: str) -> SmileTable:
    """The table of a family. Raises FileNotFoundError that names the command to make it."""
    path = folder / f"{family}.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is absent; expected python -m export.simulation.markets pool {folder}"
        )
    with np.load(path) as stored:
        return SmileTable(stored["level"], stored["atm_vol"], stored["ratio"])


def draw_tabulated(rng: np.random.Generator, count: int, table: SmileTable) -> Tabulated:
    """Random rows on random clocks; one in six mirrored, one in twelve boosted to levels of up to 400%."""
    rows = rng.integers(len(table), size=count)
    boost = np.exp(0.25 * rng.standard_normal(count))
    high = rng.random(count) < 1 / 12
    boost = np.where(high, np.exp(rng.uniform(np.log(0.9), np.log(4.0), count)) / table.level[rows], boost)
    mirror = np.where(rng.random(count) < 1 / 6, -1.0, 1.0)
    return Tabulated(table[rows], draw_clocks(rng, count), np.minimum(boost, 10.0), mirror)
