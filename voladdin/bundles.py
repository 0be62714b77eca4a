"""A model bundle: ONNX graphs, arrays and a card, verified by hash before anything of it is used.

`models/<name>/` holds the graphs of its kind (`encoder.onnx`, `decoder.onnx`, `decoder_jacobian.onnx`, or
none), one .npz of arrays and `card.json`; the card names the SHA-256 of every other file, and the bundle's
kind: "imputation" or "universal" (`imputation.model`), or "generation" (`models.generator`). Shipped bundles
lie beside this file, a desk's own under `models/` in voladdin's home folder; a path to a bundle's folder
works too.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from ._typing import FloatArray
from .errors import BundleError, InputError
from .home import home

SHIPPED = Path(__file__).parent / "models"
FORMAT = 1
GRAPHS = ("encoder", "decoder", "decoder_jacobian")
_EXTERNAL = b"\x0a\x08location\x12"  # ONNX: an external_data entry, key "location"
_CARD_KEYS = ("format", "name", "files", "grid", "training", "metrics")


@dataclass(frozen=True, eq=False)
class AnyBundle:
    """A verified bundle. card: the JSON card; digest: SHA-256 of the card, which fixes every file.

    Each kind is a direct subclass, which `load` finds by the KIND that the card names.
    """

    KIND: ClassVar[str] = "any"  # as its card says
    FILE: ClassVar[str]  # the .npz of its arrays
    ARRAYS: ClassVar[frozenset[str]]  # what that must have
    GRAPHS: ClassVar[tuple[str, ...]] = GRAPHS

    card: dict[str, Any]
    digest: str
    arrays: dict[str, FloatArray]
    graphs: dict[str, bytes]

    def run(self, graph: str, **inputs: FloatArray) -> list[FloatArray]:
        """Outputs, in float64, of one ONNX graph for float inputs [B, ...]."""
        feed = {name: value.astype(np.float32) for name, value in inputs.items()}
        outputs = self._session(graph).run(None, feed)
        return [output.astype(float) for output in outputs]

    @functools.lru_cache(maxsize=8)  # noqa: B019 - bundles live as long as the process
    def _session(self, graph: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.graphs[graph], options, providers=["CPUExecutionProvider"])


Kind = TypeVar("Kind", bound=AnyBundle)


def names() -> list[str]:
    """Names of the bundles that are installed, shipped ones first."""
    folders = (SHIPPED, home() / "models")
    found = [path.parent.name for folder in folders for path in sorted(folder.glob("*/card.json"))]
    return list(dict.fromkeys(found))


@overload
def load(name: str | Path = "fx") -> AnyBundle: ...
@overload
def load(name: str | Path, kind: type[Kind]) -> Kind: ...
def load(name: str | Path = "fx", kind: type[AnyBundle] = AnyBundle) -> AnyBundle:
    """The bundle of that name (or in that folder), verified; kept while its card does not change.

    Raises InputError (a name that is no text), BundleError when it is absent, truncated, tampered with, of
    another format, or not of this kind.
    """
    if not isinstance(name, str | Path):
        raise InputError(f"model is {name!r}; expected the name of a bundle, or its folder")
    folder = _find(name)
    try:
        text = (folder / "card.json").read_bytes()
    except OSError as error:
        raise BundleError(f"model {str(name)!r}: card.json cannot be read ({error.strerror})") from None
    found = _load(folder, text)
    if not isinstance(found, kind):
        raise BundleError(f"model {str(name)!r} is for {found.KIND}; expected one for {kind.KIND}")
    return found


def _find(name: str | Path) -> Path:
    if isinstance(name, str) and name and not set(name) & set("/\\."):
        if (shipped := SHIPPED / name).is_dir():
            return shipped
        if (own := home() / "models" / name).is_dir():
            return own
    elif str(name) and (Path(name) / "card.json").is_file():
        return Path(name)
    raise BundleError(
        f"model {str(name)!r} is not installed; expected {', '.join(names())} or a bundle's folder"
    )


@functools.lru_cache(maxsize=8)
def _load(folder: Path, card_text: bytes) -> AnyBundle:
    card = _card(folder, card_text)
    kind = _kind(folder, card)
    contents = {
        name: _verified(folder, name, card) for name in (*map("{}.onnx".format, kind.GRAPHS), kind.FILE)
    }
    graphs = {graph: contents[f"{graph}.onnx"] for graph in kind.GRAPHS}
    for graph, content in graphs.items():
        if _EXTERNAL in content:
            raise BundleError(f"model {folder.name!r}: {graph}.onnx keeps weights in another file; refused")
    try:
        with np.load(io.BytesIO(contents[kind.FILE]), allow_pickle=False) as stored:
            arrays = {key: stored[key].astype(float) for key in stored.files}
    except (ValueError, OSError) as error:
        raise BundleError(f"model {folder.name!r}: {kind.FILE} cannot be read ({error})") from None
    lacking = sorted(kind.ARRAYS - arrays.keys())
    if lacking:
        raise BundleError(
            f"model {folder.name!r}: {kind.FILE} lacks {', '.join(lacking)}; it was made by another version"
        )
    return kind(card, hashlib.sha256(card_text).hexdigest(), arrays, graphs)


def _kind(folder: Path, card: dict[str, Any]) -> type[AnyBundle]:
    """The class of the card's kind; cards of the first version name none, and impute."""
    kinds = {kind.KIND: kind for kind in AnyBundle.__subclasses__()}
    name = card.get("kind", "imputation")
    if name not in kinds:
        raise BundleError(
            f"model {folder.name!r} is for {name!r}; expected one for {' or '.join(sorted(kinds))}"
        )
    return kinds[name]


def _card(folder: Path, text: bytes) -> dict[str, Any]:
    try:
        card = json.loads(text)
    except ValueError as error:
        raise BundleError(f"model {folder.name!r}: card.json is not JSON ({error})") from None
    missing = [key for key in _CARD_KEYS if not isinstance(card, dict) or key not in card]
    if missing:
        raise BundleError(f"model {folder.name!r}: card.json lacks {missing}")
    if card["format"] != FORMAT:
        raise BundleError(f"model {folder.name!r} has format {card['format']!r}; expected {FORMAT}")
    return dict(card)


def _verified(folder: Path, name: str, card: dict[str, Any]) -> bytes:
    expected = card["files"].get(name)
    if expected is None:
        raise BundleError(f"model {folder.name!r}: card.json names no hash of {name}")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(f"model {folder.name!r}: {name} cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise BundleError(
            f"model {folder.name!r}: {name} has SHA-256 {digest[:12]}…, the card says {str(expected)[:12]}…; "
            "the file is truncated or was changed"
        )
    return content
