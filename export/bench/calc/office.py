"""A headless LibreOffice for `bench calc`, told what to do over UNO."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from voladdin.errors import UnavailableError
from voladdin.hosts.libreoffice.programs import environment, layers, program


class Calc:
    """A headless LibreOffice that is told what to do over UNO; ends with the block."""

    def __init__(self, profile: Path) -> None:
        pipe = f"voladdin{uuid.uuid4().hex}"
        options = ["--headless", "--norestore", f"--accept=pipe,name={pipe};urp;"]
        command = [str(program("soffice")), *layers(profile), *options]
        driver = [uno_python(), str(Path(__file__).with_name("driver.py")), pipe]
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._office = subprocess.Popen(command, env=environment(), **quiet)
        self._driver = subprocess.Popen(driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Calc:
        try:
            self._answer()
        except UnavailableError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._driver, self._office):
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()

    def tell(self, *words: object) -> Any:
        """The answer to one command of `driver`."""
        assert self._driver.stdin is not None
        self._driver.stdin.write("\t".join(map(str, words)) + "\n")
        self._driver.stdin.flush()
        return json.loads(self._answer())

    def _answer(self) -> str:
        assert self._driver.stdout is not None
        line = self._driver.stdout.readline()
        if not line:
            raise UnavailableError("LibreOffice ended before the benchmark did; see the messages above")
        return line


def uno_python() -> str:
    """A Python that can import uno: LibreOffice's own, or the system's.

    Raises UnavailableError where there is none.
    """
    for candidate in (str(program("soffice").with_name("python")), "/usr/bin/python3", sys.executable):
        found = shutil.which(candidate)
        if found and subprocess.run([found, "-c", "import uno"], capture_output=True).returncode == 0:
            return found
    raise UnavailableError("no Python has the module uno; Debian's package is python3-uno")
