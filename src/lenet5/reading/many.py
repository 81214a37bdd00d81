"""Many sources, one after the other or by several processes: a source that fails gives its error."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from lenet5.errors import LeNet5Error, PictureError, one_line
from lenet5.processes import Killed, shared
from lenet5.reading.opening import Source
from lenet5.result import Reading

__all__ = ["Read", "read_or_error", "read_shared"]

Read = Callable[[Source], Reading]
"""What reads one source."""


def read_or_error(read: Read, source: Source) -> Reading | LeNet5Error:
    """A reading, or the error that reading ends with, of whatever kind.

    >>> read_or_error(lambda source: Reading((), 1.0), "blank.png").confidence
    1.0
    >>> read_or_error(lambda source: 1 / 0, "strange.png")
    PictureError('the picture cannot be read: ZeroDivisionError: division by zero ...')
    """
    try:
        return read(source)
    except LeNet5Error as error:
        return error
    except Exception as error:
        return PictureError(one_line(error, "the picture"))


def read_shared(read: Read, sources: Iterable[Source], jobs: int) -> Iterator[Reading | LeNet5Error]:
    """The readings of sources by so many processes, in order; ``read`` is picklable."""
    for _, result in shared(partial(_worker, read), map(_sendable, sources), jobs):
        yield PictureError(f"the picture: {result.reason}") if isinstance(result, Killed) else result


def _worker(read: Read) -> Callable[[bytes | LeNet5Error], Reading | LeNet5Error]:
    """What reads in a process of its own: what :func:`_sendable` gives → its reading."""
    return lambda sent: sent if isinstance(sent, LeNet5Error) else read_or_error(read, pickle.loads(sent))


def _sendable(source: Source) -> bytes | LeNet5Error:
    """A source as it is sent to another process, or why it cannot be."""
    try:
        return pickle.dumps(source)
    except Exception as error:
        return PictureError(one_line(error, "the picture"))
