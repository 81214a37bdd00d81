"""Either network as an ONNX model, built node by node: what ONNX Runtime and OpenVINO run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lenet5 import paper, weights
from lenet5.codes import code_array

__all__ = ["model"]


class _Graph:
    """Nodes and constants, each node's output named after it."""

    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.constants: list[object] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def scalar(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name


def model(network: paper.Network, parameters: NDArray[np.float32]) -> bytes:
    """The network with these parameters as ONNX bytes: "images" (N, 1, H, W) → "output" (N, 10)."""
    graph, papers = _Graph(), network is paper.LENET5
    w = weights.arrays(network, parameters)
    convolved = ("c1.weight", "c1.bias", "c3.weight", "c3.bias", "c5.bias", "f6.bias", "output.bias")
    constants = {
        name: graph.constant(w[name]) for name in convolved if name in w and not (papers and name == "c3.weight")
    }
    if papers:
        dense = np.zeros((16, 6, 5, 5), np.float32)
        dense[paper.table_pairs()] = w["c3.weight"]
        constants["c3.weight"] = graph.constant(dense)

    def squash(x: str) -> str:
        if not papers:
            return graph.add("Sigmoid", x)
        inner = graph.add("Mul", x, graph.scalar(paper.SQUASHING_SLOPE))
        return graph.add("Mul", graph.add("Tanh", inner), graph.scalar(paper.SQUASHING_AMPLITUDE))

    def convolve(x: str, name: str, pad: int = 0) -> str:
        return squash(graph.add("Conv", x, constants[f"{name}.weight"], constants[f"{name}.bias"], pads=[pad] * 4))

    def subsample(x: str, name: str) -> str:
        mean = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        if not papers:
            return mean
        coefficient = graph.constant(4 * w[f"{name}.coefficient"][:, None, None])
        scaled = graph.add("Mul", mean, coefficient)
        return squash(graph.add("Add", scaled, graph.constant(w[f"{name}.bias"][:, None, None])))

    def connect(x: str, name: str) -> str:
        flat = graph.constant(w[f"{name}.weight"].reshape(len(w[f"{name}.weight"]), -1))
        return graph.add("Gemm", x, flat, constants[f"{name}.bias"], transB=1)

    s2 = subsample(convolve("images", "c1", 0 if papers else 2), "s2")
    s4 = subsample(convolve(s2, "c3"), "s4")
    f6 = squash(connect(squash(connect(graph.add("Flatten", s4), "c5")), "f6"))
    if papers:
        apart = graph.add(
            "Sub", graph.add("Unsqueeze", f6, graph.constant(np.array([1]))), graph.constant(code_array())
        )
        output = graph.add("ReduceSum", graph.add("Mul", apart, apart), graph.constant(np.array([2])), keepdims=0)
    else:
        output = connect(f6, "output")
    graph.nodes.append(helper.make_node("Identity", [output], ["output"]))
    height, width = network.input_size
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, height, width])
    outputs = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 10])
    whole = helper.make_graph(graph.nodes, network.name, [images], [outputs], graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
