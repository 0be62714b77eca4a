"""Modules of the .oxt import each other by the names they have in it."""

from __future__ import annotations

import sys

from voladdin.hosts.libreoffice.inside import machine

sys.modules.setdefault("voladdin_machine", machine)
