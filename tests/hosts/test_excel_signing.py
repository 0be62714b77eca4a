"""What of signing can be tried without Windows: a self-made certificate, and a tool of Debian."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from voladdin.errors import UnavailableError
from voladdin.hosts import excel

TOOL = shutil.which("osslsigncode")


@pytest.fixture(scope="module")
def addin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return excel.build(tmp_path_factory.mktemp("addin") / "voladdin.xlam")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pfx without a password, for signing code."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=desk -addext extendedKeyUsage=codeSigning"
    packed = "pkcs12 -export -out desk.pfx -inkey key.pem -in desk.pem -passout pass:"
    for command in (f"{made} -keyout key.pem -out desk.pem", packed):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder / "desk.pfx"


def test_without_signtool_the_add_in_is_there_and_unsigned(
    addin: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = addin.read_bytes()
    with pytest.raises(UnavailableError, match=r"signtool is not on PATH; .*written and not signed"):
        excel.sign(addin, str(certificate))
    assert addin.read_bytes() == before
    assert not any("Signature" in name for name in zipfile.ZipFile(addin).namelist())


@pytest.mark.skipif(TOOL is None, reason="osslsigncode is not installed")
def test_debians_tool_takes_an_add_in_for_no_file_that_it_signs(
    addin: Path, certificate: Path, tmp_path: Path
) -> None:
    """Where a newer one does, `voladdin build excel --sign` should use it."""
    given = ["-pkcs12", str(certificate), "-pass", "", "-in", str(addin), "-out", str(tmp_path / "out")]
    ran = subprocess.run([str(TOOL), "sign", *given], capture_output=True, text=True, check=False)
    assert ran.returncode and "unsupported input file type" in ran.stdout + ran.stderr


@pytest.mark.skipif(TOOL is None, reason="osslsigncode is not installed")
def test_and_its_vba_project_for_an_installer_of_programs(
    addin: Path, certificate: Path, tmp_path: Path
) -> None:
    """It adds a stream, as of .msi files; Office reads a part vbaProjectSignature.bin, of other hashes."""
    project, signed = tmp_path / "vbaProject.bin", tmp_path / "signed.bin"
    project.write_bytes(zipfile.ZipFile(addin).read("xl/vbaProject.bin"))
    given = ["-pkcs12", str(certificate), "-pass", "", "-in", str(project), "-out", str(signed)]
    subprocess.run([str(TOOL), "sign", *given], capture_output=True, check=True)
    stream = "\x05DigitalSignature".encode("utf-16-le")
    assert stream in signed.read_bytes() and stream not in project.read_bytes()
