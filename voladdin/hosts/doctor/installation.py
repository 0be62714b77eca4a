"""The interpreter, the packages, voladdin's own files and models."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import struct
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from packaging.requirements import Requirement

from voladdin import bundles
from voladdin.errors import BundleError
from voladdin.home import VERSION, code, folder
from voladdin.hosts.libreoffice.programs import in_environment

from .findings import FAULT, NOTE, OK, Finding

_PACKAGE = "voladdin"
_AGAIN = f'"{sys.executable}" -m pip install --force-reinstall --no-deps'
_LEADING = ("PYTHONHOME", "PYTHONPATH")


def reinstall() -> str:
    """The command that installs voladdin again from where it came."""
    try:
        told = metadata.distribution(_PACKAGE).read_text("direct_url.json")
        source = json.loads(told or "{}").get("url", "")
    except (metadata.PackageNotFoundError, ValueError):
        source = ""
    where = f'"{url2pathname(urlparse(source).path)}"' if source.startswith("file:") else source
    return f"{_AGAIN} {where}" if where else f"{_AGAIN} {_PACKAGE} (or install.cmd again)"


def interpreter() -> Iterator[Finding]:
    """Which Python this is, and the packages it has."""
    bits = 8 * struct.calcsize("P")
    said = f"{platform.python_version()}, {bits} bits, {sys.executable}"
    if bits == 64:
        yield Finding("Python", OK, said)
    else:
        yield Finding(
            "Python", FAULT, f"{said}; expected 64 bits", "install a Python of 64 bits, and voladdin"
        )
    for requirement, has in unmet(metadata.requires(_PACKAGE) or []):
        mend = f'"{sys.executable}" -m pip install "{requirement}"'
        yield Finding("package", FAULT, f"{requirement.name} {has}; expected {requirement}", mend)


def unmet(texts: list[str]) -> Iterator[tuple[Requirement, str]]:
    """Requirements of this system, extras apart, that are not met, and what there is instead."""
    for requirement in map(Requirement, texts):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            has = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield requirement, "is not installed"
            continue
        if not requirement.specifier.contains(has, prereleases=True):
            yield requirement, f"is {has}"


def environment() -> Iterator[Finding]:
    """Variables that lead a Python elsewhere, ours or that of a LibreOffice started from this terminal."""
    for name in _LEADING:
        if os.environ.get(name):
            said = f"{name} is {os.environ[name]}; a Python that is started from here looks there first"
            yield Finding("environment", NOTE, said, f"set {name}=" if os.name == "nt" else f"unset {name}")
    first = next(filter(in_environment, os.environ.get("PATH", "").split(os.pathsep)), None)
    if first is None or sys.platform != "linux":
        yield Finding(
            "environment", OK, "no Python environment on PATH that LibreOffice would take for its own"
        )
        return
    said = f"{first} is on PATH: LibreOffice started from this terminal finds no module, and shows #NAME?"
    yield Finding("environment", NOTE, said, "deactivate, then start LibreOffice (or from the desktop)")


def own_files() -> Iterator[Finding]:
    """Version, and the files against the hashes that pip wrote down as it installed them."""
    found = metadata.distribution(_PACKAGE)
    said = f"{VERSION}, code {code()}"
    if found.version != VERSION:
        yield Finding(_PACKAGE, FAULT, f"{said}, but pip knows {found.version}", reinstall())
    changed = list(altered(found))
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        yield Finding(_PACKAGE, FAULT, f"not as installed: {', '.join(changed[:3])}{more}", reinstall())
    elif found.version == VERSION:
        yield Finding(_PACKAGE, OK, said)


def altered(found: metadata.Distribution) -> Iterator[str]:
    """Files of a package that are absent, or other than their hashes in RECORD."""
    for path in found.files or []:
        if path.hash is None or path.suffix == ".pyc":
            continue
        place = Path(str(path.locate()))
        digest = hashlib.new(path.hash.mode, place.read_bytes()).digest() if place.is_file() else b""
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != path.hash.value:
            yield str(path)


def models() -> Iterator[Finding]:
    """Every bundle, verified against the hashes in its card."""
    for name in bundles.names():
        own = folder() / "models" / name
        mend = f"voladdin train HISTORY --name {name}, or delete {own}" if own.exists() else reinstall()
        try:
            found = bundles.load(name)
        except BundleError as error:
            yield Finding("model", FAULT, str(error), mend)
        else:
            yield Finding("model", OK, f"{name} {found.digest[:12]} (for {found.KIND})")
