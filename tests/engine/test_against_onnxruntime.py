"""The compiled engine against ONNX Runtime on the graph of lenet5.export.onnx, built node by node."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import case, compiled
from lenet5 import engine
from lenet5.export.onnx import bare

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@compiled
@pytest.mark.parametrize("n", [1, 33])
def test_forward_equals_onnx_runtimes(network: str, variant: str, n: int) -> None:
    c = case(network, n)
    session = onnxruntime.InferenceSession(bare(c.network, c.parameters), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"images": c.images[:, None]})
    ours = engine.forward(c.parameters, c.images, variant=variant)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)
