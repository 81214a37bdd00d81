"""Tesseract as a peer of the reader: the binary, digits only, on the same pictures."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from lenet5.reading.opening import Source
from lenet5.result import Box, Digit, Reading

__all__ = ["PAGE_MODES", "read", "version"]

PAGE_MODES: Final = {"digit": "10", "line": "7", "page": "6"}
"""Our layouts → Tesseract's page segmentation modes: one character, one line, one block of text."""


def version() -> str | None:
    """The name and version of the Tesseract on this machine; None where it is not installed."""
    if shutil.which("tesseract") is None:
        return None
    said = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return (said.stdout or said.stderr).split("\n")[0].replace("tesseract", "Tesseract")


def read(source: Source, layout: str) -> Reading:
    """What Tesseract reads in a file or a grey array (H, W) uint8, as a Reading without boxes or confidences."""
    if isinstance(source, np.ndarray):
        encoded = io.BytesIO()
        Image.fromarray(source).save(encoded, "PNG", compress_level=1)
        place, content = "stdin", encoded.getvalue()
    else:
        assert isinstance(source, str | Path)
        place, content = str(source), b""
    command = ["tesseract", place, "stdout", "--psm", PAGE_MODES[layout], "-c", "tessedit_char_whitelist=0123456789"]
    said = subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()
    lines = ("".join(c for c in line if c.isdigit()) for line in said.split("\n"))
    nowhere = Box(0, 0, 1, 1)
    return Reading(tuple(tuple(Digit(c, 1.0, nowhere) for c in line) for line in lines if line), 1.0)
