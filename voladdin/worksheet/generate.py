"""VOLGENERATE: a surface with headers that has exactly the numbers asked for, or one a row of them.

A number left blank, or "?", is open: drawn given the others, or its mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._typing import FloatArray
from ..cells import Cell, Cells, Label, address, is_blank, read_number, shown
from ..errors import InputError
from ..feature_map import NAMES
from ..generation import Generation, generate_on
from ..generation.generating import refuse_level
from ..generation.market_words import WORDS
from ..generation.open_features import default_model, loaded_generator
from .arguments import FORWARDS, model_name, warn
from .lines import line_of
from .signature import Argument, Function, choice
from .target_axes import TargetAxes, sheet_axes
from .wording import CHOICES, TENOR, WORDING, tenor_named

DEFAULT_GENERATOR = "equity"
OPEN = "?"
_EXPECTED = {
    "level": "a vol such as 0.20",
    "skew": "a number such as -0.1",
    "curv": "a number such as 0.3",
    "term": "a number such as 0.02",
    "scenario": "a whole number such as 0, 1 or 2",
}


def block(made: Generation, index: int, axes: TargetAxes, corner: str = "") -> Cells:
    """One surface with its headers."""
    rows: Cells = [[corner, *axes.moneyness_labels]]
    vols = made.vols[index].tolist()
    return rows + [[label, *row] for label, row in zip(axes.tenor_labels, vols, strict=True)]


def remarks(made: Generation) -> list[str]:
    """What a user should know of the surfaces: outside the trained hull, repaired."""
    outside, repaired = np.flatnonzero(~made.in_hull), np.flatnonzero(made.repaired)
    found = []
    if len(outside):
        found.append(
            f"{_which(outside, made)} outside the features that the model was trained on; "
            'VOLINFO("hull") shows them'
        )
    if len(repaired):
        found.append(
            f"{_which(repaired, made)} moved by up to {made.moved.max():.3g} bp to be free of arbitrage, "
            "features kept"
        )
    return found


def _which(places: np.ndarray, made: Generation) -> str:
    if len(made) == 1:
        return "features"
    return f"surfaces {', '.join(str(i + 1) for i in places[:5])}{', …' if len(places) > 5 else ''}"


def _inputs(named: dict[str, Cells | None]) -> FloatArray:
    """[n, 5] level, skew, curv, term and scenario, each one cell or a line of n. Raises InputError."""
    lines = {name: [] if cells is None else line_of(name, cells) for name, cells in named.items()}
    size = max(map(len, lines.values()))
    lengths = {name: len(line) for name, line in lines.items() if len(line) not in (0, 1, size)}
    if lengths:
        name, length = next(iter(lengths.items()))
        raise InputError(f"{name} has {length} cells; expected 1 or {size}, as the longest of the features")
    kept = [i for i in range(size) if size == 1 or not _blank_row(lines, i)]
    if not kept:
        raise InputError(f"the {size} rows of features are blank; expected numbers in at least one")
    columns = [[_number(name, line, i) for i in kept] for name, line in lines.items()]
    return np.array(columns, dtype=float).T


def _blank_row(lines: dict[str, list[Label]], row: int) -> bool:
    return all(is_blank(line[row].cell) for line in lines.values() if len(line) > 1)


def _number(name: str, line: list[Label], row: int) -> float:
    """NaN where it is left open; the scenario is then 0."""
    label = line[0 if len(line) == 1 else row] if line else None
    if label is None or is_blank(label.cell) or label.cell == OPEN:
        return 0.0 if name == "scenario" else np.nan
    number = None if isinstance(label.cell, bool) else read_number(label.cell)
    if number is None or not np.isfinite(number.fraction):
        where = f"{name} is {shown(label.cell)}" if len(line) == 1 else str(label)
        raise InputError(f"{where}; expected {_EXPECTED[name]}")
    if name == "level":
        refuse_level(
            number.fraction, name if len(line) == 1 else f"{name}, cell {address(label.row, label.column)},"
        )
    return number.fraction


def _volgenerate(
    level: Cells | None,
    skew: Cells | None,
    curv: Cells | None,
    term: Cells | None,
    scenario: Cells | None,
    tenors: Cells | None,
    moneyness: Cells | None,
    model: Cell,
    words: Cell,
    *rest: Any,
) -> Cells:
    rows = _inputs(dict(zip(_EXPECTED, (level, skew, curv, term, scenario), strict=True)))
    tenor, forwards = rest
    wording = choice("words", words, CHOICES)
    axes = sheet_axes(tenors, moneyness, None, forwards, wording)
    named = None if model in (None, "", 0) else model_name(model, DEFAULT_GENERATOR)
    made = generate_on(
        axes.surface, rows[:, :4], rows[:, 4], words=wording, tenor=tenor_named(tenor), model=named
    )
    _warn(made, axes, wording, chosen=named is None)
    if len(made) == 1:
        return block(made, 0, axes)
    blocks = [block(made, index, axes, corner(row, wording)) for index, row in enumerate(rows)]
    blank: Cells = [[""] * (1 + len(axes.moneyness))]
    return [row for i, part in enumerate(blocks) for row in (blank if i else []) + part]


def _warn(made: Generation, axes: TargetAxes, words: str, *, chosen: bool) -> None:
    for remark in remarks(made):
        warn(remark)
    model = default_model(axes.surface, words)
    if chosen and model != DEFAULT_GENERATOR:
        warn(f"model is {model!r}, as {DEFAULT_GENERATOR!r} has no such axes or words")


def _digest(model: Cell) -> str:
    """Of every model that the result may be of."""
    omitted = model in (None, "", 0)
    names = ["markets", DEFAULT_GENERATOR] if omitted else [model_name(model, DEFAULT_GENERATOR)]
    return " ".join(loaded_generator(name).digest for name in names)


def corner(row: FloatArray, wording: str = "paper") -> str:
    """The numbers given of a block in words, which a corner cell may hold."""
    named = zip(WORDS if wording == "market" else NAMES, row.tolist(), strict=False)
    words = ", ".join(f"{name} {value:.10g}" for name, value in named if np.isfinite(value))
    return f"{words}, scenario {row[4]:g}" if len(row) > 4 and row[4] else words


def _feature(
    name: str,
    help_: str,
) -> Argument:
    return Argument(
        name,
        f"{help_}; blank or ? leaves it open; a column gives one surface each, stacked",
        "range",
        zero=True,
    )


VOLGENERATE = Function(
    "VOLGENERATE",
    "A surface of implied vols with exactly this level, skew, curvature and term structure.",
    (
        _feature("level", "vol at the money, short end, as a decimal: 0.20; or ATM"),
        _feature("skew", "its slope in ln(K/F), such as -0.1; or the risk reversal"),
        _feature("curv", "its second derivative in ln(K/F), such as 0.3; or the butterfly"),
        _feature("term", "its slope a year, such as 0.02"),
        Argument(
            "scenario",
            "0, the mean of what the features leave open, unless told; 1, 2, … are draws of it",
            "range",
            zero=True,
        ),
        Argument("tenors", "such as 1M, 3M, 6M or years; 1M to 7M, of deltas 1W to 5Y, unless told", "range"),
        Argument(
            "moneyness", "ln(K/F), such as -0.1 or m=-0.1; -0.25 to 0.25 unless told", "range", zero=True
        ),
        Argument(
            "model", 'such as "fx"; "equity" where it has the axes, else "markets", unless told', "value"
        ),
        WORDING,
        TENOR,
        FORWARDS,
    ),
    "=VOLGENERATE(0.2, -0.1, 0.3, 0.02)",
    _volgenerate,
    digest=_digest,
)
