"""Data sets in every form that a user has, and what is said where one is not as it should be."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from lenet5 import DataError, paper
from lenet5.learning.data import load
from lenet5.learning.sets import NO_DIGIT, ImageSet, PictureSet, drawn
from tests.learning.test_idx import idx

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
LABELS = np.array([0, 1, 2, 3, 9, 9], np.uint8)


def images_of(found: ImageSet | PictureSet) -> ImageSet:
    assert isinstance(found, ImageSet)
    return found


def pictures_of(found: ImageSet | PictureSet) -> PictureSet:
    assert isinstance(found, PictureSet)
    return found


def refusal(data: object, **options: bool) -> str:
    with pytest.raises(DataError) as caught:
        load(str(data), **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["mnits", "none.npz", "none/", ""])
def test_what_is_not_there_is_told_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name in refusal(name)


def test_an_empty_folder_is_told_what_it_needs(tmp_path: Path) -> None:
    message = refusal(tmp_path)
    for form in ("IDX", "subfolders 0 to 9", "labels.csv"):
        assert form in message


# --- digits ---


def test_the_embedded_digits_are_ucis_1797() -> None:
    train, test = images_of(load("digits", "train")), images_of(load("digits", "test"))
    assert (train.name, len(train.images), len(test.images)) == ("digits", 1437, 360)
    counts = np.bincount(np.concatenate([train.labels, test.labels])).tolist()
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_images_drawn_keep_their_labels_and_a_smaller_draw_is_part_of_a_larger_one() -> None:
    digits = load("digits", "train")
    assert isinstance(digits, ImageSet)
    truth = {image.tobytes(): label for image, label in zip(digits.images, digits.labels, strict=True)}
    small, large, other = (drawn(digits, n, np.random.default_rng(seed)) for n, seed in ((50, 1), (200, 1), (50, 2)))
    assert (small.images == large.images[:50]).all()
    assert (small.images != other.images).any()
    assert all(truth[image.tobytes()] == label for image, label in zip(large.images, large.labels, strict=True))
    with pytest.raises(DataError, match="digits has 1,437 images, not 1,438"):
        drawn(digits, 1438, np.random.default_rng(0))


def test_the_embedded_digits_look_as_mnists_do() -> None:
    images = images_of(load("digits", "test")).images
    assert images.dtype == np.uint8
    assert images.max(axis=(1, 2)).min() > 200
    inked = images > 0
    assert (inked.any(axis=2).sum(axis=1) <= 24).all()
    rows = np.arange(28)[:, None]
    centre = (images * rows).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert np.abs(centre - 14).max() < 1.5


# --- folders of IDX files ---


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    """A folder with both parts of a small set, gzipped."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    return folder


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_folder_of_idx_files_is_a_set_of_images(part: str, idx_folder: Path) -> None:
    found = images_of(load(str(idx_folder), part))
    assert found.name == "mine"
    assert (found.images == IMAGES).all()
    assert (found.labels == LABELS).all()


def test_idx_files_may_be_plain_and_have_a_dot_in_their_name(tmp_path: Path) -> None:
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert len(images_of(load(str(tmp_path), "test")).images) == 6


def test_images_and_labels_of_different_lengths_are_refused_with_both(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[:-1])))
    assert "6 images but 5 labels" in refusal(idx_folder)


def test_images_of_another_size_are_refused(idx_folder: Path) -> None:
    (idx_folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:, :20])))
    assert "(6, 20, 28)" in refusal(idx_folder)


@pytest.mark.parametrize("missing", ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_a_missing_idx_file_is_named(missing: str, idx_folder: Path) -> None:
    (idx_folder / missing).unlink()
    assert missing.removesuffix(".gz") in refusal(idx_folder)


@pytest.mark.parametrize("wrong", [10, 254])
def test_an_idx_label_outside_the_classes_is_refused_by_its_value(wrong: int, idx_folder: Path) -> None:
    labels = LABELS.copy()
    labels[3] = wrong
    (idx_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    assert f"label {wrong}" in refusal(idx_folder)


def test_label_255_is_no_digit_in_idx_files(idx_folder: Path) -> None:
    labels = LABELS.copy()
    labels[3] = paper.NOT_A_DIGIT
    (idx_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    assert images_of(load(str(idx_folder))).labels[3] == 255


def test_idx_files_without_images_are_refused(idx_folder: Path) -> None:
    (idx_folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES[:0])))
    (idx_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[:0])))
    assert "no images" in refusal(idx_folder)


def test_not_digits_overrules_every_label(idx_folder: Path) -> None:
    assert (images_of(load(str(idx_folder), not_digits=True)).labels == paper.NOT_A_DIGIT).all()


# --- .npz ---


def save_npz(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("images", [IMAGES, IMAGES[:, :9], np.repeat(IMAGES[..., None], 3, axis=3), IMAGES / 255])
@pytest.mark.parametrize("labels", [LABELS, LABELS.astype(np.int64)])
def test_an_npz_is_a_set_of_pictures(images: NDArray[np.generic], labels: NDArray[np.generic], tmp_path: Path) -> None:
    found = pictures_of(load(str(save_npz(tmp_path / "mine.npz", images=images, labels=labels, more=np.ones(3)))))
    assert (found.name, len(found.pictures), found.texts) == ("mine", 6, False)
    assert found.truths == ("0", "1", "2", "3", "9", "9")
    assert (found.pictures[2] == images[2]).all()


def test_label_255_is_no_digit_in_an_npz(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "cells.npz", images=IMAGES[:2], labels=np.array([4, 255], np.uint8))
    assert pictures_of(load(str(path))).truths == ("4", NO_DIGIT)


def test_letters_are_only_labels_where_nothing_is_a_digit(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "letters.npz", images=IMAGES[:2], labels=np.array([4, 17]))
    assert "label '17'" in refusal(path)
    assert pictures_of(load(str(path), not_digits=True)).truths == (NO_DIGIT, NO_DIGIT)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"images": IMAGES}, "two arrays, images and labels"),
        ({"x": IMAGES, "y": LABELS}, "two arrays, images and labels"),
        ({"images": IMAGES, "labels": LABELS[:-1]}, "do not go together"),
        ({"images": IMAGES, "labels": LABELS[:, None]}, "do not go together"),
        ({"images": IMAGES.reshape(6, -1), "labels": LABELS}, "do not go together"),
        ({"images": IMAGES[0, 0, 0], "labels": LABELS[0]}, "do not go together"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "no images"),
        ({"images": IMAGES, "labels": LABELS / 2}, "not whole numbers"),
        ({"images": IMAGES, "labels": LABELS.astype(str)}, "not whole numbers"),
        ({"images": IMAGES, "labels": LABELS - np.int16(1)}, "label '-1'"),
        ({"images": IMAGES, "labels": np.array([{}] * 6)}, "plain arrays"),
    ],
)
def test_an_npz_of_other_arrays_is_refused_with_the_reason(
    arrays: dict[str, object], reason: str, tmp_path: Path
) -> None:
    assert reason in refusal(save_npz(tmp_path / "wrong.npz", **arrays))


def npz_with(member: bytes) -> bytes:
    """An .npz whose arrays are both this file's bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", member)
        archive.writestr("labels.npy", member)
    return file.getvalue()


def npy(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """The start of an .npy file that claims this shape."""
    header = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def whole_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, images=IMAGES[:, :5, :5], labels=LABELS)
    return file.getvalue()


def single_npy() -> bytes:
    file = io.BytesIO()
    np.save(file, IMAGES)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"images",
        b"<!DOCTYPE html><html></html>",
        b"\x80\x04K\x07.",
        whole_npz()[:-30],
        whole_npz()[:200],
        single_npy(),
        npz_with(b"seven"),
        npz_with(npy((6, 28, 28))),
        npz_with(npy((10**6, 10**6, 28))),
        npz_with(npy((2**62, 2**62))),
    ],
    ids=[
        "empty",
        "text",
        "HTML",
        "a pickle",
        "cut end",
        "cut",
        "one array",
        "no arrays",
        "cut array",
        "a lie",
        "absurd",
    ],
)
def test_a_file_that_is_no_npz_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    path.write_bytes(content)
    assert f"{path} is not a whole .npz file of plain arrays" in refusal(path)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    kept=st.floats(0.5, 1),
)
def test_a_mutilated_npz_gives_pictures_or_a_refusal(
    changes: list[tuple[float, int]], kept: float, tmp_path: Path
) -> None:
    content = bytearray(whole_npz())
    for place, value in changes:
        content[int(place * len(content))] = value
    path = tmp_path / "mutilated.npz"
    path.write_bytes(content[: int(kept * len(content))])
    try:
        found = load(str(path))
    except DataError as error:
        message = str(error)
        found = None
    if found is None:
        assert "\n" not in message
    else:
        assert len(pictures_of(found).pictures) == len(found.truths)


# --- folders with labels.csv ---


@pytest.fixture
def labelled(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """A folder with this labels.csv."""

    def made(content: str | bytes) -> Path:
        (tmp_path / "labels.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return made


@pytest.mark.parametrize(
    ("content", "truths", "texts"),
    [
        ("file,label\na.png,7\nb.png,0\n", ("7", "0"), False),
        ("file,label,writer,kind\na.png,7,1,photo\nb.png,0,2,scan\n", ("7", "0"), False),
        ("writer,label,file\nx,7,a.png\ny,0,b.png\n", ("7", "0"), False),
        ("\ufefffile,label\r\na.png, 7\r\nb.png,0 \r\n", ("7", "0"), False),
        ("file,label\na.png,255\nb.png,?\n", (NO_DIGIT, NO_DIGIT), False),
        ("file,text\na.png,41973\nb.png,\n", ("41973", ""), True),
        ("file,lines\na.png,123/456\nb.png,7\n", ("123\n456", "7"), True),
        ("file,label\na.png,7,and,more\nb.png,0\n", ("7", "0"), False),
    ],
    ids=["plain", "more columns", "any order", "from a spreadsheet", "no digits", "texts", "lines", "overlong row"],
)
def test_labels_csv_gives_files_and_truths(
    content: str, truths: tuple[str, ...], texts: bool, labelled: Callable[[str], Path]
) -> None:
    folder = labelled(content)
    found = pictures_of(load(str(folder)))
    assert found.pictures == [folder / "a.png", folder / "b.png"]
    assert (found.truths, found.texts) == (truths, texts)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "lists no pictures"),
        ("file,label\n", "lists no pictures"),
        ("name,label\na.png,7\n", "needs a column file"),
        ("file,digit\na.png,7\n", "needs a column file"),
        ("file,label\na.png,7\nb.png\n", "line 3"),
        ("file,label\n,7\n", "line 2"),
        ("file,label\na.png,10\n", "label '10'"),
        ("file,label\na.png,seven\n", "label 'seven'"),
        ("file,label\na.png,-1\n", "label '-1'"),
        ("file,label\na.png,٣\n", "label '٣'"),
        ("file,label\na.png,\n", "label ''"),
        (b"file,label\na\xff.png,7\n", "cannot read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cannot read"),
    ],
)
def test_a_wrong_labels_csv_is_refused_with_the_reason(
    content: str | bytes, reason: str, labelled: Callable[[str | bytes], Path]
) -> None:
    assert reason in refusal(labelled(content))


def test_not_digits_makes_texts_pictures_to_be_refused(labelled: Callable[[str], Path]) -> None:
    found = pictures_of(load(str(labelled("file,text\na.png,abc\n")), not_digits=True))
    assert (found.truths, found.texts) == ((NO_DIGIT,), False)


# --- folders of classes ---


def test_subfolders_0_to_9_are_the_classes(tmp_path: Path, draw: Callable[..., Image.Image]) -> None:
    for name in ("3/b.png", "3/a.JPG", "7/c.tiff", "7/notes.txt", "10/d.png", "letters/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = pictures_of(load(str(tmp_path)))
    assert [str(path.relative_to(tmp_path)) for path in found.pictures] == ["3/a.JPG", "3/b.png", "7/c.tiff"]
    assert (found.truths, found.texts) == (("3", "3", "7"), False)


def test_class_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "notes.txt").touch()
    assert "holds no data" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "length", "kind"),
    [
        ("other_hands/usps_test.npz", 2007, False),
        ("other_hands/boxed_cells.npz", 800, False),
        ("drawn_and_photographed", 191, False),
        ("cheque_amounts", 675, True),
        ("pages", 1, True),
        ("mnist", 10_000, None),
    ],
)
def test_every_real_set_loads_whole(name: str, length: int, kind: bool | None, real_data: Path) -> None:
    found = load(str(real_data / name))
    if kind is None:
        assert len(images_of(found).images) == length
    else:
        assert (len(pictures_of(found).pictures), found.texts) == (length, kind)
