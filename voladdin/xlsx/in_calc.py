"""Formulas that Excel and the runner compute and Calc cannot, so that a book that travels says so."""

from __future__ import annotations

import re

_TEXT = re.compile(r'"(?:[^"]|"")*"')
_NESTED = re.compile(r"\b(VOL[A-Z]+)\s*\(\s*(?:_xl\w+\.)*(VOL[A-Z]+)\s*\(", re.IGNORECASE)
_LOOKUP = re.compile(r"\b([VH]LOOKUP)\s*\([^()]*,\s*(?:_xl\w+\.)*(VOL[A-Z]+)\s*\(", re.IGNORECASE)


def refused_by_calc(formula: str) -> str:
    """What LibreOffice Calc does not compute in a formula, "" where it does.

    It calls no add-in with an array for a range that may hold error cells (Err:504), and its VLOOKUP finds no
    text in an array of an add-in (#N/A).
    """
    plain = _TEXT.sub('""', formula)
    if found := _NESTED.search(plain):
        outer, inner = found[1].upper(), found[2].upper()
        return f"LibreOffice Calc shows Err:504 here: put {inner} into cells and give these to {outer}"
    if found := _LOOKUP.search(plain):
        look, inner = found[1].upper(), found[2].upper()
        return f"LibreOffice Calc shows #N/A here: INDEX and MATCH find in {inner} what {look} does not"
    return ""
