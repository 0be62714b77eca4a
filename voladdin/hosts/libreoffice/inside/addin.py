"""The add-in component that LibreOffice loads: one method a worksheet function.

Runs inside LibreOffice's own Python, packed into the .oxt beside `functions.json`, which `extension.build`
writes from `voladdin.worksheet.registry.FUNCTIONS`. Not importable outside LibreOffice.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import uno
import unohelper
from com.sun.star.lang import XServiceInfo, XServiceName
from voladdin_client import FunctionClient  # type: ignore[import-not-found]
from voladdin_machine import keep_log  # type: ignore[import-not-found]
from voladdin_places import places_of  # type: ignore[import-not-found]
from voladdin_truth import show_verdicts  # type: ignore[import-not-found]
from voladdin_values import reference_of, taken, title_of, to_calc  # type: ignore[import-not-found]

IMPLEMENTATION = "org.voladdin.calc.Functions"
SERVICES = ("com.sun.star.sheet.AddIn", IMPLEMENTATION)
HOME = Path(os.environ.get("VOLADDIN_HOME") or Path.home() / ".voladdin")

log = logging.getLogger("voladdin.libreoffice")
client = FunctionClient(HOME)


Interface: Any = uno.getClass("org.voladdin.calc.XFunctions")


class Functions(unohelper.Base, Interface, XServiceInfo, XServiceName):  # type: ignore[misc]
    """Calc's add-in service; its functions are methods of lower-case name."""

    def __init__(self, context: Any, *arguments: Any) -> None:
        super().__init__()
        self.context = context

    def getImplementationName(self) -> str:
        return IMPLEMENTATION

    def supportsService(self, name: str) -> bool:
        return name in SERVICES

    def getSupportedServiceNames(self) -> tuple[str, ...]:
        return SERVICES

    def getServiceName(self) -> str:
        return IMPLEMENTATION


def method(name: str, cached: bool, together: bool) -> Any:
    """The component's method for one worksheet function."""

    def call(self: Functions, document: Any, *arguments: Any) -> Any:
        try:
            cells = client.evaluate(
                name,
                [taken(a) for a in arguments],
                cached,
                lambda: {"book": title_of(document), "arguments": [reference_of(a) for a in arguments]},
                (lambda: places_of(document, arguments)) if together else None,
            )
            if isinstance(cells[0][0], bool):
                show_verdicts(self.context, document, name)
        except Exception as error:
            log.exception("%s: %s", name, error)
            cells = [["#VALUE!"]]
        return to_calc(cells)

    return call


keep_log(HOME)
for function in json.loads(Path(__file__).with_name("functions.json").read_text("utf-8")):
    setattr(Functions, function["name"].lower(), method(**function))

g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Functions, IMPLEMENTATION, SERVICES)
