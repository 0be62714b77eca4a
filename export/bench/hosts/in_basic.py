"""What the add-in's VBA itself takes, in LibreOffice, against stand-ins for Excel's and Windows' objects."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from voladdin.cells import Cells, address
from voladdin.hosts import excel


class Basic(NamedTuple):
    """Milliseconds: a call with the argument A:F, as text; without Python the first formula, a later one."""

    whole_columns: float
    first: float
    later: float


def measured(cells: Cells, count: int) -> Basic | str:
    """On a sheet with these cells in its upper left corner; or why it cannot be measured here.

    Basic's clock counts milliseconds, so each figure but the first formula's is the mean of `count`.
    """
    try:
        from tests.stubs import vba_in_office  # of a checkout, with pytest
    except ImportError as error:
        return f"the stand-ins of tests/ are not here: {error}"
    if (lacking := vba_in_office.lacking()) is not None:
        return lacking
    loop = f"For i = 1 To {count}: "
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vba_in_office.configure(folder)
        found = vba_in_office.run_vba(
            excel.build(folder / "voladdin.xlam"),
            folder / "office",
            folder,
            "Dim i As Integer, t As Long, early As Boolean, text As String, given(0 To 0) As Variant",
            *_written(cells),
            'Set given(0) = ActiveSheet.Range("A:F")',
            f't = GetSystemTicks(): {loop}text = CallText("VOLIMPUTE", given, early): Next i',
            'Test = (GetSystemTicks() - t) & " "',
            't = GetSystemTicks(): a = VOLCHECK(1): Test = Test & (GetSystemTicks() - t) & " "',
            f"t = GetSystemTicks(): {loop}a = VOLCHECK(1): Next i",
            'Test = Test & (GetSystemTicks() - t) & " " & Replace(Split(text, Chr(10))(2), Chr(9), "x")',
        )
    whole, first, later, size = found["result"].split()
    assert size == f"{len(cells)}x{len(cells[0])}", size
    return Basic(float(whole) / count, float(first), float(later) / count)


def _written(cells: Cells) -> list[str]:
    return [
        f'ActiveSheet.Range("{address(i, j)}").Value = {json.dumps(cell)}'
        for i, row in enumerate(cells)
        for j, cell in enumerate(row)
        if cell is not None
    ]
