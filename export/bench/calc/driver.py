"""Drives one LibreOffice for `bench calc`; runs under a Python that has the module uno.

Usage: python3 driver.py PIPE, with LibreOffice listening on PIPE. Each line of standard input is a
command and its arguments between tabs; each answer is a line, the seconds it took.

    load FILE           open the book, hidden; the profile says whether it is calculated
    scale ROWS FACTOR   multiply the vols in columns B to F, ready to paste
    paste               put them into the sheet at once, which calculates what depends on them
    calculate           recalculate every formula, changed or not
    write RANGE ROWS    put values, as JSON, into cells at once, which calculates what depends on them
    read RANGE          what the cells hold, as JSON, in place of the seconds
    close               close the book
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import uno  # noqa: F401 - makes com.sun.star importable
from com.sun.star.beans import PropertyValue
from uno_pipe import connect  # type: ignore[import-not-found]


class Driver:
    def __init__(self, pipe: str) -> None:
        context = connect(pipe)
        self.desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        self.book: Any = None
        self.cells: Any = None
        self.vols: Any = None

    def load(self, file: str) -> None:
        hidden = PropertyValue()
        hidden.Name, hidden.Value = "Hidden", True
        self.book = self.desktop.loadComponentFromURL(Path(file).as_uri(), "_blank", 0, (hidden,))

    def scale(self, rows: str, factor: str) -> None:
        self.cells = self.range(f"B1:F{rows}")
        table = self.cells.getDataArray()
        self.vols = tuple(
            tuple(x * float(factor) if isinstance(x, float) else x for x in row) for row in table
        )

    def paste(self) -> None:
        self.cells.setDataArray(self.vols)

    def calculate(self) -> None:
        self.book.calculateAll()

    def write(self, place: str, rows: str) -> None:
        self.range(place).setDataArray(tuple(map(tuple, json.loads(rows))))

    def read(self, place: str) -> Any:
        return self.range(place).getDataArray()

    def close(self) -> None:
        self.book.close(True)

    def range(self, place: str) -> Any:
        return self.book.Sheets.getByIndex(0).getCellRangeByName(place)


def main(pipe: str) -> None:
    driver = Driver(pipe)
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = line.rstrip("\n").split("\t")
        start = time.perf_counter()
        answer = getattr(driver, name)(*arguments)
        seconds = time.perf_counter() - start
        print(json.dumps(seconds if answer is None else answer), flush=True)
    driver.desktop.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
