"""vbaProject.bin from VBA source alone; [MS-OVBA].

The project holds no compiled code: `_VBA_PROJECT` has the version that makes every host compile the sources
as it opens them (2.3.4.1). Nothing depends on the time, so the same sources give the same bytes.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from voladdin.errors import InputError

from .compound import Storage, compound_file

CHUNK = 4096  # bytes of source that are compressed together
CODE_PAGE = 1252
_ENCODING = f"cp{CODE_PAGE}"
_SHORTEST_COPY = 3
_LCID = 0x409
# what the ribbon's callbacks (IRibbonControl) need; a host finds them by GUID, whatever their path
_REFERENCES = {
    "stdole": r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#"
    r"C:\Windows\System32\stdole2.tlb#OLE Automation",
    "Office": r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#"
    r"C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library",
}


@dataclass(frozen=True)
class Module:
    """A module's name and source, its `Attribute VB_…` lines included.

    kind: "document" (a workbook's or sheet's own module), or "standard".
    """

    name: str
    source: str
    kind: Literal["document", "standard"] = "standard"

    @property
    def data(self) -> bytes:
        """The source as a module stream has it: Windows line ends, the project's code page."""
        try:
            lines = self.source.splitlines()
            return "".join(f"{line}\r\n" for line in lines).encode(_ENCODING)
        except UnicodeEncodeError as error:
            found = error.object[error.start]
            raise InputError(f"module {self.name} has {found!r}; expected characters of cp1252") from None


def vba_project(name: str, modules: Sequence[Module]) -> bytes:
    """The vbaProject.bin of a project with these modules.

    Raises InputError for a character outside code page 1252, or a source that the format cannot hold.
    """
    streams = {module.name: compress(module.data) for module in modules}
    storage: Storage = {
        "VBA": {"dir": compress(_directory(name, modules)), "_VBA_PROJECT": _NOT_COMPILED, **streams},
        "PROJECT": _project(name, modules),
        "PROJECTwm": b"".join(_both(m.name) for m in modules) + b"\0\0",
    }
    return compound_file(storage)


_NOT_COMPILED = struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 0)  # 2.3.4.1


def _both(name: str) -> bytes:
    """A module's name in the code page and in UTF-16 (2.3.3.1)."""
    return name.encode(_ENCODING) + b"\0" + (name + "\0").encode("utf-16-le")


def _record(number: int, data: bytes = b"") -> bytes:
    return struct.pack("<HI", number, len(data)) + data


def _directory(name: str, modules: Sequence[Module]) -> bytes:
    """The dir stream before compression (2.3.4.2)."""
    long = struct.Struct("<I").pack
    parts = [
        _record(0x01, long(1)),  # Windows, 32 and 64 bit alike
        _record(0x02, long(_LCID)),
        _record(0x14, long(_LCID)),
        _record(0x03, struct.pack("<H", CODE_PAGE)),
        _record(0x04, name.encode(_ENCODING)),
        *(_record(number) for number in (0x05, 0x40, 0x06, 0x3D)),  # description and help file: none
        *(_record(number, long(0)) for number in (0x07, 0x08)),  # help context, library flags
        struct.pack("<HIIH", 0x09, 4, 1, 1),  # version of the project; this record's length lies
        *(_record(number) for number in (0x0C, 0x3C)),  # constants: none
    ]
    for reference, library in _REFERENCES.items():
        registered = long(len(library)) + library.encode(_ENCODING) + bytes(6)
        parts += [*_text(0x16, 0x3E, reference), _record(0x0D, registered)]
    parts += [_record(0x0F, struct.pack("<H", len(modules))), _record(0x13, b"\xff\xff")]
    parts += [part for module in modules for part in _module(module)]
    return b"".join([*parts, _record(0x10)])


def _text(number: int, unicode_number: int, text: str) -> Iterator[bytes]:
    yield _record(number, text.encode(_ENCODING))
    yield _record(unicode_number, text.encode("utf-16-le"))


def _module(module: Module) -> Iterator[bytes]:
    """A module's records (2.3.4.2.3.2): its source begins at offset 0 of its stream."""
    yield from _text(0x19, 0x47, module.name)
    yield from _text(0x1A, 0x32, module.name)
    yield from _text(0x1C, 0x48, "")
    yield from (_record(0x31, bytes(4)), _record(0x1E, bytes(4)), _record(0x2C, b"\xff\xff"))
    yield from (_record(0x21 if module.kind == "standard" else 0x22), _record(0x2B))


def _project(name: str, modules: Sequence[Module]) -> bytes:
    """The PROJECT stream (2.3.1): the modules by kind; neither protected nor hidden."""
    identity = f"{{{uuid.uuid5(uuid.NAMESPACE_URL, name)}}}".upper()
    lines = [f'ID="{identity}"']
    lines += [
        f"Document={m.name}/&H00000000" if m.kind == "document" else f"Module={m.name}" for m in modules
    ]
    lines += [f'Name="{name}"', 'HelpContextID="0"', 'VersionCompatible32="393222000"']
    states = {"CMG": bytes(4), "DPB": bytes(1), "GC": b"\xff"}  # protection, password, visibility
    lines += [f'{key}="{encrypt(state, identity).hex().upper()}"' for key, state in states.items()]
    lines += ["", "[Host Extender Info]"]
    lines += ["&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000", "", "[Workspace]"]
    lines += [f"{module.name}=0, 0, 0, 0, C" for module in modules]
    return "".join(f"{line}\r\n" for line in lines).encode(_ENCODING)


def encrypt(data: bytes, project: str, seed: int = 0) -> bytes:
    """A state of the PROJECT stream, obfuscated with the project's id (2.4.3.2); seed: 0 to 255."""
    key = sum(project.encode(_ENCODING)) & 0xFF
    encrypted = bytearray([seed, seed ^ 2, seed ^ key])  # 2: the version of the scheme
    before, last, previous = encrypted[1], encrypted[2], key
    for byte in bytes((seed & 6) // 2) + struct.pack("<I", len(data)) + data:
        encrypted.append(byte ^ (before + previous & 0xFF))
        before, last, previous = last, encrypted[-1], byte
    return bytes(encrypted)


def compress(data: bytes) -> bytes:
    """The compressed container of any bytes (2.4.1.3).

    Raises InputError where a last, incomplete chunk does not compress: the format would add zeros to it.
    """
    return b"\1" + b"".join(_chunk(data[start : start + CHUNK]) for start in range(0, len(data), CHUNK))


def _chunk(data: bytes) -> bytes:
    """Up to 4096 bytes: a header and either tokens in groups of eight, or the bytes themselves."""
    tokens = bytearray()
    group = list(_tokens(data))
    for start in range(0, len(group), 8):
        eight = group[start : start + 8]
        tokens.append(sum((len(token) > 1) << bit for bit, token in enumerate(eight)))
        tokens += b"".join(eight)
    if len(tokens) <= CHUNK:
        return struct.pack("<H", 0xB000 | len(tokens) - 1) + tokens
    if len(data) < CHUNK:
        raise InputError(f"the last {len(data)} bytes do not compress; expected VBA source")
    return struct.pack("<H", 0x3000 | CHUNK - 1) + data


def _tokens(data: bytes) -> Iterator[bytes]:
    """One byte as it is, or two bytes that copy at least three from before (2.4.1.3.19)."""
    seen: dict[bytes, list[int]] = {}
    place = indexed = 0
    while place < len(data):
        while indexed < place:
            seen.setdefault(data[indexed : indexed + _SHORTEST_COPY], []).append(indexed)
            indexed += 1
        bits = max(4, (place - 1).bit_length()) if place else 4  # of the offset; the rest is the length
        most = min((0xFFFF >> bits) + _SHORTEST_COPY, len(data) - place)
        candidates = seen.get(data[place : place + _SHORTEST_COPY], []) if most >= _SHORTEST_COPY else []
        length, start = max(((_common(data, at, place, most), at) for at in candidates), default=(1, 0))
        if length < _SHORTEST_COPY:
            yield data[place : place + 1]
        else:
            yield struct.pack("<H", place - start - 1 << 16 - bits | length - _SHORTEST_COPY)
        place += length


def _common(data: bytes, at: int, place: int, most: int) -> int:
    """How many bytes from `at` on are those from `place` on; the two may overlap."""
    length = _SHORTEST_COPY
    while length < most and data[at + length] == data[place + length]:
        length += 1
    return length
