"""Write files beside their place and rename them, so that a file is whole or not there."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from lenet5.errors import OutputError

__all__ = ["beside", "hidden", "make_folder", "open_regular", "other_places", "require_writable", "write_beside"]

_LONG_NAME: Final = 200  # bytes: longer ones are shortened where something is added to them
_NO_SYNC: Final = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # file systems that cannot be asked to write


def write_beside(path: str | os.PathLike[str], content: bytes, synced: bool = True) -> None:
    """Write a file beside its place and rename it once it is on disk, so that nothing ever reads half of it.

    With ``synced`` false the disk is not waited for, so that a power cut may leave it empty: for many small files that
    can be made again. A link is followed, not replaced. Raises OutputError where the place cannot be written or is
    no regular file.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_beside(Path(folder) / "digits.txt", b"41973")
    ...     [(path.name, path.read_bytes()) for path in Path(folder).iterdir()]
    [('digits.txt', b'41973')]
    """
    target = _place(path)
    try:
        with beside(target, synced=synced) as place:
            place.write_bytes(content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def beside(path: Path, suffix: str = "", synced: bool = True) -> Iterator[Path]:
    """A place, with a ``suffix``, for what becomes a file: it is renamed at the end, once it is on disk.

    The disk is waited for if it is ``synced``. A link is replaced, not followed. An exception leaves nothing.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with beside(Path(folder) / "digits.txt") as place:
    ...         _ = place.write_text("41973")
    ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('digits.txt', '41973')]
    """
    place = hidden(path, f".{secrets.token_hex(8)}{suffix}")
    try:
        yield place
        if synced:
            _to_disk(place, os.O_WRONLY)  # else a power cut may leave the new name with nothing under it
        place.replace(path)
        if synced:
            with suppress(OSError):  # some systems do not open folders
                _to_disk(path.parent, os.O_RDONLY)
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)


def hidden(path: Path, suffix: str) -> Path:
    """The hidden file beside a file that belongs to it; long names are shortened, as names end at 255 bytes.

    >>> hidden(Path("scans/rows.csv"), ".lock").as_posix(), len(hidden(Path("7" * 255), ".lock").name)
    ('scans/.rows.csv.lock', 73)
    """
    name = path.name
    if len(os.fsencode(name)) > _LONG_NAME:
        name = f"{name[:50]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return path.with_name(f".{name}{suffix}")


def _to_disk(path: Path, flags: int) -> None:
    """Wait until a file's content, or the names in a folder, are on disk."""
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


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
