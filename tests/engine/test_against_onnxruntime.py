"""The compiled engine against ONNX Runtime on a graph built node by node."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import case, compiled
from lenet5 import engine

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@compiled
@pytest.mark.parametrize("n", [1, 33])
def test_forward_equals_onnx_runtimes(network: str, variant: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2]), *sys.path])
    from benchmarks.speed.onnx_graph import model

    c = case(network, n)
    session = onnxruntime.InferenceSession(model(c.network, c.parameters), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"images": c.images[:, None]})
    ours = engine.forward(c.parameters, c.images, variant=variant)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)
