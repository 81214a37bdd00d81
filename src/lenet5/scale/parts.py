"""A folder of Parquet parts, one for each stretch of a list: a part is whole or not there, whoever writes it.

The list is kept in the folder as ``_listing.parquet``, whose row group k names the files of ``part-k.parquet``: a
worker reads just its own, and a later run goes on with the parts that lack.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from lenet5.errors import OutputError, UnavailableError
from lenet5.scale.pages import columns_of
from lenet5.scale.pictures import Batch, ReadPictures
from lenet5.scale.storage import Storage

__all__ = ["Parts", "ReadPart", "part_size"]

_LISTING: Final = "_listing.parquet"  # readers of folders of Parquet leave out what begins with _ or .
_MOST_PARTS: Final = 10_000
_LEAST_FILES: Final = 32  # of a part
_BATCH: Final = 32  # pictures that are read before their rows are kept
_DIGEST: Final = b"lenet5.sha256"


def part_size(files: int) -> int:
    """How many files a part has: at most 10,000 parts, and no tiny ones.

    >>> part_size(1000), part_size(10_000_000)
    (32, 1000)
    """
    return max(_LEAST_FILES, -(-files // _MOST_PARTS))


@dataclass(frozen=True)
class Parts:
    """A folder, by path or URI, with ``count`` parts."""

    folder: str
    count: int

    @classmethod
    def begun(cls, folder: str, files: Iterable[str], size: int, how: Mapping[str, Any], resume: bool) -> Parts:
        """The parts of so many files each, in a folder that is new, or with ``resume`` was begun with the same list.

        ``how`` is what the answers depend on beside the files. Raises OutputError.
        """
        storage, listing = Storage(), _Listing(files, size)
        system, place = storage.folder(folder)
        path = f"{place}/{_LISTING}"
        stands = system.get_file_info(path).is_file
        if stands and not resume:
            raise OutputError(f"{folder} holds a run: --resume goes on with it; to begin anew, remove it")
        try:
            if stands:
                schema, groups = _opened(system, path)
                digest, count = listing.read(how)
                if schema.metadata.get(_DIGEST) != digest:
                    raise OutputError(f"{folder} was begun with another list or other options: name another folder")
                return cls(folder, groups)
            count = listing.write(system, path, how)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {' '.join(str(error).split())}") from None
        return cls(folder, count)
