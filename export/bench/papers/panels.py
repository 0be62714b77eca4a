"""Small pictures: one size of panel, few colours, so that all of them together stay below 2 MB."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image

from .items import Bench

matplotlib.use("Agg")

from matplotlib import pyplot

COLOURS, DOTS, PANEL = 24, 70, (3.1, 2.5)


@contextmanager
def panels(bench: Bench, name: str, rows: int = 1, columns: int = 1, **options: Any) -> Iterator[Any]:
    """Axes [rows, columns] to draw on; they are written to `name`.png in the folder's pictures after."""
    size = PANEL[0] * columns, PANEL[1] * rows
    figure, axes = pyplot.subplots(rows, columns, figsize=size, squeeze=False, **options)
    with pyplot.rc_context({"font.size": 8}):
        yield axes
    figure.tight_layout()
    _write(figure, bench.folder / "pictures" / f"{name}.png")
    pyplot.close(figure)


def _write(figure: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    raw = io.BytesIO()
    figure.savefig(raw, dpi=DOTS, format="png")
    Image.open(raw).convert("RGB").quantize(COLOURS).save(file, optimize=True)
