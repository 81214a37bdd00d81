"""The IDX format of the MNIST files, gzipped or not, read without believing its header."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import DataError
from lenet5.files import open_regular

__all__ = ["read_idx"]

_UNSIGNED_BYTE: Final = 0x08
_MOST_BYTES: Final = 1 << 30
_PIECE: Final = 1 << 20


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of bytes in an IDX file, which must have this many dimensions.

    At most the size that its header gives (and never over 1 GiB) is unpacked, so that a
    decompression bomb costs nothing. Raises DataError in one line for a wrong magic, sizes that
    do not fit the content, and a gz that is damaged, cut short, or an HTML page.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     labels = Path(folder) / "labels-idx1-ubyte"
    ...     _ = labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))  # one dimension, three entries
    ...     read_idx(labels, dimensions=1).tolist()
    [7, 2, 1]
    """
    try:
        with open_regular(path) as file:
            start = file.read(2)
            file.seek(0)
            if start == b"\x1f\x8b":
                with gzip.open(file) as unpacked:
                    return _read(unpacked, path, dimensions)
            if path.suffix == ".gz":
                raise DataError(f"{path} is not gzip (an error page saved in its place?): delete it and fetch it again")
            return _read(file, path, dimensions)
    except FileNotFoundError:
        raise DataError(f"no such file: {path}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(f"{path} is cut short or damaged: delete it and fetch it again") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def _read(file: IO[bytes] | gzip.GzipFile, path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Magic (two zeros, type, number of dimensions), sizes as big-endian words, then the bytes."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path} is not an IDX file: it starts with {magic!r}")
    if magic[2] != _UNSIGNED_BYTE or magic[3] != dimensions:
        raise DataError(
            f"{path} holds IDX type {magic[2]:#04x} in {magic[3]} dimensions, not unsigned bytes in {dimensions}"
        )
    sizes = np.frombuffer(_exactly(file, 4 * dimensions, path), ">u4")
    shape = tuple(int(size) for size in sizes)
    length = math.prod(shape)
    if math.prod(max(1, size) for size in shape) > _MOST_BYTES:
        raise DataError(f"{path} claims {' × '.join(map(str, shape))} bytes, more than any data set read here")
    content = _exactly(file, length, path)
    if file.read(1):
        raise DataError(f"{path} is longer than its header says ({' × '.join(map(str, shape))} bytes)")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _exactly(file: IO[bytes] | gzip.GzipFile, length: int, path: Path) -> bytearray:
    """The next ``length`` bytes, read in pieces, so that memory is allocated only for bytes that exist."""
    content = bytearray()
    while piece := file.read(min(length - len(content), _PIECE)):
        content += piece
    if len(content) < length:
        raise DataError(f"{path} is cut short: its header promises {length:,} bytes and {len(content):,} are there")
    return content
