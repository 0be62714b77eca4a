"""The house: which room may import which. An import goes down, never up, never across, and never round.

Every import counts: lazy ones, those for types, and what `from package import module` names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP = ("voladdin", "server", "export", "workbook")
# The lowest first. A room is a module, or a package with what is in it; entry points (__main__) have none.
# The command line starts hosts, server, training and benchmarks by name, as programs: that is no import.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("voladdin._typing", "voladdin.errors", "voladdin.hosts.libreoffice.inside", "export.onnx_export"),
    ("voladdin.black", "voladdin.home", "voladdin.journal", "voladdin.labels", "voladdin.threads"),
    ("voladdin.options", "voladdin.service"),
    ("voladdin.surface",),
    ("voladdin.conventions", "voladdin.feature_map"),
    ("voladdin.bundles",),
    ("voladdin.arbitrage",),
    ("voladdin.cells", "voladdin.generation", "voladdin.imputation", "export.simulation"),
    ("voladdin", "voladdin.worksheet", "export.history"),
    ("voladdin.xlsx", "export.bundle_writer"),
    ("voladdin.commands", "voladdin.hosts.documents", "export.imputation"),
    ("voladdin.cli", "voladdin.hosts.excel", "voladdin.hosts.libreoffice", "export.generation"),
    ("server", "workbook", "export.bench", "voladdin.hosts.doctor"),
)
_FLOOR = {room: floor for floor, rooms in enumerate(FLOORS, 1) for room in rooms}
_EMPTY = {"export", "voladdin.hosts"}  # packages that only hold rooms
MOST_FLOORS, MOST_MODULES, MOST_PACKAGES = 13, 8, 14


def _modules() -> dict[str, Path]:
    """Every module by its name."""
    found = {}
    for path in sorted(path for top in TOP for path in (ROOT / top).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported(module: str, path: Path, modules: Collection[str]) -> Iterator[str]:
    """Modules that a module's imports name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = (f"{base}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else base for name in names if base in modules)


def _room(module: str) -> str:
    """The room a module is in; "" where it is in none."""
    parts = module.split(".")
    candidates = [".".join(parts[:size]) for size in range(len(parts), 0, -1)]
    return next(
        (room for room in candidates if room in _FLOOR and (room != "voladdin" or room == module)), ""
    )


def _imports(modules: dict[str, Path]) -> dict[str, set[str]]:
    """What each module imports but the packages it is in."""
    return {
        module: {name for name in _imported(module, path, modules) if not f"{module}.".startswith(f"{name}.")}
        for module, path in modules.items()
    }


def broken(imports: dict[str, set[str]]) -> list[str]:
    """The rules that the imports break, each in words."""
    found = []
    for module, names in imports.items():
        room = _room(module)
        if module.endswith("__main__") or module in _EMPTY:
            continue
        if not room:
            found.append(f"{module} is in no room: give it one in FLOORS")
            continue
        higher = {_room(name) for name in names - _EMPTY} - {room, ""}
        found += [
            f"{module} (floor {_FLOOR[room]}, {room}) imports from {other} (floor {_FLOOR[other]}): "
            "an import goes to a lower floor"
            for other in sorted(higher)
            if _FLOOR[other] >= _FLOOR[room]
        ]
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found.append(f"{' -> '.join(error.args[1])}: no module may import itself, through others or lazily")
    return found


def test_imports_go_down() -> None:
    assert len(FLOORS) <= MOST_FLOORS
    assert broken(_imports(_modules())) == []


def test_every_room_is_there() -> None:
    assert set(_FLOOR) <= set(_modules())


@pytest.mark.parametrize(
    ("module", "names", "rule"),
    [
        ("voladdin.black", {"voladdin.surface"}, "voladdin.black .* from voladdin.surface .*lower floor"),
        ("voladdin.black", {"voladdin.home"}, "an import goes to a lower floor"),
        ("voladdin.utils", set(), "in no room"),
        ("voladdin.cells._words", {"voladdin.cells._grid"}, "no module may import itself"),
        ("voladdin.hosts.libreoffice.inside.client", {"voladdin.errors"}, "lower floor"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(module: str, names: set[str], rule: str) -> None:
    imports = _imports(_modules())
    found = broken(imports | {module: imports.get(module, set()) | names})
    assert any(re.search(rule, line) for line in found), found


def test_a_lazy_import_and_one_for_types_count(tmp_path: Path) -> None:
    path = tmp_path / "black.py"
    path.write_text(
        "if TYPE_CHECKING:\n    from . import surface\ndef f():\n    from .cells._grid import parse\n"
    )
    names = {"voladdin", "voladdin.surface", "voladdin.cells._grid"}
    assert set(_imported("voladdin.black", path, names)) == names - {"voladdin"}


def test_the_root_of_voladdin_is_small() -> None:
    root = ROOT / "voladdin"
    modules = {path.stem for path in root.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    assert len(modules) <= MOST_MODULES, sorted(modules)
    assert len(packages) <= MOST_PACKAGES, sorted(packages)


def test_no_function_hides_a_module() -> None:
    """`import voladdin.x.y` gives the module: no package has another thing of that name."""
    modules = _modules()
    hidden = []
    for package, path in modules.items():
        parts = {name.rpartition(".")[2] for name in modules if name.rpartition(".")[0] == package}
        if parts:
            hidden += [f"{package}.{name}" for name in sorted(_bound(path) & parts)]
    assert hidden == []


def _bound(path: Path) -> set[str]:
    """Names that a package's own statements bind to anything but a module of it."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or not node.level):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return found
