"""The generated parts of docs/licences.md: of what lenet5 depends on, and of the data in the package.

A package's licence is what its metadata says; where that is no SPDX expression, SPDX names what the package's own
files say. A dependency without either fails the build.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from lenet5 import weights
from lenet5.weights import BUNDLED

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["ALLOWED", "BLOCKS", "dependencies", "licence"]

ROOT = Path(__file__).resolve().parents[2]

SPDX: Final = {
    "matplotlib": "PSF-2.0",
    "onnxruntime": "MIT",
    "opencv-python-headless": "Apache-2.0",
    "pillow-heif": "BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "ray": "Apache-2.0",
    "rich": "MIT",
    "safetensors": "Apache-2.0",
    "tomli": "MIT",
}

WHEELS: Final = {
    "opencv-python-headless": "its wheels hold FFmpeg (LGPL-2.1)",
    "pillow-heif": "its wheels hold libheif and libde265 (LGPL-3.0) and x265 (GPL-2.0), and are GPL-2.0 as a whole",
}
"""What wheels hold beside the package, where it has another kind of licence."""

ALLOWED: Final = frozenset(
    ("MIT", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "PSF-2.0", "Zlib", "CC0-1.0", "BSL-1.0")
)
"""Licences that a dependency may have without a person deciding about it."""

DATA: Final = (
    ("`lenet5/bundled/digits.npz`", "Optical Recognition of Handwritten Digits (UCI)", "CC BY 4.0"),
    ("`lenet5/bundled/pictures/`", "drawn by examples/draw_pictures.py", "MIT"),
)


def dependencies() -> dict[str, list[str]]:
    """The direct dependencies, and which extras need each; none where reading itself does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed: dict[str, list[str]] = {Requirement(line).name: [] for line in project["dependencies"]}
    for extra, lines in project["optional-dependencies"].items():
        for line in lines:
            needed.setdefault(Requirement(line).name, []).append(extra)
    return needed


def licence(name: str) -> str:
    """The SPDX expression of a package."""
    if name in SPDX:
        return SPDX[name]
    try:
        found: Any = metadata(name).get("License-Expression")
    except PackageNotFoundError:
        sys.exit(f"docs/_build: {name} is not installed: make install-dev")
    if not found:
        sys.exit(f"docs/_build: the metadata of {name} names no licence: look at its files, and add it to SPDX")
    return str(found).replace(" WITH LLVM-exception", "")


def packages() -> str:
    """Each direct dependency with its licence."""
    lines = ["| package | licence | needed by |", "| --- | --- | --- |"]
    for name, extras in sorted(dependencies().items()):
        parts = sorted(set(licence(name).replace("(", "").replace(")", "").split(" AND ")))
        note = f"; {WHEELS[name]}" if name in WHEELS else ""
        by = ", ".join(f"extra `{extra}`" for extra in extras) or "lenet5"
        lines.append(f"| {name} | {', '.join(parts)}{note} | {by} |")
    return "\n".join(lines)


def data() -> str:
    """Each file of data in the package, and what the bundled weights were trained on."""
    lines = ["| file | made from | licence of it |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in DATA]
    for name in BUNDLED:
        trained_on = weights.load(name).metadata["trained_on"]
        sets = [part for key, part in (("mnist", "MNIST"), ("UNIPEN", "UNIPEN train_r01_v07")) if key in trained_on]
        licences = {"MNIST": "CC BY-SA 3.0", "UNIPEN train_r01_v07": "CC BY 4.0"}
        made, of = " and ".join(sets), " and ".join(licences[part] for part in sets)
        lines.append(f"| `lenet5/bundled/{name}.safetensors` | trained on {made} | {of} |")
    return "\n".join(lines)


BLOCKS = {"licences": packages, "data-licences": data}
