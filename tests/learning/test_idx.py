"""IDX files: what is written is read, and nothing that a header claims is believed."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy
from numpy.typing import NDArray

from lenet5 import DataError
from lenet5.learning.idx import read_idx

SHARED_FOLDER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(array: NDArray[np.uint8]) -> bytes:
    """An array of bytes as the format's page at the MNIST site describes it."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def refusal(path: Path, dimensions: int = 3) -> str:
    with pytest.raises(DataError) as caught:
        read_idx(path, dimensions)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@SHARED_FOLDER
@given(
    array=hypothesis_numpy.arrays(
        np.uint8, hypothesis_numpy.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9)
    ),
    packed=st.booleans(),
)
def test_what_is_written_is_read(array: NDArray[np.uint8], packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "array"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    found = read_idx(path, array.ndim)
    assert found.dtype == np.uint8
    assert found.shape == array.shape
    assert (found == array).all()


WHOLE = idx(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))


@SHARED_FOLDER
@given(
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=3),
    length=st.integers(0, len(WHOLE) + 5),
    packed=st.booleans(),
)
def test_a_mutilated_file_gives_an_array_or_a_refusal(
    changes: list[tuple[int, int]], length: int, packed: bool, tmp_path: Path
) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    path = tmp_path / "mutilated"
    cut = bytes(content[:length]).ljust(length, b"\0")
    path.write_bytes(gzip.compress(cut) if packed else cut)
    array_or_refusal(path)


PACKED = gzip.compress(WHOLE, mtime=0)


@SHARED_FOLDER
@given(
    changes=st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(0, 255)), min_size=1, max_size=3),
    length=st.integers(1, len(PACKED)),
)
def test_a_mutilated_gz_gives_an_array_or_a_refusal(
    changes: list[tuple[int, int]], length: int, tmp_path: Path
) -> None:
    content = bytearray(PACKED)
    for place, value in changes:
        content[place] = value
    path = tmp_path / "mutilated.gz"
    path.write_bytes(content[:length])
    array_or_refusal(path)


def array_or_refusal(path: Path) -> None:
    try:
        found = read_idx(path, 3)
    except DataError as error:
        message = str(error)
    else:
        assert found.ndim == 3
        assert found.dtype == np.uint8
        return
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"<!DOCTYPE html>", "not an IDX file"),
        (b"\0\1\x08\x03" + WHOLE[4:], "not an IDX file"),
        (b"\0\0\x0d\x03" + WHOLE[4:], "IDX type 0x0d"),
        (b"\0\0\x08\x01" + WHOLE[4:], "1 dimensions"),
        (WHOLE[:9], "cut short"),
        (WHOLE[:-1], "cut short"),
        (WHOLE + b"\0", "longer than its header says"),
        (WHOLE[:4] + struct.pack(">III", 4, 4, 5) + WHOLE[16:], "cut short"),
        (WHOLE[:4] + struct.pack(">III", 2, 4, 5) + WHOLE[16:], "longer than its header says"),
        (WHOLE[:4] + b"\xff" * 12 + WHOLE[16:], "more than any data set"),
        (WHOLE[:4] + struct.pack(">III", 0, 2**32 - 1, 2**32 - 1), "more than any data set"),
    ],
    ids=[
        "empty", "three bytes", "HTML", "wrong magic", "floats", "another dimension", "cut header", "cut end",
        "extra end", "sizes too large", "sizes too small", "absurd sizes", "absurd sizes of no images",
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_wrong_file_is_refused_with_the_reason(content: bytes, reason: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert reason in refusal(path)


def test_a_gz_that_is_an_html_page_is_told_to_be_an_error_page(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>")
    assert "error page" in refusal(path)


@pytest.mark.parametrize("length", [2, 10, 20, -9, -1])
def test_a_gz_cut_short_is_told_so(length: int, tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(PACKED[:length])
    assert "cut short or damaged" in refusal(path)


def test_a_gz_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:])
    refusal(path)


@pytest.mark.parametrize("claimed", [(3, 4, 5), (2**32 - 1, 28, 28)], ids=["small claim", "large claim"])
def test_a_bomb_is_refused_without_being_unpacked(claimed: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(struct.pack(">HBBIII", 0, 8, 3, *claimed))
        for _ in range(64):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_header_that_claims_a_gigabyte_of_a_short_file_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "liar"
    path.write_bytes(struct.pack(">HBBIII", 0, 8, 3, 1 << 20, 32, 32) + bytes(100))
    tracemalloc.start()
    try:
        assert "cut short" in refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


def test_a_missing_file_and_a_folder_are_told_by_name(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none")
    assert "cannot read" in refusal(tmp_path)


def test_the_arrays_of_the_real_files_have_their_published_shapes(real_data: Path) -> None:
    assert read_idx(real_data / "mnist" / "t10k-images-idx3-ubyte.gz", 3).shape == (10_000, 28, 28)
    assert read_idx(real_data / "mnist" / "t10k-labels-idx1-ubyte.gz", 1).shape == (10_000,)
