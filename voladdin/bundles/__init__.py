"""A model bundle: ONNX graphs, arrays and a card, verified before anything of it is used.

`models/<name>/` holds the graphs of its kind (`encoder.onnx`, `decoder.onnx`, `decoder_jacobian.onnx`, or
none), one .npz of arrays and `card.json`; the card names the SHA-256 of every other file, and the bundle's
kind: "imputation" or "universal" (`imputation.model`), "generation" (`bundles.generator`), "surfaces"
(`bundles.any_axes`) or "moves" (`bundles.moves`, in the folder `<name>-moves` beside a history's bundle).
Shipped bundles lie in `voladdin/models`, a desk's own under `models/` in voladdin's home folder; a path to a
bundle's folder works too.

A bundle is refused, as a BundleError, unless its files are regular and within their sizes, have their hashes,
hold finite arrays of the shapes that its kind declares and graphs of plain arithmetic, and answer a probe.
Where the card says what the probe answers and what all numbers sum to, hashes that were made again after a
weight was damaged do not hide it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from .._typing import FloatArray
from ..errors import BundleError, InputError
from ..home import folder
from ..threads import one_thread
from . import files

SHIPPED = Path(__file__).parents[1] / "models"
FORMAT = 1
_IN_CACHE = 2**16  # numbers that come out of a graph
ACCURACY = 1e-4  # of a probe's answers: single precision, on any processor
GRAPHS = ("encoder", "decoder", "decoder_jacobian")
_CARD_KEYS = ("format", "name", "files", "grid", "training", "metrics")


@dataclass(frozen=True, eq=False)
class AnyBundle:
    """A verified bundle. card: the JSON card; digest: SHA-256 of the card, which fixes every file.

    Each kind is a direct subclass, which `load` finds by the KIND that the card names.
    """

    KIND: ClassVar[str] = "any"  # as its card says
    SUFFIX: ClassVar[str] = ""  # of the folder where it may lie beside the one that imputes
    FILE: ClassVar[str]  # the .npz of its arrays
    ARRAYS: ClassVar[Mapping[str, str]]  # what that has, and the shapes, as `bundles.files.arrays` reads them
    GRAPHS: ClassVar[tuple[str, ...]] = GRAPHS
    POSITIVE: ClassVar[frozenset[str]] = frozenset()  # of these, arrays whose every number is above 0
    COVARIANCES: ClassVar[frozenset[str]] = frozenset()  # and those that are covariances [..., n, n]

    card: dict[str, Any]
    digest: str
    arrays: dict[str, FloatArray]
    graphs: dict[str, bytes]

    def run(self, graph: str, **inputs: FloatArray) -> list[FloatArray]:
        """Outputs, in float64, of one ONNX graph for float inputs [B, ...]."""
        feed = {name: value.astype(np.float32) for name, value in inputs.items()}
        count, size = max(map(len, feed.values())), self._rows_in_cache(graph)
        session = self._session(graph)
        if count <= size:
            return [output.astype(float) for output in session.run(None, feed)]
        blocks = (slice(first, first + size) for first in range(0, count, size))
        parts = [session.run(None, {name: value[rows] for name, value in feed.items()}) for rows in blocks]
        return [np.concatenate(output).astype(float) for output in zip(*parts, strict=True)]

    @functools.lru_cache(maxsize=8)  # noqa: B019 - as below
    def _rows_in_cache(self, graph: str) -> int:
        """Rows of a batch whose layers, some times as wide as what comes out, do not leave the cache."""
        outputs = self._session(graph).get_outputs()
        widest: int = max(math.prod(output.shape[1:]) for output in outputs)
        return max(_IN_CACHE // widest, 1)

    def probe(self) -> FloatArray:
        """[n] answers of every graph. Raises any exception, or ValueError for what is no answer."""
        return np.zeros(0)

    @functools.lru_cache(maxsize=8)  # noqa: B019 - bundles live as long as the process
    def _session(self, graph: str) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(self.graphs[graph], options, providers=["CPUExecutionProvider"])


Kind = TypeVar("Kind", bound=AnyBundle)


_seen: dict[str, Path] = {}


def names() -> list[str]:
    """Names of the bundles that are installed, shipped ones first."""
    return list(dict.fromkeys(path.name for parent in _parents() for path in _inside(parent)))


def _parents() -> Iterator[Path]:
    """One after the other: where a user's models are is asked only for what is not shipped."""
    yield SHIPPED
    yield _child(folder(), "models")


@functools.lru_cache(maxsize=256)
def _child(parent: Path, name: str) -> Path:
    """Kept: joining paths is most of what a bundle that is loaded already costs."""
    return parent / name


def _inside(parent: Path, wanted: str | None = None) -> list[Path]:
    """Bundles' folders in one, as they are listed: a name that is asked for never becomes a path."""
    try:
        listed = os.listdir(parent)
    except OSError:
        return []
    some = sorted(listed) if wanted is None else [name for name in listed if name == wanted]
    return [_child(parent, name) for name in some if os.path.lexists(os.path.join(parent, name, "card.json"))]


@overload
def load(name: str | Path = "fx") -> AnyBundle: ...
@overload
def load(name: str | Path, kind: type[Kind]) -> Kind: ...
def load(name: str | Path = "fx", kind: type[AnyBundle] = AnyBundle) -> AnyBundle:
    """The bundle of that name, or in that folder, verified; kept while its card does not change.

    A folder is a `Path`, or text with a slash; other text never becomes a path.

    Raises InputError (a name that is no text), BundleError when it is absent, truncated, tampered with, of
    another format, not of this kind, or not what its kind asks for.
    """
    if not isinstance(name, str | Path):
        raise InputError(f"model is {name!r}; expected the name of a bundle, or its folder")
    place = _shipped(str(name)) or (_installed(f"{name}{kind.SUFFIX}") if kind.SUFFIX else None)
    if place is None and not (isinstance(name, Path) or set(name) & set("/\\")):
        raise not_installed(name)
    place = _place_of(place or Path(name), kind)
    try:
        card = _child(place, "card.json")
        found = _load(place, _read(card, _written(card)))
    except BundleError as error:
        raise BundleError(f"model {place.name!r}: {error}") from None
    if not isinstance(found, kind):
        raise BundleError(f"model {place.name!r} is for {found.KIND}; expected one for {kind.KIND}")
    return found


def _shipped(name: str) -> Path | None:
    """As `_installed`; folders that are shipped come first and stay, and are listed once."""
    if name not in _seen:
        place = _installed(name)
        if place is None or place.parent != SHIPPED:
            return place
        _seen[name] = place
    return _seen[name]


def _installed(name: str) -> Path | None:
    return next((path for parent in _parents() for path in _inside(parent, name)), None)


def _written(path: Path) -> tuple[int, ...]:
    """What changes whenever a file is written or replaced."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@functools.lru_cache(maxsize=16)
def _read(path: Path, written: tuple[int, ...]) -> bytes:  # noqa: ARG001 - read again once it is written
    return files.read(path, files.LARGEST_CARD)


def _place_of(place: Path, kind: type[AnyBundle]) -> Path:
    if not kind.SUFFIX:
        return place
    beside = place.parent / f"{place.name}{kind.SUFFIX}"
    return beside if os.path.lexists(beside / "card.json") else place


def not_installed(name: str) -> BundleError:
    """The error for a name that is none."""
    shown = name if len(name) <= 64 else f"{name[:63]}…"
    return BundleError(
        f"model {shown!r} is not installed; expected {', '.join(names())}, or a bundle's folder"
    )


@functools.lru_cache(maxsize=8)
def _load(place: Path, card_text: bytes) -> AnyBundle:
    card = _card(card_text)
    kind = _kind(card)
    wanted = (*map("{}.onnx".format, kind.GRAPHS), kind.FILE)
    contents = {name: _verified(place, name, card) for name in wanted}
    graphs = {graph: contents[f"{graph}.onnx"] for graph in kind.GRAPHS}
    for graph, content in graphs.items():
        files.require_arithmetic(content, f"{graph}.onnx")
    arrays = files.arrays(contents[kind.FILE], kind.FILE, kind.ARRAYS)
    found = kind(card, hashlib.sha256(card_text).hexdigest(), arrays, graphs)
    with one_thread():
        _require_values(kind, arrays)
        _require_probed(found)
    return found


def _require_probed(found: AnyBundle) -> None:
    """Raises BundleError where its graphs or numbers are not those of its card."""
    try:
        with np.errstate(all="ignore"):
            _require_answers(found.card, found.probe(), weighted_sums(found))
    except Exception as error:  # onnxruntime's have no base of their own
        raise BundleError(f"it fails its probe ({type(error).__name__}: {str(error)[:200]})") from None


def _require_answers(card: dict[str, Any], answers: FloatArray, sums: dict[str, float]) -> None:
    """Raises ValueError where the card says what the probe answers, and it does not."""
    if "probe" in card:
        expected = np.array(card["probe"], dtype=float)
        if expected.shape != answers.shape or not np.allclose(
            answers, expected, rtol=ACCURACY, atol=ACCURACY
        ):
            raise ValueError("its answers are not those of its card")
    for name, total in card.get("sums", {}).items():
        if not math.isclose(sums[name], total, rel_tol=1e-9, abs_tol=1e-9):
            raise ValueError(f"the numbers of {name} are not those of its card")


def weighted_sums(bundle: AnyBundle) -> dict[str, float]:
    """Of each array, and of the bytes of each graph, one sum in which every number has another weight."""
    graphs = {name: np.frombuffer(content, np.uint8).astype(float) for name, content in bundle.graphs.items()}
    every = bundle.arrays | graphs
    weights = np.cos(np.arange(max(a.size for a in every.values())))
    return {name: float(weights[: a.size] @ a.ravel()) for name, a in every.items()}


def _require_values(kind: type[AnyBundle], arrays: dict[str, FloatArray]) -> None:
    for name in sorted(kind.POSITIVE):
        if not (arrays[name] > 0).all():
            raise BundleError(f"{name} of {kind.FILE} has a number that is not above 0")
    for name in sorted(kind.COVARIANCES):
        matrix = arrays[name]
        scale = np.abs(matrix).max()
        skew = np.abs(matrix - np.swapaxes(matrix, -1, -2)).max()
        if scale == 0 or skew > 1e-4 * scale or np.linalg.eigvalsh(matrix).min() < -1e-5 * scale:
            raise BundleError(f"{name} of {kind.FILE} is no covariance")


def _kind(card: dict[str, Any]) -> type[AnyBundle]:
    """The class of the card's kind; cards of the first version name none, and impute."""
    kinds = {kind.KIND: kind for kind in AnyBundle.__subclasses__()}
    name = card.get("kind", "imputation")
    if not isinstance(name, str) or name not in kinds:
        raise BundleError(f"it is for {name!r:.60}; expected one for {' or '.join(sorted(kinds))}")
    return kinds[name]


def _card(text: bytes) -> dict[str, Any]:
    """The card, with None for numbers that are not finite."""
    try:
        card = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"card.json is not JSON ({str(error)[:200]})") from None
    missing = [key for key in _CARD_KEYS if not isinstance(card, dict) or key not in card]
    if missing:
        raise BundleError(f"card.json lacks {missing}")
    if type(card["format"]) is not int or card["format"] != FORMAT:
        raise BundleError(f"it has format {card['format']!r:.60}; expected {FORMAT}")
    if not isinstance(card["files"], dict):
        raise BundleError(f"card.json has files {card['files']!r:.60}; expected a hash by name")
    return dict(card)


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _verified(place: Path, name: str, card: dict[str, Any]) -> bytes:
    expected = card["files"].get(name)
    if not isinstance(expected, str):
        raise BundleError(f"card.json names no hash of {name}")
    content = files.read(place / name)
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise BundleError(
            f"{name} has SHA-256 {digest[:12]}…, the card says {expected[:12]}…; it was changed"
        )
    return content
