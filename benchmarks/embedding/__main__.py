"""Measures the exported networks and writes results/embedding.json; needs MNIST, onnxruntime, gcc, and for the
instructions arm-none-eabi-gcc and qemu-system-arm.

    python -m benchmarks.embedding
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.embedding.emulator import CORES, missing, on_core
from lenet5 import weights
from lenet5.export import onnx
from lenet5.export.c import Source, source
from lenet5.export.c_compiled import code_bytes, compiled
from lenet5.export.reference import Reference, reference
from lenet5.files import write_beside
from lenet5.learning import data
from lenet5.quantise import Rounding

RESULTS: Final = record.RESULTS / "embedding.json"


def compared(answers: Reference, expected: Reference, labels: NDArray[np.uint8]) -> dict[str, object]:
    """Errors beside the engine's, labels that differ from the engine's, and the largest difference of a probability."""
    return {
        "images": len(labels),
        "errors": int((answers.labels != labels).sum()),
        "engine_errors": int((expected.labels != labels).sum()),
        "labels_different": int((answers.labels != expected.labels).sum()),
        "posterior_difference": float(np.abs(answers.posterior - expected.posterior).max()),
    }


def measured(name: str, test: data.ImageSet) -> list[dict[str, object]]:
    """A row for each form of these weights."""
    loaded, rows = weights.load(name), []
    expected = reference(loaded, test.images)
    for int8 in (False, True):
        form = "int8" if int8 else "float"
        content = onnx.model(loaded, int8=int8)
        row: dict[str, object] = {"weights": name, "form": f"ONNX, {form}", "bytes": len(content)}
        rows.append(row | compared(onnx.run(content, test.images), expected, test.labels))
        written = source(loaded, int8=int8)
        row = {"weights": name, "form": f"C, {form}", "constants": written.constant_bytes}
        row |= {"scratch": written.scratch_bytes, "code": code_bytes(written)}
        with compiled(written) as library:
            rows.append(row | compared(library.read(test.images), expected, test.labels))
    return rows


def in_4_bits() -> weights.Weights:
    """The weights for MNIST rounded to 4 bits: for what does not depend on their values."""
    mnist = weights.load("lenet5-mnist")
    rounded = Rounding(mnist.network, 4)(mnist.parameters)
    return replace(mnist, parameters=rounded, metadata={**mnist.metadata, "bits": "4"})


def counted(sources: dict[str, Source]) -> list[dict[str, object]]:
    """Instructions of a digit on each core."""
    return [
        {"core": core.name, "form": form} | on_core(written, core).instructions
        for core in CORES
        for form, written in sources.items()
    ]


def main() -> None:
    test = data.load("mnist", "test")
    assert isinstance(test, data.ImageSet)
    rows = []
    for name in ("lenet5", "lenet5-mnist"):
        print(f"{name} …", flush=True)
        rows += measured(name, test)
    loaded, cores = weights.load("lenet5"), []
    sources = {"float": source(loaded), "int8": source(loaded, int8=True), "4 bits": source(in_4_bits(), int8=True)}
    sizes = [
        {"form": form, "constants": s.constant_bytes, "scratch": s.scratch_bytes, "code": code_bytes(s)}
        for form, s in sources.items()
    ]
    if missing():
        print(f"no instructions are counted without {', '.join(missing())}")
    else:
        print("instructions, under QEMU …", flush=True)
        cores = counted(sources)
    results = {record.KEY: record.record("lenet5", "lenet5-mnist"), "forms": rows, "sizes": sizes, "cores": cores}
    write_beside(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
