"""The ONNX graph against the engine, in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet5 import paper, weights
from lenet5.errors import WeightsError
from lenet5.export.onnx import LEVELS, OPSET, checked, model, run
from lenet5.export.reference import reference, require_agreement
from lenet5.learning import data
from lenet5.quantise import BITS, Rounding, rows

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("name", weights.BUNDLED)
def test_answers_are_the_engines(name: str) -> None:
    loaded = weights.load(name)
    expected = reference(loaded)
    answers = run(model(loaded), expected.images)
    np.testing.assert_array_equal(answers.labels, expected.labels)
    np.testing.assert_allclose(answers.posterior, expected.posterior, atol=3e-5)
    np.testing.assert_allclose(answers.f6, expected.f6, atol=1e-5)


def test_answers_of_all_test_images_are_the_engines(real_data: Path) -> None:
    loaded = weights.load("lenet5")
    found = data.load("mnist", "test")
    assert isinstance(found, data.ImageSet)
    expected = reference(loaded, found.images)
    answers = run(model(loaded), found.images)
    np.testing.assert_array_equal(answers.labels, expected.labels)
    np.testing.assert_allclose(answers.posterior, expected.posterior, atol=1e-5)


def test_classes_beyond_digits_and_separators_are_none_of_the_digits() -> None:
    letters = weights.load("lenet5")
    letters = replace(letters, metadata={**letters.metadata, "classes": "0123456789/AB"})
    expected = reference(letters)
    answers = run(model(letters), expected.images)
    np.testing.assert_array_equal(answers.labels, expected.labels)
    np.testing.assert_allclose(answers.posterior, expected.posterior, atol=1e-5)


def test_any_number_of_images_is_taken() -> None:
    content = model(weights.load("lenet5"))
    for n in (0, 1, 3):
        answers = run(content, np.zeros((n, 28, 28), np.uint8))
        assert answers.labels.tolist() == [-1] * n
        assert answers.posterior.shape == (n, 11)


def test_the_graph_has_the_papers_names_and_says_what_it_needs() -> None:
    graph = onnx.load_from_string(model(weights.load("lenet5")))
    kinds = {node.name: node.op_type for node in graph.graph.node}
    layers = [layer.name.lower() for layer in paper.LENET5.layers]
    assert [kinds[layer] for layer in layers] == [
        "Conv", "AveragePool", "Conv", "AveragePool", "Gemm", "Gemm", "ReduceSum",
    ]  # fmt: skip
    produced = {output for node in graph.graph.node for output in node.output}
    assert set(layers) <= produced
    assert (graph.producer_name, graph.opset_import[0].version) == ("lenet5", OPSET)
    stated = {entry.key: entry.value for entry in graph.metadata_props}
    assert stated["trained_on"].startswith("mnist")
    dtypes = {value.name: value.type.tensor_type.elem_type for value in (*graph.graph.input, *graph.graph.output)}
    kind = onnx.TensorProto
    assert dtypes == {"image": kind.UINT8, "label": kind.INT8, "posterior": kind.FLOAT, "f6": kind.FLOAT}


@pytest.mark.parametrize("name", weights.BUNDLED)
def test_int8_holds_its_weights_in_bytes_and_reads_the_same_digits(name: str) -> None:
    loaded = weights.load(name)
    content = model(loaded, int8=True)
    expected = reference(loaded, reference(loaded).images[:360])
    answers = run(content, expected.images)
    assert np.count_nonzero(answers.labels != expected.labels) <= 7  # of 360, among them doubtful ones
    require_agreement(loaded, expected, answers.labels, answers.posterior, int8=True)
    assert len(content) < 85_000 < 240_000 < len(model(loaded))
    initializers = {tensor.name: tensor for tensor in onnx.load_from_string(content).graph.initializer}
    assert initializers["c5.weight.levels"].data_type == onnx.TensorProto.INT8
    assert initializers["c5.weight.scale"].dims == [120]


@pytest.mark.parametrize("bits", BITS)
def test_weights_that_were_trained_in_few_bits_are_held_exactly(bits: int) -> None:
    mnist = weights.load("lenet5-mnist")
    rounded = Rounding(mnist.network, bits)(mnist.parameters)
    graph = onnx.load_from_string(
        model(replace(mnist, parameters=rounded, metadata={"bits": str(bits)}), int8=True)
    ).graph
    held = {array.name: onnx.numpy_helper.to_array(array) for array in graph.initializer}
    for layer in ("c1", "c3", "c5", "f6"):
        wanted = rows(layer, weights.arrays(mnist.network, rounded))
        level, step = held[f"{layer}.weight.levels"].reshape(len(wanted), -1), held[f"{layer}.weight.scale"]
        assert np.abs(level.astype(int)).max() == 2 ** (bits - 1) - 1
        np.testing.assert_allclose(level * step[:, None], wanted, rtol=3e-7)


def test_eight_bits_hold_the_range_of_the_squashing() -> None:
    assert LEVELS * paper.SQUASHING_AMPLITUDE <= 127 < (LEVELS + 1) * paper.SQUASHING_AMPLITUDE


def test_a_network_that_disagrees_with_the_engine_is_refused() -> None:
    loaded = weights.load("lenet5")
    expected = reference(loaded)
    other = run(model(weights.load("lenet5-mnist")), expected.images)
    with pytest.raises(WeightsError, match="are not the engine's"):
        require_agreement(loaded, expected, other.labels, other.posterior, int8=True)
    shifted = expected.posterior + 2e-4
    with pytest.raises(WeightsError, match="not exported"):
        require_agreement(loaded, expected, expected.labels, shifted, int8=False)
    assert checked(loaded)


def test_equal_weights_give_equal_bytes() -> None:
    assert model(weights.load("lenet5")) == model(weights.load("lenet5"))


def test_the_command_writes_a_model_that_runs(command: Callable[..., object], tmp_path: Path) -> None:
    outcome = command("export", "--format", "onnx", "--output", tmp_path / "lenet5.onnx")
    assert outcome.status == 0, outcome  # type: ignore[attr-defined]
    assert "opset 17" in outcome.err  # type: ignore[attr-defined]
    image = reference(weights.load("lenet5")).images[:1]
    assert run((tmp_path / "lenet5.onnx").read_bytes(), image).labels.tolist() == [2]
