"""Runs the function Test of a VBA module in LibreOffice and prints its text; for the system's Python.

Usage: python3 vba_driver.py MODULE PROFILE.
"""

import subprocess
import sys
import uuid
from pathlib import Path

import uno  # noqa: F401 - makes com.sun.star importable
from com.sun.star.beans import PropertyValue
from uno_pipe import connect

ALWAYS_EXECUTE_NO_WARN = 4


def option(name, value):
    found = PropertyValue()
    found.Name, found.Value = name, value
    return found


module, profile = sys.argv[1:]
pipe = f"voladdin{uuid.uuid4().hex}"
options = [f"-env:UserInstallation={Path(profile, 'profile').as_uri()}", f"--accept=pipe,name={pipe};urp;"]
office = subprocess.Popen(["soffice", "--headless", "--norestore", *options], stderr=subprocess.DEVNULL)
try:
    context = connect(pipe)
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    hidden = (option("Hidden", True), option("MacroExecutionMode", ALWAYS_EXECUTE_NO_WARN))
    document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, hidden)
    libraries = document.BasicLibraries
    libraries.VBACompatibilityMode = True
    if not libraries.hasByName("Standard"):
        libraries.createLibrary("Standard")
    libraries.getByName("Standard").insertByName("Cells", Path(module).read_text())
    url = "vnd.sun.star.script:Standard.Cells.Test?language=Basic&location=document"
    print(document.getScriptProvider().getScript(url).invoke((), (), ())[0])
    document.close(True)
    desktop.terminate()
    office.wait(30)
finally:
    office.kill()
