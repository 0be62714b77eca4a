"""`voladdin doctor`: the checks in order, and their findings on the terminal or as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from . import in_excel, in_libreoffice, installation, local_server, transports
from .findings import FAULT, OK, Finding, Look, lines, looked_at, summary

_REINSTALL = installation.reinstall()
_SERVE = "voladdin serve (it says what is wrong)"
_OURS = (
    Look("Python", installation.interpreter, _REINSTALL),
    Look("environment", installation.environment, "deactivate"),
    Look("voladdin", installation.own_files, _REINSTALL),
    Look("model", installation.models, _REINSTALL),
    Look("home", local_server.home_folder, _SERVE),
    Look("port", local_server.loopback, _SERVE),
    Look("server", local_server.server, _SERVE),
    Look("in Python", transports.in_process, _REINSTALL),
    Look("over HTTP", transports.over_http, _SERVE),
)
HOSTS = {
    "libreoffice": (
        Look("LibreOffice", in_libreoffice.program_found, in_libreoffice.INSTALL),
        Look("extension", in_libreoffice.extension, in_libreoffice.INSTALL),
    ),
    "excel": (
        Look("Excel add-in", in_excel.add_in, in_excel.INSTALL),
        Look("Excel's trust", in_excel.trust, in_excel.INSTALL),
    ),
}
_SLOW = (Look("in LibreOffice", in_libreoffice.formula, in_libreoffice.INSTALL),)


def findings(hosts: Sequence[str] = tuple(HOSTS), *, quick: bool = False) -> Iterator[Finding]:
    """What there is to say of voladdin itself and of these hosts.

    quick: LibreOffice is not started.
    """
    yield from looked_at(_OURS)
    for host in hosts:
        yield from looked_at(HOSTS[host])
    if "libreoffice" in hosts and not quick:
        yield from looked_at(_SLOW)


def summarise(host: str) -> int:
    """What an installation in a host ends with: what is not well, and a summary; 1 where there is a fault."""
    found = list(findings([host]))
    print("\n".join([*lines(f for f in found if f.state != OK), summary(found)]))
    return int(any(f.state == FAULT for f in found))


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the findings as they are made; the exit status is 1 where one is a fault."""
    options = _parser().parse_args(argv)
    found = []
    for finding in findings(options.host or tuple(HOSTS), quick=options.quick):
        found.append(finding)
        if not options.json:
            print("\n".join(lines([finding])), flush=True)
    print(json.dumps([astuple(one) for one in found]) if options.json else summary(found))
    return int(any(one.state == FAULT for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voladdin doctor",
        description="Looks at this installation and tries it.",
        epilog="Each fault is followed by what mends it. The exit status is 1 where there is a fault.",
    )
    parser.add_argument("host", nargs="*", choices=[*HOSTS, []], help="of these hosts only")
    parser.add_argument("--quick", action="store_true", help="without starting LibreOffice")
    parser.add_argument("--json", action="store_true", help="[part, state, words, what mends it] each")
    return parser
