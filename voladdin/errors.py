"""Every error of voladdin, each with the error value its cell shows.

VoladdinError
├── InputError          #VALUE!   shape, units, labels of what the user gave
│   ├── LabelError      #VALUE!   a tenor, delta or strike label
│   └── UnitsError      #VALUE!   percent against decimal, vols out of any range
├── UnavailableError    #N/A      something needed is not there
│   ├── BundleError     #N/A      a model bundle is absent, truncated or tampered with
│   └── ServerError     #N/A      the local server is absent, busy or refuses
└── InfeasibleError     #NUM!     well-posed, but without a solution
"""

from __future__ import annotations

import hashlib
from typing import ClassVar


class VoladdinError(Exception):
    """Base of all errors; the message names the cell or argument, its value and what was expected."""

    cell_error: ClassVar[str] = "#VALUE!"

    @property
    def reference(self) -> str:
        """Short id of this very error (same error, same id), to find it again in the log."""
        text = f"{type(self).__name__}: {self}"
        return "VA-" + hashlib.sha256(text.encode()).hexdigest()[:8]


class InputError(VoladdinError, ValueError):
    """What the user gave cannot be read: shape, type or range."""


class LabelError(InputError):
    """A tenor, delta, strike or currency-pair label cannot be read, repeats or is out of order."""


class UnitsError(InputError):
    """Vols mix percent and decimals, or lie beyond any volatility."""


class UnavailableError(VoladdinError):
    """Something the answer needs is not there."""

    cell_error = "#N/A"


class BundleError(UnavailableError):
    """A model bundle is absent, truncated, tampered with or of another version."""


class ServerError(UnavailableError):
    """The local server is absent, already running elsewhere, or refuses the request."""


class InfeasibleError(VoladdinError):
    """The request is well-posed but has no solution."""

    cell_error = "#NUM!"
