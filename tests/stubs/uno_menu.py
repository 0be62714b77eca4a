"""Works in a running LibreOffice as a user does; runs under the system's Python, which has uno.

Usage: python3 uno_menu.py PIPE, with steps as JSON on standard input: a list of [action, argument, …], each a
function below. It prints the list of what they return.
"""

import json
import sys
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue
from uno_pipe import connect

context = connect(sys.argv[1])
manager = context.ServiceManager
desktop = manager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
document = None


def option(name, value):
    pair = PropertyValue()
    pair.Name, pair.Value = name, value
    return pair


def load(path):
    """Opens a book, or a blank one."""
    global document
    url = Path(path).as_uri() if path else "private:factory/scalc"
    document = desktop.loadComponentFromURL(url, "_blank", 0, ())  # not Hidden: it would not undo sheets


def close():
    document.close(True)


def save(path):
    form = {".xlsx": "Calc MS Excel 2007 XML", ".ods": "calc8"}[Path(path).suffix]
    document.storeToURL(Path(path).as_uri(), (option("FilterName", form),))


def select(place):
    document.getCurrentController().select(cells(place))


def cells(place):
    sheet, _, address = place.rpartition(".")
    sheet = document.Sheets.getByName(sheet) if sheet else document.Sheets.getByIndex(0)
    return sheet.getCellRangeByName(address)


def menu(name):
    """Dispatches the menu's address; [whether it was done, what it said]."""
    helper = manager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", context)
    frame = document.getCurrentController().getFrame()
    event = helper.executeDispatch(frame, f"vnd.voladdin:{name}", "_self", 0, ())
    return [event.State == 1, event.Result]


def menus():
    """Addresses and titles of the extension's menu, as the office has it in its configuration."""
    provider = manager.createInstanceWithContext("com.sun.star.configuration.ConfigurationProvider", context)
    path = option("nodepath", "/org.openoffice.Office.Addons/AddonUI/OfficeMenuBar/org.voladdin.calc.menu")
    access = "com.sun.star.configuration.ConfigurationAccess"
    entries = provider.createInstanceWithArguments(access, (path,)).getByName("Submenu")
    return [[entries.getByName(n).URL, entries.getByName(n).Title] for n in entries.ElementNames]


def put(place, formulas):
    cells(place).setFormulaArray(tuple(map(tuple, formulas)))


def values(place):
    return [list(row) for row in cells(place).getDataArray()]


def formulas(place):
    return [list(row) for row in cells(place).getFormulaArray()]


def every(place, name):
    """One property of each cell."""
    found = cells(place)
    address = found.getRangeAddress()
    rows, columns = address.EndRow - address.StartRow + 1, address.EndColumn - address.StartColumn + 1
    return [[getattr(found.getCellByPosition(j, i), name) for j in range(columns)] for i in range(rows)]


def change(place, name, value):
    setattr(cells(place), name, value)


def number_format(place, text):
    formats, locale = document.getNumberFormats(), uno.createUnoStruct("com.sun.star.lang.Locale")
    key = formats.queryKey(text, locale, False)
    cells(place).NumberFormat = formats.addNew(text, locale) if key == -1 else key


def merge(place):
    cells(place).merge(True)


def notes():
    found = document.Sheets.getByIndex(0).getAnnotations()
    return [
        [n.getPosition().Row, n.getPosition().Column, n.getString()]
        for n in (found.getByIndex(i) for i in range(found.getCount()))
    ]


def sheets():
    every_sheet = [document.Sheets.getByIndex(i) for i in range(document.Sheets.getCount())]
    return [[sheet.getName(), sheet.IsVisible] for sheet in every_sheet]


def undo():
    document.getUndoManager().undo()


def undo_titles():
    return list(document.getUndoManager().getAllUndoActionTitles())


def protect(password):
    document.Sheets.getByIndex(0).protect(password)


def insert_row(row):
    document.Sheets.getByIndex(0).Rows.insertByIndex(row, 1)


def rename(name):
    document.Sheets.getByIndex(0).setName(name)


def infobar():
    return document.getCurrentController().hasInfobar("voladdin")


print(json.dumps([globals()[action](*arguments) for action, *arguments in json.load(sys.stdin)]))
