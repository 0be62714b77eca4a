"""Works in a running LibreOffice as a user does; runs under the system's Python, which has uno.

Usage: python3 uno_menu.py PIPE, with steps as JSON on standard input: a list of [action, argument, …], each a
function below. It prints the list of what they return.
"""

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

import uno
from com.sun.star.accessibility.AccessibleRole import MENU_BAR
from com.sun.star.beans import PropertyValue

sys.path.insert(0, str(Path(__file__).parents[2] / "export" / "bench" / "calc"))
from uno_pipe import connect  # type: ignore[import-not-found]

context = connect(sys.argv[1])
manager = context.ServiceManager
desktop = manager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
document = None


def option(name, value):
    pair = PropertyValue()
    pair.Name, pair.Value = name, value
    return pair


def load(path, read_only=False):
    """Opens a book, or a blank one."""
    global document
    url = Path(path).as_uri() if path else "private:factory/scalc"
    options = (option("ReadOnly", read_only),)  # not Hidden: Calc would not undo sheets
    document = desktop.loadComponentFromURL(url, "_blank", 0, options)


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


def menu(name, *answers):
    """Dispatches the menu's address with answers to its questions; [whether it was done, what it said]."""
    helper = manager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", context)
    frame = document.getCurrentController().getFrame()
    given = tuple(option("answer", answer) for answer in answers)
    event = helper.executeDispatch(frame, f"vnd.voladdin:{name}", "_self", 0, given)
    return [event.State == 1, event.Result]


def sheet(name):
    document.Sheets.insertNewByName(name, document.Sheets.getCount())


def give_up():
    """Of a range that is asked for."""
    document.getCurrentController().abortRangeSelection()


visited = None  # how to ask the page, and its address


def page_sends(file, what):
    """Opens the page whose address is in a file, or keeps the open one, and sends from it; what it hears."""
    global visited
    if file:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        visited = browser, browser.open(Path(file).read_text().strip()).geturl()
        page_asks("view")
    if what == "repaired":
        page_asks("repair", {})
    page_asks("send", {"what": what})
    for _ in range(100):
        said = page_asks("arrived")["arrived"]
        if said:
            break
        time.sleep(0.1)
    return said


def page_asks(path, body=None):
    browser, address = visited
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"content-type": "application/json"})
    return json.loads(browser.open(request).read())


def child(element, number):
    return element.getAccessibleChild(number).getAccessibleContext()


def children(element):
    return [child(element, i) for i in range(element.getAccessibleChildCount())]


def menu_bar(element):
    """The window's menu bar as a screen reader finds it."""
    if element.getAccessibleRole() == MENU_BAR:
        return element
    return next(filter(None, (menu_bar(c) for c in children(element)[:20] if c)), None)


def entries():
    window = document.getCurrentController().getFrame().getContainerWindow()
    menus = children(menu_bar(window.getAccessibleContext()))
    return children(next(m for m in menus if m.getAccessibleName() == "voladdin"))


def menus():
    """Labels of the extension's menu, a separator as ""."""
    return [entry.getAccessibleName() for entry in entries()]


def click(label):
    """Chooses an entry of the menu, and waits until a note is on the sheet."""
    entry = next(e for e in entries() if e.getAccessibleName() == label)
    entry.doAccessibleAction(0)
    for _ in range(200):
        if notes():
            return True
        time.sleep(0.05)
    return False


def put(place, formulas):
    cells(place).setFormulaArray(tuple(map(tuple, formulas)))


def array(place, formula):
    cells(place).setArrayFormula(formula)


def until(place, text):
    """Waits until a cell shows a text; what all cells of the row show then."""
    for _ in range(100):
        if cells(place).getCellByPosition(0, 0).String == text:
            break
        time.sleep(0.05)
    return every(place, "String")


def calculated(place, text):
    """Calculates until a cell shows a text, as where a busy server answers late; what it shows then."""
    for _ in range(60):
        shown = cells(place).getCellByPosition(0, 0).String
        if shown == text:
            break
        time.sleep(0.25)
        document.calculateAll()
    return shown


def modified():
    return document.isModified()


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


def format_text(place):
    """The number format of a cell as text."""
    return document.getNumberFormats().getByKey(cells(place).NumberFormat).FormatString


def merge(place):
    cells(place).merge(True)


def notes():
    found = document.Sheets.getByIndex(0).getAnnotations()
    return [
        [n.getPosition().Row, n.getPosition().Column, n.getString() or n.getAnnotationShape().getString()]
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
sys.stdout.flush()
os._exit(0)  # the bridge to the office may crash where Python ends by itself
