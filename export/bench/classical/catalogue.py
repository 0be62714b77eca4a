"""The classical models, one interface for all: CLASSICAL[name]() is a `Method` that fills delta grids.

Those fitted to one surface at a time learn nothing from a history; PCA, PPCA and the Gaussian do.
"""

from __future__ import annotations

from collections.abc import Callable

from ..methods import Method
from .andreasen_huge import andreasen_huge
from .factors import Pca, Ppca
from .gaussian import Gaussian
from .interpolators import ssvi
from .mixture import mixture
from .smiles import sabr, svi
from .stochastic_vol import Bates, Heston, HestonShift
from .strikes import OfStrikes

CLASSICAL: dict[str, Callable[[], Method]] = {
    "Heston": Heston,
    "Bates": Bates,
    "Heston++": HestonShift,
    "SABR by tenor": lambda: OfStrikes("SABR by tenor", sabr),
    "SVI": lambda: OfStrikes("SVI", svi),
    "SSVI": lambda: OfStrikes("SSVI", ssvi),
    "mixture of log-normals": lambda: OfStrikes("mixture of log-normals", mixture),
    "Andreasen-Huge": lambda: OfStrikes("Andreasen-Huge", andreasen_huge),
    "PCA": Pca,
    "PPCA": Ppca,
    "Gaussian conditional": lambda: Gaussian(name="Gaussian conditional"),
}
