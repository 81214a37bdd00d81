"""LeNet-5, whole: the network of 1998, its training, and a reader for handwritten digits.

    from lenet5 import Reader
    print(Reader().read("digit.png").text)

Importing the package imports neither PyTorch nor OpenCV; they come with what needs them.
"""

from __future__ import annotations

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
from lenet5.result import Box, Digit, Reading, Separator

if TYPE_CHECKING:
    from lenet5.reading.reader import Reader

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
    if name == "Reader":
        from lenet5.reading.reader import Reader

        return Reader
    raise AttributeError(f"module 'lenet5' has no attribute {name!r}")
