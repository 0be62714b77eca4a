"""What the page's sliders draw: this surface moved, or one generated, in paper's or market's words."""

from __future__ import annotations

import numpy as np

from voladdin._typing import FloatArray
from voladdin.arbitrage.check import check
from voladdin.bundles.generator import load
from voladdin.cells import Cells, Grid, render
from voladdin.feature_map import NAMES, features
from voladdin.generation import generate_on
from voladdin.generation.market_shifts import shift_market
from voladdin.generation.market_words import WORDS, market_features, tenor_place
from voladdin.generation.shifting import shifted
from voladdin.surface import Surface
from voladdin.worksheet.generate import DEFAULT_GENERATOR, block, remarks
from voladdin.worksheet.target_axes import sheet_axes

from .schemas import SliderBody
from .views import Drawn, frame, rows, trades

MOVES = {  # largest change of each
    "paper": dict(zip(NAMES, (0.05, 0.2, 0.5, 0.05), strict=True)),
    "market": dict(zip(WORDS, (0.05, 0.02, 0.01, 0.05), strict=True)),
}
Slid = tuple[Drawn, Cells]
Slider = tuple[str, float, float, float]  # name, least, most, start


def ranges(filled: Surface) -> dict[str, dict[str, list[list[Slider]]]]:
    """The sliders by kind and words: a set a tenor in the market's words, which only some grids speak."""
    trained = zip(NAMES, load(DEFAULT_GENERATOR).ranges.T.tolist(), strict=True)
    middle = [(name, low, high, (low + high) / 2) for name, (low, high) in trained]
    moves = {
        words: [[(name, -most, most, 0.0) for name, most in largest.items()]]
        for words, largest in MOVES.items()
    }
    generated = {"paper": [middle], "market": [_around(row) for row in _market_values(filled).tolist()]}
    spoken = ["paper", "market"] if generated["market"] else ["paper"]
    return {
        "move": {words: moves[words] for words in spoken},
        "generate": {words: generated[words] for words in spoken},
    }


def _market_values(filled: Surface) -> FloatArray:
    """[T, 4] of a grid that has all four of the market's words, else none."""
    if filled.deltas is None:
        return np.zeros((0, 4))
    values = market_features(filled).values
    return values if np.isfinite(values).all() else values[:0]


def _around(row: list[float]) -> list[Slider]:
    atm, rr, bf, term = row
    wide, slope = max(0.03, 2 * abs(rr)), max(0.05, 2 * abs(term))
    ends = (0.3 * atm, 3 * atm), (-wide, wide), (min(0.0, bf), max(0.01, 3 * bf)), (-slope, slope)
    return [(name, *end, start) for name, end, start in zip(WORDS, ends, row, strict=True)]


def moved_surface(grid: Grid, filled: Surface, asked: SliderBody) -> Slid:
    """The filled surface with its numbers changed, and its cells. Raises VoladdinError as the shifts do."""
    changes = np.nan_to_num(_values(asked)).tolist()
    if asked.words == "market":
        done = shift_market(filled, *changes, tenor=asked.years, decay=asked.decay, wings=asked.wings)
        surface, by = done.surface, done.further
    else:
        surface, by = shifted(filled, *changes)
    said = f"moved by up to {by:.3g} bp more to be free of arbitrage" if by >= 0.0005 else ""
    return _drawn(surface, asked, said), render(grid, surface.vols)


def generated_surface(grid: Grid, filled: Surface, asked: SliderBody) -> Slid:
    """A surface with exactly these numbers, and its cells: in the market's words on the grid's own axes.

    Raises VoladdinError as `generate_on` does.
    """
    wanted = _values(asked)[None]
    if asked.words == "market":
        made = generate_on(filled, wanted, int(asked.scenario), words="market", tenor=asked.years)
        cells = render(grid, made.vols[0])
    else:
        axes = sheet_axes(None, None)
        made = generate_on(axes.surface, wanted, int(asked.scenario))
        cells = block(made, 0, axes)
    return _drawn(made.surface(), asked, "; ".join(remarks(made))), cells


def _values(asked: SliderBody) -> FloatArray:
    return np.array([np.nan if value is None else value for value in asked.values])


def _drawn(surface: Surface, asked: SliderBody, said: str) -> Drawn:
    """values: the four numbers that the surface has."""
    if asked.words == "market":
        values = market_features(surface).values[tenor_place(surface.tenors, asked.years)]
    else:
        values = features(surface).values
    drawn = {"vols": rows(surface.vols), "values": rows(values[None])[0], "said": said}
    return frame(surface) | drawn | {"trades": trades(check(surface))}
