"""Sets of `voladdin bench markets`: real surfaces, and simulated families."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import voladdin as va
from export.bench.data import DATA
from export.simulation.markets import draw_batch

from .quoted import FloatArray, Quoted, rising

_ATM_DELTA = 0.5
_CHAIN_MIN = 5
_LARGE = 1000
_COLUMNS = ("underlying", "date", "tenor_years", "vol")
_FX_QUOTES = ("ATM", "25RR", "25BF", "10RR", "10BF")
_Rows = list[dict[str, str]]


def real_surfaces(every: int = 1) -> Iterator[Quoted]:
    """Index, stock and currency surfaces of the data folder; nothing where a file is absent.

    every: of the strikes of chains of more than 1,000 quotes, only each so many-th.
    """
    for file, name in (("dax_surface", "DAX strikes"), ("index_sample_surface", "index strikes")):
        yield from (_chain(rows, name, name) for rows in _by_surface(DATA / f"{file}.csv"))
    for file, name in (("stoxx50e_delta_surface", "STOXX deltas"), ("spx_delta_surface", "SPX deltas")):
        yield from (_delta_grid(rows, name) for rows in _by_surface(DATA / f"{file}.csv"))
    for rows in _by_surface(DATA / "equity_chains.csv"):
        name = f"{rows[0]['underlying']} chain"
        yield _chain(rows[::every] if len(rows) > _LARGE else rows, name, name)
    for rows in _by_surface(DATA / "fx_usdcad_20170526_raw.csv"):
        yield _delta_grid(rows, "FX raw quotes")
    yield from (_fx_quotes(rows) for rows in _by_surface(DATA / "fx_quotes_atm_rr_bf.csv"))


def own_surfaces(path: Path) -> Iterator[Quoted]:
    """Surfaces of a file with a row a quote, each set one underlying; a delta that is empty is at the money.

    Raises voladdin.InputError with the columns that it lacks, or where no expiry of a surface on strikes
    has five quotes.
    """
    for rows in _by_surface(path):
        lacking = [name for name in _COLUMNS if name not in rows[0]]
        if lacking or not {"call_delta", "log_moneyness"} & rows[0].keys():
            raise va.InputError(
                f"{path} has the columns {', '.join(rows[0])}; expected {', '.join(_COLUMNS)}, "
                "and call_delta or log_moneyness"
            )
        group = rows[0]["underlying"]
        yield _delta_grid(rows, group) if rows[0].get("call_delta") is not None else _own_chain(rows, group)


def _own_chain(rows: _Rows, group: str) -> Quoted:
    counts = Counter(float(row["tenor_years"]) for row in rows)
    if max(counts.values()) < _CHAIN_MIN:
        raise va.InputError(f"{_name(rows)} has no expiry of {_CHAIN_MIN} quotes; expected one at least")
    return _chain(rows, _name(rows), group)


def _by_surface(path: Path) -> list[_Rows]:
    """The rows of each underlying and date; none where the file is absent."""
    if not path.is_file():
        return []
    found: dict[tuple[str, str], _Rows] = defaultdict(list)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            found[row["underlying"], row["date"]].append(row)
    return list(found.values())


def _name(rows: _Rows) -> str:
    return f"{rows[0]['underlying']} {rows[0]['date']}"


def _chain(rows: _Rows, name: str, group: str) -> Quoted:
    """Ragged strikes side by side; shorter rows go on beyond their last strike, without quotes."""
    smiles: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        smiles[float(row["tenor_years"])].append((float(row["log_moneyness"]), float(row["vol"])))
    tenors = sorted(tenor for tenor, smile in smiles.items() if len(smile) >= _CHAIN_MIN)
    width = max(len(smiles[tenor]) for tenor in tenors)
    moneyness, vols = np.empty((len(tenors), width)), np.full((len(tenors), width), np.nan)
    for i, tenor in enumerate(tenors):
        smile = sorted(dict(smiles[tenor]).items())
        k = np.array([m for m, _ in smile])
        extra = np.arange(1, width - len(k) + 1) * max(float(np.diff(k).mean()), 1e-4)
        moneyness[i] = np.append(k, k[-1] + extra)
        vols[i, : len(k)] = [v for _, v in smile]
    return Quoted(name, group, np.array(tenors), vols, vols, moneyness=moneyness)


def _delta_grid(rows: _Rows, group: str) -> Quoted:
    """Rows of tenors and call deltas; an empty delta is the at-the-money cell."""
    tenors = sorted({float(row["tenor_years"]) for row in rows})
    deltas = sorted({float(row["call_delta"] or _ATM_DELTA) for row in rows}, reverse=True)
    vols = np.full((len(tenors), len(deltas)), np.nan)
    for row in rows:
        column = deltas.index(float(row["call_delta"] or _ATM_DELTA))
        vols[tenors.index(float(row["tenor_years"])), column] = float(row["vol"])
    return Quoted(_name(rows), group, np.array(tenors), vols, vols, deltas=np.array(deltas))


def _fx_quotes(rows: _Rows) -> Quoted:
    """ATM, risk reversals and broker butterflies as the product reads them; ATM alone where it cannot."""
    cells = {(row["tenor"], row["quote"]): float(row["value"]) for row in rows}
    smiles = {}
    for tenor in dict.fromkeys(row["tenor"] for row in rows):
        columns = [[cells.get((tenor, quote), np.nan)] for quote in _FX_QUOTES]
        pair = rows[0]["underlying"]
        try:
            read = va.surface_from_quotes([tenor], *columns, pair=pair)
        except va.InfeasibleError:
            nothing = [np.nan]
            read = va.surface_from_quotes([tenor], columns[0], *[nothing] * 4, pair=pair)
        smiles[float(read.tenors[0])] = read
    tenors = np.array(sorted(smiles))
    vols = np.concatenate([smiles[tenor].vols for tenor in tenors])
    return Quoted(_name(rows), "FX raw quotes", tenors, vols, vols, deltas=smiles[tenors[0]].deltas)


def simulated_surfaces(family: str, count: int, seed: int, pool: Path | None) -> Iterator[Quoted]:
    """Of a family, in turn on deltas, on moneyness and listed; scored against the truth.

    Of `count` drawn: those with fewer than 12 quotes are passed over, and those so steep that one delta has
    several strikes.
    """
    rng = np.random.default_rng([seed, *family.encode()])
    for number in range(count):
        batch = draw_batch(rng, family, ("deltas", "moneyness", "listed")[number % 3], 4, pool=pool)
        columns = np.median(batch.deltas[0], axis=0)
        shared = batch.grid == "deltas" and float(np.abs(batch.deltas[0] - columns).max()) < 1e-4
        if (shared or rising(batch.moneyness[0])) and np.isfinite(batch.mid[0]).sum() >= 12:
            yield Quoted(
                f"{family} {number}",
                family,
                batch.years[0],
                batch.mid[0],
                np.where(np.isfinite(batch.mid[0]), batch.vols[0], np.nan),
                deltas=columns if shared else None,
                moneyness=None if shared else batch.moneyness[0],
                bid=_market(batch.bid[0]),
                ask=_market(batch.ask[0]),
            )


def _market(quotes: FloatArray) -> FloatArray | None:
    return quotes if np.isfinite(quotes).any() else None
