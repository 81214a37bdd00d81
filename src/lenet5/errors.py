"""The package's exceptions, as one tree.

Catch :class:`LeNet5Error` for everything below.

    LeNet5Error
    ├── PictureError     a picture cannot be read: missing, cut short, not a picture, NaN
    │   └── TooLargeError it is over a limit: bytes, pixels, pages
    ├── DataError        a data set cannot be used: missing, wrong magic, wrong digest, lengths that differ
    ├── CheckpointError  a training cannot be resumed: damaged or foreign checkpoint, other options
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
    "CheckpointError",
    "DataError",
    "FormError",
    "LeNet5Error",
    "OutputError",
    "PatternError",
    "PictureError",
    "TooLargeError",
    "UnavailableError",
    "WeightsError",
    "one_line",
    "printable",
    "utf8",
]


class LeNet5Error(Exception):
    """Any expected failure of this package; its text is one line for the user, whatever names it quotes.

    >>> from lenet5 import Reader
    >>> try:
    ...     Reader("missing.safetensors")
    ... except LeNet5Error as error:
    ...     print(error)
    no weights at missing.safetensors: give a .safetensors file or one of lenet5, lenet5-mnist, concise
    """

    def __init__(self, text: str = "", *others: object) -> None:
        super().__init__(printable(text), *others)


class PictureError(LeNet5Error):
    """A picture cannot be read.

    >>> from lenet5 import Reader
    >>> Reader().read("missing.png")
    Traceback (most recent call last):
    lenet5.errors.PictureError: ...missing.png...
    """


class TooLargeError(PictureError):
    """A picture is over a limit on bytes, pixels or pages.

    >>> import numpy as np
    >>> from lenet5 import Reader
    >>> Reader().read(np.broadcast_to(np.uint8(255), (20_000, 20_000)))
    Traceback (most recent call last):
    lenet5.errors.TooLargeError: ...
    """


class DataError(LeNet5Error):
    """A data set cannot be used.

    >>> from lenet5.learning.data import load
    >>> load("missing.npz")
    Traceback (most recent call last):
    lenet5.errors.DataError: no such file: missing.npz
    """


class CheckpointError(LeNet5Error):
    """A training cannot be resumed: its checkpoint is damaged, no checkpoint, or of a run with other options.

    >>> raise CheckpointError("mine.checkpoint was made with --seed 1, not 2")
    Traceback (most recent call last):
    lenet5.errors.CheckpointError: mine.checkpoint was made with --seed 1, not 2
    """


class WeightsError(LeNet5Error):
    """A weights file cannot be used.

    >>> from lenet5 import weights
    >>> weights.load("missing.safetensors")
    Traceback (most recent call last):
    lenet5.errors.WeightsError: no weights at missing.safetensors: ...
    """


class ArrayError(LeNet5Error, ValueError):
    """An array has the wrong shape, type or length.

    >>> import numpy as np
    >>> from lenet5 import paper, pixels
    >>> pixels.network_input(paper.LENET5, np.zeros((1, 8, 8)))
    Traceback (most recent call last):
    lenet5.errors.ArrayError: images must be (N, 28, 28), not (1, 8, 8)
    """


class PatternError(LeNet5Error, ValueError):
    """A pattern, choices or a check cannot be used, or nothing satisfies them; the text points at the character.

    >>> import numpy as np
    >>> from lenet5 import Reader
    >>> Reader().read(np.full((60, 200), 255, np.uint8), pattern="[0-9")
    Traceback (most recent call last):
    lenet5.errors.PatternError: ...
    """


class FormError(LeNet5Error):
    """A form file cannot be used; the text names its line.

    >>> from lenet5.forms.form import load_form
    >>> load_form("missing.toml")
    Traceback (most recent call last):
    lenet5.errors.FormError: cannot read missing.toml: No such file or directory
    """


class UnavailableError(LeNet5Error):
    """Something optional is not installed or not built yet.

    >>> raise UnavailableError("training on a GPU needs PyTorch")
    Traceback (most recent call last):
    lenet5.errors.UnavailableError: training on a GPU needs PyTorch
    """


class OutputError(LeNet5Error):
    """A result cannot be written.

    >>> from lenet5 import weights
    >>> weights.load("lenet5").save("no/such/folder/w.safetensors")
    Traceback (most recent call last):
    lenet5.errors.OutputError: cannot write no/such/folder/w.safetensors: No such file or directory
    """


def one_line(error: Exception, name: str) -> str:
    """The message of any exception about the file ``name``, in one line.

    >>> one_line(PictureError("not a picture: x.png is empty"), "x.png")
    'not a picture: x.png is empty'
    >>> one_line(MemoryError(), "x.png")
    'x.png needs more memory than there is'
    """
    if isinstance(error, LeNet5Error):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = f"{name} needs more memory than there is"
    elif isinstance(error, OSError) and error.strerror:
        text = f"{name} cannot be read: {error.strerror}"
    else:
        what = f"{type(error).__name__}: {error}".strip(": ")
        text = f"{name} cannot be read: {what} (this is a defect, please report it)"
    return " ".join(text.splitlines())


def printable(name: str) -> str:
    """A file's name as it stands in a line of output: line breaks, other control characters and what is no UTF-8 are
    escaped.

    >>> print(printable("two\\nlines.png"))
    two\\nlines.png
    >>> printable("Prüfung 7.png")
    'Prüfung 7.png'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in utf8(name))


def utf8(name: str) -> str:
    r"""A file's name as text that can be written as UTF-8: bytes of it that are none as \xff.

    >>> utf8("a\udcff.png")
    'a\\xff.png'
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return name.encode("utf-8", "backslashreplace").decode("utf-8")
