"""Evaluates the VOL… formulas of an .xlsx without any spreadsheet program.

Formulas stay, their values are stored beside them (as a spreadsheet program would), and every other byte of
every part stays as it is. What a formula's result covers:

- array formula {=…}: its range; missing rows and columns are #N/A, one row or column repeats;
- dynamic array: the result's own shape, as far as the cells below and to the right are blank;
- plain formula: the same, and where the result has several cells it becomes an array formula over them;
  a formula that was filled down shows its first value.

A result that would cover something else shows #VALUE! in its own cell and touches nothing.
Plain formulas are read by their stored values, and not recalculated.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .book import Book, Outcome

SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm")


@dataclass(frozen=True)
class Report:
    """All formulas of a run, the file written, and how many plain formulas keep their stored values."""

    outcomes: tuple[Outcome, ...]
    output: Path
    others: int

    @property
    def failed(self) -> bool:
        """Whether any formula did not get its value."""
        return any(outcome.status != "ok" for outcome in self.outcomes)


def run(book: str | os.PathLike[str], output: str | os.PathLike[str]) -> Report:
    """Evaluates every VOL… formula of a workbook and writes the workbook with their values.

    book: .xlsx or .xlsm; it is read once, so `output` may be the same file.

    Raises InputError where the file is not such a workbook; a formula's own error only goes into its cell and
    into the report.
    """
    source, target = Path(book), Path(output)
    if source.suffix.lower() not in SUFFIXES:
        raise InputError(f"book is {source.name!r}; expected one of {', '.join(SUFFIXES)}")
    try:
        data = source.read_bytes()
    except OSError as error:
        raise InputError(f"book {source} cannot be read: {error.strerror}") from None
    evaluated = Book(data, source.name)
    outcomes = evaluated.run()
    _write(target, _with_parts(data, evaluated.parts()))
    return Report(tuple(outcomes), target, evaluated.others)


def _with_parts(data: bytes, parts: dict[str, bytes]) -> bytes:
    """The zip with some parts replaced, all others byte for byte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            new.writestr(item, parts.get(item.filename) or old.read(item), item.compress_type)
    return buffer.getvalue()


def _write(target: Path, data: bytes) -> None:
    """All or nothing."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".voladdin-")
    except OSError as error:
        raise InputError(f"output {target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o644)
        os.replace(name, target)
    except OSError as error:
        os.unlink(name)
        raise InputError(f"output {target} cannot be written: {error.strerror}") from None
