"""The example that shows the paper's training from top to bottom trains the very weights of recipe ``paper``."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lenet5 import engine
from lenet5.learning.data import ImageSet, load
from lenet5.learning.method import StochasticDiagonal
from lenet5.learning.objective import EngineObjective
from lenet5.learning.recipe import PAPER
from lenet5.learning.sets import split
from lenet5.learning.train import Training

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="needs the compiled engine")


@pytest.fixture
def example() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "examples" / "train_1998.py"
    spec = importlib.util.spec_from_file_location("train_1998", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_trains_the_weights_of_recipe_paper_bit_for_bit(example: ModuleType) -> None:
    data = load("digits", "train")
    assert isinstance(data, ImageSet)
    recipe = replace(PAPER, passes=2)
    training = Training(data, recipe, EngineObjective(recipe.network, recipe.criterion), seed=3)
    for _ in training:
        pass
    _, order = split(data, 0)
    parameters = example.train(data.images[order], data.labels[order], seed=3, passes=2)
    assert np.array_equal(parameters, training.weights().parameters)


def test_the_examples_numbers_are_those_of_recipe_paper(example: ModuleType) -> None:
    method = StochasticDiagonal(example.RATES, float(example.DAMPING), example.PATTERNS)
    own = replace(PAPER, passes=example.PASSES, batch=1, criterion=example.EQUATION_9, method=method)
    assert own == PAPER
