"""What the page's sliders draw: this surface moved, or one generated from four features."""

from __future__ import annotations

from typing import Any

from voladdin.arbitrage.check import check
from voladdin.bundles.generator import load
from voladdin.cells import Cells, Grid, render
from voladdin.feature_map import NAMES
from voladdin.generation import generate
from voladdin.generation.shifting import shifted
from voladdin.surface import Surface
from voladdin.worksheet.generate import DEFAULT_MODEL, block, remarks
from voladdin.worksheet.target_axes import sheet_axes

from .views import Drawn, frame, rows, trades

MOVES = {"level": 0.05, "skew": 0.2, "curv": 0.5, "term": 0.05}  # largest change of each
Slid = tuple[Drawn, Cells]


def ranges() -> dict[str, Any]:
    """Each feature's least and largest value, by kind of slider."""
    trained = dict(zip(NAMES, load(DEFAULT_MODEL).ranges.T.tolist(), strict=True))
    return {"move": {name: [-most, most] for name, most in MOVES.items()}, "generate": trained}


def moved(grid: Grid, filled: Surface, changes: dict[str, float]) -> Slid:
    """The filled surface with its features changed, and its cells. Raises VoladdinError as `shift` does."""
    surface, by = shifted(filled, *(changes[name] for name in NAMES))
    said = f"moved by up to {by:.3g} bp more to be free of arbitrage" if by else ""
    return _drawn(surface, said), render(grid, surface.vols)


def generated(features: dict[str, float], scenario: int) -> Slid:
    """A surface with exactly these features, and its cells. Raises VoladdinError as `generate` does."""
    axes = sheet_axes(None, None)
    values = (features[name] for name in NAMES)
    made = generate(*values, scenario=scenario, tenors=axes.tenors, moneyness=axes.moneyness)
    return _drawn(made.surface(), "; ".join(remarks(made))), block(made, 0, axes)


def _drawn(surface: Surface, said: str) -> Drawn:
    return frame(surface) | {
        "vols": rows(surface.vols),
        "said": said,
        "trades": trades(check(surface)),
    }
