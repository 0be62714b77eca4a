"""Families of surfaces of SVI smiles: SSVI, eSSVI, and raw SVI expiry by expiry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """What smiles may do expiry by expiry. drift: std of each of their `drifting` numbers, d and e of
    `essvi.py`, or s and f too; rough: variance of what expiries do not have in common, over that of what they
    have; small: noise of the quotes over what is typical, before they are seen; against: log odds against it,
    as the more numbers there are, the more quotes are foretold by chance.
    """

    drift: float
    small: float
    against: float = 1.0
    rough: float = 0.02
    drifting: int = 2

    @property
    def raw_svi(self) -> bool:
        """Whether smiles have all numbers of raw SVI."""
        return self.drifting > 2


SSVI, ESSVI = Family(0.0, 0.1), Family(0.3, 0.3)
SVI = Family(0.6, 0.3, against=3.0, rough=0.4, drifting=4)
