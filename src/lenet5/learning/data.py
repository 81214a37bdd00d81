"""Labelled data sets by name or path: MNIST, the embedded digits, UNIPEN, and the user's files."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS
from lenet5.errors import DataError
from lenet5.files import open_regular
from lenet5.learning.idx import read_idx
from lenet5.learning.mnist import load_mnist
from lenet5.learning.sets import NO_DIGIT, ImageSet, PictureSet
from lenet5.learning.unipen import LICENCE, held_out_writers, is_unipen, load_unipen
from lenet5.learning.unipen_pictures import digit_images, numbers_of, picture_of
from lenet5.normalise import ink_box, normalise
from lenet5.result import PICTURE_SUFFIXES

__all__ = ["NO_DIGIT", "ImageSet", "PictureSet", "load"]

_MOST_BYTES: Final = 1 << 30
_PARTS: Final = {"train": "train", "test": "t10k"}


def load(data: str, part: str = "test", not_digits: bool = False, progress: Any = None) -> ImageSet | PictureSet:
    """The data set that ``data`` names: "mnist", "digits", "unipen", "unipen-numbers", or a path.

    ``part`` is "train" or "test"; UNIPEN's test part is that of the held-out writers. Sets other than mnist, digits,
    UNIPEN and IDX folders have a single part. With ``not_digits`` nothing in the set counts as a digit, whatever its
    label. Raises DataError.

    >>> data = load("digits", "test")
    >>> data.images.shape, data.labels[:5].tolist()
    ((360, 28, 28), [2, 3, 4, 5, 6])
    """
    try:
        loaded = _find(data, part, progress)
    except OSError as error:
        raise DataError(f"cannot read {error.filename or data}: {error.strerror or error}") from None
    if isinstance(loaded, ImageSet):
        if not_digits:
            return replace(loaded, labels=np.full_like(loaded.labels, paper.NOT_A_DIGIT))
        _check_labels(loaded.name, loaded.labels)
        return loaded
    if not_digits:
        return replace(loaded, truths=(NO_DIGIT,) * len(loaded.truths), texts=False, transcripts=())
    if loaded.texts:
        return loaded
    return replace(loaded, truths=tuple(_digit_truth(loaded.name, truth) for truth in loaded.truths))


def _find(data: str, part: str, progress: Any) -> ImageSet | PictureSet:
    """The set, before its labels are checked."""
    if data == "mnist":
        return ImageSet("mnist", *load_mnist(_PARTS[part], progress=progress), licence="CC BY-SA 3.0")
    if data == "digits":
        return _digits(part)
    if data in ("unipen", "unipen-numbers"):
        return _unipen(data, part, progress)
    path = Path(data)
    if not data:
        raise DataError("--data is empty: give mnist, digits, unipen, an .npz file or a folder")
    if path.suffix == ".npz" and not path.is_dir():
        return _npz(path)
    if is_unipen(path):
        return _unipen("unipen", part, progress, path)
    if not path.is_dir():
        raise DataError(
            f"no data at {data}: give mnist, digits, unipen, an .npz file or a folder (see lenet5 evaluate --help)"
        )
    if any(_idx_file(path, _PARTS[p], "labels", 1) for p in _PARTS):
        return _idx_folder(path, part)
    if (path / "labels.csv").exists():
        return _labelled_folder(path)
    return _class_folders(path)


def _unipen(name: str, part: str, progress: Any, path: Path | None = None) -> ImageSet | PictureSet:
    """Isolated digits as images, or numbers as pictures, of the held-out writers ("test") or of all others."""
    writings = load_unipen(path, progress=progress)
    held_out = held_out_writers(writings)
    writings_of_part = [w for w in writings if (w.writer in held_out) == (part == "test")]
    if name == "unipen":
        images, labels, drawn = digit_images(writings_of_part)
        _, groups = np.unique([w.writer for w in drawn], return_inverse=True)
        return ImageSet(name, images, labels, LICENCE, groups)
    numbers = numbers_of(writings_of_part)
    transcripts = tuple(w.label.replace(" ", "") for w in numbers)
    texts = tuple("".join(c for c in t if c in DIGITS) for t in transcripts)
    pictures = [np.round(255 * picture_of(w)).astype(np.uint8) for w in numbers]
    return PictureSet(name, pictures, texts, texts=True, transcripts=transcripts)


def _digits(part: str) -> ImageSet:
    """The bundled 1,797 digits of 8×8, in MNIST's form; the last 360 are the test part."""
    with (resources.files("lenet5") / "bundled" / "digits.npz").open("rb") as file:
        stored = np.load(file)
        rows = slice(-360, None) if part == "test" else slice(None, -360)
        small, labels = stored["images"][rows], stored["labels"][rows]
    images = np.stack([normalise(ink[ink_box(ink)]) for ink in small / np.float32(16)])
    return ImageSet("digits", images, labels)


def _npz(path: Path) -> PictureSet:
    """An .npz with ``images`` (N, H, W) or (N, H, W, 3 or 4) and ``labels`` (N,), in any polarity and framing."""
    try:
        with open_regular(path) as file:
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                    raise DataError(f"{path} unpacks to more than {_MOST_BYTES >> 20} MB")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                images, labels = stored["images"], stored["labels"]
        if not all(isinstance(member, np.ndarray) for member in (images, labels)):
            raise TypeError("a member is no array")
    except FileNotFoundError:
        raise DataError(f"no such file: {path}") from None
    except DataError:
        raise
    except OSError as error:
        if error.filename is not None:  # the file itself, not its content
            raise
        raise DataError(f"{path} is not a whole .npz file of plain arrays") from None
    except KeyError:
        raise DataError(f"{path} should hold two arrays, images and labels") from None
    except Exception:  # zipfile, zlib and NumPy raise a dozen kinds, MemoryError for a header that lies among them
        raise DataError(f"{path} is not a whole .npz file of plain arrays") from None
    if images.ndim not in (3, 4) or labels.shape != images.shape[:1]:
        raise DataError(f"{path}: images {images.shape} and labels {labels.shape} do not go together")
    if len(labels) == 0 or 0 in images.shape:
        raise DataError(f"{path} holds no images")
    images = images.astype(images.dtype.newbyteorder("="), copy=False)
    if not (images.dtype in (np.bool_, np.uint8, np.uint16) or images.dtype.kind == "f"):
        raise DataError(f"{path}: images are {images.dtype}, not uint8, uint16 or float in 0..1")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{path}: labels are {labels.dtype}, not whole numbers")
    return PictureSet(path.stem, images, tuple(str(label) for label in labels.tolist()))


def _idx_file(folder: Path, part: str, kind: str, dimensions: int) -> Path | None:
    """The IDX file of a part under any of its usual names."""
    for joint in ("-", "."):
        for ending in (".gz", ""):
            path = folder / f"{part}-{kind}{joint}idx{dimensions}-ubyte{ending}"
            if path.exists():
                return path
    return None


def _idx_folder(folder: Path, part: str) -> ImageSet:
    """A folder with files in MNIST's format, of any 28×28 digits."""
    images, labels = (_idx_file(folder, _PARTS[part], kind, n) for kind, n in (("images", 3), ("labels", 1)))
    if images is None or labels is None:
        missing = "labels-idx1-ubyte" if images else "images-idx3-ubyte"
        raise DataError(f"{folder} lacks {_PARTS[part]}-{missing}, gzipped or not")
    return ImageSet(folder.name, read_idx(images, 3), read_idx(labels, 1))


def _labelled_folder(folder: Path) -> PictureSet:
    """A folder with labels.csv: columns file and label, or file and text (or lines, separated by "/")."""
    path = folder / "labels.csv"
    try:
        with open_regular(path) as file:
            rows = list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    if not rows:
        raise DataError(f"{path} lists no pictures")
    column = next((name for name in ("label", "text", "lines") if name in rows[0]), None)
    if column is None or "file" not in rows[0]:
        columns = ", ".join(name for name in rows[0] if name)  # None is the key of cells beyond the header
        raise DataError(f"{path} needs a column file and a column label, text or lines; it has {columns}")
    for number, row in enumerate(rows, start=2):
        if not row["file"] or row[column] is None:
            raise DataError(f"{path}, line {number}: file or {column} is missing")
    truths = tuple(row[column].strip().replace("/", "\n") for row in rows)
    return PictureSet(folder.name, [folder / row["file"] for row in rows], truths, texts=column != "label")


def _class_folders(folder: Path) -> PictureSet:
    """A folder with subfolders 0…9 of pictures."""
    pictures = [
        (picture, str(digit))
        for digit in range(10)
        if (folder / str(digit)).is_dir()
        for picture in sorted((folder / str(digit)).iterdir())
        if picture.suffix.lower() in PICTURE_SUFFIXES
    ]
    if not pictures:
        raise DataError(f"{folder} holds no data: it needs IDX files, subfolders 0 to 9 of pictures, or a labels.csv")
    paths, truths = zip(*pictures, strict=True)
    return PictureSet(folder.name, paths, truths)


def _check_labels(name: str, labels: NDArray[np.integer[Any]]) -> None:
    invalid = labels[(labels > 9) & (labels != paper.NOT_A_DIGIT)]
    if invalid.size:
        raise DataError(f"{name}: label {invalid[0]} is neither 0 to 9 nor {paper.NOT_A_DIGIT} (not a digit)")


def _digit_truth(name: str, label: str) -> str:
    """The truth of a label as written: a digit, or NO_DIGIT for 255."""
    if len(label) == 1 and label in "0123456789?":
        return label
    if label == str(paper.NOT_A_DIGIT):
        return NO_DIGIT
    raise DataError(f"{name}: label {label!r} is neither 0 to 9 nor {paper.NOT_A_DIGIT} (not a digit)")
