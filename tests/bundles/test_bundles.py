"""Bundles: verified before anything of them is used."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import voladdin as va
from voladdin import bundles
from voladdin.bundles import files
from voladdin.cli import main
from voladdin.worksheet import registry


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(bundles.SHIPPED / "fx", folder)
    return folder


def _edit(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        card = json.loads((folder / "card.json").read_text())
        card[key] = value
        (folder / "card.json").write_text(json.dumps(card))

    return change


def _truncate(folder: Path) -> None:
    path = folder / "decoder.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def _tamper(folder: Path) -> None:
    path = folder / "gaussian.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _folder(folder: Path) -> None:
    (folder / "encoder.onnx").unlink()
    (folder / "encoder.onnx").mkdir()


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (_truncate, "decoder.onnx has SHA-256"),
    "tampered": (_tamper, "gaussian.npz has SHA-256"),
    "no graph": (lambda f: (f / "encoder.onnx").unlink(), "encoder.onnx cannot be read"),
    "no card": (lambda f: (f / "card.json").unlink(), "card.json cannot be read"),
    "card not JSON": (lambda f: (f / "card.json").write_text("{"), "card.json is not JSON"),
    "card a list": (lambda f: (f / "card.json").write_text("[]"), "card.json lacks"),
    "other format": (_edit("format", 99), "has format 99; expected"),
    "format TRUE": (_edit("format", True), "has format True; expected"),
    "no hashes": (_edit("files", {}), "names no hash"),
    "hash no text": (_edit("files", {"encoder.onnx": ["x"]}), "names no hash of encoder.onnx"),
    "files a list": (_edit("files", ["encoder.onnx"]), "expected a hash by name"),
    "files null": (_edit("files", None), "expected a hash by name"),
    "kind a list": (_edit("kind", ["imputation"]), r"it is for \['imputation'\]; expected one for"),
    "other kind": (_edit("kind", "generation"), "names no hash of basis.npz"),
    "card too deep": (lambda f: (f / "card.json").write_text("[" * 100_000), "card.json is not JSON"),
    "card no UTF-8": (lambda f: (f / "card.json").write_bytes(b"\xff\xfe\xff"), "card.json is not JSON"),
    "card huge": (lambda f: (f / "card.json").write_bytes(b" " * 2_000_000), "at most 1048576 are read"),
    "graph a folder": (_folder, "encoder.onnx is no regular file"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_refused_and_named(case: str, copy: Path) -> None:
    damage, message = DAMAGE[case]
    damage(copy)
    with pytest.raises(va.BundleError, match=message):
        va.load(copy)


def _resign(folder: Path, name: str) -> None:
    card = json.loads((folder / "card.json").read_text())
    card["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "decoder_jacobian.onnx", "gaussian.npz"])
def test_a_flipped_bit_is_refused_though_hashes_were_made_again(name: str, copy: Path) -> None:
    whole, rng = (copy / name).read_bytes(), np.random.default_rng(4)
    for place in rng.integers(len(whole), size=12).tolist():
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        (copy / name).write_bytes(flipped)
        _resign(copy, name)
        with pytest.raises(va.BundleError):
            va.load(copy)


def test_the_probe_sees_a_damaged_weight_alone(copy: Path) -> None:
    card = json.loads((copy / "card.json").read_text())
    del card["sums"]
    (copy / "card.json").write_text(json.dumps(card))
    whole = (copy / "decoder.onnx").read_bytes()
    refused = 0
    for place in range(1000, 1064):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << 6
        (copy / "decoder.onnx").write_bytes(flipped)
        _resign(copy, "decoder.onnx")
        try:
            va.load(copy)
        except va.BundleError as error:
            refused += "answers are not those of its card" in str(error)
    assert refused > 0


def test_arrays_of_another_version_are_named(copy: Path) -> None:
    with np.load(copy / "gaussian.npz") as stored:
        np.savez(copy / "gaussian.npz", **{key: stored[key] for key in stored.files if key != "noise"})
    _resign(copy, "gaussian.npz")
    with pytest.raises(va.BundleError, match=r"gaussian\.npz lacks noise; it was made by another version"):
        va.load(copy)


def _save(folder: Path, **changes: object) -> None:
    """The arrays with some changed (None: left out), and their new hash."""
    with np.load(folder / "gaussian.npz") as stored:
        arrays = {key: stored[key] for key in stored.files} | changes
    np.savez(folder / "gaussian.npz", **{key: value for key, value in arrays.items() if value is not None})
    _resign(folder, "gaussian.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": np.full(40, np.nan)}, "mean of gaussian.npz has a number that is no finite one"),
        ({"level_scatter": np.full((112, 40, 40), 1e30)}, "level_scatter of gaussian.npz has a number"),
        ({"std": np.zeros(40)}, "std of gaussian.npz has a number that is not above 0"),
        ({"noise": -np.eye(40)}, "noise of gaussian.npz is no covariance"),
        ({"noise": np.triu(np.ones((40, 40)))}, "noise of gaussian.npz is no covariance"),
        ({"std": np.ones((2, 40))}, r"std of gaussian.npz has shape \(2, 40\); expected \[c\]"),
        ({"std": np.ones(39)}, r"std of gaussian.npz has shape \(39,\); expected \[c\], as the other arrays"),
        ({"extension_between_tenors": np.ones(14)}, r"has shape \(14,\); expected \[T-1\]"),
        ({"growth": np.array(["abc"])}, "growth of gaussian.npz is <U3"),
        ({"mean": np.zeros(40) * 1j}, "mean of gaussian.npz is complex128"),
        ({"zz": np.zeros(3)}, "gaussian.npz has zz as well; it was made by another version"),
    ],
)
def test_arrays_are_what_the_kind_declares(copy: Path, changes: dict[str, object], message: str) -> None:
    _save(copy, **changes)
    with pytest.raises(va.BundleError, match=message):
        va.load(copy)


def test_nothing_is_unpickled(copy: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    _save(copy, mean=np.array([Evil()] * 40, dtype=object))
    with pytest.raises(va.BundleError, match=r"mean of gaussian\.npz"):
        va.load(copy)
    assert not (tmp_path / "ran").exists()


def _header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_header((1 << 40,)) + bytes(800), r"mean of gaussian\.npz is float64 of shape \(1099511627776,\)"),
        (_header((64 << 20,)) + bytes(512 << 20), "unpacks to more than"),
        (b"no array", "cannot be read"),
    ],
)
def test_sizes_are_checked_before_anything_is_unpacked(copy: Path, content: bytes, message: str) -> None:
    path = copy / "gaussian.npz"
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()} | {"mean.npy": content}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, member in members.items():
            new.writestr(name, member)
    _resign(copy, "gaussian.npz")
    with pytest.raises(va.BundleError, match=message):
        va.load(copy)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", bytes(5000)])
def test_no_archive_at_all(copy: Path, content: bytes) -> None:
    (copy / "gaussian.npz").write_bytes(content)
    _resign(copy, "gaussian.npz")
    with pytest.raises(va.BundleError, match=r"gaussian\.npz cannot be read"):
        va.load(copy)


def _message(field: int, content: bytes) -> bytes:
    """One field of protobuf's wire format, of at most 127 bytes."""
    return bytes([field << 3 | 2, len(content)]) + content


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (_message(4, b"ConstantOfShape"), "has the operator b'ConstantOfShape'; expected arithmetic only"),
        (_message(4, b"Loop"), "has the operator b'Loop'"),
        (_message(4, b"Add") + _message(7, b"com.microsoft"), "operator of b'com.microsoft'"),
        (_message(4, b"Add") + _message(5, _message(6, b"")), "a graph within its graph"),
        (_message(4, b"Add") + _message(5, _message(5, b"\x70\x01")), "weights in another file"),
        (_message(4, b"Add") + b"\x0a\x7f", "is no ONNX model, or is damaged"),
    ],
)
def test_graphs_of_more_than_arithmetic_are_refused(node: bytes, message: str) -> None:
    with pytest.raises(va.BundleError, match=message):
        files.require_arithmetic(_message(7, _message(1, node)), "encoder.onnx")


@pytest.mark.parametrize(
    "tensor",
    [
        _message(13, _message(1, b"location") + _message(2, b"weights")),
        _message(13, _message(2, b"weights") + _message(1, b"location")),
        b"\x70\x01",
    ],
)
def test_weights_in_another_file_are_refused(tensor: bytes) -> None:
    with pytest.raises(va.BundleError, match="weights in another file"):
        files.require_arithmetic(_message(7, _message(5, tensor)), "encoder.onnx")


@pytest.mark.parametrize("content", [b"", b"\x00" * 50, b"\x3a", b"\xff" * 20, b"\x0b"])
def test_what_is_no_graph_is_refused(copy: Path, content: bytes) -> None:
    (copy / "decoder.onnx").write_bytes(content)
    _resign(copy, "decoder.onnx")
    with pytest.raises(va.BundleError, match=r"decoder\.onnx is no ONNX model"):
        va.load(copy)


def test_a_graph_in_the_place_of_another_fails_the_probe(copy: Path) -> None:
    shutil.copy(copy / "decoder.onnx", copy / "encoder.onnx")
    _resign(copy, "encoder.onnx")
    with pytest.raises(va.BundleError, match="fails its probe"):
        va.load(copy)


def test_weights_that_are_no_numbers_fail_the_probe(copy: Path) -> None:
    content = bytearray((copy / "decoder.onnx").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = b"\xff" * 64
    (copy / "decoder.onnx").write_bytes(content)
    _resign(copy, "decoder.onnx")
    with pytest.raises(va.BundleError, match="fails its probe"):
        va.load(copy)


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes and devices")
@pytest.mark.parametrize("special", ["pipe", "device"])
def test_no_pipe_or_device_is_read(copy: Path, special: str) -> None:
    path = copy / "encoder.onnx"
    path.unlink()
    if special == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(va.BundleError, match=r"encoder\.onnx is no regular file"):
        va.load(copy)


def test_numbers_of_a_card_that_are_not_finite_are_none(copy: Path) -> None:
    text = (copy / "card.json").read_text().replace('"format": 1', '"format": 1, "a": NaN, "b": [1e999]')
    (copy / "card.json").write_text(text)
    card = va.load(copy).card
    assert (card["a"], card["b"]) == (None, [None])
    json.dumps(card, allow_nan=False)


PATHS = ["../fx", "/etc", "C:\\x", "\\\\host\\share\\m", "fx/", "a/\x00", "CON", ".", "..", "x" * 5000]


@pytest.mark.parametrize("name", [*PATHS, "copy"])
def test_a_formula_names_models_and_never_paths(
    name: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    touched: list[str] = []
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, *a, **k: (touched.append(str(path)), real(path, *a, **k))[1])
    asked = str(copy) if name == "copy" else name
    for function in ("VOLIMPUTE", "VOLINTERP", "VOLGENERATE"):
        signature = registry.FUNCTIONS[function].arguments
        values = {"surface": [[None, "25P", "ATM"], ["1M", 0.1, None]], "tenor": "1M", "strike": "ATM"}
        values |= {"level": 0.2, "skew": -0.1, "curv": 0.2, "term": 0.0, "model": asked}
        with pytest.raises(va.BundleError, match="is not installed; expected"):
            registry.evaluate(function, [values.get(argument.name) for argument in signature])
    assert not [path for path in touched if len(asked) > 3 and asked in path]


def test_a_folder_is_named_in_python_and_on_the_command_line(copy: Path, tmp_path: Path) -> None:
    assert va.load(copy) is va.load(str(copy))
    grid = tmp_path / "grid.csv"
    grid.write_text(",25P,ATM\n1M,0.1,\n")
    assert main(["impute", str(grid), "--model", str(copy), "-o", str(tmp_path / "out.csv")]) == 0
    assert main(["impute", str(grid), "--model", str(tmp_path), "-o", str(tmp_path / "out.csv")]) == 2


@pytest.mark.parametrize("name", ["copy", ".", "CON", "x" * 5000])
def test_text_without_a_slash_is_only_a_name(name: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent)
    with pytest.raises(va.BundleError, match="is not installed; expected"):
        va.load(name)


@pytest.mark.parametrize("name", ["../fx", "fx/../fx", "/", "fx\\card", "a/\x00"])
def test_folders_without_a_bundle(name: str) -> None:
    with pytest.raises(va.BundleError, match=r"card\.json cannot be read"):
        va.load(name)


@pytest.mark.parametrize("name", ["nothing", "", "NOTHING"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(va.BundleError, match="is not installed; expected"):
        va.load(name)


def test_shipped_bundles() -> None:
    assert "fx" in va.names()
    loaded = va.load("fx")
    assert loaded.card["name"] == "fx" and len(loaded.digest) == 64
    assert va.load("fx") is loaded
    size = sum(path.stat().st_size for path in bundles.SHIPPED.rglob("*") if path.is_file())
    assert size < 5_000_000


def test_a_desks_own_bundle_is_found_by_name(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLADDIN_HOME", str(tmp_path / "home"))
    shutil.copytree(copy, tmp_path / "home" / "models" / "mydesk")
    assert "mydesk" in va.names()
    assert va.load("mydesk").card["name"] == "fx"
