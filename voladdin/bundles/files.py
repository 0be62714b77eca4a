"""The files of a bundle, which may be anyone's: read only where regular and small, and only numbers of them.

An .npz is a zip of arrays whose sizes are checked before any is unpacked; nothing is ever unpickled. An ONNX
graph is looked through, as protobuf wire format, for what could read other files or take memory or
time beyond its own weights: external data and any operator that is not plain arithmetic.
"""

from __future__ import annotations

import io
import math
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..errors import BundleError

LARGEST_FILE = 64 << 20
LARGEST_CARD = 1 << 20
MOST_NUMBERS = 1 << 25  # in all arrays of a file
LARGEST_NUMBER = 1e9
OPERATORS = frozenset(
    {
        *("Abs", "Add", "And", "Cast", "Clip", "Concat", "Constant", "Cos", "Div", "Equal", "Erf", "Exp"),
        *("Flatten", "Gather", "Gelu", "Gemm", "Greater", "GreaterOrEqual", "Identity", "LayerNormalization"),
        *(
            "LeakyRelu",
            "Less",
            "LessOrEqual",
            "Log",
            "MatMul",
            "Max",
            "Min",
            "Mul",
            "Neg",
            "Not",
            "Or",
            "Pow",
        ),
        *("Reciprocal", "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Shape", "Sigmoid", "Sin"),
        *(
            "Slice",
            "Softmax",
            "Softplus",
            "Split",
            "Sqrt",
            "Squeeze",
            "Sub",
            "Tanh",
            "Transpose",
            "Unsqueeze",
        ),
        "Where",
    }
)
_DAMAGED = (ValueError, OSError, EOFError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile)
# Field numbers of onnx.proto: ModelProto.graph, GraphProto.node and initializer, NodeProto.op_type, domain
# and attribute, AttributeProto.t, g and their lists, TensorProto.external_data and data_location.
_GRAPH, _NODE, _INITIALIZER, _SPARSE, _FUNCTIONS = 7, 1, 5, 15, 25
_OPERATOR, _ATTRIBUTE, _DOMAIN, _EXTERNAL, _LOCATION = 4, 5, 7, 13, 14
_TENSORS, _GRAPHS, _OTHER_TENSORS = (5, 10), (6, 11), (22, 23)


def read(path: Path, limit: int = LARGEST_FILE) -> bytes:
    """All bytes of a regular file, also through a link. Raises BundleError where there is none so small."""
    name = path.name
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before it is opened: to open a pipe or device can block
            raise BundleError(f"{name} is no regular file")
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
                raise BundleError(f"{name} has {status.st_size} bytes; at most {limit} are read")
            content = file.read(limit + 1) if status.st_size else b""
    except (OSError, ValueError) as error:  # a name with NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise BundleError(f"{name} cannot be read ({why})") from None
    if len(content) != status.st_size:
        raise BundleError(f"{name} changes while it is read")
    return content


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def arrays(content: bytes, name: str, shapes: Mapping[str, str]) -> dict[str, FloatArray]:
    """The arrays of an .npz by name, finite, of these shapes: "r c c", "T*K", "T-1" or "" for one number.

    A letter is the same length throughout, whatever it is. Raises BundleError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = _unpacked(archive, name, shapes)
    except BundleError:
        raise
    except _DAMAGED as error:
        raise BundleError(f"{name} cannot be read ({type(error).__name__}: {str(error)[:200]})") from None
    lengths: dict[str, int] = {}
    for key, wanted in shapes.items():
        _require_shape(f"{key} of {name}", found[key].shape, wanted, lengths)
        if not (np.abs(found[key]) <= LARGEST_NUMBER).all():
            raise BundleError(f"{key} of {name} has a number that is no finite one up to {LARGEST_NUMBER:g}")
    return found


def _unpacked(archive: zipfile.ZipFile, name: str, shapes: Mapping[str, str]) -> dict[str, FloatArray]:
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    lacking, strange = sorted(shapes.keys() - members.keys()), sorted(members.keys() - shapes.keys())
    if lacking or strange:
        what = f"lacks {', '.join(lacking)}" if lacking else f"has {', '.join(strange)[:200]} as well"
        raise BundleError(f"{name} {what}; it was made by another version")
    if sum(info.file_size for info in members.values()) > 8 * MOST_NUMBERS:
        raise BundleError(f"{name} unpacks to more than {8 * MOST_NUMBERS} bytes")
    return {key: _array(archive.read(members[key]), f"{key} of {name}") for key in shapes}


def _array(content: bytes, name: str) -> FloatArray:
    """One .npy whose header tells its true size; floats or whole numbers only."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "fiu" or size != len(content) - stream.tell():
        raise BundleError(f"{name} is {dtype} of shape {shape}; expected numbers, {size} bytes of them")
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False), dtype=float)


def _require_shape(what: str, shape: tuple[int, ...], wanted: str, lengths: dict[str, int]) -> None:
    terms = wanted.split()
    if len(terms) == len(shape):
        for term, length in zip(terms, shape, strict=True):
            if term.isalpha():
                lengths.setdefault(term, length)
        expected = tuple(_length(term, lengths) for term in terms)
        if expected == shape and 0 not in shape:
            return
    raise BundleError(f"{what} has shape {shape}; expected [{', '.join(terms)}], as the other arrays have it")


def _length(term: str, lengths: dict[str, int]) -> int:
    """Of "c", "T-1" or "T*K" or "3"."""
    if "*" in term:
        return math.prod(lengths[letter] for letter in term.split("*"))
    letter, _, less = term.partition("-")
    return (int(letter) if letter.isdigit() else lengths[letter]) - int(less or 0)


def require_arithmetic(content: bytes, name: str) -> None:
    """Raises BundleError where an ONNX graph is none, reads another file or does what is no arithmetic."""
    try:
        model = list(_fields(content))
        graphs = [value for field, value in model if field == _GRAPH]
        if len(graphs) != 1 or any(field == _FUNCTIONS for field, _ in model):
            raise BundleError(f"{name} is no ONNX model of one graph")
        for field, value in _fields(graphs[0]):
            if field == _NODE:
                _require_plain(value, name)
            elif field == _INITIALIZER:
                _require_inside(value, name)
            elif field == _SPARSE:
                raise BundleError(f"{name} has sparse weights; refused")
    except (ValueError, IndexError):
        raise BundleError(f"{name} is no ONNX model, or is damaged") from None


def _require_plain(node: bytes, name: str) -> None:
    for field, value in _fields(node):
        if field == _OPERATOR and value.decode("ascii", "replace") not in OPERATORS:
            raise BundleError(f"{name} has the operator {value[:40]!r}; expected arithmetic only")
        if field == _DOMAIN and value not in (b"", b"ai.onnx"):
            raise BundleError(f"{name} has an operator of {value[:40]!r}; expected ONNX's own")
        if field == _ATTRIBUTE:
            for inner, content in _fields(value):
                if inner in _GRAPHS or inner in _OTHER_TENSORS:
                    raise BundleError(f"{name} has a graph within its graph; refused")
                if inner in _TENSORS and isinstance(content, bytes):
                    _require_inside(content, name)


def _require_inside(tensor: bytes, name: str) -> None:
    for field, value in _fields(tensor):
        if field == _EXTERNAL or (field == _LOCATION and value != 0):
            raise BundleError(f"{name} keeps weights in another file; refused")


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Field number and value (bytes, or a whole number) of a protobuf message. Raises ValueError."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            if kind != 2:
                raise ValueError(f"wire type {kind}")
            size, place = _varint(message, place)
        if place + size > len(message):
            raise ValueError("a field is longer than its message")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number of more than 64 bits")
