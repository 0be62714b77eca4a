"""The LibreOffice extension: an .oxt with the functions of `worksheet.registry.FUNCTIONS` and a menu.

`python -m voladdin.hosts.libreoffice.extension` recompiles the type library after a function or an argument
was added (it needs `unoidl-write` of the LibreOffice SDK; Debian: libreoffice-dev). Users need no SDK.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from voladdin.errors import UnavailableError
from voladdin.home import VERSION

from .configuration import addons, component, node, protocol_handler, put, to_xml
from .programs import program

if TYPE_CHECKING:
    from voladdin.worksheet.registry import Argument, Function

_HERE = Path(__file__).parent
_OXT = _HERE / "oxt"
_STATIC = ("META-INF/manifest.xml", "voladdin.components", "rdb/voladdin.rdb", "rdb/voladdin.idl")
_CODE = {
    "inside/addin.py": "python/voladdin_addin.py",
    "inside/menu.py": "python/voladdin_menu.py",
    "inside/arrivals.py": "python/pythonpath/voladdin_arrivals.py",
    "inside/calc.py": "python/pythonpath/voladdin_calc.py",
    "inside/edits.py": "python/pythonpath/voladdin_edits.py",
    "inside/drawing.py": "python/pythonpath/voladdin_drawing.py",
    "inside/client.py": "python/pythonpath/voladdin_client.py",
    "inside/connection.py": "python/pythonpath/voladdin_connection.py",
    "inside/discovery.py": "python/pythonpath/voladdin_discovery.py",
    "inside/formulas.py": "python/pythonpath/voladdin_formulas.py",
    "inside/machine.py": "python/pythonpath/voladdin_machine.py",
    "inside/main_thread.py": "python/pythonpath/voladdin_main_thread.py",
    "inside/places.py": "python/pythonpath/voladdin_places.py",
    "inside/questions.py": "python/pythonpath/voladdin_questions.py",
    "inside/truth.py": "python/pythonpath/voladdin_truth.py",
    "inside/values.py": "python/pythonpath/voladdin_values.py",
}
_CELLS = "sequence< sequence< any > >"
_DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<description xmlns="http://openoffice.org/extensions/description/2006">
  <identifier value="org.voladdin.calc"/>
  <version value="{version}"/>
  <display-name><name lang="en">voladdin</name></display-name>
</description>
"""


def build(path: str | Path) -> Path:
    """Writes the extension to `path`, such as voladdin.oxt, and returns it; the same bytes every time.

    Raises UnavailableError where the committed type library is not that of FUNCTIONS.
    """
    if (_OXT / "rdb/voladdin.idl").read_text("utf-8") != idl():
        raise UnavailableError(
            "oxt/rdb/voladdin.idl differs from voladdin.worksheet.registry.FUNCTIONS; "
            "expected `python -m voladdin.hosts.libreoffice.extension` to have been run"
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(members().items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return Path(path)


def members() -> dict[str, bytes]:
    """The extension's files by their names in it."""
    found = {name: (_OXT / name).read_bytes() for name in _STATIC}
    found |= {name: (_HERE / source).read_bytes() for source, name in _CODE.items()}
    table = [{"name": f.name, "cached": f.cached, "together": f.begin is not None} for f in _functions()]
    found["python/functions.json"] = json.dumps(table).encode()
    found["python/version"] = VERSION.encode()
    found["CalcAddIns.xcu"] = calc_add_ins()
    found["Addons.xcu"] = addons()
    found["ProtocolHandler.xcu"] = protocol_handler()
    found["description.xml"] = _DESCRIPTION.format(version=VERSION).encode()
    return found


def _functions() -> list[Function]:
    from voladdin.worksheet.registry import FUNCTIONS

    return list(FUNCTIONS.values())


def idl() -> str:
    """The add-in's interface in UNOIDL.

    A required range is an XCellRange, since Calc refuses (Err:504) any other parameter type for a range
    that holds an error cell. Only `any` may be omitted, so optional arguments are `any`.
    """
    methods = "\n".join(f"    {_CELLS} {f.name.lower()}({_parameters(f)});" for f in _functions())
    return (
        "module org { module voladdin { module calc {\n"
        f"  interface XFunctions {{\n{methods}\n  }};\n"
        "}; }; };\n"
    )


def _parameters(function: Function) -> str:
    """Calc passes the calling document for the first, which its function wizard does not show."""
    given = [f"[in] {_type(argument)} {_identifier(argument.name)}" for argument in function.arguments]
    return ", ".join(["[in] com::sun::star::beans::XPropertySet caller", *given])


def _identifier(name: str) -> str:
    """UNOIDL has no underscores: prior_age is priorAge."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _type(argument: Argument) -> str:
    required_range = argument.kind == "range" and not argument.optional
    return "com::sun::star::table::XCellRange" if required_range else "any"


def calc_add_ins() -> bytes:
    """CalcAddIns.xcu: names, help texts and arguments as the function wizard shows them."""
    root = component("CalcAddIns")
    addin = node(node(root, "AddInInfo", new=False), "org.voladdin.calc.Functions")
    functions = node(addin, "AddInFunctions", new=False)
    for function in _functions():
        entry = node(functions, function.name.lower())
        _texts(entry, function.name, f"{function.help} Example: {function.example}")
        put(entry, "Category", "Add-In")
        put(entry, "CompatibilityName", function.name)  # the name in an .xlsx
        parameters = node(entry, "Parameters", new=False)
        for argument in function.arguments:
            _texts(node(parameters, _identifier(argument.name)), argument.name, argument.help)
    return to_xml(root)


def _texts(entry: ET.Element, name: str, description: str) -> None:
    put(entry, "DisplayName", name, "en-US")
    put(entry, "Description", description, "en-US")


def compile_types() -> Path:
    """Writes voladdin.idl from FUNCTIONS and compiles it to voladdin.rdb; returns the latter.

    Raises UnavailableError where the LibreOffice SDK is absent or refuses; both files then stay, so that
    `build` still says that they are not those of FUNCTIONS.
    """
    office = program("soffice").parent
    writer = shutil.which("unoidl-write") or str(office.parent / "sdk" / "bin" / "unoidl-write")
    types = [str(office / "types.rdb"), str(office / "types" / "offapi.rdb")]
    with tempfile.TemporaryDirectory() as folder:
        source, compiled = Path(folder) / "voladdin.idl", Path(folder) / "voladdin.rdb"
        source.write_text(idl(), "utf-8")
        command = [writer, *types, str(source), str(compiled)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            what = re.sub(r"\s+", " ", getattr(error, "stderr", "") or str(error))
            raise UnavailableError(f"{writer} failed: {what}; expected the LibreOffice SDK") from None
        for made in (source, compiled):
            shutil.copy(made, _OXT / "rdb")
    return _OXT / "rdb/voladdin.rdb"


if __name__ == "__main__":
    print(compile_types(), file=sys.stderr)
