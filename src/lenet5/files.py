"""Write files beside their place and rename them, so that a file is whole or not there."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lenet5.errors import OutputError

__all__ = ["beside", "make_folder", "open_regular", "other_places", "require_writable", "write_beside"]


def write_beside(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file beside its place and rename it once it is on disk, so that nothing ever reads half of it.

    A link is followed, not replaced. Raises OutputError where the place cannot be written or is
    no regular file.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_beside(Path(folder) / "digits.txt", b"41973")
    ...     [(path.name, path.read_bytes()) for path in Path(folder).iterdir()]
    [('digits.txt', b'41973')]
    """
    target = _place(path)
    try:
        with beside(target) as place:
            place.write_bytes(content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place for what becomes a file: it is renamed at the end, once it is on disk, and removed by an exception.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with beside(Path(folder) / "digits.txt") as place:
    ...         _ = place.write_text("41973")
    ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('digits.txt', '41973')]
    """
    place = path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}")
    try:
        yield place
        with open(place, "rb+") as file:
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing under it
        place.replace(path)
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder that is not there yet, with those above it. Raises OutputError where it cannot be.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(Path(folder) / "a" / "b")
    ...     (Path(folder) / "a" / "b").is_dir()
    True
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading, without waiting for a writer as at a FIFO.

    Raises OSError, for anything but a regular file, too.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     open_regular(folder)
    Traceback (most recent call last):
        ...
    IsADirectoryError: [Errno 21] it is a folder: ...
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            raise OSError(code, "it is a folder" if stat.S_ISDIR(mode) else "it is no regular file", os.fspath(path))
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def other_places(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Files that are not there yet, for what cannot be written to ``path``: here, at home, among temporary files.

    >>> [place.name for place in other_places("/full/weights.safetensors")]
    ['rescued-1-weights.safetensors', ...]
    """
    name = Path(path).name
    for folder in (Path.cwd(), Path.home(), Path(tempfile.gettempdir())):
        numbered = (folder / f"rescued-{k}-{name}" for k in itertools.count(1))
        yield next(place for place in numbered if not place.exists())


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OutputError if ``write_beside`` could not write this file.

    >>> require_writable("no such folder/weights.safetensors")
    Traceback (most recent call last):
        ...
    lenet5.errors.OutputError: cannot write no such folder/weights.safetensors: No such file or directory
    """
    target = _place(path)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _place(path: str | os.PathLike[str]) -> Path:
    """Where a path leads, once it is known to be a regular file or not there yet."""
    if not os.fspath(path):
        raise OutputError("cannot write a file without a name")
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return Path(path).resolve()
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        raise OutputError(f"cannot write {path}: it is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
    return Path(path).resolve()
