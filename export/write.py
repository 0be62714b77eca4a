"""Write a bundle: graphs, arrays, and the card that fixes both by hash."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from voladdin.bundle import FORMAT, GRAPHS
from voladdin.surface import FloatArray

from .history import Days


def write_bundle(
    folder: Path,
    name: str,
    days: Days,
    arrays: dict[str, FloatArray],
    graphs: dict[str, bytes],
    training: dict[str, Any],
) -> Path:
    """Write into `folder`; the card comes last, so that a broken write is no bundle."""
    stored = io.BytesIO()
    np.savez_compressed(stored, **{key: np.asarray(value, np.float32) for key, value in arrays.items()})
    contents = {f"{graph}.onnx": graphs[graph] for graph in GRAPHS} | {"gaussian.npz": stored.getvalue()}
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    card = {
        "format": FORMAT,
        "name": name,
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "grid": {"tenors_years": days.tenors.round(6).tolist(), "call_deltas": days.deltas.tolist()},
        "units": "log of decimal vols; forward call deltas; tenors in years",
        "training": {
            "underlyings": sorted({str(u) for u in days.underlying}),
            "days": len(days),
            "first": str(days.date.min()),
            "last": str(days.date.max()),
            **training,
        },
        "metrics": {
            "validation_crps_against_local_gaussian": training["best_crps"],
            "level_stretch": float(arrays["level_stretch"]),
            "change_stretch": float(arrays["change_stretch"]),
        },
        "revision": _revision(),
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    return folder


def _revision() -> str:
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
