"""`python -m voladdin.worksheet.reference`: the reference of the worksheet functions, as markdown."""

from __future__ import annotations

from collections.abc import Iterable

from .registry import FUNCTIONS
from .signature import Function

_INTRODUCTION = """\
# Worksheet functions

Written by `python -m voladdin.worksheet.reference > docs/worksheet.md` from the functions' own help texts,
which the wizards of Excel and LibreOffice show too. In brackets: may be left out.

Cells are read as a desk writes them: [what a grid may look like](limits.md#cells). An error is `#VALUE!`
where the input cannot be read, `#N/A` where a model or the server is absent, `#NUM!` where there is no
solution; VOLINFO says which cell, its value and what was expected.
"""


def markdown(functions: Iterable[Function]) -> str:
    """One section a function: what it gives, an example, its arguments."""
    return "\n".join([_INTRODUCTION, *map(_section, functions)])


def _section(function: Function) -> str:
    rows = [
        f"| {'[' + a.name + ']' if a.optional else a.name} | {a.kind} | {a.help.replace('|', '/')} |"
        for a in function.arguments
    ]
    head = ["| argument | takes | what it is |", "|---|---|---|"]
    return "\n".join(
        [f"## {function.name}", "", function.help, "", f"    {function.example}", "", *head, *rows, ""]
    )


if __name__ == "__main__":
    print(markdown(FUNCTIONS.values()), end="")
