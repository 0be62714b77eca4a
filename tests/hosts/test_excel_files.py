"""Compound files and VBA projects, read back by olefile and oletools and by the rules of their formats."""

from __future__ import annotations

import random
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import olefile
import pytest
import xlwings
from hypothesis import given
from hypothesis import strategies as st

from tests.stubs.vba import decompress_stream
from voladdin.errors import InputError
from voladdin.hosts.excel.compound import MINI_CUTOFF, SECTOR, compound_file
from voladdin.hosts.excel.vba_project import CHUNK, Module, compress, encrypt, vba_project

NO_SIBLING = 0xFFFFFFFF
names = st.text("abcdefgABC_019", min_size=1, max_size=31)
vba = st.text("Dim x =\r\n\t()\"'", max_size=3 * CHUNK).map(str.encode)


@given(vba | st.binary(max_size=600))
def test_what_is_compressed_comes_back(data: bytes) -> None:
    assert decompress_stream(bytearray(compress(data))) == data


@pytest.mark.parametrize("length", [0, 1, 3, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 40_000])
@pytest.mark.parametrize("letters", ["a", "ab", "Dim x As Long\r\n"])
def test_lengths_around_a_chunk(length: int, letters: str) -> None:
    data = "".join(random.Random(length).choices(letters, k=length)).encode()
    packed = compress(data)
    assert decompress_stream(bytearray(packed)) == data
    assert length < 100 or len(packed) < 0.9 * length


def test_the_longest_repetition_of_a_chunk() -> None:
    data = b"x" * CHUNK
    assert len(compress(data)) == 7  # container, header, flags, one letter, one copy of 4095
    assert decompress_stream(bytearray(compress(data))) == data


def test_a_full_chunk_of_noise_is_stored_and_a_part_of_one_refused() -> None:
    noise = random.Random(1).randbytes(CHUNK)
    packed = compress(noise)
    assert packed[3:] == noise and decompress_stream(bytearray(packed)) == noise
    with pytest.raises(InputError, match="last 4000 bytes do not compress"):
        compress(noise[:4000])


@given(st.dictionaries(names, st.binary(max_size=5000), max_size=12), st.data())
def test_streams_come_back(streams: dict[str, bytes], data: Any) -> None:
    streams = {name: content for name, content in streams.items() if _alone(name, streams)}
    inner = data.draw(st.sampled_from([{}, {"Inner": streams}]))
    file = compound_file({**{f"x{name}"[:31]: content for name, content in streams.items()}, **inner})
    with olefile.OleFileIO(BytesIO(file)) as found:
        for name, content in streams.items():
            assert found.openstream(f"x{name}"[:31]).read() == content
        for name, content in (inner.get("Inner") or {}).items():
            assert found.openstream(["Inner", name]).read() == content
        assert not found.parsing_issues


def _alone(name: str, streams: dict[str, bytes]) -> bool:
    """Names are the same to the format where they differ by case only; x… cuts one letter off the longest."""
    same = [other for other in streams if other.upper()[:30] == name.upper()[:30]]
    return same == [name]


@pytest.mark.parametrize(
    "size", [0, 1, 64, SECTOR, MINI_CUTOFF - 1, MINI_CUTOFF, MINI_CUTOFF + 1, 70_000, 6_500_000]
)
def test_sizes_around_what_the_format_treats_differently(size: int) -> None:
    content = random.Random(size).randbytes(size)
    with olefile.OleFileIO(BytesIO(compound_file({"a": content, "b": b"short"}))) as found:
        assert found.openstream("a").read() == content and found.openstream("b").read() == b"short"
        assert not found.parsing_issues


def test_more_than_the_header_can_name_is_refused() -> None:
    with pytest.raises(InputError, match="expected at most 109"):
        compound_file({"a": bytes(7_200_000)})


@pytest.mark.parametrize("name", ["", "x" * 32, "a/b", "a\\b", "a:b", "a!b"])
def test_names_outside_the_format_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="stream name"):
        compound_file({name: b""})


@pytest.mark.parametrize("count", range(34))
def test_the_directory_is_a_red_black_tree_in_order(count: int) -> None:
    streams = {f"{'n' * (i % 7)}{i}": b"" for i in range(count)}
    entries = _directory(compound_file(streams))
    seen: list[str] = []

    def black_height(number: int, parent_is_red: bool) -> int:
        if number == NO_SIBLING:
            return 0
        name, colour, left, right, _ = entries[number]
        red = colour == 0
        assert not (red and parent_is_red)
        heights = [black_height(left, red)]
        seen.append(name)
        heights.append(black_height(right, red))
        assert heights[0] == heights[1]
        return heights[0] + (not red)

    root = entries[0][4]
    assert root == NO_SIBLING or entries[root][1] == 1
    black_height(root, False)
    assert seen == sorted(streams, key=lambda name: (len(name), name.upper()))


def _directory(file: bytes) -> list[tuple[str, int, int, int, int]]:
    """Name, colour, left, right and child of every entry; the sectors of one directory lie in sequence."""
    first = struct.unpack_from("<I", file, 48)[0]
    found = []
    for start in range((first + 1) * SECTOR, len(file), 128):
        length, kind, colour, left, right, child = struct.unpack_from("<HBBIII", file, start + 64)
        if not kind:
            break
        found.append((file[start : start + length - 2].decode("utf-16-le"), colour, left, right, child))
    return found


def _decrypted(text: str) -> tuple[int, bytes]:
    """Project key and data of an obfuscated state, by [MS-OVBA] 2.4.3.3."""
    data = bytes.fromhex(text)
    seed, version, key = data[0], data[0] ^ data[1], data[0] ^ data[2]
    assert version == 2
    plain, before, last, previous = bytearray(), data[1], data[2], key
    for byte in data[3:]:
        plain.append(byte ^ (before + previous & 0xFF))
        before, last, previous = last, byte, plain[-1]
    rest = plain[(seed & 6) // 2 :]
    assert struct.unpack_from("<I", rest)[0] == len(rest) - 4
    return key, bytes(rest[4:])


def _project(file: bytes) -> dict[str, str]:
    with olefile.OleFileIO(BytesIO(file)) as found:
        lines = found.openstream("PROJECT").read().decode("cp1252").splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def test_states_of_the_project_as_excel_writes_them() -> None:
    theirs = Path(xlwings.__file__).with_name("quickstart_addin_ribbon.xlam")  # saved by Excel
    for file in (
        zipfile.ZipFile(theirs).read("xl/vbaProject.bin"),
        vba_project("voladdin", [Module("M", 'Attribute VB_Name = "M"\n')]),
    ):
        project = _project(file)
        key = sum(project["ID"].encode()) & 0xFF
        assert _decrypted(project["CMG"]) == (key, bytes(4))  # not protected
        assert _decrypted(project["DPB"]) == (key, b"\0")  # no password
        assert _decrypted(project["GC"]) == (key, b"\xff")  # visible


def _records(file: bytes) -> list[int]:
    """The ids of the dir stream's records, without references."""
    with olefile.OleFileIO(BytesIO(file)) as found:
        data = decompress_stream(bytearray(found.openstream("VBA/dir").read()))
    ids, place = [], 0
    while place < len(data):
        number, length = struct.unpack_from("<HI", data, place)
        ids.append(number)
        place += 12 if number == 0x09 else 6 + length  # the version's record is longer than it says
    assert place == len(data)
    return [number for number in ids if number not in (0x16, 0x3E, 0x0D, 0x2F, 0x30, 0x33)]


def test_the_directory_has_the_records_that_excel_writes() -> None:
    theirs = zipfile.ZipFile(Path(xlwings.__file__).with_name("quickstart_addin_ribbon.xlam"))
    modules = [
        Module("ThisWorkbook", "", "document"),
        Module("A", ""),
        Module("B", ""),
        Module("Sheet1", "", "document"),
        Module("C", ""),
    ]
    found, expected = _records(vba_project("p", modules)), _records(theirs.read("xl/vbaProject.bin"))
    kinds = {0x21, 0x22}
    assert [n for n in found if n not in kinds] == [n for n in expected if n not in kinds]
    assert {n for n in found if n in kinds} == kinds


@given(st.binary(max_size=9), st.integers(0, 255))
def test_every_seed_hides_the_same_state(data: bytes, seed: int) -> None:
    project = "{318BEE36-5BE1-492A-826D-473DB19B0F30}"
    assert _decrypted(encrypt(data, project, seed).hex()) == (sum(project.encode()) & 0xFF, data)


def test_a_source_is_stored_with_windows_line_ends_in_the_code_page() -> None:
    assert Module("M", "a\nb\r\n'é").data == b"a\r\nb\r\n'\xe9\r\n"
    with pytest.raises(InputError, match="module M has '→'"):
        vba_project("p", [Module("M", "' →")])


def test_the_project_is_never_taken_for_compiled() -> None:
    with olefile.OleFileIO(BytesIO(vba_project("p", [Module("M", "")]))) as found:
        assert found.openstream("VBA/_VBA_PROJECT").read() == bytes.fromhex("CC61FFFF000000")
        assert sorted(found.listdir()) == [
            ["PROJECT"],
            ["PROJECTwm"],
            *(["VBA", n] for n in ("M", "_VBA_PROJECT", "dir")),
        ]
