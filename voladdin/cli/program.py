"""The command line: `voladdin COMMAND`; `voladdin -h` lists them."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError, UnavailableError, VoladdinError
from . import addins, backfilling, books, generated, grid_files, pictures

BENCHES = {  # name: its module
    "impute": "export.bench.imputation.impute",
    "guard": "export.bench.imputation.guard",
    "ablation": "export.bench.imputation.ablation",
    "markets": "export.bench.markets.run",
    "calc": "export.bench.calc.recalculation",
    "repair": "export.bench.repair.repair",
    "generate": "export.bench.generation.generate",
    "history": "export.bench.imputation.own_history",
    "scenarios": "export.bench.generation.history_moves",
    "options": "export.bench.options",
    "page": "export.bench.page",
    "speed": "export.bench.speed",
    "backfill": "export.bench.backfill",
    "papers": "export.bench.papers.command",
    "fuzz": "export.bench.fuzz",
    "hosts": "export.bench.hosts.transports",
}
TRAININGS = {  # what `train` does beside a bundle: its module
    "search": "export.imputation.selection.search_command",
    "folds": "export.imputation.selection.folds",
}
_SOURCE_ONLY = ("train", "bench")  # commands of a clone, each with an extra of its name
_ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, or 2 after an error, which goes to stderr as one line.

    It is 1 where `run` wrote the book and a formula did not get its value, where `check` found arbitrage,
    where `scenarios` had a row without a surface, where `backfill` left one as it was, and where what was
    installed has a fault; 130 after an interrupt. `serve`, `doctor`, `train` and `bench` have their own.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given[:1] == ["serve"]:
            return _elsewhere("server.run" if _cloned() else "voladdin.server.run", "serve", given[1:])
        if given[:1] == ["doctor"]:
            return _elsewhere("voladdin.hosts.doctor.program", "doctor", given[1:])
        if given[:1] == ["train"]:
            return _train(given[1:])
        if given[:1] == ["bench"] and len(given) > 1 and not given[1].startswith("-"):
            return _elsewhere(_bench(given[1]), "bench", given[2:])
        options = _parser().parse_args(given)
        return int(options.command(options) or 0)
    except VoladdinError as error:
        print(f"voladdin: {' '.join(str(error).split())} ({error.reference})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voladdin", description="Fills implied-volatility surfaces in workbooks and files."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in (books, grid_files, backfilling, pictures, generated, addins):
        group.add(commands)
    commands.add_parser("serve", help="run the local server", add_help=False)
    commands.add_parser(
        "doctor", help="look at this installation, try it, and say what mends it", add_help=False
    )
    commands.add_parser(
        "train",
        help="make a model bundle from history; search: sizes of a VAE; folds: cross-validate",
        add_help=False,
    )
    bench = commands.add_parser("bench", help=f"benchmark tables: voladdin bench {' | '.join(BENCHES)}")
    bench.add_argument("name", choices=BENCHES)
    return parser


def _cloned() -> bool:
    """Whether this runs from a clone, beside the folders server and export."""
    return (_ROOT / "pyproject.toml").is_file()


def _elsewhere(module: str, command: str, argv: list[str]) -> int:
    """A command with a main(argv) of its own, in a module that needs not be there."""
    if _cloned() and str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))
    elif command in _SOURCE_ONLY and not _cloned():
        raise UnavailableError(
            f"{command} is not part of an installed voladdin; expected a clone of its source, "
            f"and pip install -e '.[{command}]' in it"
        )
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        extra = f"pip install -e '.[{command}]' in the clone" if command in _SOURCE_ONLY else "voladdin whole"
        raise UnavailableError(f"{command} needs the module {error.name}; expected {extra}") from None
    return int(found.main(argv) or 0)


def _train(argv: list[str]) -> int:
    if argv and argv[0] in TRAININGS:
        return _elsewhere(TRAININGS[argv[0]], "train", argv[1:])
    generator = "--generator" in argv
    return _elsewhere("export.generation.any_axes" if generator else "export.imputation.train", "train", argv)


def _bench(name: str) -> str:
    if name not in BENCHES:
        raise InputError(f"bench is {name!r}; expected one of {', '.join(BENCHES)}")
    return BENCHES[name]
