"""Opens an add-in in LibreOffice, prints its modules, and runs a test in them; for the system's Python.

Usage: python3 addin_driver.py ADDIN PROFILE < SCRIPT. SCRIPT and output are JSON. LibreOffice's Basic knows
neither `#If` nor Excel's own objects, so the test runs in the module that the script makes of those loaded:
{"module": a loaded module, "from": where its text begins, "replace": [[pattern, by what], ...],
"add": more text, which has the function Test, "locale": LibreOffice's, such as de-DE}.
"""

import json
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import uno  # noqa: F401 - makes com.sun.star importable
from com.sun.star.beans import PropertyValue
from com.sun.star.script import ModuleInfo

sys.path.insert(0, str(Path(__file__).parents[2] / "export" / "bench" / "calc"))
from uno_pipe import connect  # type: ignore[import-not-found]

ALWAYS_EXECUTE_NO_WARN = 4
STANDARD = 1
TEST, CLASS = "voladdin_test", 2
REGISTRY = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop></item></oor:items>
"""
CLASSES = "http_of_basic", "python_of_basic", "range_of_basic"  # in place of Windows' and Excel's objects


def option(name, value):
    found = PropertyValue()
    found.Name, found.Value = name, value
    return found


def test_module(source, script):
    text = source[source.index(script["from"]) :]
    for pattern, replacement in script["replace"]:
        text, found = re.subn(pattern, replacement, text)
        if not found:
            raise ValueError(f"{pattern} is not in the module")
    return "Option VBASupport 1\n" + script["add"] + text


def insert(library, name, kind, text):
    info = ModuleInfo()
    info.ModuleType = kind
    library.insertModuleInfo(name, info)
    library.insertByName(name, text)


def run(document, script):
    names = document.BasicLibraries.ElementNames
    library = document.BasicLibraries.getByName(next(name for name in names if name != "Standard"))
    modules = {name: library.getByName(name) for name in library.ElementNames}
    for name in modules:
        library.removeByName(name)  # one that does not compile keeps the others from running
    for name in CLASSES:
        insert(library, name, CLASS, Path(__file__).with_name(f"{name}.bas").read_text())
    insert(library, TEST, STANDARD, test_module(modules[script["module"]], script))
    url = f"vnd.sun.star.script:voladdin.{TEST}.Test?language=Basic&location=document"
    result = document.getScriptProvider().getScript(url).invoke((), (), ())[0]
    return {"libraries": names, "modules": modules, "result": result}


addin, profile = sys.argv[1:]
script = json.load(sys.stdin)
scripts = Path(profile, "profile", "user", "Scripts", "python")
scripts.mkdir(parents=True)
shutil.copy(Path(__file__).with_name("http_of_basic.py"), scripts)
if "locale" in script:
    scripts.parents[1].joinpath("registrymodifications.xcu").write_text(REGISTRY.format(script["locale"]))
pipe = f"voladdin{uuid.uuid4().hex}"
options = [f"-env:UserInstallation={Path(profile, 'profile').as_uri()}", f"--accept=pipe,name={pipe};urp;"]
office = subprocess.Popen(["soffice", "--headless", "--norestore", *options], stderr=subprocess.DEVNULL)
try:
    context = connect(pipe)
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    filter_ = option("FilterName", "Calc MS Excel 2007 VBA XML")
    macros = option("MacroExecutionMode", ALWAYS_EXECUTE_NO_WARN)
    document = desktop.loadComponentFromURL(
        Path(addin).as_uri(), "_blank", 0, (option("Hidden", True), macros, filter_)
    )
    print(json.dumps(run(document, script)))
    document.close(True)
    desktop.terminate()
    office.wait(30)
finally:
    office.kill()
