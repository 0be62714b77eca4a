"""Windows' task that starts the local server, which thereby is no child of Excel's: policies forbid these.

It runs on demand, when the add-in asks the task scheduler, and at the user's logon where that is wanted.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from voladdin.home import folder

from .names import PROJECT, literal

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_SECONDS = 20.0  # that the scheduler may take
_STARTS = (
    "import os;os.environ.setdefault('OPENBLAS_NUM_THREADS','1');os.environ['VOLADDIN_HOME']={home};"
    "import sys;sys.path.insert(0,{root});from voladdin.cli import main;main(['serve','--idle','{idle}'])"
)


def name() -> str:
    """Of the task: one a user, since all users of a computer share the names."""
    return f"{PROJECT} {getpass.getuser()}"


def register(python: Path, *, at_logon: bool) -> str:
    """Puts the task there, in the place of an earlier one; "", or in words why it is not.

    python: the interpreter that serves. at_logon: whether the server starts at the user's logon too.
    """
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "task.xml")
        file.write_text(xml(python, at_logon=at_logon), "utf-16")
        return _scheduled("/Create", "/XML", str(file), "/F")


def remove() -> str:
    """Takes the task away; "", or in words why it is not, as where there is none."""
    return _scheduled("/Delete", "/F")


def refused() -> str:
    """ "" where the task is there; else in words why it is not."""
    return _scheduled("/Query")


def xml(python: Path, *, at_logon: bool) -> str:
    """The task as the scheduler reads it."""
    user = escape("\\".join(filter(None, [os.environ.get("USERDOMAIN", ""), getpass.getuser()])))
    logon = f"<LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger>" if at_logon else ""
    places = {
        "home": literal(str(folder().absolute())),
        "root": literal(str(Path(__file__).resolve().parents[3])),
    }
    code = _STARTS.format(**places, idle=0 if at_logon else 1800)
    arguments = escape(f'-P -c "{code}"')
    settings = {
        "MultipleInstancesPolicy": "Parallel",  # a new server takes the place of one that hangs
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "AllowStartOnDemand": "true",
        "ExecutionTimeLimit": "PT0S",
    }
    return (
        f'<?xml version="1.0" encoding="UTF-16"?>\n<Task version="1.2" xmlns="{_NAMESPACE}">'
        f"<RegistrationInfo><Description>The local server of {PROJECT}</Description></RegistrationInfo>"
        f'<Triggers>{logon}</Triggers><Principals><Principal id="Author"><UserId>{user}</UserId>'
        "<LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal></Principals>"
        f"<Settings>{''.join(f'<{key}>{value}</{key}>' for key, value in settings.items())}</Settings>"
        f'<Actions Context="Author"><Exec><Command>{escape(str(python))}</Command>'
        f"<Arguments>{arguments}</Arguments></Exec></Actions></Task>"
    )


def _scheduled(action: str, *more: str) -> str:
    """What Windows' schtasks says where it refuses."""
    if sys.platform != "win32":
        return "expected Windows"
    command = ["schtasks", action, "/TN", name(), *more]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (
        ""
        if ran.returncode == 0
        else " ".join((ran.stderr or ran.stdout).split()) or f"status {ran.returncode}"
    )
