"""Both objectives are one function; the engine's is the default on a CPU."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import case, compiled
from lenet5 import engine
from lenet5.criterion import Criterion
from lenet5.errors import UnavailableError
from lenet5.learning.objective import EngineObjective, TorchObjective, objective


@compiled
def test_engines_objective_equals_torchs(network: str, criterion: Criterion) -> None:
    pytest.importorskip("torch")
    c = case(network, 30)
    ours, theirs = EngineObjective(c.network, criterion), TorchObjective(c.network, criterion)
    loss, gradient = ours(c.parameters, c.images, c.labels)
    their_loss, their_gradient = theirs(c.parameters, c.images, c.labels)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    np.testing.assert_allclose(gradient, their_gradient, atol=1e-5 * np.abs(their_gradient).max())
    np.testing.assert_allclose(
        ours.penalties(c.parameters, c.images), theirs.penalties(c.parameters, c.images), rtol=2e-5, atol=2e-5
    )


@compiled
def test_a_cpu_trains_with_the_engine(network: str, criterion: Criterion) -> None:
    assert isinstance(objective(case(network, 1).network, criterion), EngineObjective)


def test_without_the_engine_its_objective_is_refused(
    network: str, criterion: Criterion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "AVAILABLE", False)
    with pytest.raises(UnavailableError, match="compiled engine"):
        EngineObjective(case(network, 1).network, criterion)
