"""The flat vector, its named arrays, and the file that keeps them: believed only where it is whole."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors

from lenet5 import LeNet5Error, OutputError, WeightsError, paper, weights
from lenet5.weights import BUNDLED, Weights

Floats = NDArray[np.float32]

METADATA = {
    "recipe": "modern",
    "seed": "1",
    "passes": "60",
    "trained_on": "mnist, 55000 of 60000 images, sha256 00",
    "validation_error_percent": "0.5",
    "temperature": "1.25",
    "j": "20.5",
    "lenet5_version": "0.1.0",
}

FOLDER = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- the flat vector ---


def test_the_arrays_are_views_that_tile_the_vector_in_the_papers_order(network: paper.Network) -> None:
    vector = np.arange(network.parameters, dtype=np.float32)
    named = weights.arrays(network, vector)
    assert list(named) == [array.name for array in network.arrays]
    assert [array.shape for array in named.values()] == [array.shape for array in network.arrays]
    assert np.concatenate([array.ravel() for array in named.values()]).tolist() == vector.tolist()
    named["c1.bias"][2] = -1
    assert vector[152] == -1


@pytest.mark.parametrize("shape", [(0,), (59_999,), (1, 60_000), ()])
def test_a_vector_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(WeightsError, match="60,000 parameters"):
        weights.arrays(paper.LENET5, np.zeros(shape, np.float32))


def test_initial_weights_of_lenet5_fill_the_papers_range() -> None:
    drawn = weights.arrays(paper.LENET5, weights.initial(paper.LENET5, np.random.default_rng(0)))
    for array in paper.LENET5.arrays:
        values = drawn[array.name]
        bound = 2.4 / np.broadcast_to(np.reshape(array.fan_in, (-1, *[1] * (values.ndim - 1))), values.shape)
        assert (np.abs(values) <= bound * 1.000001).all(), array.name
        assert np.abs(values / bound).max() > 0.6, array.name
        if values.size > 1000:
            assert abs((values / bound).mean()) < 0.05, array.name
            assert (values / bound).std() == pytest.approx(1 / math.sqrt(3), abs=0.02), array.name


def test_initial_weights_of_the_concise_network_are_xaviers() -> None:
    drawn = weights.arrays(paper.CONCISE, weights.initial(paper.CONCISE, np.random.default_rng(0)))
    fans = {"c1": (25, 150), "c3": (150, 400), "c5": (400, 120), "f6": (120, 84), "output": (84, 10)}
    for layer, (inputs, outputs) in fans.items():
        bound = math.sqrt(6 / (inputs + outputs))
        assert 0.9 * bound < np.abs(drawn[f"{layer}.weight"]).max() <= bound
        assert not drawn[f"{layer}.bias"].any()


def test_initial_weights_follow_the_generator(network: paper.Network) -> None:
    first, again, other = (weights.initial(network, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.dtype == np.float32


# --- the file ---


@FOLDER
@given(
    value=st.floats(width=32, allow_nan=False, allow_infinity=False),
    metadata=st.dictionaries(st.text(max_size=9), st.text(max_size=30), max_size=3),
    start=hypothesis_numpy.arrays(np.float32, 40, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)),
)
def test_what_is_saved_is_loaded(
    network: paper.Network, value: float, metadata: dict[str, str], start: Floats, tmp_path: Path
) -> None:
    vector = np.full(network.parameters, value, np.float32)
    vector[:40] = start
    Weights(network, vector, metadata).save(tmp_path / "w.safetensors")
    found = weights.load(tmp_path / "w.safetensors")
    assert found.network is network
    assert found.parameters.tobytes() == vector.tobytes()
    assert found.metadata == {**metadata, "network": network.name, "format": "1"}


def test_a_file_holds_the_named_arrays_for_any_safetensors_reader(
    network: paper.Network, parameters: Floats, tmp_path: Path
) -> None:
    Weights(network, parameters).save(tmp_path / "w.safetensors")
    found = load_tensors((tmp_path / "w.safetensors").read_bytes())
    expected = weights.arrays(network, parameters)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        assert (found[name] == array).all()


def test_the_golden_start_of_a_file_stays_readable(tmp_path: Path) -> None:
    """The format by hand: a length, a JSON header, the arrays end to end."""
    header, offset = {"__metadata__": {"network": "lenet5", "format": "1", "j": "12"}}, 0
    for array in paper.LENET5.arrays:
        size = 4 * math.prod(array.shape)
        entry = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + size]}
        header[array.name] = entry  # type: ignore[assignment]
        offset += size
    text = json.dumps(header).encode()
    vector = np.linspace(-1, 1, 60_000, dtype="<f4")
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + vector.tobytes())
    found = weights.load(tmp_path / "w.safetensors")
    assert (found.parameters == vector).all()
    assert (found.j, found.temperature) == (12, 1)


def test_metadata_gives_temperature_and_j_as_numbers(network: paper.Network, parameters: Floats) -> None:
    found = Weights(network, parameters, METADATA)
    assert (found.temperature, found.j) == (1.25, 20.5)
    assert Weights(network, parameters, {"j": "inf"}).j == math.inf
    assert (Weights(network, parameters).temperature, Weights(network, parameters).j) == (1, math.inf)


@pytest.mark.parametrize("value", ["", "seven", "nan", "0", "-1"])
@pytest.mark.parametrize("key", ["temperature", "j"])
def test_metadata_that_is_no_positive_number_is_refused(key: str, value: str, parameters: Floats) -> None:
    network = paper.network_of_length(len(parameters))
    found = Weights(network, parameters, {key: value}, name="mine")
    with pytest.raises(WeightsError, match=f"mine: its metadata gives {key}"):
        getattr(found, key)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_weights_say_where_they_came_from(name: str) -> None:
    found = weights.load(name)
    assert found.name == name
    assert found.network is paper.NETWORKS[name.split("-")[0]]
    assert found.metadata.keys() >= {"network", "format", *METADATA}
    assert "sha256" in found.metadata["trained_on"]
    assert "mnist" in found.metadata["trained_on"]
    assert 0 < found.temperature < 10
    assert found.j > 0


# --- writing ---


@pytest.fixture
def trained(network: paper.Network, parameters: Floats) -> Weights:
    return Weights(network, parameters, METADATA)


def unwritable(trained: Weights, path: Path) -> str:
    with pytest.raises(OutputError) as caught:
        trained.save(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_missing_folder_is_told_and_not_made(trained: Weights, tmp_path: Path) -> None:
    unwritable(trained, tmp_path / "none" / "w.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_files_place_stays_and_nothing_is_left_beside_it(trained: Weights, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").mkdir()
    unwritable(trained, tmp_path / "w.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]
    assert (tmp_path / "w.safetensors").is_dir()


def test_a_file_in_the_folders_place_is_told(trained: Weights, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unwritable(trained, tmp_path / "file" / "w.safetensors")


def test_a_write_that_fails_halfway_leaves_the_old_file_whole(
    trained: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"the old weights")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in unwritable(trained, path)
    assert path.read_bytes() == b"the old weights"
    assert [found.name for found in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_written_file_replaces_the_old_one_and_others_may_read_it(trained: Weights, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"the old weights")
    trained.save(path)
    assert (weights.load(path).parameters == trained.parameters).all()
    assert path.stat().st_mode & 0o044 == 0o044
    assert [found.name for found in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_length_of_no_network_names_those_there_are() -> None:
    with pytest.raises(LeNet5Error, match=r"60,000 \(lenet5\), 61,706 \(concise\)"):
        paper.network_of_length(431_080)
