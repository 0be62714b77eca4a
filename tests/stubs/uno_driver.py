"""Recalculates a book twice in one LibreOffice; runs under the system's Python, which has uno.

It prints how long each took and, as JSON, what H1:M4 holds.
Usage: python3 uno_driver.py PIPE BOOK SIGNAL_FOLDER, with LibreOffice listening on PIPE. It leaves an empty
file `loaded` or `recalculated` in SIGNAL_FOLDER and waits until the test has removed it.
"""

import json
import sys
import time
from pathlib import Path

import uno  # noqa: F401 - makes com.sun.star importable
from com.sun.star.beans import PropertyValue

sys.path.insert(0, str(Path(__file__).parents[2] / "export" / "bench" / "calc"))
from uno_pipe import connect  # type: ignore[import-not-found]


def signal(folder, name):
    file = Path(folder, name)
    file.touch()
    while file.exists():
        time.sleep(0.01)


pipe, book, folder = sys.argv[1:]
context = connect(pipe)
desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
start = time.perf_counter()
hidden = PropertyValue()
hidden.Name, hidden.Value = "Hidden", True
document = desktop.loadComponentFromURL(Path(book).as_uri(), "_blank", 0, (hidden,))
print(f"load and calculate {time.perf_counter() - start:.3f} s")
signal(folder, "loaded")
start = time.perf_counter()
document.calculateAll()
print(f"recalculate, unchanged {time.perf_counter() - start:.3f} s")
signal(folder, "recalculated")
print(json.dumps(document.Sheets.getByIndex(0).getCellRangeByName("H1:M4").getDataArray()))
document.close(True)
desktop.terminate()
