"""Weights → one header and one source of C99 that read a digit, for microcontrollers and anything else.

The source is assembled from the C files in ``c/`` and the constants of the weights. It answers as
``Reader.classify(images, views=1)`` does. In 8 bits a weight is a level times the scale of its output row
(:mod:`lenet5.quantise`), and a map holds :data:`lenet5.export.onnx.LEVELS` levels for 1, which makes the codes' ±1
exact and the squashing's ±1.7159 nearly ±127. Loops add integers. Weights that were trained in 4 bits take half a byte.
A row whose largest weight is below 1/128 of the layer's is rounded with a step of 1/128 of the layer's largest step.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import __version__, paper, pixels
from lenet5 import weights as weights_of
from lenet5.codes import CODES, DIGITS, SEPARATORS
from lenet5.errors import WeightsError
from lenet5.export.onnx import LEVELS
from lenet5.export.reference import reference
from lenet5.quantise import rows, steps
from lenet5.reading.reader import FAINTEST

__all__ = ["Source", "source"]

_TABLE_STEPS_A_UNIT: Final = 128  # of the squashing's table
_SUBSAMPLING_SHIFT: Final = 14  # S2 and S4: fractional bits below a step of the table
_WIDEST: Final = 128  # ratio of the largest scale to the smallest: rows of tiny weights would need more than 16 bits
_NEVER: Final = 1e30  # a penalty whose probability is 0, even beside a rubbish class that never competes
_TESTS: Final = 12
_TOLERANCES: Final = {False: 1e-4, True: 0.1}
_WIDTH: Final = 116  # columns of a line of numbers


@dataclass(frozen=True)
class Source:
    """A C header, the source that includes it as ``name``.h, and sizes in bytes.

    The sizes are those of the constants without the test vectors, and of the scratch memory of ``lenet5_read``.
    """

    name: str
    header: str
    source: str
    constant_bytes: int
    scratch_bytes: int


@dataclass(frozen=True)
class _Constant:
    """An array of the source: its type in C, its values in NumPy's type of that size, and a comment."""

    name: str
    kind: str
    values: NDArray[Any]
    comment: str = ""

    def __str__(self) -> str:
        sizes = "".join(f"[{n}]" for n in self.values.shape)
        comment = f" /* {self.comment} */" if self.comment else ""
        return f"static const {self.kind} {self.name}{sizes} = {{{comment}\n{_numbers(self.values)}\n}};\n"


def source(weights: weights_of.Weights, *, name: str = "lenet5", int8: bool = False) -> Source:
    """C99 of the paper's network with these weights, in float or in 8 bits; ``name`` is the header's, without ``.h``.

    With ``int8``, weights that were trained in 4 bits stay in 4 bits, between maps of 8. Raises WeightsError for those
    of the concise network.

    >>> header = source(weights_of.load("lenet5"), name="digits").header
    >>> "lenet5_read" in header
    True
    """
    if weights.network is not paper.LENET5:
        raise WeightsError(f"{weights.name} holds a {weights.network.name} network: C is written of the paper's alone")
    arrays, bits = weights_of.arrays(weights.network, weights.parameters), weights.bits or 8
    competing = DIGITS + "".join(c for c in weights.classes if c not in DIGITS + SEPARATORS)
    constants = _int8_constants(arrays, bits) if int8 else _float_constants(arrays)
    constants += [*_table_1(), _pictures(competing)]
    constant_bytes = sum(constant.values.nbytes for constant in constants)
    scratch_bytes = (32 * 32 + 6 * 14 * 14 + 16 * 25 + 120 + 84) * (1 if int8 else 4)
    packed = int8 and bits == 4
    scratch_bytes += 400 if packed else 0
    placeholders = {
        "VERSION": __version__,
        "TITLE": "8-bit integers in the loops" + ", 4-bit weights" * packed if int8 else "float",
        "WEIGHTS": weights.name.rpartition("/")[2],
        "TRAINED_ON": weights.metadata.get("trained_on", "not recorded").replace("*/", "* /"),
        "CONSTANT_BYTES": str(constant_bytes),
        "SCRATCH_BYTES": str(scratch_bytes),
        "ROW": "    lenet5_unit row[400]; /* weights that are in use */\n" if packed else "",
        "UNIT": "int8_t" if int8 else "float",
        "UNIT_COMMENT": f"a unit's state; {LEVELS} is 1" if int8 else "a unit's state",
        "TABLE_ERROR": f"{_table_error():.2f}",
        "VECTORS": _vectors(weights),
        "TOLERANCE": f"{_TOLERANCES[int8]:g}",
    }
    network = [f"weights_{bits}.c", "network_int8.c"] if int8 else ["network_float.c"]
    parts = ["answer.c", *network, "read.c", "prepare.c", "self_test.c"]
    text = "".join([f'#include "{name}.h"\n\n', _defined(weights, len(competing), int8)])
    text += "\n".join(map(str, constants)) + "".join(map(_part, parts))
    return Source(
        name, _filled(_part("lenet5.h"), placeholders), _filled(text, placeholders), constant_bytes, scratch_bytes
    )


def _part(name: str) -> str:
    return (resources.files("lenet5.export") / "c" / name).read_text("utf-8")


def _filled(text: str, placeholders: dict[str, str]) -> str:
    for name, value in placeholders.items():
        text = text.replace(f"%{name}%", value)
    return text


def _defined(weights: weights_of.Weights, classes: int, int8: bool) -> str:
    """#define lines of numbers of the paper and of the weights."""
    scale, offset, _ = pixels.scaling(weights.network)
    values: dict[str, int | float] = {"CLASSES": classes, "FAINTEST": FAINTEST}
    if int8:
        values |= {"LEVELS": LEVELS, "TABLE_STEPS": len(_squashing()), "SUBSAMPLING_SHIFT": _SUBSAMPLING_SHIFT}
        arrays = weights_of.arrays(weights.network, weights.parameters)
        bits = weights.bits or 8
        values |= {f"{layer.upper()}_SHIFT": _rows(layer, arrays, bits).shift for layer in _INPUT_SCALE}
    else:
        values |= {"AMPLITUDE": paper.SQUASHING_AMPLITUDE, "SLOPE": paper.SQUASHING_SLOPE}
        values |= {"BACKGROUND": offset, "FOREGROUND": offset + 255 * scale}
    values |= {"TEMPERATURE": weights.temperature, "RUBBISH_PENALTY": min(weights.j, _NEVER / 2), "NEVER": _NEVER}
    return (
        "".join(
            f"#define {name} {value if isinstance(value, int) else _float(value)}\n" for name, value in values.items()
        )
        + "\n"
    )


def _float_constants(arrays: dict[str, NDArray[np.float32]]) -> list[_Constant]:
    """The arrays of the weights file; kernels are flat."""
    return [
        _Constant(name.replace(".", "_"), "float", a if a.ndim == 1 else a.reshape(len(a), -1))
        for name, a in arrays.items()
    ]


_INPUT_SCALE: Final = {"c1": 1 / 200, "c3": 1 / LEVELS, "c5": 1 / LEVELS, "f6": 1 / LEVELS}
"""The value of one level of each layer's input; an ink level is 1.275 / 255."""


@dataclass(frozen=True)
class _Rows:
    """A layer in 8 bits: levels (rows, n) int8, biases (rows,) int32 in units of the sums, and the value of a sum in
    steps of the table: ``scale`` (rows,) uint16 / 2^``shift``."""

    levels: NDArray[np.int8]
    bias: NDArray[np.int32]
    scale: NDArray[np.uint16]
    shift: int


def _rows(layer: str, arrays: dict[str, NDArray[np.float32]], bits: int) -> _Rows:
    """A layer's weights with one scale for each row, the weights of one unit or map."""
    weight = rows(layer, arrays)
    by_row = np.where(weight.any(axis=1), steps(weight, bits), 0).astype(np.float64)
    by_row = np.maximum(by_row, max(by_row.max() / _WIDEST, 1e-30))
    levels = np.round(weight / by_row[:, None]).astype(np.int8)
    unit = by_row * _INPUT_SCALE[layer]  # the value of 1 in a sum
    bias = arrays[f"{layer}.bias"] / unit
    if layer == "c1":  # inputs are ink − 128, and −0.1 is ink −20: Σ w (ink − 20) = Σ w (ink − 128) + 108 Σ w
        bias = bias + (128 + paper.BACKGROUND / _INPUT_SCALE["c1"]) * levels.sum(axis=1)
    table_steps = unit * _TABLE_STEPS_A_UNIT
    shift = int(np.floor(16 - np.log2(table_steps.max())))
    scale = np.minimum(np.round(table_steps * 2.0**shift), 65535)
    if layer == "c3":
        levels = levels.reshape(16, 6, 25)[paper.table_pairs()]
    return _Rows(levels, np.round(bias).astype(np.int32), scale.astype(np.uint16), shift)


def _int8_constants(arrays: dict[str, NDArray[np.float32]], bits: int) -> list[_Constant]:
    """Levels, biases and scales of each layer, the coefficients in fixed point, and the squashing's table."""
    constants = [_Constant("squashing", "uint8_t", _squashing(), f"{LEVELS} f(step / {_TABLE_STEPS_A_UNIT})")]
    for layer in _INPUT_SCALE:
        quantised = _rows(layer, arrays, bits)
        weight = _Constant(f"{layer}_weight", "int8_t", quantised.levels)
        constants += [
            weight if bits == 8 else _Constant(weight.name, "uint8_t", _packed(quantised.levels), "two weights a byte"),
            _Constant(f"{layer}_bias", "int32_t", quantised.bias, "in units of the sums"),
            _Constant(
                f"{layer}_scale", "uint16_t", quantised.scale, f"2^{quantised.shift} times the steps that a unit is"
            ),
        ]
    fixed_point_one = _TABLE_STEPS_A_UNIT * 2.0**_SUBSAMPLING_SHIFT
    for layer in ("s2", "s4"):
        coefficient, bias = (
            arrays[f"{layer}.coefficient"] * (fixed_point_one / LEVELS),
            arrays[f"{layer}.bias"] * fixed_point_one,
        )
        if (4 * 127 * np.abs(coefficient) + np.abs(bias)).max() >= 2**31:
            raise WeightsError(f"the coefficients of {layer} are too large for 8-bit export: train the weights again")
        for name, values in (("coefficient", coefficient), ("bias", bias)):
            constants.append(_Constant(f"{layer}_{name}", "int32_t", np.round(values).astype(np.int32)))
    return constants


def _packed(levels: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Levels −8..7, two in a byte, the first in the lower half: (rows, …). Rows of an odd number are padded."""
    by_row = levels.reshape(-1, levels.shape[-1]) & 15
    even = np.pad(by_row, ((0, 0), (0, by_row.shape[1] % 2)))
    return np.asarray(even[:, ::2] | even[:, 1::2] << 4, np.uint8)


def _squashing() -> NDArray[np.uint8]:
    """The levels of f at steps of 1/128 from 0, until it is 127."""
    steps = np.arange(8 * _TABLE_STEPS_A_UNIT) / _TABLE_STEPS_A_UNIT
    levels = np.minimum(np.round(LEVELS * _f(steps)), 127).astype(np.uint8)
    return levels[levels < 127]


def _table_error() -> float:
    """The largest difference, in levels, between f and the table before its levels are rounded."""
    return float(LEVELS * _f(np.array(0.5 / _TABLE_STEPS_A_UNIT)))


def _f(a: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(paper.SQUASHING_AMPLITUDE * np.tanh(paper.SQUASHING_SLOPE * a))


def _table_1() -> list[_Constant]:
    starts = np.cumsum([0, *map(len, paper.TABLE_I)]).astype(np.uint8)
    maps = np.concatenate([np.array(row, np.uint8) for row in paper.TABLE_I])
    return [
        _Constant("table_1", "uint8_t", maps, "Table I: the map of S2 that each kernel of C3 reads"),
        _Constant("table_1_start", "uint8_t", starts, "each map's first kernel"),
    ]


def _pictures(classes: str) -> _Constant:
    """The output codes: a byte for each row of a picture, its leftmost pixel the highest of seven bits."""
    rows = [[int(row.translate(str.maketrans("#.", "10")), 2) for row in CODES[c].split("\n")] for c in classes]
    return _Constant("codes", "uint8_t", np.array(rows, np.uint8), "Fig. 3: twelve rows of seven pixels for each class")


def _vectors(weights: weights_of.Weights) -> str:
    """Images of the reference on which the engine is confident, of all labels and of −1, refused."""
    expected = reference(weights)
    confidence = expected.posterior.max(axis=1)
    confident = np.flatnonzero(confidence > 0.97)
    by_label = [confident[expected.labels[confident] == label][:2] for label in (-1, *range(10))]
    selected = np.concatenate([*(indices[:1] for indices in by_label), by_label[0][1:]])[:_TESTS]
    constants = (
        _Constant("test_image", "uint8_t", expected.images[selected].reshape(len(selected), -1)),
        _Constant("test_label", "int8_t", expected.labels[selected]),
        _Constant("test_confidence", "float", confidence[selected].astype(np.float32)),
    )
    return f"#define TESTS {len(selected)}\n" + "\n".join(map(str, constants))


def _numbers(values: NDArray[Any]) -> str:
    """The values of an array initialiser, each row in braces, in lines of at most _WIDTH columns."""
    if values.ndim > 1:
        return ",\n".join(f"{{\n{_numbers(row)}\n}}" for row in values)
    lines, line = [], ""
    for value in values.tolist():
        text = _float(value) if values.dtype == np.float32 else str(value)
        if len(line) + len(text) + 2 > _WIDTH:
            lines.append(line + ",")
            line = ""
        line += f", {text}" if line else text
    return "\n".join([*lines, line])


def _float(value: float) -> str:
    """A float constant of C that gives the same float32."""
    text = f"{np.float32(value):.9g}"
    return (text if "." in text or "e" in text else text + ".0") + "f"
