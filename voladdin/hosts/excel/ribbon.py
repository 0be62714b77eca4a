"""The ribbon tab and the menus of a range: their XML from COMMANDS, and the button that VBA does itself."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from voladdin.commands import COMMANDS, Command

from .names import CALLBACK, PROJECT

_NAMESPACE = "http://schemas.microsoft.com/office/2009/07/customui"
_GROUPS = ("Surface", "Scenarios", "View", "Help")  # of the tab, others behind
_OF_A_RANGE = ("Surface", "View")  # groups whose commands are in the menu of a range
_MENUS = ("ContextMenuCell", "ContextMenuListRange")  # Excel's, of cells and of a table's
_ICONS = {  # Office's built-in images
    "fill": "FillDown",
    "check": "ErrorChecking",
    "repair": "ReviewAcceptChange",
    "build": "TableInsertExcel",
    "clear": "ClearFormats",
    "generate": "ScenarioManager",
    "shift": "DataFormAddRecord",
    "chart": "ChartInsert",
    "suspects": "ZoomToSelection",
    "explain": "TracePrecedents",
    "plot": "Chart3DColumnChart",
    "receive": "ImportExcel",
    "insert": "FunctionsLookupReferenceInsertGallery",
    "help": "Help",
    "functions": "FunctionWizard",
    "doctor": "ReviewReviewingPane",
    "reconnect": "Refresh",
    "log": "FileOpen",
    "about": "Info",
}
_ICON = "MacroPlay"  # of any other command


def _in_vba(_: object) -> str:
    raise NotImplementedError("connection.bas does it")


RECONNECT = Command(
    "reconnect",
    "Reconnect",
    "Looks for Python again, and calculates the cells that show #N/A for want of it.",
    "Help",
    _in_vba,
)


def buttons() -> list[Command]:
    """Every command, and Reconnect before the log."""
    commands = list(COMMANDS.values())
    names = [command.name for command in commands]
    commands.insert(names.index("log") if "log" in names else len(names), RECONNECT)
    return commands


def xml(commands: Iterable[Command] | None = None) -> str:
    """The customUI part: one tab with a group for each `group`, and the menus of a range."""
    groups: dict[str, list[Command]] = {group: [] for group in _GROUPS}
    for command in buttons() if commands is None else commands:
        groups.setdefault(command.group, []).append(command)
    content = "".join(_group(*entry) for entry in enumerate(groups.items(), start=1) if entry[1][1])
    tab = f'<tab id="{PROJECT}.tab" label="{PROJECT}">{content}</tab>'
    menus = "".join(_menu(name, [c for group in _OF_A_RANGE for c in groups[group]]) for name in _MENUS)
    ribbon = f"<ribbon><tabs>{tab}</tabs></ribbon><contextMenus>{menus}</contextMenus>"
    return f'<customUI xmlns="{_NAMESPACE}">{ribbon}</customUI>'


def _group(number: int, entry: tuple[str, list[Command]]) -> str:
    label, members = entry
    content = "".join(_button(command, f"{PROJECT}.{command.name}", size="large") for command in members)
    return f'<group id="{PROJECT}.group{number}" label={quoteattr(label)}>{content}</group>'


def _menu(name: str, members: list[Command]) -> str:
    id_ = f"{PROJECT}.{name}"
    content = "".join(_button(command, f"{id_}.{command.name}") for command in members)
    return f'<contextMenu idMso="{name}"><menu id="{id_}" label="{PROJECT}">{content}</menu></contextMenu>'


def _button(command: Command, id_: str, **more: str) -> str:
    values = {
        "id": id_,
        "tag": command.name,  # the callback reads it
        "label": command.label,
        "imageMso": _ICONS.get(command.name, _ICON),
        "screentip": command.label,
        "supertip": command.help,
        "onAction": CALLBACK,
        **more,
    }
    return f"<button {' '.join(f'{name}={quoteattr(value)}' for name, value in values.items())}/>"
