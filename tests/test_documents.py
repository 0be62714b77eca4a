"""Documents that are written by a command are as the command writes them; the README stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voladdin.worksheet.reference import markdown
from voladdin.worksheet.registry import FUNCTIONS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("C*.md"))]


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "worksheet.md").read_text("utf-8")
    assert written == markdown(FUNCTIONS.values()), (
        "run python -m voladdin.worksheet.reference > docs/worksheet.md"
    )


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    assert all((document.parent / target).exists() for target in targets if target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_modules_exist(document: Path) -> None:
    """A path such as voladdin/cells/grid.py in a document is a file of the tree."""
    named = re.findall(r"`((?:voladdin|export|server|workbook|tests)/[\w/.]+)`", document.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
