"""Puts the add-in where Excel opens it, and takes it away again.

The place is Excel's own start folder, %APPDATA%\\Microsoft\\Excel\\XLSTART: it is trusted by default, what
lies there is open in every session, and it never moves, since books link to an add-in by its path. The
registry's list of ticked add-ins is left alone: Excel writes it back from memory as it closes.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from voladdin.commands.manual import FOLDER
from voladdin.errors import UnavailableError
from voladdin.home import folder
from voladdin.worksheet.help_pages import pages

from . import task, waiting, xlam
from .names import ADDIN, PROJECT

CONFIG = f"{PROJECT}.conf"
_EARLIER = (
    "voladdin_udfs.bas",
    "voladdin_xlwings.bas",
    "README.md",
)  # what older versions left for an import


class InUse(UnavailableError):
    """Excel has the add-in open."""


def install(start: str = "call", transport: str = "auto") -> str:
    """Writes the add-in, its configuration for this interpreter, and Windows' task for the server; says so.

    start: the local server starts at the first "call", or at the user's "logon".
    transport: by which Excel asks Python: "http" to that server, "com" to a Python of Excel's own, or "auto",
        the first of them that can be had.

    The user's xlwings.conf and other add-ins are not touched. Over an older version it replaces it; where
    Excel has that open, the new one waits until Excel is closed. Where it raises, everything is as it was.

    Raises UnavailableError without Windows, pywin32 or xlwings' library beside this interpreter, or where a
    file cannot be written.
    """
    addin, profile = start_folder() / ADDIN, profile_folder()
    if transport != "http":
        _require_xlwings()
    removed = dict.fromkeys((profile / name for name in _EARLIER), None)
    help_ = {_help_folder() / name: text.encode() for name, text in pages().items()}
    done = _done_or_put_off(
        {addin: xlam.xlam(), profile / CONFIG: _configuration(transport), **help_, **removed}
    )
    refused = "" if transport == "com" else task.register(_windowless(), at_logon=start == "logon")
    said = f"; Windows' task scheduler will not start its server: {refused}" if refused else ""
    return f"excel: {done}{said}"


def _done_or_put_off(files: Mapping[Path, bytes | None]) -> str:
    """Changes the files, or keeps them until Excel is closed; in words."""
    addin = next(iter(files))
    try:
        _change(files)
    except InUse:
        waiting.put_off(files)
        return (
            f"Excel has {addin} open and goes on with it; once Excel is closed, the local server puts the "
            "new version in its place, and Excel's next start has it"
        )
    waiting.forget()
    return f"installed as {addin}; restart Excel to see its tab {PROJECT}"


def finish() -> bool:
    """Installs what waited for Excel to be closed; whether nothing waits any more."""
    try:
        _change(waiting.files())
    except UnavailableError:
        return False
    waiting.forget()
    return True


def uninstall() -> str:
    """Removes what `install` wrote, by this version or an earlier one; says so.

    Raises UnavailableError without Windows, or where Excel has the add-in open; then everything is as it was.
    """
    start, profile = start_folder(), profile_folder()
    ours = [start / ADDIN, *(profile / name for name in (CONFIG, *_EARLIER))]
    found = any(path.exists() for path in ours)
    _change(dict.fromkeys([*ours, *(_help_folder() / name for name in pages())], None))
    task.remove()
    waiting.forget()
    for own in (_help_folder(), profile):
        with suppress(OSError):  # other files of the user's may lie there
            own.rmdir()
    return "excel: uninstalled" if found else "excel: was not installed"


def start_folder() -> Path:
    if "APPDATA" not in os.environ:
        raise UnavailableError(
            "Excel's start folder is unknown without APPDATA; expected Windows "
            "(voladdin build excel writes the add-in on any system)"
        )
    return Path(os.environ["APPDATA"], "Microsoft", "Excel", "XLSTART")


def profile_folder() -> Path:
    """Where the VBA of a project named voladdin looks for its configuration, whatever VOLADDIN_HOME says."""
    return Path(os.environ.get("USERPROFILE") or Path.home(), f".{PROJECT}")


def _help_folder() -> Path:
    """Where VBA and the command Help look for the functions' pages."""
    return folder() / FOLDER


def _require_xlwings() -> None:
    """What the add-in needs of this interpreter; better said here than by a message box in Excel."""
    import xlwings

    if importlib.util.find_spec("pythoncom") is None:
        raise UnavailableError(f"pywin32 is not installed for {sys.executable}; expected pip install pywin32")
    library = f"xlwings64-{xlwings.__version__}.dll"
    folders = [Path(sys.executable).parent, Path(sys.executable).parents[1]]
    if not any(place.joinpath(library).exists() for place in folders):
        raise UnavailableError(
            f"{library} is in neither {folders[0]} nor {folders[1]}; "
            "expected xlwings installed by pip into an environment of its own"
        )


def _windowless() -> Path:
    """This interpreter, without a window where it has such a one."""
    executable = Path(sys.executable)
    windowless = executable.with_name("pythonw.exe")
    return windowless if windowless.exists() else executable


def _configuration(transport: str) -> bytes:
    """The add-in's own configuration, as VBA reads it: quoted, in the system's code page."""
    entries = {
        "TRANSPORT": transport,
        "TASK": task.name(),
        "HOME": folder(),
        "INTERPRETER_WIN": _windowless(),
        "PYTHONPATH": Path(__file__).resolve().parents[3],
    }
    text = "".join(f'"{key}","{value}"\r\n' for key, value in entries.items())
    try:
        return text.encode(_code_page())
    except UnicodeEncodeError as error:
        raise UnavailableError(
            f"the path of this interpreter or of voladdin has {error.object[error.start]!r}; "
            "expected characters of the system's code page, in which VBA reads its configuration"
        ) from None


def _code_page() -> str:
    """What VBA reads files in; elsewhere than on Windows nothing does."""
    return "mbcs" if sys.platform == "win32" else "utf-8"


def _change(files: Mapping[Path, bytes | None]) -> None:
    """Writes files, or removes them (None): all or none. Raises UnavailableError where one refuses.

    Excel opens whatever lies in its start folder, so what is new waits beside that folder, not in it.
    """
    before: dict[Path, bytes | None] = {}
    try:
        for path, data in files.items():
            kept = path.read_bytes() if path.exists() else None
            if kept != data:
                _put(path, data)
                before[path] = kept
    except OSError as error:
        lost = [str(changed) for changed, kept in reversed(before.items()) if not _restored(changed, kept)]
        open_ = isinstance(error, PermissionError) and path.name == ADDIN and path.exists() and not lost
        raise (InUse if open_ else UnavailableError)(
            f"{path} cannot be changed: {error.strerror}; expected Excel closed and a writable folder; "
            + (f"could not be put back: {', '.join(lost)}" if lost else "nothing was changed")
        ) from None


def _restored(path: Path, data: bytes | None) -> bool:
    try:
        _put(path, data)
    except OSError:
        return False
    return True


def _put(path: Path, data: bytes | None) -> None:
    """One file, whole or not at all."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.parent.with_name(f"{path.name}.new")
    try:
        fresh.write_bytes(data)
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
