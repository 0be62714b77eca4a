"""The commands of the ribbon (Excel) and the menu (LibreOffice), written against an xlwings Book.

`COMMANDS` is the one source of names, labels and help texts for both hosts; `execute` is the one way in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from ..journal import Caller, recorded
from . import helping
from .building import build
from .charting import chart
from .checking import check
from .clearing import clear
from .explaining import explain
from .filling import fill_missing
from .generating import generate
from .inserting import insert
from .manual import open_help
from .plotting import plot, receive
from .repairing import repair
from .suspecting import find_suspects

if TYPE_CHECKING:
    import xlwings as xw

__all__ = ["COMMANDS", "Command", "build", "check", "clear", "execute", "fill_missing", "generate", "repair"]


@dataclass(frozen=True)
class Command:
    """One command; `run` changes the book and returns what it did in words.

    It raises VoladdinError where it cannot, and then the book is as it was.
    """

    name: str
    label: str
    help: str
    group: str
    run: Callable[[xw.Book], str]


def execute(name: str, book: xw.Book) -> str:
    """Runs a command of `COMMANDS` on a book, and returns what it did in words.

    Raises VoladdinError where it cannot, and then the book is as it was; VOLINFO("error") repeats it.
    """
    with recorded(name, Caller(book.name)):
        if name not in COMMANDS:
            raise InputError(f"command {name!r} is unknown; expected one of {', '.join(COMMANDS)}")
        return COMMANDS[name].run(book)


_ALL = (
    Command(
        "fill",
        "Fill missing",
        "Fills the holes of the grid at the cursor, or selected, with imputed vols; quotes stay.",
        "Surface",
        fill_missing,
    ),
    Command(
        "check",
        "Check",
        "Colours the quotes that can be arbitraged by how much, and lists the trades on a sheet.",
        "Surface",
        check,
    ),
    Command(
        "repair",
        "Repair",
        "Writes the nearest grid without static arbitrage beside this one, with the change of each cell.",
        "Surface",
        repair,
    ),
    Command(
        "build",
        "Build surface",
        "A list of listed options, selected or at the cursor, becomes a surface on a sheet, with its report.",
        "Surface",
        build,
    ),
    Command(
        "insert",
        "Insert formula…",
        "Asks for a function, its ranges by mouse, and where the result goes; writes an array of its size.",
        "Surface",
        insert,
    ),
    Command(
        "clear",
        "Clear",
        "Takes back what these commands put into the book, or into the selected cells; your own edits stay.",
        "Surface",
        clear,
    ),
    Command(
        "generate",
        "Generate",
        "Four cells, level, skew, curv, term, become a surface beside them; a table of them a sheet a row.",
        "Scenarios",
        generate,
    ),
    Command(
        "chart",
        "Chart",
        "Draws each smile and the term structure on a sheet of their own, live on the cells of the grid.",
        "View",
        chart,
    ),
    Command(
        "suspects",
        "Suspects",
        "Colours the quotes that the others make improbable, and lists what these imply in their place.",
        "View",
        find_suspects,
    ),
    Command(
        "explain",
        "Explain",
        "Says what the cell is: quote or fill, its band, the quotes that it follows; or why it is an error.",
        "View",
        explain,
    ),
    Command(
        "plot",
        "Plot",
        "Opens the grid in the browser: surface, slices, bands, trades, repair, and sliders to move it.",
        "View",
        plot,
    ),
    Command(
        "receive",
        "From page",
        "Writes the surface that was sent from the page beside its grid.",
        "View",
        receive,
    ),
    Command(
        "help",
        "Help",
        "Opens the page of the function in the cell, or of all functions, in the browser.",
        "Help",
        open_help,
    ),
    Command("functions", "Functions", "Lists the worksheet functions on a sheet.", "Help", helping.functions),
    Command(
        "doctor",
        "Doctor",
        "Looks at this installation, tries a formula each way, and lists what is wrong and what mends it.",
        "Help",
        helping.doctor,
    ),
    Command("log", "Log", "Shows the last error and the end of the log on a sheet.", "Help", helping.log),
    Command("about", "About", "Version, models, and where settings and log are.", "Help", helping.about),
)
COMMANDS: dict[str, Command] = {command.name: command for command in _ALL}
