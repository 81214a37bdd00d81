"""Weights → a model folder as hubs want it: safetensors, a model card, a configuration. Nothing in it is code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import numpy as np

from lenet5 import paper
from lenet5 import weights as weights_of

__all__ = ["card", "digest", "folder_of"]

_HUB_NAMES: Final = {"mnist": "ylecun/mnist"}
"""What data sets are called on Hugging Face's hub, where they are there."""

_INPUTS: Final = {
    "lenet5": "(N, 1, 32, 32) float32, background −0.1 and ink 1.175; the smallest of its distances is the answer",
    "concise": "(N, 1, 28, 28) float32, background 0 and ink 1; the largest of its logits is the answer",
}


def folder_of(weights: weights_of.Weights) -> dict[str, bytes]:
    """The files of a model folder by name: ``model.safetensors``, ``README.md`` and ``config.json``.

    >>> sorted(folder_of(weights_of.load("lenet5")))
    ['README.md', 'config.json', 'model.safetensors']
    """
    named = {
        name: np.ascontiguousarray(array)
        for name, array in weights_of.arrays(weights.network, weights.parameters).items()
    }
    metadata = {**weights.metadata, "network": weights.network.name, "format": weights_of.FORMAT}
    config = {
        "model_type": "lenet5",
        "network": weights.network.name,
        "classes": weights.classes,
        "image_size": paper.SIDE,
        "parameters": weights.network.parameters,
        "temperature": weights.temperature,
        "j": weights.j if np.isfinite(weights.j) else None,
    }
    return {
        "model.safetensors": weights_of.serialised(named, metadata),
        "README.md": card(weights).encode(),
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
    }


def card(weights: weights_of.Weights) -> str:
    """The model card: front matter, use, what was measured of just these parameters, training, limits.

    >>> text = card(weights_of.load("lenet5"))
    >>> text.splitlines()[0], "60,000 trainable parameters" in text
    ('---', True)
    """
    known, network = weights.metadata, weights.network
    rows, trained_on = _measured(weights), known.get("trained_on", "not recorded")
    mnist = next((row for row in rows if row["data"] == "mnist"), None)
    classes = f"{len(weights.classes)} classes: {' '.join(weights.classes)}"
    filled = {
        "TITLE": network.title[0].upper() + network.title[1:],
        "SUMMARY": f"A network of {network.parameters:,} trainable parameters for handwritten digits; {classes}.",
        "DATASETS": _listed("datasets", [hub for name, hub in _HUB_NAMES.items() if name in trained_on]),
        "MODEL_INDEX": _model_index(network.name, mnist) if mnist else "",
        "MODULE": "LeNet5" if network is paper.LENET5 else "ConciseLeNet5",
        "INPUT": _INPUTS[network.name],
        "MEASURED": _table(rows) if rows else "Nothing has been measured of these weights: `lenet5 evaluate` does.",
        "TRAINED_ON": trained_on,
        "RECIPE": known.get("recipe", "not recorded"),
        "PASSES": known.get("passes", "not recorded"),
        "SEED": known.get("seed", "not recorded"),
        "COMMAND": known.get("command", "not recorded"),
        "VALIDATION": f"{known['validation_error_percent']}%"
        if known.get("validation_error_percent")
        else "none held out",
        "REFUSAL": _refusal(weights),
    }
    text = (resources.files("lenet5.export") / "card.md").read_text("utf-8")
    for name, value in filled.items():
        text = text.replace(f"%{name}%", value)
    return text


def digest(weights: weights_of.Weights) -> str:
    """The SHA-256 of the parameters: figures are given for the weights that were measured, under whatever name.

    >>> digests = [digest(weights_of.load(name)) for name in ("lenet5", "concise")]
    >>> digests[0] == digests[1], len(digests[0])
    (False, 64)
    """
    return hashlib.sha256(np.ascontiguousarray(weights.parameters, "<f4").tobytes()).hexdigest()


def _measured(weights: weights_of.Weights) -> list[dict[str, Any]]:
    """What ``measured.json`` has of these parameters; docs/_build makes it from results/."""
    known = json.loads((resources.files("lenet5.export") / "measured.json").read_text("utf-8"))
    rows: list[dict[str, Any]] = known.get(digest(weights), [])
    return rows


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| test set | images | error | 95% interval | refused |", "| --- | ---: | ---: | ---: | ---: |"]
    for row in rows:
        low, high = row["interval_percent"]
        lines.append(
            f"| {row['data']} | {row['images']:,} | {row['error_percent']:.2f}% | {low:.2f}–{high:.2f}% "
            f"| {row['refused']:,} |"
        )
    below = 'Each image read by `Reader.read(image, layout="digit")`; a refused digit counts as an error.'
    return "\n".join([*lines, "", below])


def _listed(key: str, values: list[str]) -> str:
    return "".join([f"{key}:\n", *(f"  - {value}\n" for value in values)]) if values else ""


def _model_index(name: str, row: Mapping[str, Any]) -> str:
    """The front matter's entry that lets a hub show the accuracy on MNIST."""
    return f"""model-index:
  - name: {name}
    results:
      - task:
          type: image-classification
        dataset:
          name: MNIST
          type: {_HUB_NAMES["mnist"]}
          split: test
        metrics:
          - type: accuracy
            value: {1 - row["error_percent"] / 100:.4f}
"""


def _refusal(weights: weights_of.Weights) -> str:
    if np.isfinite(weights.j):
        return "Images that are none of the digits are refused, but not all: a letter may be read as a digit."
    return "It refuses nothing that has ink: a letter or a scribble is read as some digit."
