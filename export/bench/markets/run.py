"""`voladdin bench markets`: ours and a desk's own methods on any market and grid.

Sets: every real surface of the data folder; days of 2018 of the currency history, answered by the shipped
model (`history`) and by bundles trained without the pair, and on half the tenors and three of the deltas
(`splits`; bundles that are absent are trained, some minutes each); simulated families, each scored by a
model that was trained without it where `--without` has one; or surfaces of one's own. Each surface is seen
under every mask that the models are trained under, or (`--unseen`) under others; `--quick` takes a few
surfaces under masks in turn and trains for 100 steps: about three minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from export.bench.data import DATA
from export.simulation.markets import FAMILIES, MASKS, TABLED, UNSEEN_MASKS

from .answers import RIVALS, TOLD, Method, methods, product
from .history_splits import later_surfaces, other_surfaces
from .quoted import BoolArray, Quoted
from .quoted_surfaces import own_surfaces, real_surfaces, simulated_surfaces
from .scoring import Case, masked, score_case
from .tables import LEGEND, render

SETS = ("real", "history", "splits", "simulated")
_QUICK_REAL, _QUICK_MASKS = 12, 3  # every so many-th strike of large chains; masks a surface
_NOTHING = "no surfaces: the data of the sets asked for is absent, or --only leaves none of them"


def surfaces(options: argparse.Namespace) -> Iterator[tuple[Path | None, Quoted]]:
    """The surfaces asked for, each with the bundle that answers it, None for that of --model."""
    for bundle, surface in _all_surfaces(options):
        if options.only is None or options.only in surface.set:
            yield bundle, surface


def _all_surfaces(options: argparse.Namespace) -> Iterator[tuple[Path | None, Quoted]]:
    if options.surfaces:
        yield from ((None, s) for file in options.surfaces for s in own_surfaces(file))
        return
    names = SETS if options.set == "all" else (options.set,)
    if "real" in names:
        yield from ((None, s) for s in real_surfaces(every=_QUICK_REAL if options.quick else 1))
    if (DATA / "fx_history.csv.gz").is_file():
        yield from _of_history(options, names)
    if "simulated" in names:
        yield from _simulated(options)


def _of_history(options: argparse.Namespace, names: Sequence[str]) -> Iterator[tuple[Path | None, Quoted]]:
    days = options.days or (1 if options.quick else 5)
    if "history" in names:
        yield from ((None, s) for s in later_surfaces(days))
    if "splits" in names:
        folder = options.bundles or Path("runs", "bench-quick" if options.quick else "bench")
        yield from other_surfaces(days, folder, 100 if options.quick else 6000)


def _simulated(options: argparse.Namespace) -> Iterator[tuple[Path | None, Quoted]]:
    count = options.count or (1 if options.quick else 6)
    for family in _families(options):
        bundle = None if options.without is None else options.without / family
        yield from ((bundle, s) for s in simulated_surfaces(family, count, options.seed, options.pool))


def _families(options: argparse.Namespace) -> list[str]:
    """Those asked for; tabulated ones with --pool only."""
    asked = options.family or FAMILIES
    return [family for family in asked if options.pool is not None or family not in TABLED]


def ours(options: argparse.Namespace, bundle: Path | None) -> Method:
    """The product with a bundle, or with that of --model."""
    return product(bundle or options.model, options.draws, options.seed, market=options.bid_ask)


def run(options: argparse.Namespace) -> list[Case]:
    """Score every surface under its masks; a line each to standard error."""
    pairs = list(surfaces(options))
    bundles = {id(surface): bundle for bundle, surface in pairs}
    rotate = _QUICK_MASKS if options.quick else 0
    masks = options.mask or tuple(UNSEEN_MASKS if options.unseen else MASKS)
    drawn = masked([s for _, s in pairs], masks, options.repeats, rotate, options.seed)
    jobs = [(options, bundles[id(surface)], surface, mask, hidden) for surface, mask, hidden in drawn]
    if options.processes == 1:
        return [_score(job) for job in jobs]
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as workers:
        return list(workers.map(_score, jobs))


def _score(job: tuple[argparse.Namespace, Path | None, Quoted, str, BoolArray]) -> Case:
    options, bundle, surface, mask, hidden = job
    case = score_case(surface, mask, hidden, methods(options.rival, ours(options, bundle), others(options)))
    print(f"{surface.set}: {surface.name} under {mask}", file=sys.stderr, flush=True)
    return case


def others(options: argparse.Namespace) -> dict[str, Method]:
    """The trained completer of --completer, those of --network, and the model of --told, if any."""
    found: dict[str, Method] = {}
    if options.completer is not None:
        from .completer import load_completer

        found["completer"] = load_completer(options.completer)
    if options.told is not None:
        found[TOLD] = product(options.told)
    if options.network:
        from .trained_networks import network_methods

        found |= network_methods(tuple(options.network))
    return found


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser("voladdin bench markets", description=(__doc__ or "").split("\n\n")[0])
    found.add_argument("--set", choices=(*SETS, "all"), default="all")
    own = "files of a desk's own surfaces, in place of these sets: underlying, date, tenor_years, vol and "
    own += "log_moneyness or call_delta, a row a quote"
    found.add_argument("--surfaces", type=Path, nargs="+", metavar="CSV", help=own)
    found.add_argument("--only", help="surfaces whose set has this in its name, such as SPX")
    found.add_argument("--quick", action="store_true", help="a few surfaces, masks in turn: about 3 minutes")
    found.add_argument("--family", action="append", choices=FAMILIES, help="simulated families (default all)")
    every = (*MASKS, *UNSEEN_MASKS)
    under = found.add_mutually_exclusive_group()
    under.add_argument("--mask", action="append", choices=every, help="masks (default all that are trained)")
    under.add_argument("--unseen", action="store_true", help="all masks that nothing is trained under")
    found.add_argument("--rival", action="append", choices=tuple(RIVALS), help="rivals (default all)")
    found.add_argument("--days", type=int, help="of 2018, of each pair (default 5; quick 1)")
    found.add_argument("--bundles", type=Path, help="folder of the splits' bundles, trained where absent")
    found.add_argument("--count", type=int, help="surfaces of each family (default 6; quick 1)")
    found.add_argument("--repeats", type=int, default=2, help="draws of each mask (default 2)")
    found.add_argument("--pool", type=Path, help="folder of the families that are tabulated")
    found.add_argument("--model", help="model of ours (default: what voladdin.impute chooses)")
    found.add_argument("--without", type=Path, help="folder of bundles, one a family, trained without it")
    found.add_argument(
        "--told", type=Path, help="a bundle of their budget that saw all families, beside them"
    )
    found.add_argument("--bid-ask", action="store_true", help="ours sees bid and ask where there are any")
    found.add_argument("--completer", type=Path, help="a completer trained by export.bench.markets.completer")
    found.add_argument("--network", type=Path, action="append", help="folder of export.imputation.amortised")
    found.add_argument("--draws", type=int, default=200, help="joint draws a surface where offered")
    found.add_argument("--processes", type=int, default=1, help="cases side by side (times then mean less)")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--output", type=Path, help="write the tables to this file too")
    return found


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options; bundles that are named and are not there, or not finished, are errors."""
    reader = parser()
    options = reader.parse_args(argv)
    named = [] if options.told is None else [options.told]
    if options.without is not None and {"simulated", "all"} & {options.set}:
        named += [options.without / family for family in _families(options)]
    for folder in named:
        if not (folder / "card.json").is_file():
            reader.error(f"{folder} is no bundle: it has no card.json")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables as markdown; progress goes to standard error."""
    options = _parsed(argv)
    cases = run(options)
    if not cases:
        print(_NOTHING, file=sys.stderr)
        return 1
    text = LEGEND + "\n" + render(cases, list(methods(options.rival, ours(options, None), others(options))))
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
