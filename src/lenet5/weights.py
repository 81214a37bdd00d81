"""The flat parameter vector, its named arrays, and the safetensors file that keeps both.

A network's parameters are one float32 vector. :func:`arrays` shows it as the named arrays of
:mod:`lenet5.paper`, views of the same memory. A weights file holds the named arrays and, as text,
where they came from.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS, check_classes, code_array
from lenet5.errors import ArrayError, WeightsError
from lenet5.files import open_regular, write_beside
from lenet5.parsing import parsed_json

__all__ = [
    "BUNDLED",
    "FORMAT",
    "Weights",
    "arrays",
    "from_module",
    "initial",
    "load",
    "serialised",
]

FORMAT: Final = "1"
"""The version of the file's layout, in its metadata under ``format``."""

BUNDLED: Final = ("lenet5", "lenet5-mnist", "concise")
"""Names of the weights that come with the package: for reading, the best on MNIST alone, the tutorials' network."""

_MOST_BYTES: Final = 4 << 20  # a weights file is 241 kB; nothing much larger can be one


@dataclass(frozen=True)
class Weights:
    """Trained parameters and where they came from.

    ``parameters`` is the flat (P,) float32 vector; ``metadata`` is text by name, such as ``recipe``, ``command``,
    ``seed``, ``passes``, ``trained_on``, ``temperature``, ``j`` and ``classes``; ``name`` is used in messages.

    >>> w = load("lenet5-mnist")
    >>> w.network.name, w.parameters.shape, w.classes, w.metadata["recipe"]
    ('lenet5', (60000,), '0123456789', 'modern')
    """

    network: paper.Network
    parameters: NDArray[np.float32]
    metadata: Mapping[str, str] = field(default_factory=dict)
    name: str = "weights"

    @property
    def temperature(self) -> float:
        """The temperature of the posterior, by which penalties are divided; 1 where none is recorded."""
        return self.number("temperature", 1.0)

    @property
    def j(self) -> float:
        """The penalty of the rubbish class (eq. 9); infinite where none is recorded."""
        return self.number("j", math.inf)

    @property
    def classes(self) -> str:
        """The characters that the network distinguishes, the ten digits first; only these where nothing is recorded.

        Raises WeightsError for anything else.
        """
        classes = self.metadata.get("classes", DIGITS)
        try:
            check_classes(classes)
        except ArrayError as error:
            raise WeightsError(f"{self.name}: its metadata has invalid classes: {error}") from None
        if self.network is not paper.LENET5 and classes != DIGITS:
            raise WeightsError(f"{self.name}: a {self.network.name} network has no classes but the ten digits")
        return classes

    @property
    def bits(self) -> int | None:
        """How many bits the weights were trained in (:mod:`lenet5.quantise`), 8 or 4; None for float.

        Raises WeightsError for anything else.
        """
        bits = self.metadata.get("bits")
        if bits not in (None, "8", "4"):
            raise WeightsError(f"{self.name}: its metadata gives bits as {bits!r}, not 8 or 4")
        return int(bits) if bits else None

    @property
    def codes(self) -> NDArray[np.float32]:
        """The output codes of the classes: (classes, 84)."""
        return code_array(self.classes)

    def number(self, key: str, default: float) -> float:
        """A number of the metadata in 0.001..1000, or the default where it has none. Raises WeightsError."""
        try:
            value = float(self.metadata.get(key, default))
        except ValueError:
            value = math.nan
        if not (1e-3 <= value <= 1e3 or (value == math.inf and default == math.inf)):
            raise WeightsError(
                f"{self.name}: its metadata gives {key} as {self.metadata[key]!r}, not a number in 0.001..1000"
            )
        return value

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the safetensors file; nothing half-written stays. OutputError where it cannot be."""
        named = {name: np.ascontiguousarray(a) for name, a in arrays(self.network, self.parameters).items()}
        write_beside(path, serialised(named, {**self.metadata, "network": self.network.name, "format": FORMAT}))


def arrays(network: paper.Network, parameters: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The named arrays of a flat vector (P,), as views: writing to one writes to the vector.

    >>> parameters = np.zeros(60_000, np.float32)
    >>> named = arrays(paper.LENET5, parameters)
    >>> named["c1.weight"].shape, named["c3.weight"].shape
    ((6, 1, 5, 5), (60, 5, 5))
    >>> named["c1.bias"][:] = 1  # a view
    >>> float(parameters.sum())
    6.0
    """
    if parameters.shape != (network.parameters,):
        raise WeightsError(
            f"{network.name} has {network.parameters:,} parameters in one vector, not an array {parameters.shape}"
        )
    views, start = {}, 0
    for array in network.arrays:
        stop = start + math.prod(array.shape)
        views[array.name] = parameters[start:stop].reshape(array.shape)
        start = stop
    return views


def from_module(module: Any, metadata: Mapping[str, str] | None = None, name: str = "module") -> Weights:
    """The weights of a torch module, LeNet5 or ConciseLeNet5, bit for bit: what ``pretrained`` loads and Reader reads.

    ``metadata`` says where they come from; the classes of a LeNet5 with others than the ten digits are added. Without
    ``temperature`` and ``j`` (of :class:`Weights`) probabilities are not calibrated and nothing is refused. The
    parameters are a copy, from any device. Raises WeightsError for a module with other parameters, of another type
    than float32, or with NaN or infinite ones.

    >>> from lenet5.network import LeNet5
    >>> network = LeNet5.pretrained("lenet5-mnist")  # train it further, then:
    >>> weights = from_module(network, {"recipe": "mine"})
    >>> bool((weights.parameters == load("lenet5-mnist").parameters).all())
    True
    >>> weights.save("mine.safetensors")  # doctest: +SKIP
    """
    tensors = {key: tensor.detach().cpu().numpy() for key, tensor in module.named_parameters()}
    fitting = [network for network in paper.NETWORKS.values() if {a.name for a in network.arrays} == tensors.keys()]
    if not fitting:
        raise WeightsError(f"a {type(module).__name__} has not the parameters of {' or '.join(paper.NETWORKS)}")
    classes = getattr(module, "classes", DIGITS)
    known = {**(metadata or {}), **({"classes": classes} if classes != DIGITS else {})}
    weights = Weights(fitting[0], _flatten(name, fitting[0], tensors), known, name)
    _ = weights.classes, weights.temperature, weights.j, weights.bits
    return weights


def initial(network: paper.Network, generator: np.random.Generator) -> NDArray[np.float32]:
    """Initial weights (P,) float32, drawn from ``generator``.

    lenet5: as the paper draws them, uniform in ±2.4 / fan-in, for C3 each map's own (appendix A).
    concise: Xavier's, uniform in ±√(6 / (fan-in + fan-out)), biases 0 (Glorot & Bengio 2010,
    eq. 16): with the paper's the sigmoids sit on a plateau for several passes.

    >>> parameters = initial(paper.LENET5, np.random.default_rng(0))
    >>> bool(np.abs(arrays(paper.LENET5, parameters)["f6.weight"]).max() <= 2.4 / 120)
    True
    """
    parameters = np.zeros(network.parameters, np.float32)
    for array, view in zip(network.arrays, arrays(network, parameters).values(), strict=True):
        fan_in = np.array(array.fan_in, np.float64).reshape(-1, *[1] * (len(array.shape) - 1))
        if network is paper.LENET5:
            bound = 2.4 / fan_in
        elif view.ndim > 1:
            bound = np.sqrt(6 / (fan_in + len(view) * math.prod(array.shape[2:])))
        else:
            continue
        view[...] = generator.uniform(-bound, bound, array.shape)
    return parameters


def load(name: str | os.PathLike[str]) -> Weights:
    """The weights of a bundled name or a safetensors file.

    Raises WeightsError for a missing, truncated or foreign file, a pickle, an unknown network, a
    missing array, a wrong shape or type, NaN or infinity, and a temperature or j
    that is no number in 0.001..1000.

    >>> w = load("lenet5")
    >>> w.classes, w.codes.shape
    ('0123456789/:-.,%()', (18, 84))
    """
    text = os.fspath(name)
    if text in BUNDLED:
        return _parse(text, (resources.files("lenet5") / "bundled" / f"{text}.safetensors").read_bytes())
    try:
        with open_regular(text) as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        known = ", ".join(BUNDLED)
        raise WeightsError(
            f"no weights at {text or 'an empty name'}: give a .safetensors file or one of {known}"
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read weights {text}: {getattr(error, 'strerror', None) or error}") from None
    return _parse(text, content)


def _parse(name: str, content: bytes) -> Weights:
    """Weights from the content of a file, every claim of which is checked."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_tensors

    if len(content) > _MOST_BYTES:
        raise WeightsError(f"{name} is too large for LeNet-5 weights (over {_MOST_BYTES >> 20} MB)")
    try:
        tensors = load_tensors(content)
        (length,) = struct.unpack("<Q", content[:8])
        metadata = parsed_json(content[8 : 8 + length]).get("__metadata__") or {}
    except (SafetensorError, ValueError, KeyError, struct.error, TypeError):
        if content[:2] == b"PK" and b".npy" in content:
            raise WeightsError(f"{name} is an .npz file of arrays; weights are safetensors files") from None
        if content[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"):
            raise WeightsError(f"{name} is a pickle, which can run code; only safetensors files are read") from None
        raise WeightsError(f"{name} is not a whole safetensors file (cut short, or another format)") from None
    network = paper.NETWORKS.get(metadata.get("network", ""))
    if network is None:
        raise WeightsError(f"{name} does not say that it holds one of the networks {', '.join(paper.NETWORKS)}")
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{name} has weights format {metadata.get('format')!r}; this version reads {FORMAT!r}")
    loaded = Weights(network, _flatten(name, network, tensors), metadata, name)
    _ = loaded.classes, loaded.temperature, loaded.j, loaded.bits  # checked now, not at first use
    return loaded


def _flatten(name: str, network: paper.Network, tensors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """The flat vector of named tensors that are exactly the network's arrays."""
    wanted = {array.name: array.shape for array in network.arrays}
    for missing in wanted.keys() - tensors.keys():
        raise WeightsError(f"{name} lacks the array {missing} of network {network.name}")
    for extra in tensors.keys() - wanted.keys():
        raise WeightsError(f"{name} has an array {extra!r} that network {network.name} does not know")
    for key, shape in wanted.items():
        if tensors[key].shape != shape or tensors[key].dtype != np.float32:
            actual = f"{tensors[key].dtype} {tensors[key].shape}"
            raise WeightsError(f"{name}: {key} should be float32 {shape}, but is {actual}")
    parameters = np.concatenate([tensors[key].ravel() for key in wanted])
    if not np.isfinite(parameters).all():
        raise WeightsError(f"{name} holds NaN or infinite weights: train it again")
    return parameters


def serialised(named: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file of named arrays, its metadata in the order of their names: equal weights are equal bytes.

    >>> serialised({"a": np.zeros(1, np.float32)}, {"z": "1", "b": "2"})[8:44]
    b'{"__metadata__":{"b":"2","z":"1"},"a'
    """
    from safetensors.numpy import save

    content = save(dict(named), dict(metadata))
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(length)
    return struct.pack("<Q", len(ordered)) + ordered + content[8 + length :]
