"""What a command asks: a range is chosen by mouse, a text is typed or chosen from a list.

Runs inside LibreOffice's own Python, packed into the .oxt as `voladdin_questions.py`. Calc hands a range over
when the mouse is let go, so the answer arrives in a call of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.sheet import XRangeSelectionListener

if TYPE_CHECKING:
    from collections.abc import Callable

_RANGE = re.compile(r"\$?('(?:[^']|'')+'|[^'.]+)\.(.+)")
_WIDTH, _LINE, _EDGE, _BUTTON = 260, 14, 6, 50  # of the dialog, in its units


class Asked(BaseException):
    """A command that waits for an answer; no failure. question: its "kind", "words", "default", "choices"."""

    def __init__(self, question: dict[str, Any]) -> None:
        super().__init__(question["words"])
        self.question = question


class _Selection(unohelper.Base, XRangeSelectionListener):  # type: ignore[misc]
    """Of one range; it listens until the choice is made or given up."""

    def __init__(self, controller: Any, then: Callable[[str], None]) -> None:
        self.controller, self.then = controller, then

    def done(self, event: Any) -> None:
        self.controller.removeRangeSelectionListener(self)
        self.then(excel_reference(event.RangeDescriptor))

    def aborted(self, event: Any) -> None:
        self.controller.removeRangeSelectionListener(self)

    def disposing(self, event: Any) -> None:
        """The window is gone, and the question with it."""


def ask(context: Any, controller: Any, question: dict[str, Any], then: Callable[[str], None]) -> None:
    """Calls `then` with the answer; never where the user gives up."""
    if question["kind"] == "range":
        controller.addRangeSelectionListener(_Selection(controller, then))
        options = {
            "InitialValue": question["default"],
            "Title": question["words"],
            "CloseOnMouseRelease": False,
        }
        controller.startRangeSelection(tuple(_property(*option) for option in options.items()))
        return
    answer = _typed(context, controller.getFrame().getContainerWindow(), question)
    if answer is not None:
        then(answer)


def excel_reference(text: str) -> str:
    """$'A sheet'.$A$1:$F$9 as 'A sheet'!$A$1:$F$9."""
    found = _RANGE.fullmatch(text)
    return f"{found[1]}!{found[2]}" if found else text


def _property(name: str, value: Any) -> Any:
    pair = PropertyValue()
    pair.Name, pair.Value = name, value
    return pair


def _typed(context: Any, window: Any, question: dict[str, Any]) -> str | None:
    """By a dialog of its own; None where it is closed."""
    create = context.ServiceManager.createInstanceWithContext
    model = create("com.sun.star.awt.UnoControlDialogModel", context)
    model.Title, model.Width, model.Height = "voladdin", _WIDTH, 8 * _LINE
    model.PositionX = model.PositionY = _WIDTH // 2
    _add(model, "FixedText", "words", 0, 4, Label=question["words"], MultiLine=True)
    if question["choices"]:
        choices = tuple(question["choices"])
        selected = (choices.index(question["default"]),) if question["default"] in choices else ()
        _add(model, "ListBox", "answer", 4, 1, StringItemList=choices, Dropdown=True, SelectedItems=selected)
    else:
        _add(model, "Edit", "answer", 4, 1, Text=question["default"])
    left = _WIDTH - 2 * (_EDGE + _BUTTON)
    _add(model, "Button", "ok", 6, 1, PositionX=left, Width=_BUTTON, PushButtonType=1, DefaultButton=True)
    _add(model, "Button", "cancel", 6, 1, PositionX=left + _BUTTON + _EDGE, Width=_BUTTON, PushButtonType=2)
    dialog = create("com.sun.star.awt.UnoControlDialog", context)
    dialog.setModel(model)
    dialog.createPeer(create("com.sun.star.awt.Toolkit", context), window)
    try:
        done = dialog.execute()
        control = dialog.getControl("answer")
        answer = control.getSelectedItem() if question["choices"] else control.getText()
        return str(answer) if done else None
    finally:
        dialog.dispose()


def _add(model: Any, kind: str, name: str, line: int, lines: int, **properties: Any) -> None:
    """A control on a line of the dialog."""
    control = model.createInstance(f"com.sun.star.awt.UnoControl{kind}Model")
    control.Name, control.PositionX, control.PositionY = name, _EDGE, _EDGE + line * _LINE
    control.Width, control.Height = _WIDTH - 2 * _EDGE, lines * _LINE
    for key, value in properties.items():
        setattr(control, key, value)
    model.insertByName(name, control)
