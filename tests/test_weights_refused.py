"""Weights files that cannot be used: each is refused in one line that says why."""

from __future__ import annotations

import math
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save as save_tensors

from lenet5 import Reader, WeightsError, paper, weights
from lenet5.reading.reader import LAYOUTS
from lenet5.weights import Weights
from tests.test_weights import FOLDER, METADATA

Floats = NDArray[np.float32]


@pytest.fixture
def named(network: paper.Network, parameters: Floats) -> dict[str, Floats]:
    """The arrays of a network by name, each in memory of its own."""
    return {name: array.copy() for name, array in weights.arrays(network, parameters).items()}


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Path]:
    """A file with these bytes, or with these tensors and metadata."""

    def store(content: bytes | dict[str, Floats], **metadata: str) -> Path:
        path = tmp_path / "stored.safetensors"
        path.write_bytes(content if isinstance(content, bytes) else save_tensors(content, metadata))
        return path

    return store


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        weights.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_missing_file_is_told_with_the_bundled_names(tmp_path: Path) -> None:
    assert "lenet5, lenet5-mnist, concise" in refusal(tmp_path / "none.safetensors")


def test_a_folder_is_told_to_be_unreadable(tmp_path: Path) -> None:
    assert "cannot read" in refusal(tmp_path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_unopened(protocol: int, stored: Callable[..., Path]) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("the pickle was opened",))

    refusal(stored(pickle.dumps(Bomb(), protocol)))


@pytest.mark.parametrize("start", [b"\x80\x02", b"\x80\x05", b"PK\x03\x04"])
def test_a_torch_file_is_called_a_pickle(start: bytes, stored: Callable[..., Path]) -> None:
    assert "pickle" in refusal(stored(start + bytes(100)))


@pytest.mark.parametrize("length", [0x0480, 0x0580])
def test_a_whole_file_whose_first_bytes_are_a_pickles_is_loaded(
    length: int, network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    """A safetensors file starts with its header's length, which may be any number."""
    metadata = {"network": network.name, "format": "1", "command": ""}
    (short,) = struct.unpack("<Q", save_tensors(named, metadata)[:8])
    path = stored(named, **{**metadata, "command": "x" * (length - short)})
    assert path.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05")
    assert weights.load(path).network is network


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\0" * 100, b"<!DOCTYPE html><html>", b"\xff" * 50])
def test_a_file_of_another_format_is_refused(content: bytes, stored: Callable[..., Path]) -> None:
    assert "not a whole safetensors file" in refusal(stored(content))


@pytest.mark.parametrize(
    "header", ["7", "[]", "null", '"x"', "{}", '{"__metadata__": 7}', '{"__metadata__": null}', '{"a": {}}', "{" * 5000]
)
def test_a_header_of_another_shape_is_refused(header: str, stored: Callable[..., Path]) -> None:
    refusal(stored(struct.pack("<Q", len(header)) + header.encode()))


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(10 << 30)  # a hole: no disk is used
    assert "too large" in refusal(path)


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.1, 0.5, 0.99999])
def test_a_file_cut_short_is_refused(
    share: float, network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    whole = save_tensors(named, {"network": network.name, "format": "1"})
    assert "cut short" in refusal(stored(whole[: int(share * len(whole))]))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_nan_and_infinite_weights_are_refused(
    wrong: float, network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    named["f6.bias"][3] = wrong
    assert "NaN or infinite" in refusal(stored(named, network=network.name, format="1"))


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # of the NumPy engine
@pytest.mark.parametrize("pattern", [(1, 1), (-1, 1), (-1, -1)])
def test_weights_with_which_sums_overflow_give_finite_probabilities(
    pattern: tuple[int, int], network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    for array in named.values():
        array.flat[:] = np.finfo(np.float32).max * np.resize(np.array(pattern, np.float32), array.size)
    reader = Reader(stored(named, network=network.name, format="1"))
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28), np.uint8)
    assert np.isfinite(reader.classify(images)[1]).all()
    for layout in LAYOUTS:
        assert np.isfinite(reader.read(images[0], layout).confidence)


def test_a_temperature_that_is_no_number_is_refused_on_loading(
    network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    assert "temperature" in refusal(stored(named, network=network.name, format="1", temperature="warm"))


@pytest.mark.parametrize("claimed", ["", "LeNet5", "lenet-5", "alexnet"])
def test_a_network_that_is_not_known_is_refused(
    claimed: str, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    assert "one of the networks lenet5, concise" in refusal(stored(named, network=claimed, format="1"))


def test_a_file_without_metadata_is_refused(named: dict[str, Floats], stored: Callable[..., Path]) -> None:
    assert "one of the networks lenet5, concise" in refusal(stored(named))


def test_the_arrays_of_the_other_network_are_refused(
    network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    (other,) = paper.NETWORKS.keys() - {network.name}
    assert other in refusal(stored(named, network=other, format="1"))


@pytest.mark.parametrize("claimed", ["0", "2", ""])
def test_a_format_of_another_version_is_refused(
    claimed: str, network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    assert f"weights format '{claimed}'" in refusal(stored(named, network=network.name, format=claimed))


def test_a_missing_and_an_extra_array_are_named(
    network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    extra = {**named, "dropout": np.zeros(3, np.float32)}
    assert "dropout" in refusal(stored(extra, network=network.name, format="1"))
    del named["c5.bias"]
    assert "lacks the array c5.bias" in refusal(stored(named, network=network.name, format="1"))


@pytest.mark.parametrize(
    "change",
    [np.transpose, np.ravel, lambda array: array.astype(np.float64), lambda array: array.astype(np.float16)],
    ids=["transposed", "flat", "float64", "float16"],
)
def test_an_array_of_another_shape_or_type_is_named_with_what_it_should_be(
    change: Callable[[Floats], Floats], network: paper.Network, named: dict[str, Floats], stored: Callable[..., Path]
) -> None:
    named["c1.weight"] = np.ascontiguousarray(change(named["c1.weight"]))
    assert "c1.weight should be float32 (6, 1, 5, 5)" in refusal(stored(named, network=network.name, format="1"))


@FOLDER
@given(
    changes=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), min_size=1, max_size=4),
    length=st.none() | st.integers(0, 241_000),
)
@example(changes=[(8, 0x80)], length=None)
def test_a_mutilated_file_gives_weights_or_a_refusal(
    changes: list[tuple[int, int]], length: int | None, tmp_path: Path
) -> None:
    vector = np.ones(paper.LENET5.parameters, np.float32)
    path = tmp_path / "w.safetensors"
    Weights(paper.LENET5, vector, METADATA).save(path)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(content[:length])
    try:
        found = weights.load(path)
        assert found.temperature > 0
        assert found.j > 0
    except WeightsError as error:
        message, found = str(error), None
    if found is None:
        assert "\n" not in message
    else:
        assert found.parameters.shape == (60_000,)
        assert np.isfinite(found.parameters).all()
