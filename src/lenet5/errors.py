"""What can go wrong, as one tree.

Catch :class:`LeNet5Error` for everything below.

    LeNet5Error
    ├── PictureError     a picture cannot be read: missing, cut short, not a picture, too large, NaN
    ├── DataError        a data set cannot be used: missing, wrong magic, wrong digest, lengths that differ
    ├── WeightsError     a weights file cannot be used: missing, wrong shapes, wrong network, NaN
    ├── ArrayError       an array has the wrong shape, type or length (also a ValueError)
    ├── PatternError     a constraint on what is read cannot be used: no expression, unknown characters, impossible
    ├── FormError        a form file cannot be used; the text names its line
    ├── UnavailableError something optional is not installed, or not built yet
    └── OutputError      a result cannot be written

Each message is one line that says what is wrong and what to do.
"""

from __future__ import annotations

__all__ = [
    "ArrayError",
    "DataError",
    "FormError",
    "LeNet5Error",
    "OutputError",
    "PatternError",
    "PictureError",
    "UnavailableError",
    "WeightsError",
    "one_line",
]


class LeNet5Error(Exception):
    """Any expected failure of this package; its text is one line for the user."""


class PictureError(LeNet5Error):
    """A picture cannot be read."""


class DataError(LeNet5Error):
    """A data set cannot be used."""


class WeightsError(LeNet5Error):
    """A weights file cannot be used."""


class ArrayError(LeNet5Error, ValueError):
    """An array has the wrong shape, type or length."""


class PatternError(LeNet5Error, ValueError):
    """A pattern, choices or a check cannot be used, or nothing satisfies them; the text points at the character."""


class FormError(LeNet5Error):
    """A form file cannot be used; the text names its line."""


class UnavailableError(LeNet5Error):
    """Something optional is not installed or not built yet."""


class OutputError(LeNet5Error):
    """A result cannot be written."""


def one_line(error: Exception, name: str) -> str:
    """What went wrong with the file ``name``, in one line, whatever its kind.

    >>> one_line(PictureError("not a picture: x.png is empty"), "x.png")
    'not a picture: x.png is empty'
    >>> one_line(MemoryError(), "x.png")
    'x.png needs more memory than there is'
    """
    if isinstance(error, LeNet5Error):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = f"{name} needs more memory than there is"
    else:
        what = f"{type(error).__name__}: {error}".strip(": ")
        text = f"{name} cannot be read: {what} (this is a defect, please report it)"
    return " ".join(text.splitlines())
