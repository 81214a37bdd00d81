"""The compiled engine against the NumPy one and against itself; nothing here needs torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import CRITERIA, case, compiled
from lenet5 import engine, paper, weights
from lenet5.codes import code_array
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion, maximum_a_posteriori
from lenet5.engine import numpy_engine
from lenet5.errors import ArrayError, UnavailableError
from lenet5.posterior import penalties

SIZES = [0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 100]


@compiled
@pytest.mark.parametrize("n", SIZES)
def test_forward_equals_numpy_at_every_batch_size(network: str, variant: str, n: int) -> None:
    c = case(network, n)
    ours = engine.forward(c.parameters, c.images, variant=variant)
    np.testing.assert_allclose(ours, numpy_engine.forward(c.parameters, c.images), rtol=2e-5, atol=2e-5)


@compiled
@pytest.mark.parametrize("n", [1, 9, 40])
def test_every_feature_map_equals_numpys(network: str, variant: str, n: int) -> None:
    c = case(network, n)
    ours = engine.feature_maps(c.parameters, c.images, variant=variant)
    theirs = numpy_engine.feature_maps(c.parameters, c.images)
    for name, a, b in zip(theirs._fields, ours, theirs, strict=True):
        assert a.shape == b.shape, name
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5, err_msg=name)


@compiled
def test_one_image_reads_as_it_does_in_a_crowd(network: str, variant: str) -> None:
    c = case(network, 40)
    together = engine.forward(c.parameters, c.images, variant=variant)
    alone = np.concatenate([engine.forward(c.parameters, image[None], variant=variant) for image in c.images])
    np.testing.assert_allclose(alone, together, rtol=2e-5, atol=2e-5)


@compiled
@pytest.mark.parametrize("n", range(1, 10))
def test_a_few_images_gradient_is_the_same_in_a_crowd(network: str, variant: str, criterion: Criterion, n: int) -> None:
    """Few images go one at a time, many in blocks: both add up to the same."""
    c = case(network, 40)
    few, rest = slice(0, n), slice(n, 40)
    loss, gradient = engine.gradient(c.parameters, c.images, c.labels, criterion, variant=variant)
    losses, gradients = zip(
        *(engine.gradient(c.parameters, c.images[i], c.labels[i], criterion, variant=variant) for i in (few, rest)),
        strict=True,
    )
    assert (n * losses[0] + (40 - n) * losses[1]) / 40 == pytest.approx(loss, rel=1e-5)
    added = (n * gradients[0] + (40 - n) * gradients[1]) / 40
    for name, array in weights.arrays(c.network, gradient).items():
        ours = weights.arrays(c.network, added)[name]
        np.testing.assert_allclose(ours, array, rtol=1e-4, atol=1e-5 * np.abs(array).max(), err_msg=name)


@compiled
@pytest.mark.parametrize("n", [1, 3, 7, 64, 1000])
def test_results_do_not_depend_on_the_number_of_threads(network: str, variant: str, n: int) -> None:
    c = case(network, n)
    criterion = maximum_a_posteriori(20)
    arguments = (c.parameters, c.images, c.labels, criterion)
    loss, gradient = engine.gradient(*arguments, 1, variant)
    curvature = engine.curvature(*arguments, 1, variant)
    for threads in (2, 3, 7):
        other_loss, other = engine.gradient(*arguments, threads, variant)
        assert other_loss == loss
        np.testing.assert_array_equal(other, gradient)
        np.testing.assert_array_equal(engine.curvature(*arguments, threads, variant), curvature)
    forward = [engine.forward(c.parameters, c.images, t, variant) for t in (1, 2, 5)]
    np.testing.assert_array_equal(forward[0], forward[1])
    np.testing.assert_array_equal(forward[0], forward[2])


@compiled
def test_variants_agree_on_loss_and_gradient(network: str, variant: str, criterion: Criterion) -> None:
    c = case(network, 37)
    loss, gradient = engine.gradient(c.parameters, c.images, c.labels, criterion, variant=variant)
    other_loss, other = engine.gradient(c.parameters, c.images, c.labels, criterion, variant="baseline")
    assert loss == pytest.approx(other_loss, rel=1e-5)
    assert np.abs(gradient - other).max() <= 1e-5 * np.abs(other).max()


@compiled
def test_loss_is_the_criterions(network: str, variant: str, criterion: Criterion) -> None:
    c = case(network, 23)
    loss, _ = engine.gradient(c.parameters, c.images, c.labels, criterion, variant=variant)
    expected, _ = criterion(penalties(c.network, numpy_engine.forward(c.parameters, c.images)), c.labels)
    assert loss == pytest.approx(expected, rel=1e-5)


@compiled
@pytest.mark.parametrize("n", [3, 23])
def test_targets_and_temperature_are_the_criterions(network: str, variant: str, n: int) -> None:
    c, criterion = case(network, n), replace(maximum_a_posteriori(20.0), temperature=3.0)
    targets = np.random.default_rng(3).dirichlet(np.full(11, 0.3), n).astype(np.float32)
    loss, gradient = engine.gradient(c.parameters, c.images, targets, criterion, variant=variant)
    penalty = penalties(c.network, numpy_engine.forward(c.parameters, c.images))
    expected, derivative = criterion(penalty, targets)
    assert loss == pytest.approx(expected, rel=1e-5)
    back = np.pad(derivative * n, ((0, 0), (0, 1)))
    _, same = engine.gradient(c.parameters, c.images, back, MEAN_PENALTY, variant=variant)
    np.testing.assert_allclose(gradient, same, atol=1e-5 * np.abs(same).max())


@compiled
def test_labels_given_as_targets_change_no_bit(network: str, variant: str, criterion: Criterion) -> None:
    c = case(network, 23)
    targets = np.eye(11, dtype=np.float32)[c.labels]
    loss, gradient = engine.gradient(c.parameters, c.images, c.labels, criterion, variant=variant)
    same_loss, same = engine.gradient(c.parameters, c.images, targets, criterion, variant=variant)
    assert loss == same_loss
    np.testing.assert_array_equal(gradient, same)


@compiled
def test_gradient_is_the_slope_that_float64_differences_show(network: str, variant: str, criterion: Criterion) -> None:
    """Along random directions of each array, by central differences of a float64 forward pass."""
    c, step = case(network, 5), 1e-4
    _, gradient = engine.gradient(c.parameters, c.images, c.labels, criterion, variant=variant)
    named, generator = weights.arrays(c.network, gradient), np.random.default_rng(1)
    for array in c.network.arrays:
        direction = np.zeros(c.network.parameters)
        piece = weights.arrays(c.network, direction)[array.name]
        piece[...] = generator.standard_normal(array.shape) / np.sqrt(piece.size)
        ends = [_loss64(c.network, c.parameters + sign * step * direction, c.images, c.labels, criterion)
                for sign in (1, -1)]  # fmt: skip
        slope = (ends[0] - ends[1]) / (2 * step)
        along = float((named[array.name].astype(np.float64) * piece).sum())
        size = float(np.sqrt(np.square(named[array.name]).mean()))
        assert along == pytest.approx(slope, rel=1e-3, abs=1e-4 * size + 1e-9), array.name


def _loss64(network: paper.Network, parameters: object, images: object, labels: object, criterion: Criterion) -> float:
    """The loss with NumPy's forward pass in double precision."""
    maps = numpy_engine._lenet5 if network is paper.LENET5 else numpy_engine._concise
    named = weights.arrays(network, parameters)
    return criterion(penalties(network, maps(named, np.asarray(images, np.float64), code_array()).output), labels)[0]


@compiled
def test_rubbish_label_is_learnt_with_finite_j_only(variant: str) -> None:
    c = case("lenet5", 6)
    labels = np.where(np.arange(6) % 2, c.labels, 255).astype(np.uint8)
    loss, gradient = engine.gradient(c.parameters, c.images, labels, maximum_a_posteriori(20), variant=variant)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    for criterion in (MEAN_PENALTY, CROSS_ENTROPY):
        with pytest.raises(ArrayError, match="labels of 0 to 9, not 255"):
            engine.gradient(c.parameters, c.images, labels, criterion, variant=variant)


@compiled
def test_strided_and_read_only_arrays_are_read(network: str) -> None:
    c = case(network, 12)
    wide = np.repeat(np.repeat(c.images, 2, axis=0), 2, axis=2)[::2, :, ::2]
    wide.flags.writeable = False
    parameters = np.repeat(c.parameters, 2)[::2]
    parameters.flags.writeable = False
    np.testing.assert_array_equal(engine.forward(parameters, wide), engine.forward(c.parameters, c.images))
    labels = np.repeat(c.labels, 3)[::3].astype(np.int64)
    ours = engine.gradient(parameters, wide, labels, CROSS_ENTROPY)
    np.testing.assert_array_equal(ours[1], engine.gradient(c.parameters, c.images, c.labels, CROSS_ENTROPY)[1])


@pytest.mark.parametrize(
    ("parameters", "images", "message"),
    [
        (np.zeros(60_000), np.zeros((1, 32, 32), np.float32), "flat float32 vector, not float64"),
        (np.zeros((2, 30_000), np.float32), np.zeros((1, 32, 32), np.float32), "flat float32 vector"),
        (np.zeros(7, np.float32), np.zeros((1, 32, 32), np.float32), "no network has 7 parameters"),
        ([0.0], np.zeros((1, 32, 32), np.float32), "flat float32 vector, not list"),
        (np.zeros(60_000, np.float32), np.zeros((1, 32, 32)), "float32 images .* not float64"),
        (np.zeros(60_000, np.float32), np.zeros((1, 28, 28), np.float32), r"\(N, 32, 32\), not float32 \(1, 28, 28\)"),
        (np.zeros(61_706, np.float32), np.zeros((28, 28), np.float32), r"\(N, 28, 28\), not float32 \(28, 28\)"),
        (np.zeros(61_706, np.float32), "image", "not str"),
    ],
)
def test_wrong_arrays_are_told_in_one_line(parameters: object, images: object, message: str) -> None:
    functions = [engine.forward, engine.feature_maps]
    for function in functions:
        with pytest.raises(ArrayError, match=message) as caught:
            function(parameters, images)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


@compiled
@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [0, 10], [0, -1], [0.0, 1.0], []])
def test_labels_that_do_not_fit_are_refused(labels: list[float]) -> None:
    c = case("lenet5", 2)
    with pytest.raises(ArrayError, match="cross-entropy takes"):
        engine.gradient(c.parameters, c.images, np.array(labels), CROSS_ENTROPY)


@compiled
def test_no_threads_is_an_error() -> None:
    c = case("lenet5", 2)
    with pytest.raises(ArrayError, match="at least 1, not 0"):
        engine.forward(c.parameters, c.images, threads=0)


@compiled
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -1e30])
def test_absurd_pixels_spoil_their_own_image_only(network: str, variant: str, value: float) -> None:
    c = case(network, 20)
    images = c.images.copy()
    images[3] = value
    sane = engine.forward(c.parameters, c.images, variant=variant)
    ours = engine.forward(c.parameters, images, variant=variant)
    np.testing.assert_array_equal(np.delete(ours, 3, axis=0), np.delete(sane, 3, axis=0))
    if np.isnan(value):
        assert np.isnan(ours[3]).all()
    for criterion in CRITERIA:
        engine.gradient(c.parameters, images, c.labels, criterion, variant=variant)
        engine.curvature(c.parameters, images, c.labels, criterion, variant=variant)


@compiled
def test_absurd_parameters_do_not_crash(network: str, variant: str) -> None:
    c = case(network, 3)
    for value in (np.nan, np.inf, 1e30):
        parameters = np.full_like(c.parameters, value)
        engine.gradient(parameters, c.images, c.labels, CROSS_ENTROPY, variant=variant)
        engine.forward(parameters, c.images, variant=variant)


@compiled
def test_curvature_is_never_negative_even_for_rubbish(variant: str) -> None:
    c = case("lenet5", 9)
    labels = np.full(9, 255, np.uint8)
    assert engine.curvature(c.parameters, c.images, labels, maximum_a_posteriori(90), variant=variant).min() >= 0


@compiled
def test_an_unknown_variant_is_refused() -> None:
    c = case("lenet5", 1)
    with pytest.raises(ValueError, match="no engine variant sse9"):
        engine.forward(c.parameters, c.images, variant="sse9")


def test_name_says_which_engine_serves() -> None:
    assert (f"compiled {engine.variants()[0]}" if engine.AVAILABLE else "numpy") == engine.NAME


def test_without_the_extension_numpy_reads_and_training_is_refused(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = case(network, 3)
    monkeypatch.setattr(engine, "AVAILABLE", False)
    np.testing.assert_array_equal(engine.forward(c.parameters, c.images), numpy_engine.forward(c.parameters, c.images))
    assert engine.feature_maps(c.parameters, c.images).c1.shape == (3, 6, 28, 28)
    assert engine.variants() == []
    for function in (engine.gradient, engine.curvature):
        with pytest.raises(UnavailableError, match="needs the compiled engine"):
            function(c.parameters, c.images, c.labels, CROSS_ENTROPY)


@pytest.mark.parametrize("network", paper.NETWORKS.values(), ids=lambda network: network.name)
def test_arrays_that_are_not_aligned_give_the_same_answers(network: paper.Network) -> None:
    generator = np.random.default_rng(0)
    parameters = generator.uniform(-0.1, 0.1, network.parameters).astype(np.float32)
    images = generator.uniform(0, 1, (9, *network.input_size)).astype(np.float32)
    apart = [np.frombuffer(b"\0" + a.tobytes(), np.float32, offset=1).reshape(a.shape) for a in (parameters, images)]
    assert not any(array.flags.aligned for array in apart)
    np.testing.assert_array_equal(engine.forward(*apart), engine.forward(parameters, images))
    labels = np.arange(9, dtype=np.uint8)
    ours, theirs = (engine.gradient(*pair, labels, MEAN_PENALTY)[1] for pair in (apart, (parameters, images)))
    np.testing.assert_array_equal(ours, theirs)


def test_adam_refuses_arrays_that_are_not_aligned() -> None:
    sound = np.ones(4, np.float32)
    apart = np.frombuffer(bytearray(17), np.float32, offset=1, count=4)
    with pytest.raises(ArrayError, match="not aligned"):
        engine.adam(apart, sound, (sound.copy(), sound.copy()), (0.1, 0.1), 1e-8, 0.1, 1.0)
