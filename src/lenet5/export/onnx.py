"""Weights → an ONNX model that answers as ``Reader.classify(images, views=1)`` does.

The graph is the network as docs/paper.md draws it. The node ``c1`` is the layer's own operation, nodes such as
``c1.tanh`` squash what it gives, and the value ``c1`` is the layer's feature map; initializers have the names of the
weights file. Input and answer are part of the graph: images come in MNIST's form, and what leaves it are labels.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import __version__, paper, pixels
from lenet5 import weights as weights_of
from lenet5.codes import DIGITS, SEPARATORS, code_array
from lenet5.errors import UnavailableError
from lenet5.export.reference import Reference, reference, require_agreement
from lenet5.quantise import levels, rows
from lenet5.reading.reader import FAINTEST

__all__ = ["LEVELS", "OPSET", "bare", "checked", "model", "run"]

OPSET: Final = 17
"""The version of ONNX's operators that the model uses; ONNX Runtime has them since 1.12 (2022)."""

LEVELS: Final = 74
"""8-bit levels of an activation of 1: the largest whole number under which the squashing's 1.7159 is at most 127."""

_IR: Final = 8  # the file format that came with opset 17
_NEVER: Final = 1e30  # the energy of a rubbish class that does not compete: e^−1e30 is 0, and there is no ∞ − ∞
_NO_ONNX: Final = "ONNX export needs onnx and onnxruntime: pip install '.[export]' in lenet5's folder"


def model(weights: weights_of.Weights, *, int8: bool = False) -> bytes:
    """An ONNX model of the weights, as bytes.

    Input ``image``: (N, 28, 28) uint8, ink 255, any N. Outputs: ``label`` (N,) int8, −1 where refused; ``posterior``
    (N, 11) float32, P of the ten digits and, last, of none of them, separators not competing; ``f6`` (N, 84) float32,
    of which the codes of docs/paper.md are the pictures. With ``int8`` weights are 8-bit, one scale an output row, and
    the maps between layers pass QuantizeLinear and DequantizeLinear; no calibration is needed, since the squashing
    bounds every map. Raises UnavailableError without the package onnx.

    >>> content = model(weights_of.load("lenet5"))
    >>> len(content) > 4 * 60_000  # four bytes a parameter
    True
    """
    bits = (weights.bits or 8) if int8 else None
    graph = _Graph(weights.network, weights_of.arrays(weights.network, weights.parameters), bits)
    competing = [*DIGITS, *(c for c in weights.classes if c not in DIGITS + SEPARATORS)]
    codes = code_array("".join(competing)) if weights.network is paper.LENET5 else None
    output = _network(graph, _input(graph), codes)
    _answer(graph, output, len(competing), min(weights.j, _NEVER), weights.temperature)
    onnx = graph.onnx
    uint8, float32 = onnx.TensorProto.UINT8, onnx.TensorProto.FLOAT
    return graph.serialised(
        inputs=[("image", uint8, ["N", paper.SIDE, paper.SIDE])],
        outputs=[
            ("label", onnx.TensorProto.INT8, ["N"]),
            ("posterior", float32, ["N", len(DIGITS) + 1]),
            ("f6", float32, ["N", 84]),
        ],
        metadata={key: weights.metadata[key] for key in _KEPT if key in weights.metadata},
    )


_KEPT: Final = ("recipe", "seed", "passes", "trained_on", "validation_error_percent", "temperature", "j", "command")


def bare(network: paper.Network, parameters: NDArray[np.float32]) -> bytes:
    """The network alone: "images" (N, 1, H, W) float32 in its input range → "output" (N, 10), for comparisons.

    >>> len(bare(paper.LENET5, weights_of.load("lenet5").parameters)) < len(model(weights_of.load("lenet5")))
    True
    """
    graph = _Graph(network, weights_of.arrays(network, parameters))
    _network(graph, "images", code_array(DIGITS) if network is paper.LENET5 else None)
    float32 = graph.onnx.TensorProto.FLOAT
    return graph.serialised(
        inputs=[("images", float32, ["N", 1, *network.input_size])], outputs=[("output", float32, ["N", 10])]
    )


def checked(weights: weights_of.Weights, *, int8: bool = False) -> bytes:
    """:func:`model`, once ONNX Runtime has given the engine's answers with it.

    Raises WeightsError where they disagree, UnavailableError without onnx or onnxruntime.
    """
    content, expected = model(weights, int8=int8), reference(weights)
    answers = run(content, expected.images)
    require_agreement(weights, expected, answers.labels, answers.posterior, int8=int8)
    return content


def run(content: bytes, images: NDArray[np.uint8]) -> Reference:
    """What ONNX Runtime answers to images (N, 28, 28) with a model. Raises UnavailableError without it.

    >>> run(model(weights_of.load("lenet5")), np.zeros((2, 28, 28), np.uint8)).labels.tolist()  # blank images
    [-1, -1]
    """
    try:
        import onnxruntime
    except ImportError:
        raise UnavailableError(_NO_ONNX) from None
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    labels, posterior, f6 = session.run(["label", "posterior", "f6"], {"image": images})
    return Reference(images, labels, posterior, f6)


class _Graph:
    """Nodes and initializers of a network, as they are added; with ``bits`` in levels of so many bits."""

    def __init__(self, network: paper.Network, arrays: dict[str, NDArray[np.float32]], bits: int | None = None) -> None:
        try:
            import onnx
        except ImportError:
            raise UnavailableError(_NO_ONNX) from None
        self.onnx: Any = onnx
        self.network, self.arrays, self.bits = network, arrays, bits
        self._nodes: list[Any] = []
        self._initializers: dict[str, Any] = {}

    def constant(self, name: str, value: NDArray[Any] | float) -> str:
        """An initializer of this name; a float is a float32 scalar."""
        array = np.float32(value) if isinstance(value, float) else np.ascontiguousarray(value)
        self._initializers[name] = self.onnx.numpy_helper.from_array(np.asarray(array), name)
        return name

    def add(self, kind: str, name: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        """A node; what it gives is named ``to``, or as the node is."""
        to = to or name
        self._nodes.append(self.onnx.helper.make_node(kind, list(inputs), [to], name, **attributes))
        return to

    def cast(self, name: str, x: str, kind: str) -> str:
        """``x`` as another type, by its name in TensorProto."""
        node = self.onnx.helper.make_node("Cast", [x], [name], name, to=getattr(self.onnx.TensorProto, kind))
        self._nodes.append(node)
        return name

    def weight(self, name: str, array: NDArray[np.float32]) -> str:
        """Weights (rows, …): as they are, or with bits as levels and a scale for each row."""
        if not self.bits:
            return self.constant(name, array)
        in_levels, scale = levels(array, self.bits)
        self.constant(f"{name}.levels", in_levels)
        self.constant(f"{name}.scale", scale)
        self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))
        return self.add(
            "DequantizeLinear",
            f"{name}.dequantized",
            f"{name}.levels",
            f"{name}.scale",
            f"{name}.zero",
            to=name,
            axis=0,
        )

    def squashed(self, layer: str, x: str) -> str:
        """The layer's map, named as the layer: squashed by eq. 6, or in the concise form by the logistic function."""
        to = f"{layer}.exact" if self.bits and layer != "f6" else layer
        if self.network is paper.LENET5:
            inner = self.add("Mul", f"{layer}.slope", x, self.constant(f"{layer}.S", paper.SQUASHING_SLOPE))
            squashed = self.add("Tanh", f"{layer}.tanh", inner)
            amplitude = self.constant(f"{layer}.A", paper.SQUASHING_AMPLITUDE)
            self.add("Mul", f"{layer}.amplitude", squashed, amplitude, to=to)
            scale, zero = 1 / LEVELS, np.array(0, np.int8)
        else:
            self.add("Sigmoid", f"{layer}.sigmoid", x, to=to)
            scale, zero = 1 / 255, np.array(0, np.uint8)
        if to != layer:
            parameters = self.constant(f"{layer}.scale", scale), self.constant(f"{layer}.zero", zero)
            levels = self.add("QuantizeLinear", f"{layer}.quantized", to, *parameters)
            self.add("DequantizeLinear", f"{layer}.dequantized", levels, *parameters, to=layer)
        return layer

    def serialised(self, inputs: list[Any], outputs: list[Any], metadata: dict[str, str] | None = None) -> bytes:
        """The model's bytes, once ONNX's checker has passed it with its shapes."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes,
            self.network.name,
            [helper.make_tensor_value_info(*value) for value in inputs],
            [helper.make_tensor_value_info(*value) for value in outputs],
            list(self._initializers.values()),
        )
        whole = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR,
            producer_name="lenet5",
            producer_version=__version__,
            doc_string=f"{self.network.title}; labels are those of lenet5.Reader.classify(images, views=1)",
        )
        helper.set_model_props(whole, metadata or {})
        self.onnx.checker.check_model(whole, full_check=True)
        return bytes(whole.SerializeToString(deterministic=True))


def _input(graph: _Graph) -> str:
    """Ink levels (N, 28, 28) uint8 in the network's frame and range: what pixels.network_input does."""
    scale, offset, frame = pixels.scaling(graph.network)
    x = graph.add("Unsqueeze", "input.channel", "image", graph.constant("input.axis", np.array([1])))
    if frame:
        around = np.array([0, 0, frame, frame, 0, 0, frame, frame])
        blank = graph.constant("input.blank", np.array(0, np.uint8))
        x = graph.add("Pad", "input.frame", x, graph.constant("input.around", around), blank)
    if graph.bits:  # the range is that of 8-bit levels: (level − 20) / 200 is exact
        zero = np.array(round(-offset / scale), np.uint8)
        parameters = graph.constant("input.scale", scale), graph.constant("input.zero", zero)
        return graph.add("DequantizeLinear", "input", x, *parameters)
    x = graph.cast("input.level", x, "FLOAT")
    x = graph.add("Mul", "input.scaled", x, graph.constant("input.scale", scale))
    return graph.add("Add", "input", x, graph.constant("input.offset", offset))


def _network(graph: _Graph, x: str, codes: NDArray[np.float32] | None) -> str:
    """The layers from C1 to the output (N, classes): distances to the ``codes``, or logits."""
    w, papers = graph.arrays, graph.network is paper.LENET5
    c3 = rows("c3", w).reshape(16, 6, 5, 5) if papers else w["c3.weight"]
    c1 = _convolution(graph, "c1", x, w["c1.weight"], pad=0 if papers else 2)
    s2 = _subsampling(graph, "s2", c1)
    s4 = _subsampling(graph, "s4", _convolution(graph, "c3", s2, c3))
    c5 = graph.squashed("c5", _connection(graph, "c5", graph.add("Flatten", "s4.flat", s4)))
    f6 = graph.squashed("f6", _connection(graph, "f6", c5))
    if codes is None:
        return _connection(graph, "output", f6, to="output")
    column = graph.add("Unsqueeze", "output.units", f6, graph.constant("output.axis", np.array([1])))
    apart = graph.add("Sub", "output.difference", column, graph.constant("codes", codes))
    squared = graph.add("Mul", "output.square", apart, apart)
    return graph.add("ReduceSum", "output", squared, graph.constant("output.over", np.array([2])), keepdims=0)  # eq. 7


def _convolution(graph: _Graph, layer: str, x: str, weight: NDArray[np.float32], pad: int = 0) -> str:
    constants = graph.weight(f"{layer}.weight", weight), graph.constant(f"{layer}.bias", graph.arrays[f"{layer}.bias"])
    return graph.squashed(layer, graph.add("Conv", layer, x, *constants, to=f"{layer}.sum", pads=[pad] * 4))


def _subsampling(graph: _Graph, layer: str, x: str) -> str:
    """Four inputs added, times the map's coefficient, plus its bias, squashed; in the concise form their mean."""
    papers = graph.network is paper.LENET5
    to = f"{layer}.mean" if papers else layer
    mean = graph.add("AveragePool", layer, x, to=to, kernel_shape=[2, 2], strides=[2, 2])
    if not papers:
        return mean
    by_map = {name: graph.arrays[f"{layer}.{name}"][:, None, None] for name in ("coefficient", "bias")}
    coefficient = graph.constant(f"{layer}.coefficient", 4 * by_map["coefficient"])  # a sum is four means
    scaled = graph.add("Mul", f"{layer}.scaled", mean, coefficient)
    return graph.squashed(
        layer, graph.add("Add", f"{layer}.sum", scaled, graph.constant(f"{layer}.bias", by_map["bias"]))
    )


def _connection(graph: _Graph, layer: str, x: str, to: str | None = None) -> str:
    """Every input to every unit; C5 too, whose 5×5 fields cover S4."""
    weight = graph.arrays[f"{layer}.weight"]
    constants = (
        graph.weight(f"{layer}.weight", weight.reshape(len(weight), -1)),
        graph.constant(f"{layer}.bias", graph.arrays[f"{layer}.bias"]),
    )
    return graph.add("Gemm", layer, x, *constants, to=to or f"{layer}.sum", transB=1)


def _answer(graph: _Graph, output: str, classes: int, j: float, temperature: float) -> None:
    """Eq. 9 read as probabilities (posterior.of_classes), and the label: "posterior" and "label"."""
    digits = len(DIGITS)
    sign = -1.0 if graph.network.output == "distances" else 1.0
    against = graph.constant("energy.sign", sign / temperature)
    exponents = graph.add("Mul", "energy", output, against)
    rubbish = graph.constant("rubbish.exponent", -j / temperature)
    beside = graph.constant("rubbish.place", np.array([0, 0, 0, 1]))
    p = graph.add("Softmax", "gibbs", graph.add("Pad", "rubbish", exponents, beside, rubbish), axis=1)
    if classes > digits:  # letters and signs are none of the digits
        axis = graph.constant("p.axis", np.array([1]))
        zero, ten, last = (graph.constant(f"p.{n}", np.array([n])) for n in (0, digits, classes + 1))
        others = graph.add("Slice", "p.others", p, ten, last, axis)
        none = graph.add("ReduceSum", "p.none", others, axis, keepdims=1)
        p = graph.add("Concat", "p", graph.add("Slice", "p.digits", p, zero, ten, axis), none, axis=1)
    darkest = graph.add("ReduceMax", "blank.darkest", "image", axes=[1, 2], keepdims=0)
    faint = graph.add(
        "Less",
        "blank.faint",
        graph.cast("blank.level", darkest, "FLOAT"),
        graph.constant("blank.faintest", float(FAINTEST)),
    )
    blank = graph.add("Unsqueeze", "blank", faint, graph.constant("blank.axis", np.array([1])))
    certain = graph.constant("blank.posterior", np.eye(digits + 1, dtype=np.float32)[-1:])
    posterior = graph.add("Where", "posterior", blank, certain, p)
    best = graph.add("ArgMax", "label.best", posterior, axis=1, keepdims=0)
    none = graph.add("Equal", "label.none", best, graph.constant("label.refused", np.array(digits)))
    label = graph.add("Where", "label.number", none, graph.constant("label.minus", np.array(-1)), best)
    graph.cast("label", label, "INT8")
