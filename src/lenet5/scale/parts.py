"""A folder of Parquet parts, one for each stretch of a list: a part is whole or not there, whoever writes it.

The list is kept in the folder as ``_listing.parquet``, whose row group k names the files of ``part-k.parquet``, in
bytes, as not every name is UTF-8: a worker reads just its own, and a later run goes on with the parts that lack.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from lenet5.errors import DataError, OutputError, utf8
from lenet5.files import write_beside
from lenet5.scale.pictures import Batch, ReadPictures
from lenet5.scale.storage import Storage
from lenet5.tables import Lock

__all__ = ["ReadPart", "alone", "begin", "missing", "part_size"]

_LISTING: Final = "_listing.parquet"  # readers of folders of Parquet leave out what begins with _ or .
_MOST_PARTS: Final = 10_000
_LEAST_FILES: Final = 32  # of a part
_ATOMIC: Final = ("s3", "gcs", "abfs")  # object stores: an object is there when all of it is
_DIGEST: Final = b"lenet5.sha256"
_FORMAT: Final = 2  # of the list: a folder that was begun with another one is not gone on with


def part_size(files: int) -> int:
    """How many files a part has: at most 10,000 parts, and no tiny ones.

    >>> part_size(1000), part_size(10_000_000)
    (32, 1000)
    """
    return max(_LEAST_FILES, -(-files // _MOST_PARTS))


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Make a folder and be the only run that writes it. Raises OutputError where another run does.

    Object stores have no locks: there two runs with one list write the same parts twice, each whole.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place, alone(f"{place}/parts"):
    ...     Path(f"{place}/parts").is_dir()
    True
    """
    system, place = Storage().folder(folder)
    lock = Lock(Path(place) / _LISTING, label=folder) if system.type_name == "local" else None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def begin(folder: str, files: Iterable[str], size: int, pictures: ReadPictures, resume: bool) -> int:
    """Keep the list of files in a folder, by path or URI, and give the number of its parts, of ``size`` files each.

    With ``resume`` the list may stand there. Raises OutputError where one stands there and is not gone on with, for
    another list, weights or options than it was begun with, and for what cannot be written.

    >>> import tempfile
    >>> from lenet5.weights import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     begin(folder, [f"{k}.png" for k in range(5)], 2, ReadPictures(load("lenet5")), resume=False)
    3
    """
    storage = Storage()
    system, place = storage.folder(folder)
    path, digest = f"{place}/{_LISTING}", hashlib.sha256(_options(pictures))
    with _one_line(folder):
        if not system.get_file_info(path).is_file:
            _put(system, path, _listing(files, size, digest))
        elif not resume:
            raise OutputError(f"{folder} holds a run: --resume goes on with it; to begin anew, remove it")
        else:
            for _ in _digested(files, digest):
                pass
        with _listing_in(system, place) as listing:  # in an object store another run may have written it since
            if listing.metadata.metadata.get(_DIGEST) != digest.hexdigest().encode():
                raise OutputError(f"{folder} was begun with another list, weights or options: name another folder")
            return int(listing.num_row_groups)


def missing(folder: str, parts: int) -> list[int]:
    """The numbers of the parts that are not there yet. Raises OutputError.

    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "part-00001.parquet").write_bytes(b"")
    ...     missing(folder, 3)
    [0, 2]
    """
    from pyarrow import fs

    system, place = Storage().folder(folder)
    with _one_line(folder):
        there = {info.base_name for info in system.get_file_info(fs.FileSelector(place))}
    return [part for part in range(parts) if _name(part) not in there]


class ReadPart:
    """Reads parts of a folder that was begun; for Ray Data's ``map_batches``, and picklable.

    A batch has the numbers of parts in column ``part``; the answer has for each the number of its ``rows`` and of
    those that ``failed``, once the part is written. A part that is there already is left as it is. Raises OutputError.

    >>> import tempfile
    >>> from lenet5.weights import load
    >>> pictures = ReadPictures(load("lenet5"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = begin(folder, ["no such file.png"], 1, pictures, resume=False)
    ...     answer = ReadPart(folder, pictures)({"part": np.array([0])})
    >>> answer["rows"].tolist(), answer["failed"].tolist()
    ([1], [1])
    """

    def __init__(self, folder: str, pictures: ReadPictures) -> None:
        self._folder, self._pictures = folder, pictures

    def __call__(self, batch: Batch) -> Batch:
        counts = [self._part(int(part)) for part in batch["part"]]
        rows, failed = np.array(counts, np.int64).reshape(-1, 2).T
        return {"part": batch["part"], "rows": rows, "failed": failed}

    def _part(self, part: int) -> tuple[int, int]:
        from pyarrow import parquet

        system, place = Storage().folder(self._folder)
        path = f"{place}/{_name(part)}"
        with _one_line(self._folder):
            if system.get_file_info(path).is_file:  # a task that is done again after its worker was lost
                with system.open_input_file(path) as file:
                    errors = parquet.read_table(file, columns=["error"])
                return len(errors), len(errors) - errors.column("error").null_count
            with _listing_in(system, place) as listing:
                names = listing.read_row_group(part).column("path").to_pylist()
        files = np.array([name.decode("utf-8", "surrogateescape") for name in names], object)
        table = _table(self._pictures({"path": files}))
        with _one_line(self._folder):
            _put(system, path, _written(table))
        return len(table), len(table) - table.column("error").null_count


def _name(part: int) -> str:
    return f"part-{part:05d}.parquet"


def _options(pictures: ReadPictures) -> bytes:
    """What the answers depend on beside the files."""
    parameters = hashlib.sha256(pictures.weights.parameters.tobytes()).hexdigest()
    answers = [_FORMAT, parameters, dict(pictures.weights.metadata), pictures.options]
    return json.dumps(answers, sort_keys=True, default=repr).encode()


def _digested(files: Iterable[str], digest: Any) -> Iterator[bytes]:
    """The names of the files, each added to a digest."""
    for file in files:
        try:
            name = file.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise DataError(f"the list has {utf8(file)}, which no file can be called") from None
        digest.update(name + b"\n")
        yield name


def _listing(files: Iterable[str], size: int, digest: Any) -> Any:
    """The list as Parquet, a row group a part, with its digest."""
    import pyarrow
    from pyarrow import parquet

    schema, buffer = pyarrow.schema([("path", pyarrow.binary())]), pyarrow.BufferOutputStream()
    names = _digested(files, digest)
    with parquet.ParquetWriter(buffer, schema, compression="zstd") as writer:
        while group := list(islice(names, size)):
            writer.write_table(pyarrow.table([group], schema), row_group_size=size)
        writer.add_key_value_metadata({_DIGEST.decode(): digest.hexdigest()})
    return buffer.getvalue()


@contextmanager
def _listing_in(system: Any, place: str) -> Iterator[Any]:
    """The list in a folder, opened as Parquet."""
    from pyarrow import parquet

    with system.open_input_file(f"{place}/{_LISTING}") as file, parquet.ParquetFile(file) as listing:
        yield listing


def _put(system: Any, path: str, content: Any) -> None:
    """Write a file so that it is whole or not there."""
    if system.type_name == "local":
        write_beside(path, content)
        return
    folder, _, name = path.rpartition("/")
    atomic = system.type_name in _ATOMIC
    beside = path if atomic else f"{folder}/.{name}.{uuid.uuid4().hex}"
    try:
        with system.open_output_stream(beside) as stream:
            stream.write(content)
        if not atomic:
            system.move(beside, path)
    except OSError:
        if not atomic:
            with suppress(OSError):
                system.delete_file(beside)
        raise


@contextmanager
def _one_line(folder: str) -> Iterator[None]:
    """Whatever fails in a folder as an OutputError."""
    try:
        yield
    except (OSError, ValueError) as error:  # pyarrow's own are among them
        raise OutputError(f"cannot use {folder}: {' '.join(str(error).split())}") from None


def _table(rows: Batch) -> Any:
    """The rows of pictures as the table of a part: file, page, text, confidence, error, json."""
    import pyarrow

    read = rows["error"] == ""
    return pyarrow.table(
        {
            "file": pyarrow.array([utf8(path) for path in rows["path"]], pyarrow.string()),
            "page": pyarrow.array(rows["page"]),
            "text": pyarrow.array(rows["text"].tolist(), pyarrow.string(), mask=~read),
            "confidence": pyarrow.array(rows["confidence"], mask=~read),
            "error": pyarrow.array(rows["error"].tolist(), pyarrow.string(), mask=read),
            "json": pyarrow.array(rows["json"].tolist(), pyarrow.string()),
        }
    )


def _written(table: Any) -> Any:
    """A table as the bytes of a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    buffer = pyarrow.BufferOutputStream()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
