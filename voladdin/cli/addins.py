"""`voladdin install`, `uninstall` and `build`: the hosts' add-ins; `voladdin info`."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from ..home import VERSION
from ..service.process import stop_if_running
from ..xlsx.tables import format_table

HOSTS = ("libreoffice", "excel")
BUILDS = ("excel", "installer")  # the add-in of a host as a file of its own, and all of it for Windows


def add(commands: Any) -> None:
    """The commands, for argparse's `commands`."""
    for name, help_ in (("install", "add voladdin to a host"), ("uninstall", "remove it from a host")):
        host = commands.add_parser(name, help=help_)
        host.add_argument("host", choices=HOSTS)
        host.set_defaults(command=_install, action=name, options=())
        if name == "install":
            _add_excel(host)

    build = commands.add_parser("build", help="write a host's add-in file, on any system")
    build.add_argument("host", choices=BUILDS)
    build.add_argument("-o", "--output", help="a .xlam, or its VBA alone as .bas; the installer's .zip")
    build.add_argument("--sign", metavar="CERT", help="of the .xlam: a .pfx file, or a stored certificate")
    build.add_argument("--python", default="", help="of the installer: the desk's, such as 3.12")
    build.set_defaults(command=_build)

    info = commands.add_parser("info", help="version, models, server, functions")
    info.add_argument(
        "topic", nargs="?", default="", help="what VOLINFO takes: version, models, functions, …"
    )
    info.set_defaults(command=_info)


def _add_excel(install: argparse.ArgumentParser) -> None:
    """What only Excel's installation asks."""
    install.set_defaults(options=("start", "transport"))
    starts = install.add_argument("--start", choices=("call", "logon"), default="call")
    starts.help = "excel: the local server starts at the first call (the default) or at your logon"
    transport = install.add_argument("--transport", choices=("auto", "http", "com"), default="auto")
    transport.help = "excel: how it asks Python: http to the local server, com, or the first to be had (auto)"


def _install(options: argparse.Namespace) -> int:
    host = importlib.import_module(f"voladdin.hosts.{options.host}")
    given = {name: getattr(options, name) for name in options.options if options.host == "excel"}
    print(getattr(host, options.action)(**given) or f"{options.host}: {options.action}ed")
    stop_if_running()  # the next call starts the server of what is installed now
    if options.action == "uninstall":
        return 0
    doctor = importlib.import_module("voladdin.hosts.doctor.program")
    return int(doctor.summarise(options.host))


def _build(options: argparse.Namespace) -> None:
    excel = importlib.import_module("voladdin.hosts.excel")
    if options.host == "installer":
        output = options.output or f"voladdin-{VERSION}-windows.zip"
        print(f"written: {excel.build_installer(output, options.python)}")
    else:
        path = excel.build(options.output or "voladdin.xlam")
        if options.sign:
            excel.sign(path, options.sign)
        print(f"written: {path}{', signed' * bool(options.sign)}")


def _info(options: argparse.Namespace) -> int:
    from ..worksheet.registry import evaluate

    print(format_table(evaluate("VOLINFO", [options.topic])))
    return 0
