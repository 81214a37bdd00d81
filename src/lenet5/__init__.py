"""LeNet-5, whole: the network of 1998, its training, and a reader for handwritten digits.

    from lenet5 import Reader
    print(Reader().read("digit.png").text)

Importing the package imports neither PyTorch nor OpenCV nor NumPy; they come with what needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lenet5.errors import (
    ArrayError,
    DataError,
    FormError,
    LeNet5Error,
    OutputError,
    PatternError,
    PictureError,
    TooLargeError,
    UnavailableError,
    WeightsError,
)

if TYPE_CHECKING:
    from lenet5.reading.reader import Reader
    from lenet5.result import Box, Digit, Reading, Separator

__all__ = [
    "ArrayError",
    "Box",
    "DataError",
    "Digit",
    "FormError",
    "LeNet5Error",
    "OutputError",
    "PatternError",
    "PictureError",
    "Reader",
    "Reading",
    "Separator",
    "TooLargeError",
    "UnavailableError",
    "WeightsError",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("Box", "Digit", "Reading", "Separator"):
        return getattr(importlib.import_module("lenet5.result"), name)
    if name == "Reader":
        return importlib.import_module("lenet5.reading.reader").Reader
    raise AttributeError(f"module 'lenet5' has no attribute {name!r}")
