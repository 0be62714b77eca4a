"""Compound files, the container of a VBA project; [MS-CFB] version 3, written in one go.

No Python package in wide use writes them: olefile reads them, and replaces streams only by others of the same
length. Nothing here depends on the time, so the same streams give the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from voladdin.errors import InputError

Storage: TypeAlias = Mapping[str, "bytes | Storage"]

SECTOR, MINI_SECTOR, MINI_CUTOFF = 512, 64, 4096  # bytes; shorter streams live in the mini stream
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD  # sector numbers with a meaning (2.1)
_STORAGE, _STREAM, _ROOT = 1, 2, 5  # types of a directory entry (2.6.1)
_RED, _BLACK = 0, 1
_HEADER_FATS = 109  # FAT sectors that the header names; 6.8 MiB of streams


@dataclass
class _DirectoryEntry:
    """One entry of the directory (2.6.1)."""

    name: str
    kind: int
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    left: int = _FREE
    right: int = _FREE
    child: int = _FREE
    colour: int = _BLACK
    start: int = 0
    size: int = 0

    def packed(self) -> bytes:
        name = (self.name + "\0").encode("utf-16-le") if self.kind else b""
        links = struct.pack("<3I", self.left, self.right, self.child)
        head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name), self.kind, self.colour) + links
        return head + bytes(36) + struct.pack("<IQ", self.start, self.size)  # no class, state bits or times


class _Chains:
    """Streams cut into sectors of one size, and the table of each sector's successor."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.data = bytearray()
        self.next: list[int] = []

    def put(self, data: bytes) -> int:
        """Adds a stream; returns its first sector."""
        if not data:
            return _END
        start, count = len(self.next), -(-len(data) // self.size)
        self.data += data.ljust(count * self.size, b"\0")
        self.next += [*range(start + 1, start + count), _END]
        return start


def compound_file(root: Storage) -> bytes:
    """The file with these storages (mappings) and streams (bytes).

    Raises InputError for a name that [MS-CFB] does not allow, or more than the header's FAT can hold.
    """
    entries = [_DirectoryEntry("Root Entry", _ROOT)]
    _collect(entries, 0, root)
    for entry in entries:
        entry.child = _tree(entries, sorted(entry.children, key=lambda i: _order(entries[i].name)))
    sectors, mini = _Chains(SECTOR), _Chains(MINI_SECTOR)
    for entry in entries:
        if entry.kind == _STREAM:
            entry.size = len(entry.data)
            entry.start = (mini if entry.size < MINI_CUTOFF else sectors).put(entry.data)
    entries[0].start, entries[0].size = sectors.put(bytes(mini.data)), len(mini.data)
    mini_fat = _table(mini.next)
    mini_start = sectors.put(mini_fat)
    directory_start = sectors.put(_directory(entries))
    fat = _allocation(sectors)
    header = _header(fat, directory_start, mini_start, len(mini_fat) // SECTOR)
    return header + bytes(sectors.data)


def _directory(entries: list[_DirectoryEntry]) -> bytes:
    """Whole sectors of entries."""
    unused = _DirectoryEntry("", 0).packed()
    return b"".join(entry.packed() for entry in entries) + unused * (-len(entries) % (SECTOR // len(unused)))


def _collect(entries: list[_DirectoryEntry], parent: int, storage: Storage) -> None:
    for name, content in storage.items():
        if not 0 < len(name.encode("utf-16-le")) <= 62 or set("/\\:!") & set(name):
            raise InputError(f"stream name is {name!r}; expected 1 to 31 characters without / \\ : !")
        entries[parent].children.append(len(entries))
        if isinstance(content, bytes):
            entries.append(_DirectoryEntry(name, _STREAM, content))
        else:
            entries.append(_DirectoryEntry(name, _STORAGE))
            _collect(entries, len(entries) - 1, content)


def _order(name: str) -> tuple[int, str]:
    """Siblings are ordered by length, then by upper case (2.6.4)."""
    return len(name.encode("utf-16-le")), name.upper()


def _tree(entries: list[_DirectoryEntry], ordered: Sequence[int]) -> int:
    """Links sorted siblings as a balanced red-black tree; returns its root.

    All leaves lie on the last two levels: an incomplete last level is red, everything else black.
    """
    full = (len(ordered) + 1).bit_length() - 1  # levels that are complete

    def link(part: Sequence[int], level: int) -> int:
        if not part:
            return _FREE
        middle = len(part) // 2
        entry = entries[part[middle]]
        entry.colour = _BLACK if level < full else _RED
        entry.left, entry.right = link(part[:middle], level + 1), link(part[middle + 1 :], level + 1)
        return part[middle]

    return link(ordered, 0)


def _table(numbers: Sequence[int]) -> bytes:
    """Sector numbers, filled up to whole sectors."""
    padded = [*numbers, *[_FREE] * (-len(numbers) % (SECTOR // 4))]
    return struct.pack(f"<{len(padded)}I", *padded)


def _allocation(sectors: _Chains) -> list[int]:
    """Appends the FAT, which lists its own sectors too; returns their numbers."""
    first, count = len(sectors.next), 1
    while first + count > count * (SECTOR // 4):
        count += 1
    if count > _HEADER_FATS:
        raise InputError(f"streams need {count} FAT sectors; expected at most {_HEADER_FATS}")
    sectors.next += [_FAT] * count
    sectors.data += _table(sectors.next)
    return list(range(first, first + count))


def _header(fat: Sequence[int], directory: int, mini_fat: int, mini_fat_sectors: int) -> bytes:
    """The first 512 bytes (2.2)."""
    signature = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    versions = struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)  # minor, major, byte order, shifts
    places = (0, len(fat), directory, 0, MINI_CUTOFF, mini_fat, mini_fat_sectors, _END, 0)
    listed = [*fat, *[_FREE] * (_HEADER_FATS - len(fat))]
    return signature + versions + struct.pack(f"<{9 + _HEADER_FATS}I", *places, *listed)
