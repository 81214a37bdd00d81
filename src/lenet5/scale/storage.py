"""Files on this machine and in object stores, named by paths and URIs, through pyarrow's file systems."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lenet5.errors import OutputError, PictureError, TooLargeError, UnavailableError
from lenet5.reading.limits import MOST_BYTES

__all__ = ["Storage", "is_uri"]

_MEGABYTES: Final = MOST_BYTES // 1_000_000


def is_uri(name: str) -> bool:
    """Whether a name is a URI such as s3://bucket/a.png, and no path.

    >>> is_uri("s3://bucket/a.png"), is_uri("C:/a.png"), is_uri("a.png")
    (True, False, False)
    """
    scheme, _, rest = name.partition("://")
    return bool(rest) and scheme.isascii() and scheme.replace("+", "").isalnum() and len(scheme) > 1


class Storage:
    """The file systems of paths and URIs, each opened once: a new one asks an object store for its region.

    Raises UnavailableError without pyarrow.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b"a picture"), file.flush()
    ...     Storage().content(file.name)
    b'a picture'
    """

    def __init__(self) -> None:
        try:
            from pyarrow import fs
        except ImportError:
            raise UnavailableError("URIs need pyarrow: pip install 'lenet5[parquet]'") from None
        self._fs = fs
        self._opened: dict[tuple[str, str, str], tuple[Any, str]] = {}

    def place(self, name: str) -> tuple[Any, str]:
        """The file system of a path or URI, and the path there. Raises OSError and ValueError, as pyarrow does."""
        if not is_uri(name):
            return self._fs.LocalFileSystem(), name
        parts = urlsplit(name)
        key = parts.scheme, parts.netloc, parts.query
        inside = unquote(parts.path)
        if key in self._opened:
            system, root = self._opened[key]
            return system, root + inside
        system, path = self._fs.FileSystem.from_uri(name)
        if path.endswith(inside):
            self._opened[key] = system, path.removesuffix(inside)
        return system, path

    def content(self, name: str) -> bytes:
        """The bytes of a picture's file. Raises PictureError in one line, TooLargeError before it is fetched."""
        try:
            system, path = self.place(name)
            with system.open_input_file(path) as file:
                if file.size() > MOST_BYTES:
                    raise TooLargeError(f"{name} is over {_MEGABYTES} MB")
                return bytes(file.readall())
        except FileNotFoundError:
            raise PictureError(f"no such file: {name}") from None
        except (OSError, ValueError, NotImplementedError) as error:  # among them pyarrow's own
            raise PictureError(f"cannot read {name}: {' '.join(str(error).split())}") from None

    def folder(self, name: str) -> tuple[Any, str]:
        """The file system and path of a folder, made if need be. Raises OutputError."""
        try:
            system, path = self.place(name)
            system.create_dir(path, recursive=True)
        except (OSError, ValueError, NotImplementedError) as error:
            raise OutputError(f"cannot write {name}: {' '.join(str(error).split())}") from None
        return system, path.rstrip("/")
