"""MNIST: found, or fetched from one of two mirrors, and checked against the published digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import DataError
from lenet5.learning.download import cache_folder, download
from lenet5.learning.idx import read_idx

__all__ = ["MIRRORS", "fetch", "load_mnist"]

MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

_MD5: Final = {  # of the uncompressed content, as published
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def load_mnist(
    part: str, mirrors: Sequence[str] = MIRRORS, progress: Any = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """MNIST's images (N, 28, 28) and labels (N,) of ``part`` "train" (60,000) or "t10k" (10,000).

    They are read from ``mnist/`` in the folder that LENET5_DATA names, or else fetched into the
    user's cache folder. ``progress`` is a pooch progress bar. Raises DataError where neither is
    possible, and for content that is not MNIST's.

    >>> images, labels = load_mnist("t10k")  # doctest: +SKIP
    >>> images.shape, labels[:5].tolist()  # doctest: +SKIP
    ((10000, 28, 28), [7, 2, 1, 0, 4])
    """
    folder = os.environ.get("LENET5_DATA")
    images, labels = (
        _checked(_provided(Path(folder), name) if folder else _cached(name, mirrors, progress), name)
        for name in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    )
    return images, labels


def _provided(folder: Path, name: str) -> Path:
    """The file in the user's own data folder, gzipped or not."""
    for candidate in (folder / "mnist" / f"{name}.gz", folder / "mnist" / name):
        if candidate.exists():
            return candidate
    missing = folder / "mnist" / f"{name}.gz"
    raise DataError(f"LENET5_DATA is {folder}, but {missing} is not there: unset it to download, or use --data digits")


def _cached(name: str, mirrors: Sequence[str], progress: Any) -> Path:
    """The file in the cache folder, fetched if it is not there."""
    folder = cache_folder() / "mnist"
    path = folder / f"{name}.gz"
    if not path.exists():
        fetch(name, folder, mirrors, progress)
    return path


def fetch(name: str, folder: Path, mirrors: Sequence[str] = MIRRORS, progress: Any = None) -> Path:
    """Fetch one file from the first mirror that has it whole; nothing else is ever left in ``folder``.

    Each mirror is tried twice. Raises DataError, naming the ways to do without, where none works.
    """
    try:
        urls = [f"{mirror}{name}.gz" for mirror in mirrors]
        return download(urls, folder / f"{name}.gz", lambda path: _checked(path, name), progress)
    except DataError as error:
        raise DataError(
            f"cannot fetch MNIST from {len(mirrors)} mirrors ({error}): use --data digits, which needs no network, "
            "or set LENET5_DATA to a folder that holds mnist/"
        ) from None


def _checked(path: Path, name: str) -> NDArray[np.uint8]:
    """The content, once its digest is MNIST's."""
    content = read_idx(path, dimensions=3 if "images" in name else 1)
    header = bytes((0, 0, 8, content.ndim)) + b"".join(size.to_bytes(4, "big") for size in content.shape)
    hashed = hashlib.md5(header, usedforsecurity=False)
    hashed.update(content.data)
    digest = hashed.hexdigest()
    if digest != _MD5[name]:
        raise DataError(f"{path} is not MNIST's {name}: its content has MD5 {digest}; delete it and fetch it again")
    return content
