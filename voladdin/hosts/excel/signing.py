"""Signs the add-in's VBA project as Microsoft documents it, with signtool.

A VBA project in a .xlam is signed by hashes that only Microsoft's "Office Subject Interface Packages for
Digitally Signing VBA Projects" compute; osslsigncode and others sign programs, not projects.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from voladdin.errors import InputError, UnavailableError

PASSWORD = "VOLADDIN_SIGN_PASSWORD"  # the environment variable with the certificate's
_SECONDS = 120.0


def sign(addin: Path, certificate: str) -> None:
    """Signs the file in place with a certificate: a .pfx file, or the subject of one in the user's store.

    Raises InputError where a .pfx file is absent, UnavailableError where signtool is, or refuses.
    """
    if certificate.lower().endswith((".pfx", ".p12")) and not Path(certificate).is_file():
        raise InputError(f"--sign is {certificate}; expected a file, or the subject of a stored certificate")
    tool = shutil.which("signtool")
    if tool is None:
        raise UnavailableError(
            "signtool is not on PATH; expected Windows' SDK with the Office Subject Interface Packages; "
            f"{addin} is written and not signed"
        )
    command = [tool, "sign", "/fd", "sha256", *_named(certificate), str(addin)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"signtool does not run: {error}; {addin} is not signed") from None
    if ran.returncode:
        said = " ".join((ran.stderr or ran.stdout).split())
        raise UnavailableError(f"signtool refuses: {said}; {addin} is not signed")


def _named(certificate: str) -> list[str]:
    if not Path(certificate).is_file():
        return ["/n", certificate]
    password = os.environ.get(PASSWORD)
    return ["/f", certificate, *(["/p", password] if password else [])]
