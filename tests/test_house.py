"""Sizes: files and functions that are read without scrolling, and no file name for three things."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [
    path
    for top in ("voladdin", "server", "export", "workbook")
    for path in sorted((ROOT / top).rglob("*.py"))
]
MEDIAN_FILE, LONG_FILE, LONGEST_FILE = 118, 240, 300  # lines: of half, of 95%, of all
LONG_FUNCTION, LONGEST_FUNCTION, MOST_BRANCHES = 21, 45, 14
_BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.While,
    ast.ExceptHandler,
    ast.match_case,
    ast.comprehension,
    ast.BoolOp,
)


@dataclass(frozen=True)
class Function:
    """Where it is, its lines, and the places where it goes one way or another, `and` and `or` included."""

    place: str
    lines: int
    branches: int


def _functions(path: Path, text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(f"{path}:{node.lineno} {node.name}", lines, sum(map(_choices, _own(node))))


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, but not in the functions within."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _choices(node: ast.AST) -> int:
    return isinstance(node, _BRANCHES) + (len(node.ifs) if isinstance(node, ast.comprehension) else 0)


@pytest.fixture(scope="module")
def functions() -> list[Function]:
    return [found for path in FILES for found in _functions(path.relative_to(ROOT), path.read_text("utf-8"))]


def _percentile(sizes: list[int]) -> int:
    """95% are at most this long."""
    return sorted(sizes)[int(0.95 * len(sizes))]


def test_files_are_short() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    lines = list(sizes.values())
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}
    assert statistics.median(lines) <= MEDIAN_FILE
    assert _percentile(lines) <= LONG_FILE, {name: size for name, size in sizes.items() if size > LONG_FILE}


def test_functions_are_short(functions: list[Function]) -> None:
    assert [f for f in functions if f.lines > LONGEST_FUNCTION] == []
    assert _percentile([f.lines for f in functions]) <= LONG_FUNCTION


def test_functions_branch_little(functions: list[Function]) -> None:
    assert [f for f in functions if f.branches > MOST_BRANCHES] == []


def test_no_file_name_occurs_three_times() -> None:
    names = Counter(path.name for path in FILES if not path.stem.startswith("__"))
    assert {name: times for name, times in names.items() if times > 2} == {}


def test_branches_are_counted() -> None:
    within = "    def g(): return 1 if a else 2"
    text = f"def f(a):\n    if a or a and a:\n        return [x for x in a if x]\n{within}"
    assert [(f.lines, f.branches) for f in _functions(Path("f.py"), text)] == [(4, 5), (1, 1)]


def test_no_class_name_has_two_meanings() -> None:
    """Of what is installed; the networks of `export` share names by role: Encoder, Decoder, Vae."""
    named: dict[str, list[str]] = {}
    for path in FILES:
        if path.relative_to(ROOT).parts[0] in ("voladdin", "server"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    named.setdefault(node.name.lstrip("_"), []).append(str(path.relative_to(ROOT)))
    assert not {name: places for name, places in named.items() if len(places) > 1}
