"""What the add-in, its VBA and Python call each other."""

from __future__ import annotations

PROJECT = "voladdin"
ADDIN = f"{PROJECT}.xlam"
PYTHON_MODULE = "voladdin.hosts.excel.calls"  # what VBA asks through xlwings' COM server
IMPORT_SECONDS = 10.0  # xlwings' library waits two minutes for a Python whose imports hang; that ends itself
PYTHON_SERVER = (
    f"import os,threading;limit=threading.Timer({IMPORT_SECONDS:g},os._exit,(3,));limit.daemon=True;"
    "limit.start();import xlwings;limit.cancel();xlwings.serve('$(CLSID)')"
)
VBA_MODULE = "voladdin_udfs"
CALLBACK = "VoladdinCommand"  # of every button, in commands.bas
NOTES = "VoladdinNotes"  # in commands.bas, of the commands that write notes
SEEN = "VoladdinSeen"  # there too, of the commands that look at cells one by one
MAX_HELP = 255  # characters of a text in Excel's function wizard


def literal(text: str) -> str:
    """Text in Python, in single quotes, as a command line holds it between its double ones."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
