"""Which formulas the runner says that Calc does not compute."""

from __future__ import annotations

import pytest

from voladdin.xlsx.in_calc import refused_by_calc


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ('=VOLIMPUTE(VOLQUOTES(B2:B5,C2:C5,D2:D5,,,A2:A5,"EURUSD"))', "put VOLQUOTES into cells"),
        ('=IF(VOLCHECK( VOLIMPUTE(A5:F13)),"ok","ARB")', "give these to VOLCHECK"),
        ("=VOLIMPUTE(_xlfn.VOLIMPUTE(A1:F5))", "Err:504"),
        ('=VLOOKUP("3M",VOLIMPUTE(A1:F5),4,FALSE)', "INDEX and MATCH find in VOLIMPUTE what VLOOKUP"),
        ('=VOLINTERP(A1:F5,"4M","25P")', ""),
        ('="VOLIMPUTE(VOLIMPUTE("&VOLINFO("version")', ""),
        ('=VLOOKUP("VOLIMPUTE(",A1:B2,2)', ""),
        ("=SUM(VOLIMPUTE(A1:F5))+VOLINTERP(A1:F5,1,0.5)", ""),
    ],
)
def test_what_calc_refuses_is_named(formula: str, said: str) -> None:
    found = refused_by_calc(formula)
    assert said in found and bool(found) == bool(said)
