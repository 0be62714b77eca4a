"""Tables 3 to 10 and figures 14 to 17: errors on missing and observed cells, the paper's beside ours."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from voladdin.labels.tenors import tenor_label

from ..fx import RATES, fx, hidden_cells
from ..items import Bench, Item, Outcome, Table
from .errors_of import Errors, errors_of
from .leaders import leaders
from .rivals import VOLADDIN, few
from .trained import ran
from .vaes import OF_LATENT, REFIT_STEPS, SAMPLES, SIGMA_RESIDUAL

MIXTURE = (
    "the mixture has one weight and two forwards for all expiries: tables 5 and 6 have what it so misses"
)
SHOWN, PAIR = (10, 50, 90), "AUDUSD"
TENORS = ("1W", "1M", "2M", "3M", "6M", "9M", "1Y", "3Y")  # the paper's


@lru_cache(maxsize=1)
def printed() -> dict[tuple[int, str, str], list[str]]:
    """The paper's rows by table, pair and model, as text."""
    with open(Path(__file__).with_name("printed_tables.csv"), encoding="utf-8", newline="") as file:
        return {(int(r["table"]), r["pair"], r["model"]): r["values"].split() for r in csv.DictReader(file)}


def by_rate(table: int, part: str, kind: str, bench: Bench) -> Outcome:
    """Tables 3 to 6: a table a pair, the paper's rows below ours."""
    found, pairs = errors_of(bench, part), fx(bench.seed).pairs
    tables = [
        Table(
            f"{pair}, {kind} cells of {part} days, MAE in bp, by rate",
            ("method", *(f"{rate}%" for rate in RATES)),
            [*(_row(found, name, kind, pair) for name in found.methods), *_paper(table, pair)],
        )
        for pair in pairs
    ]
    words = [f"{pair}: {first_at(bench, part, kind, pair, RATES, {None: ''})}" for pair in pairs]
    return Outcome(_shown(found, kind, pairs), _ran(bench, part, words), tables)


def by_tenor(table: int, part: str, rate: int, bench: Bench) -> Outcome:
    """Tables 7 to 10."""
    data = fx(bench.seed)
    found, tenors = errors_of(bench, part), data.split.test.axes.tenors
    labels = [tenor_label(float(tenor)) for tenor in tenors]
    tables = []
    for pair in data.pairs:
        rows = [
            [name, *(f"{found.at(name, 'missing', rate, pair, t):.2f}" for t in range(len(tenors)))]
            for name in found.methods
        ]
        tables.append(Table(f"{pair}, {rate}% of {part} days missing, MAE in bp", ("method", *labels), rows))
        paper = [[model, *values] for (t, p, model), values in printed().items() if (t, p) == (table, pair)]
        if paper:
            tables.append(Table(f"{pair}, as the paper prints it", ("method", *TENORS), paper))
    pair, ends = data.pairs[0], (0, len(tenors) - 1)
    ours = "; ".join(
        f"{name} {' / '.join(format(found.at(name, 'missing', rate, pair, t), '.1f') for t in ends)}"
        for name in (OF_LATENT, VOLADDIN)
    )
    by_label: dict[int | None, str] = dict(enumerate(labels))
    words = [f"{each}: {first_at(bench, part, 'missing', each, [rate], by_label)}" for each in data.pairs]
    return Outcome(f"{pair} {labels[0]} / {labels[-1]}: {ours}", _ran(bench, part, words), tables)


def _row(found: Errors, name: str, kind: str, pair: str) -> list[str]:
    return [name, *(f"{found.at(name, kind, rate, pair):.2f}" for rate in RATES)]


def _paper(table: int, pair: str) -> list[list[str]]:
    rows = [(model, values) for (t, p, model), values in printed().items() if (t, p) == (table, pair)]
    return [[f"*paper: {model}*", *values] for model, values in rows]


def _shown(found: Errors, kind: str, pairs: Sequence[str]) -> str:
    """The row's numbers: the first pair's at 10, 50 and 90%."""
    parts = [
        f"{name} {' / '.join(f'{found.at(name, kind, rate, pairs[0]):.1f}' for rate in SHOWN)}"
        for name in ("Heston++", SIGMA_RESIDUAL, OF_LATENT, VOLADDIN)
    ]
    return f"{pairs[0]} at 10 / 50 / 90%: {'; '.join(parts)}"


def first_at(
    bench: Bench,
    part: str,
    kind: str,
    pair: str,
    rates: Sequence[int],
    tenors: Mapping[int | None, str],
    methods: Sequence[str] = (),
) -> str:
    """Who of the methods (none: all) is first, by rate or, at one rate, by tenor.

    tenors: the labels of their rows; of None for all of them together.
    """
    found, where = errors_of(bench, part), [(rate, tenor) for rate in rates for tenor in tenors]
    errors = {
        n: np.array([found.at(n, kind, rate, pair, t) for rate, t in where]) for n in methods or found.methods
    }
    of = [_cells(bench, part, kind, pair, rate, t) for rate, t in where]
    everywhere, on_few = np.array(of, float).T
    return leaders(errors, [tenors[tenor] or f"{rate}%" for rate, tenor in where], (everywhere, on_few))


def _cells(bench: Bench, part: str, kind: str, pair: str, rate: int, tenor: int | None) -> tuple[int, int]:
    """How many cells an error is a mean of: on all days of the pair, on those of the fits."""
    tests = fx(bench.seed).part(part, bench.budget.every)
    mask = hidden_cells(tests, bench.seed)[rate] ^ (kind == "observed")
    rows, fits = np.flatnonzero(tests.pair == pair), few(tests, bench.budget.fits)
    cells = mask[:, slice(None) if tenor is None else tenor]
    return int(cells[rows].sum()), int(cells[np.intersect1d(rows, fits)].sum())


def _ran(bench: Bench, part: str, words: Sequence[str]) -> str:
    budget = bench.budget
    refit = f"refit {budget.refit_steps:,} of {REFIT_STEPS:,} steps, {budget.samples:,} of {SAMPLES:,} codes"
    of = f"{fx(bench.seed).words}; {ran(bench)}; {refit}; {days_of_fits(bench, part)}; {MIXTURE}"
    return "; ".join([*words, of])


def days_of_fits(bench: Bench, part: str) -> str:
    """On how many of the days that the others fill."""
    data = fx(bench.seed)
    days = len(data.part(part, bench.budget.every)) // len(data.pairs)
    return f"models fitted to a surface each: {min(bench.budget.fits, days)} of {days} days a pair"


def printed_cells(table: int) -> str:
    """The paper's cells that the row shows."""
    shown = ("Heston++", SIGMA_RESIDUAL, OF_LATENT)
    if table <= 6:
        cells = {m: [printed()[table, PAIR, m][rate // 10 - 1] for rate in SHOWN] for m in shown}
        return f"{PAIR} at 10 / 50 / 90%: " + "; ".join(f"{m} {' / '.join(v)}" for m, v in cells.items())
    ends = {m: [printed()[table, PAIR, m][place] for place in (0, -1)] for m in shown}
    return f"{PAIR} 1W / 3Y: " + "; ".join(f"{m} {' / '.join(v)}" for m, v in ends.items())


_RATES = (
    (3, "test", "missing"),
    (4, "validation", "missing"),
    (5, "test", "observed"),
    (6, "validation", "observed"),
)
_BY_TENOR = ((7, "test", 10), (8, "test", 50), (9, "validation", 10), (10, "validation", 50))
ITEMS = (
    *(
        Item(
            f"002-table-{table}",
            (f"table {table}",),
            f"MAE on {kind} cells, {part} days",
            printed_cells(table),
            partial(by_rate, table, part, kind),
            12 if kind == "missing" else 0.1,
        )
        for table, part, kind in _RATES
    ),
    *(
        Item(
            f"002-table-{table}",
            (f"table {table}",),
            f"MAE by tenor, {rate}% of {part} days missing",
            printed_cells(table),
            partial(by_tenor, table, part, rate),
        )
        for table, part, rate in _BY_TENOR
    ),
)
