"""The ribbon tab: its XML from COMMANDS, and what its callback asks Python.

What a command did, or why it could not, goes back to VBA as text, which shows it in a message box.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

import xlwings as xw

from voladdin.commands import COMMANDS, Command, execute
from voladdin.errors import VoladdinError

from .names import CALLBACK, PROJECT

_NAMESPACE = "http://schemas.microsoft.com/office/2009/07/customui"
_ICONS = {  # Office's built-in images
    "fill": "FillDown",
    "check": "ErrorChecking",
    "repair": "ReviewAcceptChange",
    "clear": "ClearFormats",
    "functions": "FunctionWizard",
    "log": "FileOpen",
    "about": "Info",
}
_ICON = "MacroPlay"  # of any other command


def answer(name: str) -> str:
    """Runs a command on the book that VBA named: "=" and what it did, or "!" and why it could not."""
    try:
        return f"={execute(name, xw.Book.caller())}"
    except VoladdinError as error:
        return f"!{error} ({error.reference})"


def xml(commands: Iterable[Command] = tuple(COMMANDS.values())) -> str:
    """The customUI part: one tab, a group for each `group` in order of appearance, a button a command."""
    groups: dict[str, list[Command]] = {}
    for command in commands:
        groups.setdefault(command.group, []).append(command)
    content = "".join(
        f'<group id="{PROJECT}.group{number}" label={quoteattr(label)}>'
        f"{''.join(map(_button, members))}</group>"
        for number, (label, members) in enumerate(groups.items(), start=1)
    )
    tab = f'<tab id="{PROJECT}.tab" label="{PROJECT}">{content}</tab>'
    return f'<customUI xmlns="{_NAMESPACE}"><ribbon><tabs>{tab}</tabs></ribbon></customUI>'


def _button(command: Command) -> str:
    values = {
        "id": f"{PROJECT}.{command.name}",
        "tag": command.name,  # the callback reads it
        "label": command.label,
        "size": "large",
        "imageMso": _ICONS.get(command.name, _ICON),
        "screentip": command.label,
        "supertip": command.help,
        "onAction": CALLBACK,
    }
    return f"<button {' '.join(f'{name}={quoteattr(value)}' for name, value in values.items())}/>"
