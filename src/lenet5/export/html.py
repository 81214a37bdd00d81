"""Weights → one HTML file that computes and shows the network, offline.

The page's sources are in ``page/``: HTML, CSS and JavaScript modules. The weights are embedded as safetensors files,
deflated and in base64: the page's parser reads them as it reads a file that the user drops. Facts of the paper are
embedded as JSON. The script is readable text; in the small page, with ``int8``, it is deflated, too.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import Reader, __version__, paper
from lenet5 import weights as weights_of
from lenet5.codes import CODES, SEPARATORS
from lenet5.describe import describe
from lenet5.errors import WeightsError
from lenet5.export.bundle import bundle, compact
from lenet5.learning.data import ImageSet, load
from lenet5.normalise import BLANK, BOX
from lenet5.quantise import levels

__all__ = ["page", "page_of", "palette"]

_METADATA: Final = (
    "classes", "command", "format", "j", "lenet5_version", "network", "passes", "recipe", "seed", "temperature",
    "trained_on", "validation_error_percent",
)  # fmt: skip
"""The keys of the metadata that the page uses; the page score and geometry, 70 kB, are left out."""

_EXAMPLES: Final = 6  # misread test digits: 1 kB each


def page(
    weights: weights_of.Weights,
    concise: weights_of.Weights | None = None,
    *,
    int8: bool = False,
    service: bool = False,
) -> str:
    """The HTML of a page that runs both networks in the browser and asks no other host for anything.

    ``weights`` are of the paper's network, ``concise`` of the tutorials' form (None: the bundled ones). With ``int8``
    the kernels are rounded to 8 bits (:func:`lenet5.quantise.levels`), which makes the page about a third as large.
    With ``service`` the page sends photos and pages to ``v1/read`` beside it; without, it never connects to anything.
    Raises WeightsError for weights of the other network.

    >>> html = page(weights_of.load("lenet5"))
    >>> html.startswith("<!doctype html>"), "https://" in html.split("<script")[0]
    (True, False)
    """
    concise = concise or weights_of.load("concise")
    for candidate, network in ((weights, paper.LENET5), (concise, paper.CONCISE)):
        if candidate.network is not network:
            raise WeightsError(
                f"{candidate.name} holds weights of network {candidate.network.name}, not {network.name}"
            )
    sources = {entry.name: entry.read_text("utf-8") for entry in _folder().iterdir() if entry.is_file()}
    modules = {name.removesuffix(".js"): compact(text) for name, text in sources.items() if name.endswith(".js")}
    script, style = bundle(modules, "main"), compact(palette() + sources["style.css"])
    packed, executed = ("", script) if not int8 else (_deflated(script.encode()), compact(sources["unpack.js"]))
    examples = [*json.loads(sources["examples.json"]), *_misread(weights)]
    facts = _facts(weights, concise, int8, service) | {"examples": examples}
    placeholders = {
        "POLICY": _policy(style, sorted({script, executed}), service),
        "VERSION": __version__,
        "STYLE": style,
        "FACTS": _json(facts),
        "LENET5": _embedded(weights, int8),
        "CONCISE": _embedded(concise, int8),
        "PACKED": packed,
        "SCRIPT": executed,
    }
    html = compact(sources["index.html"])
    for name, text in placeholders.items():
        html = html.replace(f"%{name}%", text)
    return html


def palette() -> str:
    """The colours and the type of all pages, in light and dark, as CSS.

    >>> "prefers-color-scheme: dark" in palette()
    True
    """
    return str((_folder() / "palette.css").read_text("utf-8"))


def page_of(weights: weights_of.Weights, *, int8: bool = False, service: bool = False) -> str:
    """The page with these weights of either network; those of the other network are the bundled ones.

    >>> page_of(weights_of.load("concise")) == page(weights_of.load("lenet5"), weights_of.load("concise"))
    True
    """
    if weights.network is paper.CONCISE:
        return page(weights_of.load("lenet5"), weights, int8=int8, service=service)
    return page(weights, int8=int8, service=service)


def _folder() -> Any:
    """The folder of the page's sources."""
    return resources.files("lenet5.export") / "page"


def _embedded(weights: weights_of.Weights, int8: bool) -> str:
    """A safetensors file, deflated: the arrays, with ``int8`` those of more than one axis as levels and scales."""
    named: dict[str, NDArray[Any]] = {}
    for name, array in weights_of.arrays(weights.network, weights.parameters).items():
        if int8 and array.ndim > 1:
            named[name], named[f"{name}.scale"] = levels(array)
        else:
            named[name] = np.ascontiguousarray(array)
    metadata = {key: text for key, text in weights.metadata.items() if key in _METADATA}
    metadata |= {"network": weights.network.name, "format": weights_of.FORMAT, "name": Path(weights.name).name}
    return _deflated(weights_of.serialised(named, metadata))


def _deflated(content: bytes) -> str:
    """Bytes in zlib's format and base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


def _facts(weights: weights_of.Weights, concise: weights_of.Weights, int8: bool, service: bool) -> dict[str, Any]:
    """Facts of the paper and of the package for the page."""
    return {
        "version": __version__,
        "int8": int8,
        "service": service,
        "amplitude": paper.SQUASHING_AMPLITUDE,
        "slope": paper.SQUASHING_SLOPE,
        "background": paper.BACKGROUND,
        "foreground": paper.FOREGROUND,
        "side": paper.SIDE,
        "box": BOX,
        "blank": BLANK,
        "table": paper.TABLE_I,
        "separators": SEPARATORS,
        "codes": {character: _bits(character) for character in CODES},
        "networks": {w.network.name: _network_facts(w) for w in (weights, concise)},
    }


def _network_facts(weights: weights_of.Weights) -> dict[str, Any]:
    """The published table of a network, its arrays, and the counts of ``describe`` for these weights."""
    network, description = weights.network, describe(weights)
    return {
        "size": network.input_size[0],
        "parameters": network.parameters,
        "connections": network.connections,
        "layers": [asdict(layer) for layer in network.layers],
        "counted": [asdict(layer) for layer in description.layers],
        "arrays": {array.name: array.shape for array in network.arrays},
    }


def _misread(weights: weights_of.Weights) -> list[dict[str, str]]:
    """Examples: the first test digits of the bundled set that these weights misread as another digit.

    The levels of their 784 pixels are in base64 with the alphabet of URLs, as in a link of the page.
    """
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    labels, _ = Reader(weights, threads=1).classify(digits.images, views=1)
    misread = np.flatnonzero((labels != digits.labels) & (labels >= 0))[:_EXAMPLES]
    return [
        {
            "id": f"test-{k}",
            "group": "misread",
            "drawn": str(digits.labels[k]),
            "levels": base64.urlsafe_b64encode(digits.images[k].tobytes()).decode("ascii").rstrip("="),
        }
        for k in misread
    ]


def _bits(character: str) -> str:
    """A character's code as 21 hexadecimal digits: its 84 pixels line by line, 1 for +1."""
    bits = CODES[character].replace("\n", "").translate(str.maketrans("#.", "10"))
    return f"{int(bits, 2):0{len(bits) // 4}x}"


def _json(facts: dict[str, Any]) -> str:
    """JSON that may stand in a script element."""
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _policy(style: str, scripts: list[str], service: bool) -> str:
    """The Content-Security-Policy: these scripts and this style only, and no connection but to the page's service."""

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    connect = "'self'" if service else "'none'"
    return (
        f"default-src 'none'; script-src {' '.join(map(digest, scripts))}; style-src {digest(style)}; "
        f"img-src data: blob:; media-src blob: mediastream:; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
