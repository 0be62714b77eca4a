"""2-D cell values to a Surface and back."""

from __future__ import annotations

from ._grid import Grid, parse, render
from ._values import Cell, Cells, address, read_number

__all__ = ["Cell", "Cells", "Grid", "address", "parse", "read_number", "render"]
