"""Evaluates the VOL… formulas of an .xlsx, and what depends on them, without any spreadsheet program.

Formulas stay, their values are stored beside them (as a spreadsheet program would), and every other byte of
every part stays as it is. What a VOL formula's result covers:

- array formula {=…}: its range; missing rows and columns are #N/A, one row or column repeats;
- dynamic array: the result's own shape, as far as the cells below and to the right are blank;
- plain formula: the same, and where the result has several cells it becomes an array formula over them;
  a formula that was filled down shows its first value.

A result that would cover something else shows #VALUE! in its own cell and touches nothing.

Other formulas are evaluated where they read such a result, have no stored value or are volatile, or where the
book asks to be calculated when it is opened; the rest keep their stored values, as they do when a spreadsheet
program opens a book. What the engine does not know stays as it was, and is reported with all that reads it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .book import Book, Progress
from .outcome import Outcome

SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm")
_ATTEMPTS = 8


@dataclass(frozen=True)
class Report:
    """The VOL formulas of a run, the file written; how many others were evaluated or kept their values."""

    outcomes: tuple[Outcome, ...]
    output: Path
    recalculated: int
    others: int

    @property
    def failed(self) -> bool:
        """Whether any formula did not get its value."""
        return any(outcome.status != "ok" for outcome in self.outcomes)


def run(
    book: str | os.PathLike[str], output: str | os.PathLike[str], progress: Progress | None = None
) -> Report:
    """Evaluates every VOL… formula of a workbook and writes the workbook with their values.

    book: of one of `SUFFIXES`; it is read once, so `output` may be the same file.
    output: a link's target is written; anything but a regular file is refused.
    progress: told how many formulas of how many are done.

    Raises InputError where the file is not such a workbook; a formula's own error only goes into its cell and
    into the report.
    """
    source, target = Path(book), Path(output)
    data = bytes_of(source)
    check_target(target)
    evaluated = Book(data, source.name, progress)
    outcomes = evaluated.run()
    write(target, evaluated.bytes())
    return Report(tuple(outcomes), target, evaluated.recalculated, evaluated.others)


def bytes_of(book: Path) -> bytes:
    """A workbook's bytes. Raises InputError where its name is no workbook's, or it cannot be read."""
    if book.suffix.lower() not in SUFFIXES:
        raise InputError(f"book is {book.name!r}; expected one of {', '.join(SUFFIXES)}")
    try:
        return book.read_bytes()
    except OSError as error:
        raise InputError(f"book {book} cannot be read: {error.strerror}") from None


def check_target(target: Path) -> None:
    """Raises InputError before the work where the output cannot be written."""
    try:
        status = target.stat()
    except FileNotFoundError:
        if not target.resolve().parent.is_dir():
            raise InputError(f"output {target} cannot be written: its folder is not there") from None
    except OSError as error:
        raise InputError(f"output {target} cannot be written: {error.strerror}") from None
    else:
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"output {target} cannot be written: it is no regular file")


def write(target: Path, data: bytes) -> None:
    """All or nothing, and through a link; where the system can, a killed process leaves nothing beside it."""
    path = target.resolve()
    beside = path.with_name(f".{path.name[:200]}.voladdin")
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        for attempt in reversed(range(_ATTEMPTS)):
            try:
                _write_beside(beside, data, mode)
                os.replace(beside, path)
                return
            except (FileExistsError, FileNotFoundError):  # another run to the same output took the name
                if not attempt:
                    raise
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise InputError(f"output {target} cannot be written: {error.strerror}") from None


def _write_beside(name: Path, data: bytes, mode: int) -> None:
    """The file, which gets its name only once it is complete."""
    name.unlink(missing_ok=True)
    try:
        handle = os.open(name.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except (AttributeError, OSError):  # other systems, and file systems without nameless files
        handle, nameless = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), ""
    else:
        nameless = f"/proc/self/fd/{handle}"
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.chmod(nameless or name, mode)
        if nameless:
            os.link(
                nameless, name, src_dir_fd=handle
            )  # a folder's number has it follow the link, and is not used
