"""The NumPy engine against ONNX Runtime, and its own refusals."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lenet5 import ArrayError, LeNet5Error, engine, paper, weights
from lenet5.engine import numpy_engine

Floats = NDArray[np.float32]


def images_for(network: paper.Network, n: int) -> Floats:
    return np.random.default_rng(2).uniform(-0.1, 1.175, (n, *network.input_size)).astype(np.float32)


def by_onnx_runtime(w: dict[str, Floats], images: Floats) -> Floats:
    """The concise network as an ONNX graph written out here, run by ONNX Runtime."""
    pads = {"pads": [2, 2, 2, 2]}
    halves = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "c1.weight", "c1.bias"], ["a1"], **pads),
        helper.make_node("Sigmoid", ["a1"], ["c1"]),
        helper.make_node("AveragePool", ["c1"], ["s2"], **halves),
        helper.make_node("Conv", ["s2", "c3.weight", "c3.bias"], ["a3"]),
        helper.make_node("Sigmoid", ["a3"], ["c3"]),
        helper.make_node("AveragePool", ["c3"], ["s4"], **halves),
        helper.make_node("Flatten", ["s4"], ["flat"]),
        helper.make_node("Gemm", ["flat", "c5.weight", "c5.bias"], ["a5"], transB=1),
        helper.make_node("Sigmoid", ["a5"], ["c5"]),
        helper.make_node("Gemm", ["c5", "f6.weight", "f6.bias"], ["a6"], transB=1),
        helper.make_node("Sigmoid", ["a6"], ["f6"]),
        helper.make_node("Gemm", ["f6", "output.weight", "output.bias"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "concise",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(array, name) for name, array in w.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": images[:, None]})
    return np.asarray(found)


def test_the_concise_networks_forward_is_onnx_runtimes() -> None:
    drawn = weights.initial(paper.CONCISE, np.random.default_rng(1))
    images = images_for(paper.CONCISE, 7)
    expected = by_onnx_runtime(weights.arrays(paper.CONCISE, drawn), images)
    np.testing.assert_allclose(numpy_engine.forward(drawn, images), expected, atol=1e-5)


def test_one_convolution_is_the_sum_written_out(network: paper.Network, parameters: Floats) -> None:
    images = images_for(network, 2)
    maps = numpy_engine.feature_maps(parameters, images)
    w = weights.arrays(network, parameters)
    c3, row, column = 9, 4, 7  # fed by S2 maps 0, 3, 4, 5 in Table I
    total = float(w["c3.bias"][c3])
    fields = maps.s2[1, :, row : row + 5, column : column + 5].astype(np.float64)
    if network is paper.LENET5:
        for kernel, (to, source) in enumerate(zip(*paper.table_pairs(), strict=True)):
            total += float((w["c3.weight"][kernel] * fields[source]).sum()) if to == c3 else 0.0
        expected = 1.7159 * np.tanh(2 / 3 * total)
    else:
        expected = 1 / (1 + np.exp(-total - float((w["c3.weight"][c3] * fields).sum())))
    assert maps.c3[1, c3, row, column] == pytest.approx(expected, abs=1e-5)


def test_the_feature_maps_end_in_forwards_answer(network: paper.Network, parameters: Floats) -> None:
    images = images_for(network, 3)
    maps = numpy_engine.feature_maps(parameters, images)
    np.testing.assert_allclose(maps.output, numpy_engine.forward(parameters, images), rtol=1e-5, atol=1e-5)
    for layer, found in zip(network.layers, maps, strict=True):
        assert found.shape == ((3, layer.maps, *layer.size) if found.ndim == 4 else (3, layer.maps))
        assert found.dtype == np.float32


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 130])
def test_any_number_of_images_gives_the_answers_of_each_alone(
    n: int, network: paper.Network, parameters: Floats
) -> None:
    images = images_for(network, n)
    found = numpy_engine.forward(parameters, images)
    assert (found.shape, found.dtype) == ((n, 10), np.float32)
    for k in {0, n // 2, n - 1} if n else ():
        alone = numpy_engine.forward(parameters, images[k : k + 1])
        np.testing.assert_allclose(found[k], alone[0], rtol=1e-5, atol=1e-4)


def test_weights_so_large_that_everything_saturates_give_no_warning(network: paper.Network, parameters: Floats) -> None:
    assert np.isfinite(numpy_engine.forward(parameters * np.float32(1e6), images_for(network, 2))).all()


@pytest.mark.parametrize("shape", [(28, 28), (2, 27, 28), (2, 1, 28, 28), (2, 40, 40)])
def test_images_of_another_shape_are_refused(
    shape: tuple[int, ...], network: paper.Network, parameters: Floats
) -> None:
    with pytest.raises(ArrayError, match=f"{network.name} takes images"):
        numpy_engine.forward(parameters, np.zeros(shape, np.float32))


def test_the_other_networks_images_are_refused(network: paper.Network, parameters: Floats) -> None:
    (other,) = (found for found in paper.NETWORKS.values() if found is not network)
    with pytest.raises(ArrayError):
        engine.forward(parameters, images_for(other, 1))


def test_a_vector_of_no_networks_length_is_refused() -> None:
    with pytest.raises(LeNet5Error, match="no network has 7 parameters"):
        engine.forward(np.zeros(7, np.float32), np.zeros((1, 28, 28), np.float32))
