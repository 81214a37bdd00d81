"""What a file in results/ was measured with, written into it by its benchmark and compared by ``make check``.

The record stands under ``measured_with``, at the top of a file or in each of its rows: lenet5's version, the commit,
and the SHA-256 of each weights file that was read, or of all in it but the page score where that changes no figure:
forms are read without it. A figure is out of date when the bundled weights
of that name, or lenet5's version, are others now. The commit is for people: most commits change no figure.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final

import lenet5
from lenet5.weights import BUNDLED, load

__all__ = ["COMMANDS", "KEY", "RESULTS", "outdated", "record", "unrecorded"]

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "results"
KEY: Final = "measured_with"
_KINDS: Final = {"weights": True, "weights_without_page_score": False}
"""The digests of a record, and whether the page score is in them."""

COMMANDS: Final = {
    "accuracy.json": "python -m benchmarks.accuracy --again --keep build/accuracy",
    "choices.json": "python -m benchmarks.accuracy.choices --again",
    "displacement.json": "python -m benchmarks.reading.displacement",
    "embedding.json": "python -m benchmarks.embedding",
    "evaluation.json": "python -m benchmarks.accuracy.evaluation",
    "forms.json": "python -m benchmarks.forms",
    "forms_learning.json": "python -m benchmarks.forms.learning",
    "fuzzing.json": "python -m tests.fuzz --inputs 1000000 --record",
    "held_out.json": "python -m benchmarks.accuracy.held_out",
    "kills.json": "python -m benchmarks.kills",
    "jobs.json": "python -m benchmarks.speed.jobs",
    "left_out.json": "python -m benchmarks.reading.left_out",
    "mutants.json": "python -m benchmarks.mutants",
    "performance.json": "python -m benchmarks.speed",
    "reading.json": "python -m benchmarks.reading",
    "resume.json": "python -m benchmarks.resume",
    "robustness.json": "python -m benchmarks.accuracy.robustness",
    "service.json": "python -m benchmarks.speed.service",
    "soak.json": "python -m benchmarks.soak",
    "whole_training.json": "python -m benchmarks.speed.whole",
}
"""What measures each file of results anew."""

Record = dict[str, Any]


def record(*weights: str, page_score: bool = True) -> Record:
    """The record of figures that are measured now with these weights, bundled names or paths; none is a valid case.

    Without ``page_score`` figures stay up to date when that alone is fitted anew.
    """
    kind = next(kind for kind, with_score in _KINDS.items() if with_score == page_score)
    digests = {name: _digest(name, page_score) for name in weights}
    return {"version": lenet5.__version__, "commit": _commit(), kind: digests}


def outdated(path: Path) -> list[str]:
    """Why the figures of a file are no longer those of the code and the bundled weights; empty where they are."""
    reasons = []
    for entry in _records(path):
        if entry is None:
            continue
        if entry["version"] != lenet5.__version__:
            reasons.append(f"measured with lenet5 {entry['version']}, this is {lenet5.__version__}")
        for kind, page_score in _KINDS.items():
            for name, digest in entry.get(kind, {}).items():
                if name not in BUNDLED:
                    reasons.append(f"measured with {name}, which are no bundled weights")
                elif digest != _digest(name, page_score):
                    reasons.append(f"measured with other weights {name} than those that are bundled")
    return list(dict.fromkeys(reasons))


def unrecorded(path: Path) -> bool:
    """Whether a file has figures that do not say what they were measured with."""
    return None in _records(path)


def _records(path: Path) -> Iterator[Record | None]:
    """The record at the top of a file; without one there, that of each row, None where a row has none."""
    content = json.loads(path.read_text())
    if isinstance(content, dict):
        rows = [content] if KEY in content else content.get("runs", [content])
    else:
        rows = content
    return (row.get(KEY) for row in rows)


def _digest(name: str, page_score: bool) -> str:
    """The SHA-256 of a weights file, or of its parameters and all its metadata but the page score."""
    bundled = resources.files("lenet5") / "bundled" / f"{name}.safetensors"
    if page_score:
        return hashlib.sha256((bundled if name in BUNDLED else Path(name)).read_bytes()).hexdigest()
    weights = load(name)
    metadata = {key: value for key, value in weights.metadata.items() if key != "score"}
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode() + weights.parameters.tobytes()).hexdigest()


def _commit() -> str | None:
    """The commit that is checked out, with ``-dirty`` where files were changed since; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
