"""LibreOffice's configuration files: nodes and properties, and the menu of `voladdin.commands.COMMANDS`."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as ET

_REGISTRY = "http://openoffice.org/2001/registry"
_CALC = "com.sun.star.sheet.SpreadsheetDocument"
PROTOCOL = "vnd.voladdin:"


def component(name: str) -> ET.Element:
    """The root of a file such as Addons.xcu."""
    ET.register_namespace("oor", _REGISTRY)
    root = ET.Element(f"{{{_REGISTRY}}}component-data")
    root.set(f"{{{_REGISTRY}}}name", name)
    root.set(f"{{{_REGISTRY}}}package", "org.openoffice.Office")
    return root


def to_xml(root: ET.Element) -> bytes:
    """The bytes of the file."""
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))


def node(parent: ET.Element, name: str, new: bool = True) -> ET.Element:
    """A node; `new` where it is not in LibreOffice's own configuration."""
    child = ET.SubElement(parent, "node", {f"{{{_REGISTRY}}}name": name})
    if new:
        child.set(f"{{{_REGISTRY}}}op", "replace")
    return child


def put(parent: ET.Element, name: str, text: str, language: str | None = None) -> None:
    """A property, in one language where it is one that has them."""
    value = ET.SubElement(ET.SubElement(parent, "prop", {f"{{{_REGISTRY}}}name": name}), "value")
    value.text = text
    if language:
        value.set("{http://www.w3.org/XML/1998/namespace}lang", language)


def protocol_handler() -> bytes:
    """ProtocolHandler.xcu: who answers the menu's addresses."""
    root = component("ProtocolHandler")
    handler = node(node(root, "HandlerSet", new=False), "org.voladdin.calc.Menu")
    put(handler, "Protocols", f"{PROTOCOL}*")
    return to_xml(root)


def addons() -> bytes:
    """Addons.xcu: the menu "voladdin" in Calc, a line between the groups of COMMANDS."""
    from voladdin.commands import COMMANDS

    root = component("Addons")
    bar = node(node(root, "AddonUI", new=False), "OfficeMenuBar", new=False)
    menu = node(bar, "org.voladdin.calc.menu")
    put(menu, "Title", "~voladdin", "en-US")
    put(menu, "Context", _CALC)
    entries = node(menu, "Submenu", new=False)
    groups = [list(group) for _, group in groupby(COMMANDS.values(), key=lambda command: command.group)]
    for i, group in enumerate(groups):
        if i:
            put(node(entries, f"m{i}00"), "URL", "private:separator")
        for j, command in enumerate(group, 1):  # Calc sorts the entries by name
            entry = node(entries, f"m{i}{j:02}")
            put(entry, "URL", PROTOCOL + command.name)
            put(entry, "Title", command.label, "en-US")
            put(entry, "Target", "_self")
            put(entry, "Context", _CALC)
    return to_xml(root)
