"""Bundles: verified before anything of them is used."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import voladdin as va
from voladdin import bundles


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


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (_truncate, "decoder.onnx has SHA-256"),
    "tampered": (_tamper, "gaussian.npz has SHA-256"),
    "no graph": (lambda f: (f / "encoder.onnx").unlink(), "encoder.onnx cannot be read"),
    "no card": (lambda f: (f / "card.json").unlink(), "is not installed"),
    "card not JSON": (lambda f: (f / "card.json").write_text("{"), "card.json is not JSON"),
    "card a list": (lambda f: (f / "card.json").write_text("[]"), "card.json lacks"),
    "other format": (_edit("format", 99), "has format 99; expected"),
    "no hashes": (_edit("files", {}), "names no hash"),
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


def test_arrays_of_another_version_are_named(copy: Path) -> None:
    with np.load(copy / "gaussian.npz") as stored:
        np.savez(copy / "gaussian.npz", **{key: stored[key] for key in stored.files if key != "noise"})
    _resign(copy, "gaussian.npz")
    with pytest.raises(va.BundleError, match=r"gaussian\.npz lacks noise; it was made by another version"):
        va.load(copy)


def test_weights_in_another_file_are_refused(copy: Path) -> None:
    path = copy / "decoder.onnx"
    path.write_bytes(path.read_bytes() + b"\x0a\x08location\x12\x07weights")
    _resign(copy, "decoder.onnx")
    with pytest.raises(va.BundleError, match="weights in another file"):
        va.load(copy)


@pytest.mark.parametrize("name", ["nothing", "", "../fx", "fx/../fx", "/", "fx\\card"])
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
