"""Any number of classes: the engine against autograd, its parts against each other, ten against the default."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from conftest import CRITERIA
from lenet5 import ArrayError, engine, paper, weights
from lenet5.codes import DIGITS, LETTERS, SEPARATORS, code_array
from lenet5.criterion import MEAN_PENALTY, Criterion, maximum_a_posteriori
from lenet5.engine import numpy_engine
from lenet5.learning.objective import EngineObjective, TorchObjective
from lenet5.network import LeNet5

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="the engine was not compiled here")

SETS = (DIGITS, DIGITS + "/", DIGITS + SEPARATORS, DIGITS + SEPARATORS + LETTERS)


@pytest.fixture(scope="module")
def lenet5() -> np.ndarray:
    return weights.initial(paper.LENET5, np.random.default_rng(5))


def images(n: int) -> np.ndarray:
    return np.random.default_rng(n).uniform(-0.1, 1.175, (n, 32, 32)).astype(np.float32)


@pytest.mark.parametrize("variant", engine.variants())
@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: c.name.split()[0])
@pytest.mark.parametrize("classes", SETS[1:], ids=len)
@pytest.mark.parametrize("n", [1, 40])
def test_every_variants_gradient_is_that_of_the_numpy_criterion(
    lenet5: np.ndarray, classes: str, n: int, criterion: Criterion, variant: str
) -> None:
    labels, codes = np.resize(np.arange(len(classes), dtype=np.uint8), n), code_array(classes)
    loss, gradient = engine.gradient(lenet5, images(n), labels, criterion, variant=variant, codes=codes)
    theirs, derivative = criterion(engine.forward(lenet5, images(n), codes=codes), labels)
    assert loss == pytest.approx(theirs, rel=1e-5)
    back = TorchObjective(paper.LENET5, criterion, threads=2, classes=classes).backward(lenet5, images(n), derivative)
    np.testing.assert_allclose(gradient, back, atol=2e-4 * np.abs(back).max())


@pytest.mark.parametrize("classes", SETS, ids=len)
@pytest.mark.parametrize("n", [1, 40])
def test_outputs_and_gradients_are_those_of_autograd(lenet5: np.ndarray, classes: str, n: int) -> None:
    criterion = maximum_a_posteriori(j=72)
    labels = np.resize(np.array([*range(len(classes)), 255], np.uint8), n)
    ours = EngineObjective(paper.LENET5, criterion, threads=2, classes=classes)
    theirs = TorchObjective(paper.LENET5, criterion, threads=2, classes=classes)
    np.testing.assert_allclose(ours.penalties(lenet5, images(n)), theirs.penalties(lenet5, images(n)), rtol=1e-4)
    (loss, gradient), (their_loss, their_gradient) = (o(lenet5, images(n), labels) for o in (ours, theirs))
    assert loss == pytest.approx(their_loss, rel=1e-5)
    np.testing.assert_allclose(gradient, their_gradient, atol=2e-4 * np.abs(their_gradient).max())
    derivative = np.random.default_rng(1).normal(0, 1, (n, len(classes))).astype(np.float32)
    back, their_back = (o.backward(lenet5, images(n), derivative) for o in (ours, theirs))
    np.testing.assert_allclose(back, their_back, atol=2e-4 * np.abs(their_back).max())


@pytest.mark.parametrize("classes", SETS, ids=len)
def test_numpy_one_image_and_many_give_the_same_outputs(lenet5: np.ndarray, classes: str) -> None:
    codes = code_array(classes)
    many = engine.forward(lenet5, images(50), codes=codes)
    assert many.shape == (50, len(classes))
    one = np.concatenate([engine.forward(lenet5, image[None], codes=codes) for image in images(50)])
    np.testing.assert_allclose(one, many, rtol=1e-4)
    np.testing.assert_allclose(numpy_engine.forward(lenet5, images(50), codes), many, rtol=1e-4)
    np.testing.assert_array_equal(engine.feature_maps(lenet5, images(50), codes=codes).output, many)


def test_without_codes_the_classes_are_the_ten_digits(lenet5: np.ndarray) -> None:
    np.testing.assert_array_equal(
        engine.forward(lenet5, images(40)), engine.forward(lenet5, images(40), codes=code_array(DIGITS))
    )


def test_further_classes_leave_the_digits_outputs_as_they_are(lenet5: np.ndarray) -> None:
    further = engine.forward(lenet5, images(40), codes=code_array(SETS[2]))
    np.testing.assert_array_equal(further[:, :10], engine.forward(lenet5, images(40)))


def test_results_do_not_depend_on_the_threads(lenet5: np.ndarray) -> None:
    labels, codes = np.resize(np.arange(18, dtype=np.uint8), 300), code_array(SETS[2])
    one, two = (engine.gradient(lenet5, images(300), labels, MEAN_PENALTY, t, codes=codes)[1] for t in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_the_concise_network_takes_no_codes() -> None:
    parameters = weights.initial(paper.CONCISE, np.random.default_rng(0))
    with pytest.raises(ArrayError, match="ten outputs"):
        engine.forward(parameters, np.zeros((1, 28, 28), np.float32), codes=code_array(DIGITS + "/"))


def test_codes_of_a_wrong_shape_are_refused(lenet5: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="codes are float32"):
        engine.forward(lenet5, images(1), codes=np.zeros((9, 84), np.float32))
    with pytest.raises(ArrayError, match="codes are an array"):
        engine.forward(lenet5, images(1), codes="0123456789")  # type: ignore[arg-type]


def test_a_label_beyond_the_classes_is_refused(lenet5: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="0 to 10"):
        engine.gradient(lenet5, images(1), np.array([11], np.uint8), MEAN_PENALTY, codes=code_array(DIGITS + "/"))


def test_a_module_with_further_classes_has_no_more_parameters() -> None:
    module = LeNet5(DIGITS + SEPARATORS)
    assert sum(p.numel() for p in module.parameters()) == 60_000
    assert module(torch.zeros(2, 1, 32, 32)).shape == (2, 18)
