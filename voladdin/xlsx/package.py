"""The zip of an .xlsx: its parts, how they refer to each other, and the same zip with some parts replaced."""

from __future__ import annotations

import copy
import io
import posixpath
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from ..errors import InputError

MAX_PART = 1 << 30  # bytes of one part that is read; the largest worksheets are half of that


class Package:
    """The parts of a workbook file.

    Raises InputError where a part is absent or over `MAX_PART` bytes; what else may be wrong is an exception
    that `readable` turns into one.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self.xml("[Content_Types].xml")
        targets = self.targets("")
        books = [target for kind, target in targets.values() if kind == "officeDocument"]
        if not books:
            raise InputError("its relationships name no workbook")
        self.workbook = books[0]

    def read(self, part: str) -> bytes:
        try:
            if self._archive.getinfo(part).file_size > MAX_PART:
                raise InputError(f"its part {part} has more than {MAX_PART} bytes")
            return self._archive.read(part)
        except KeyError:
            raise InputError(f"it has no part {part}") from None

    def xml(self, part: str) -> Element:
        from defusedxml.ElementTree import fromstring

        root: Element = fromstring(self.read(part), forbid_dtd=True)
        return root

    def targets(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part ("" is the whole package) refers to: (kind, part) by id."""
        folder, file = posixpath.split(part)
        links = posixpath.join(folder, "_rels", f"{file}.rels")
        if part and links not in self._archive.namelist():
            return {}
        return {
            link.get("Id", ""): (
                link.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/" + folder, link.get("Target", ""))).lstrip("/"),
            )
            for link in self.xml(links)
            if link.get("TargetMode") != "External"
        }

    @property
    def parts(self) -> list[str]:
        """Their names."""
        return self._archive.namelist()

    def replaced(self, parts: dict[str, bytes], added: dict[str, bytes] | None = None) -> bytes:
        """The zip with some parts replaced and others added; the rest byte for byte, compressed as it was."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as new:
            for item in self._archive.infolist():
                if item.filename in parts:
                    new.writestr(copy.copy(item), parts[item.filename], item.compress_type)
                else:
                    self._copy(item, new, buffer)
            for name, data in (added or {}).items():
                new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def _copy(self, item: zipfile.ZipInfo, new: zipfile.ZipFile, buffer: io.BytesIO) -> None:
        """One entry, without inflating it."""
        start = item.header_offset
        header = self._data[start : start + 30]
        if header[:4] != b"PK\x03\x04":
            raise InputError(f"its part {item.filename} is damaged")
        begin = start + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        entry = copy.copy(item)
        entry.flag_bits &= ~0x08  # the sizes stand before the data, not after
        entry.header_offset = buffer.tell()
        buffer.write(entry.FileHeader())
        buffer.write(self._data[begin : begin + item.compress_size])
        new.filelist.append(entry)
        new.NameToInfo[entry.filename] = entry
        new.start_dir = buffer.tell()


def local_name(element: Element) -> str:
    """The tag without its namespace, which differs between the transitional and the strict format."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *path: str) -> list[Element]:
    """Elements below by the local names of a path."""
    found = [element]
    for name in path:
        found = [child for parent in found for child in parent if local_name(child) == name]
    return found


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Whatever is wrong inside a workbook file becomes one InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of zipfile, about names that stand twice
            yield
    except Exception as error:
        what = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(f"book {name!r} cannot be read as a workbook: {what}") from None
