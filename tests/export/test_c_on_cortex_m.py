"""The exported C on an emulated Cortex-M0+ and M4: the host's answers, in how many instructions."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.embedding.emulator import CORES, Core, missing, on_core, on_host

from lenet5 import weights
from lenet5.export.c import source

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

MOST_INSTRUCTIONS = {"Cortex-M0+": 4_500_000, "Cortex-M4": 2_000_000, "Cortex-M4F": 2_000_000}
"""Of an 8-bit network a digit: what is measured, and a tenth for another compiler."""


@pytest.mark.parametrize("int8", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_it_answers_as_on_the_host(core: Core, int8: bool) -> None:
    written = source(weights.load("lenet5"), int8=int8)
    there, here = on_core(written, core), on_host(written)
    assert (there.wrong, here.wrong, len(there.answers)) == (0, 0, len(here.answers))
    assert {label for label, _, _ in here.answers} >= {2, 5, 9, 255}
    for (label, posterior, f6), (label_here, posterior_here, f6_here) in zip(there.answers, here.answers, strict=True):
        assert label == label_here
        np.testing.assert_allclose(posterior, posterior_here, atol=1e-5)
        np.testing.assert_allclose(f6, f6_here, atol=0 if int8 else 1e-5)
    if int8:
        assert there.instructions["read"] <= MOST_INSTRUCTIONS[core.name]
