"""Write a bundle: graphs, arrays, and the card that fixes both by hash."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from voladdin._typing import FloatArray
from voladdin.bundles import FORMAT, AnyBundle, weighted_sums
from voladdin.imputation.model import Bundle

from .history import Days


def write_bundle(
    folder: Path,
    name: str,
    days: Days,
    arrays: dict[str, FloatArray],
    graphs: dict[str, bytes],
    training: dict[str, Any],
) -> Path:
    """Write a bundle that imputes into `folder`."""
    card = {
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
    }
    stored = {key: np.asarray(value, np.float32) for key, value in arrays.items()}
    return write_files(folder, name, Bundle, stored, graphs, card)


def write_files(
    folder: Path,
    name: str,
    kind: type[AnyBundle],
    arrays: dict[str, np.ndarray],
    graphs: dict[str, bytes],
    card: dict[str, Any],
) -> Path:
    """Write a bundle of any kind; the card comes last, so that a broken write is no bundle.

    card: its grid, units, training and metrics; format, kind, hashes, revision and what its probe answers are
        added.
    """
    stored = io.BytesIO()
    np.savez_compressed(stored, **arrays)  # type: ignore[arg-type]
    contents = {f"{graph}.onnx": graphs[graph] for graph in kind.GRAPHS} | {kind.FILE: stored.getvalue()}
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for file, content in contents.items():
        (folder / file).write_bytes(content)
        files[file] = hashlib.sha256(content).hexdigest()
    whole = {
        "format": FORMAT,
        "name": name,
        "kind": kind.KIND,
        "files": files,
        **card,
        "revision": _revision(),
    }
    numbers = {key: np.asarray(value, float) for key, value in arrays.items()}
    whole |= _answers(kind(whole, "", numbers, graphs))
    (folder / "card.json").write_text(json.dumps(whole, indent=1) + "\n")
    return folder


def _answers(bundle: AnyBundle) -> dict[str, Any]:
    """What the bundle's probe answers and its arrays sum to, as its card says them."""
    with np.errstate(all="ignore"):
        probe = [float(f"{number:.7g}") for number in bundle.probe().tolist()]
    return {"probe": probe, "sums": weighted_sums(bundle)}


def _revision() -> str:
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
