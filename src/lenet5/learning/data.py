"""Labelled data sets: MNIST, the embedded digits, UNIPEN, and the user's own files.

There are two kinds. An :class:`ImageSet` holds arrays in MNIST's form, ready for the network; a :class:`PictureSet`
holds pictures, in which the reader first has to find the digits.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from lenet5.learning.unipen import LICENCE, held_out_writers, is_unipen, load_unipen
from lenet5.learning.unipen_pictures import digit_images, numbers_of, picture_of
from lenet5.normalise import ink_box, normalise
from lenet5.paper import SIDE
from lenet5.result import PICTURE_SUFFIXES

__all__ = ["NO_DIGIT", "ImageSet", "PictureSet", "described", "drawn", "joined", "load", "part_of"]

NO_DIGIT: Final = "?"
"""The truth of a picture that is not a digit and should be rejected; the same text stands in answers."""

_MOST_BYTES: Final = 1 << 30
_PARTS: Final = {"train": "train", "test": "t10k"}


@dataclass(frozen=True)
class ImageSet:
    """Images (N, 28, 28) uint8 in MNIST's form, ink 255, with labels (N,) uint8 in 0–9 or NOT_A_DIGIT.

    ``groups`` (N,) numbers the writers, where they are known: a writer is held out whole. ``parts`` describes the sets
    that were joined.

    >>> data = ImageSet("mine", np.zeros((3, 28, 28), np.uint8), np.array([1, 2, 3], np.uint8))
    >>> len(data.images)
    3
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    licence: str = ""
    groups: NDArray[np.intp] | None = None
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.images.shape[1:] != (SIDE, SIDE):
            raise DataError(f"{self.name}: images are {self.images.shape}, not (N, {SIDE}, {SIDE})")
        if self.labels.shape != self.images.shape[:1]:
            raise DataError(f"{self.name}: {len(self.images):,} images but {self.labels.size:,} labels")
        if len(self.images) == 0:
            raise DataError(f"{self.name} holds no images")


@dataclass(frozen=True)
class PictureSet:
    """Pictures with their truth: a digit, NO_DIGIT, or, with ``texts``, lines of digits.

    ``transcripts`` are the texts with their separators, where these are known.

    >>> data = PictureSet("mine", ["a.png", "b.png"], truths=("7", "?"))
    >>> dict(zip(data.pictures, data.truths))
    {'a.png': '7', 'b.png': '?'}
    """

    name: str
    pictures: Sequence[Any]
    truths: tuple[str, ...]
    texts: bool = False
    transcripts: tuple[str, ...] = ()


def load(data: str, part: str = "test", not_digits: bool = False, progress: Any = None) -> ImageSet | PictureSet:
    """The data set that ``data`` names: "mnist", "digits", "unipen", "unipen-numbers", or a path.

    ``part`` "train" or "test" matters to mnist, digits, IDX folders and UNIPEN, whose test part is the held-out
    writers; other sets are whole.
    ``not_digits`` says that nothing in the set is a digit, whatever its labels. Raises DataError
    in one line.

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
    return (
        loaded if loaded.texts else replace(loaded, truths=tuple(_digit_truth(loaded.name, t) for t in loaded.truths))
    )


def drawn(data: ImageSet, n: int, generator: np.random.Generator) -> ImageSet:
    """``n`` of a set's images at random. For one seed, a smaller sample is part of every larger one.

    Raises DataError where there are fewer.

    >>> drawn(load("digits", "train"), 100, np.random.default_rng(0)).images.shape
    (100, 28, 28)
    """
    if n > len(data.images):
        raise DataError(f"{data.name} has {len(data.images):,} images, not {n:,}")
    sample = generator.permutation(len(data.images))[:n]
    return part_of(data, sample)


def part_of(data: ImageSet, which: NDArray[np.intp]) -> ImageSet:
    """The images of a set with these numbers.

    >>> part_of(load("digits", "test"), np.array([0, 2])).labels.tolist()
    [2, 4]
    """
    groups = None if data.groups is None else data.groups[which]
    return replace(data, images=data.images[which], labels=data.labels[which], groups=groups)


def described(data: ImageSet, trained: int) -> str:
    """The description of a set in the metadata of weights: how many images were ``trained`` on, licence and SHA-256.

    >>> described(load("digits", "train"), trained=1000)
    'digits, 1000 of 1437 images, sha256 ...'
    """
    some = f"{trained} of {len(data.images)} images"
    if data.parts:
        return f"{some} of {'; '.join(data.parts)}"
    licence = f" ({data.licence})" if data.licence else ""
    digest = hashlib.sha256(np.ascontiguousarray(data.images).data).hexdigest()
    return f"{data.name}{licence}, {some}, sha256 {digest}"


def joined(name: str, *sets: ImageSet) -> ImageSet:
    """All images of several sets, in their order; groups of different sets stay different.

    >>> whole = joined("digits", load("digits", "train"), load("digits", "test"))
    >>> len(whole.images)
    1797
    """
    groups, start = [], 0
    for s in sets:
        numbers = np.arange(len(s.images)) if s.groups is None else s.groups
        groups.append(numbers + start)
        start += int(numbers.max()) + 1
    grouped = any(s.groups is not None for s in sets)
    return ImageSet(
        name,
        np.concatenate([s.images for s in sets]),
        np.concatenate([s.labels for s in sets]),
        groups=np.concatenate(groups) if grouped else None,
    )


def _find(data: str, part: str, progress: Any) -> ImageSet | PictureSet:
    """The set, its labels not yet checked."""
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
    apart = held_out_writers(writings)
    part_of_writings = [w for w in writings if (w.writer in apart) == (part == "test")]
    if name == "unipen":
        images, labels, written = digit_images(part_of_writings)
        _, groups = np.unique([w.writer for w in written], return_inverse=True)
        return ImageSet(name, images, labels, LICENCE, groups)
    numbers = numbers_of(part_of_writings)
    transcripts = tuple(w.label.replace(" ", "") for w in numbers)
    texts = tuple("".join(c for c in t if c in DIGITS) for t in transcripts)
    pictures = [np.round(255 * picture_of(w)).astype(np.uint8) for w in numbers]
    return PictureSet(name, pictures, texts, texts=True, transcripts=transcripts)


def _digits(part: str) -> ImageSet:
    """The embedded 1,797 digits of 8×8, brought to MNIST's form; the last 360 are the test part."""
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
            with zipfile.ZipFile(file) as members_of:
                if sum(member.file_size for member in members_of.infolist()) > _MOST_BYTES:
                    raise DataError(f"{path} unpacks to more than {_MOST_BYTES >> 20} MB")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                images, labels = members = stored["images"], stored["labels"]
        if not all(isinstance(member, np.ndarray) for member in members):
            raise TypeError("a member is no array")
    except FileNotFoundError:
        raise DataError(f"no such file: {path}") from None
    except DataError:
        raise
    except OSError as error:
        if error.filename is not None:  # the file, not what stands in it
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


def _idx_file(folder: Path, part: str, what: str, dimensions: int) -> Path | None:
    """The IDX file of a part under any of its usual names."""
    for joint in ("-", "."):
        for ending in (".gz", ""):
            path = folder / f"{part}-{what}{joint}idx{dimensions}-ubyte{ending}"
            if path.exists():
                return path
    return None


def _idx_folder(folder: Path, part: str) -> ImageSet:
    """A folder with files in MNIST's format; they may be any 28×28 digits."""
    images, labels = (_idx_file(folder, _PARTS[part], what, n) for what, n in (("images", 3), ("labels", 1)))
    if images is None or labels is None:
        missing = "labels-idx1-ubyte" if images else "images-idx3-ubyte"
        raise DataError(f"{folder} lacks {_PARTS[part]}-{missing}, gzipped or not")
    return ImageSet(folder.name, read_idx(images, 3), read_idx(labels, 1))


def _labelled_folder(folder: Path) -> PictureSet:
    """A folder with labels.csv: columns file and label, or file and text (or lines, rows parted by "/")."""
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
        columns = ", ".join(name for name in rows[0] if name)  # None stands for those beyond the head's
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
    wrong = labels[(labels > 9) & (labels != paper.NOT_A_DIGIT)]
    if wrong.size:
        raise DataError(f"{name}: label {wrong[0]} is neither 0 to 9 nor {paper.NOT_A_DIGIT} (not a digit)")


def _digit_truth(name: str, label: str) -> str:
    """The truth of a label as written: a digit, or NO_DIGIT for 255."""
    if len(label) == 1 and label in "0123456789?":
        return label
    if label == str(paper.NOT_A_DIGIT):
        return NO_DIGIT
    raise DataError(f"{name}: label {label!r} is neither 0 to 9 nor {paper.NOT_A_DIGIT} (not a digit)")
