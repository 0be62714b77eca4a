"""Modules of the .oxt import each other by the names they have in it."""

from __future__ import annotations

import importlib
import sys

for name in ("machine", "connection", "discovery", "formulas", "values"):
    module = importlib.import_module(f"voladdin.hosts.libreoffice.inside.{name}")
    sys.modules.setdefault(f"voladdin_{name}", module)
