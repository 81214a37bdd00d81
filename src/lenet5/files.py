"""Write files beside their place and rename them, so that a file is whole or not there."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lenet5.errors import OutputError

__all__ = ["make_folder", "other_places", "require_writable", "write_beside"]


def write_beside(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file beside its place and rename it, so that no program ever reads half of it.

    A link is followed, not replaced. Raises OutputError where the place cannot be written or is
    no regular file.
    """
    target = _place(path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
        temporary = None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder that is not there yet, with those above it. Raises OutputError where it cannot be."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def other_places(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Files that are not there yet, for what cannot be written to ``path``: here, at home, among temporary files."""
    name = Path(path).name
    for folder in (Path.cwd(), Path.home(), Path(tempfile.gettempdir())):
        numbered = (folder / f"rescued-{k}-{name}" for k in itertools.count(1))
        yield next(place for place in numbered if not place.exists())


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OutputError if ``write_beside`` could not write this file."""
    target = _place(path)
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _place(path: str | os.PathLike[str]) -> Path:
    """Where a path leads, once it is known to be a regular file or not there yet."""
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write {path}: it is {'a folder' if target.is_dir() else 'no regular file'}")
    return target


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
