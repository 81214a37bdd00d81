"""Training: repeatable, stoppable, honest about what it kept."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import DataError, Reader, WeightsError, paper, pixels, weights
from lenet5.codes import DIGITS
from lenet5.criterion import maximum_a_posteriori
from lenet5.evaluation.evaluate import evaluate
from lenet5.learning.data import load
from lenet5.learning.distort import NONE
from lenet5.learning.method import OneCycleAdam, OneCycleMuon
from lenet5.learning.mixture import Lines, Material, Mixture
from lenet5.learning.objective import Objective, TorchObjective, objective
from lenet5.learning.recipe import CONCISE, MODERN, RECIPES, Recipe
from lenet5.learning.sampler import MixedSampler
from lenet5.learning.sets import ImageSet, joined, split
from lenet5.learning.train import Progress, Training

Floats = NDArray[np.float32]

SHORT = replace(MODERN, criterion=maximum_a_posteriori(j=20), passes=2, batch=128, distortion=NONE)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("digits", "train")
    assert isinstance(found, ImageSet)
    return found


@pytest.fixture(scope="module")
def few(digits: ImageSet) -> ImageSet:
    return replace(digits, images=digits.images[:300], labels=digits.labels[:300])


def upside_down(
    own: ImageSet, held_out: ImageSet | None, mixture: Mixture, j: float, generator: np.random.Generator
) -> Material:
    """A synthesizer: each image again, and upside down as rubbish; lines whose gradient is 1 by every parameter."""

    def rubbish(data: ImageSet) -> ImageSet:
        return ImageSet("turned", data.images[:, ::-1], np.full_like(data.labels, paper.NOT_A_DIGIT))

    class OfOnes:
        def __call__(self, objective: Objective, parameters: Floats) -> tuple[float, Floats]:
            return 5.0, np.ones_like(parameters)

        def state(self) -> dict[str, NDArray[Any]]:
            return {}

        def restore(self, state: Mapping[str, NDArray[Any]]) -> None: ...

    return Material(
        {"again": own, "turned": rubbish(own)},
        held_out and rubbish(held_out),
        OfOnes() if mixture.lines else None,
        ("turned images",),
        lambda penalties, j, temperature: {"seen": str(len(penalties(own.images[:3])))},
    )


def training(data: ImageSet, recipe: Recipe = SHORT, seed: int = 0) -> Training:
    to_minimise = TorchObjective(recipe.network, recipe.criterion, threads=1, classes=recipe.classes)
    return Training(data, recipe, to_minimise, seed, upside_down if recipe.mixture else None)


MIXED = replace(
    SHORT,
    criterion=maximum_a_posteriori(j=84),
    method=OneCycleAdam(rate=0.004, averaging=0.99),
    mixture=Mixture(shares=(("again", 0.2), ("turned", 0.4)), distortion=NONE),
)


def trained(data: ImageSet, recipe: Recipe = SHORT, seed: int = 0) -> weights.Weights:
    run = training(data, recipe, seed)
    for _ in run:
        pass
    return run.weights()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(few: ImageSet) -> None:
    recipe = replace(MODERN, passes=1)
    first, again, other = (trained(few, recipe, seed) for seed in (1, 1, 2))
    assert first.parameters.tobytes() == again.parameters.tobytes()
    assert first.metadata == again.metadata
    assert (first.parameters != other.parameters).any()


@pytest.mark.parametrize(
    ("recipe", "passes", "at_most"),
    [(MODERN, 5, 30.0), pytest.param(CONCISE, 10, 60.0, marks=pytest.mark.slow)],
    ids=["modern", "concise"],
)
def test_a_few_passes_over_the_embedded_digits_are_far_better_than_chance(
    recipe: Recipe, passes: int, at_most: float, digits: ImageSet
) -> None:
    assert isinstance(recipe.method, OneCycleMuon)
    method = replace(recipe.method, averaging=0.98)
    found = trained(digits, replace(recipe, passes=passes, batch=16, method=method, distortion=NONE))
    report = evaluate(load("digits", "test"), Reader(found))
    assert report.error_percent < at_most  # chance is 90
    assert float(found.metadata["validation_error_percent"]) < at_most


def test_progress_counts_every_step_and_pass(few: ImageSet) -> None:
    run = training(few)
    seen = list(run)
    assert len(seen) == run.steps == 2 * math.ceil(270 / 128)
    assert [now.step for now in seen] == list(range(1, run.steps + 1))
    assert [now.number for now in seen] == [1, 1, 1, 2, 2, 2]
    assert all(isinstance(now, Progress) and now.steps == run.steps and now.passes == 2 for now in seen)
    assert all(math.isfinite(now.loss) for now in seen)
    assert [now.validation_error_percent is None for now in seen] == [True, True, False, False, False, False]


def test_the_metadata_says_where_the_weights_came_from(few: ImageSet) -> None:
    found = trained(few, seed=7).metadata
    assert (found["recipe"], found["seed"], found["passes"]) == ("modern", "7", "2")
    digest = hashlib.sha256(few.images.tobytes()).hexdigest()
    assert found["trained_on"] == f"digits, 270 of 300 images, sha256 {digest}"
    assert 0 <= float(found["validation_error_percent"]) <= 100
    assert 0.1 <= float(found["temperature"]) <= 10
    assert float(found["j"]) > 0


def test_a_criterion_without_rubbish_leaves_j_infinite(few: ImageSet) -> None:
    found = trained(few, replace(CONCISE, passes=1))
    assert found.j == math.inf
    assert found.network is paper.CONCISE


class Scripted:
    """An objective whose gradient is constant and whose validation answers follow a script."""

    def __init__(self, network: paper.Network, right: list[int]) -> None:
        self._network, self._right = network, right
        self.validated: list[Floats] = []

    def __call__(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> tuple[float, Floats]:
        return 1.0, np.ones(self._network.parameters, np.float32)

    def curvature(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> Floats:
        return np.ones(self._network.parameters, np.float32)

    def penalties(self, parameters: Floats, images: Floats) -> Floats:
        """Answers 1 for as many images as the script says for this pass, and 0 for the others."""
        right = self._right[min(len(self.validated), len(self._right) - 1)]
        self.validated.append(parameters.copy())
        found = np.full((len(images), 10), 50, np.float32)
        found[np.arange(len(images)), (np.arange(len(images)) < right).astype(int)] = 1
        return found


@pytest.mark.parametrize(("right", "best"), [([3, 9, 5], 1), ([9, 3, 5], 0), ([3, 5, 9], 2), ([5, 9, 9], 2)], ids=str)
def test_the_weights_kept_are_the_averaged_ones_that_erred_least_on_the_held_out_images(
    right: list[int], best: int, few: ImageSet
) -> None:
    ones = replace(few, labels=np.ones_like(few.labels))
    objective = Scripted(paper.LENET5, right)
    run = Training(ones, replace(SHORT, passes=3), objective)
    errors = [now.validation_error_percent for now in run]
    found = run.weights()
    assert errors[-1] == pytest.approx(100 * (30 - right[-1]) / 30)
    assert float(found.metadata["validation_error_percent"]) == pytest.approx(100 * (30 - right[best]) / 30, abs=1e-3)
    assert (found.parameters == objective.validated[best]).all()


def test_the_averaged_weights_are_a_running_mean_of_the_steps(few: ImageSet) -> None:
    objective = Scripted(paper.LENET5, [1])
    taken: list[Floats] = []
    step = objective.__call__

    class Watched(Scripted):
        def __call__(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> tuple[float, Floats]:
            taken.append(parameters.copy())
            return step(parameters, images, labels)

    method = OneCycleMuon(rate=0.004, averaging=0.998)
    run = Training(few, replace(SHORT, passes=3, method=method), Watched(paper.LENET5, [1]))
    list(run)
    kept = run.weights().parameters
    low, high = np.min(taken, axis=0), np.max(taken, axis=0)
    assert (kept >= low - 0.01).all()
    assert (kept <= high + 0.01).all()
    assert (kept != taken[-1]).any()


@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_stop_inside_the_objective_still_leaves_whole_weights(after: int, few: ImageSet) -> None:
    calls = 0

    class Interrupted(TorchObjective):
        def __call__(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> tuple[float, Floats]:
            nonlocal calls
            calls += 1
            if calls > after:
                raise KeyboardInterrupt
            return super().__call__(parameters, images, labels)

    run = Training(few, SHORT, Interrupted(SHORT.network, SHORT.criterion, threads=1))
    with pytest.raises(KeyboardInterrupt):
        list(run)
    found = run.weights()
    assert np.isfinite(found.parameters).all()
    assert found.metadata["passes"] == str(after // 3)
    assert (found.metadata["validation_error_percent"] == "") == (after < 3)
    assert found.temperature > 0
    assert found.j > 0


def test_a_run_stopped_after_a_pass_keeps_that_passs_weights(few: ImageSet) -> None:
    run = training(few, replace(SHORT, passes=2))
    whole = training(few, replace(SHORT, passes=2))
    for now in run:
        if now.step == 4:
            break
    for now in whole:
        if now.step == 3:
            break
    assert (run.weights().parameters == whole.weights().parameters).all()


def test_the_held_out_images_are_never_trained_on(few: ImageSet) -> None:
    marked = replace(few, images=few.images.copy())
    marked.images[:, 0, 0] = np.arange(300) % 251
    seen: set[bytes] = set()
    held: set[bytes] = set()

    class Recorder(Scripted):
        def __call__(self, parameters: Floats, images: Floats, labels: NDArray[np.uint8]) -> tuple[float, Floats]:
            seen.update(image.tobytes() for image in images)
            return super().__call__(parameters, images, labels)

        def penalties(self, parameters: Floats, images: Floats) -> Floats:
            held.update(image.tobytes() for image in images)
            return super().penalties(parameters, images)

    list(Training(marked, SHORT, Recorder(paper.LENET5, [1]), seed=5))
    everything = {image.tobytes() for image in pixels.network_input(paper.LENET5, marked.images)}
    assert seen.isdisjoint(held)
    assert seen | held == everything
    assert len(held) == 30


def test_a_set_too_small_to_hold_images_out_trains_on_all(few: ImageSet) -> None:
    found = trained(replace(few, images=few.images[:9], labels=few.labels[:9]), replace(SHORT, passes=1))
    assert found.metadata["validation_error_percent"] == ""
    assert found.temperature == 1
    assert 0 < found.j < math.inf


def test_a_set_without_images_is_refused(few: ImageSet) -> None:
    with pytest.raises(DataError, match="no images"):
        training(replace(few, images=few.images[:0], labels=few.labels[:0]))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_runs_as_it_is(recipe: Recipe, few: ImageSet) -> None:
    to_minimise = TorchObjective(recipe.network, recipe.criterion, threads=1, classes=recipe.classes)
    run = Training(few, recipe, to_minimise, synthesizer=upside_down)
    now = next(iter(run))
    assert math.isfinite(now.loss)
    assert now.passes == recipe.passes
    assert RECIPES[recipe.name] is recipe


# --- going on from weights, and strings ---


WITH_LINES = replace(
    SHORT, mixture=Mixture(shares=(), distortion=NONE, lines=Lines(per_image=0.1, longest=3, at_once=2, weight=0.25))
)


def test_a_training_goes_on_from_given_weights(few: ImageSet) -> None:
    start = trained(few, replace(SHORT, passes=1))
    run = Training(few, SHORT, TorchObjective(SHORT.network, SHORT.criterion, threads=1), start=start)
    np.testing.assert_array_equal(run.current, start.parameters)
    for _ in run:
        pass
    assert run.weights().metadata["validation_error_percent"] <= start.metadata["validation_error_percent"]
    assert not np.array_equal(run.weights().parameters, start.parameters)


def test_weights_of_another_network_are_no_start(few: ImageSet) -> None:
    start = weights.Weights(paper.CONCISE, np.zeros(paper.CONCISE.parameters, np.float32), {})
    with pytest.raises(WeightsError, match="trains a lenet5 network, not a concise one"):
        Training(few, SHORT, TorchObjective(SHORT.network, SHORT.criterion, threads=1), start=start)


def test_lines_count_by_their_weight(few: ImageSet) -> None:
    class Descent:
        gradients: ClassVar[list[Floats]] = []

        def begin_pass(self, number: int, curvature: object) -> None: ...

        def step(self, parameters: Floats, gradient: Floats, progress: float) -> None:
            self.gradients.append(gradient.copy())

        def state(self) -> dict[str, NDArray[Any]]:
            return {}

        def restore(self, state: Mapping[str, NDArray[Any]]) -> None: ...

    class Still:
        averaging = 0.0

        def start(self, network: paper.Network) -> Descent:
            return Descent()

    losses = []
    mixture = WITH_LINES.mixture
    assert mixture
    for own in (replace(mixture, lines=None), mixture):
        recipe = replace(WITH_LINES, mixture=own, method=Still())
        to_minimise = TorchObjective(recipe.network, recipe.criterion, threads=1)
        losses.append(next(iter(Training(few, recipe, to_minimise, synthesizer=upside_down))).loss)
    plain, with_lines = Descent.gradients
    np.testing.assert_allclose(with_lines - plain, 0.25, atol=1e-5)
    assert losses[1] - losses[0] == pytest.approx(0.25 * 5)


def test_a_recipe_with_lines_keeps_its_last_weights(few: ImageSet) -> None:
    run = Training(few, replace(WITH_LINES, passes=3), Scripted(paper.LENET5, [1, 9, 9]), synthesizer=upside_down)
    for _ in run:
        pass
    assert run.best_pass == 3


# --- mixtures ---


def test_made_rubbish_teaches_to_refuse_it_and_made_digits_are_read(digits: ImageSet) -> None:
    recipe = replace(MIXED, passes=8)
    run = Training(digits, recipe, objective(recipe.network, recipe.criterion, threads=1), synthesizer=upside_down)
    for _ in run:
        pass
    reader = Reader(run.weights())
    clear = np.isin(digits.labels, (2, 4, 7))  # upside down these are no digits
    upright, _ = reader.classify(digits.images[clear])
    turned, _ = reader.classify(digits.images[clear, ::-1])
    assert (upright == digits.labels[clear]).mean() > 0.8
    assert (turned == -1).mean() > 0.8


def test_a_mixture_without_its_synthesizer_is_said_in_one_line(few: ImageSet) -> None:
    with pytest.raises(DataError, match="recipe modern needs"):
        Training(few, MIXED, TorchObjective(MIXED.network, MIXED.criterion, threads=1))


def test_the_synthesizer_gets_the_images_that_are_held_out_apart(few: ImageSet) -> None:
    seen: list[ImageSet] = []

    def synthesizer(own: ImageSet, held_out: ImageSet | None, *others: Any) -> Material:
        assert held_out
        seen.extend([own, held_out])
        return upside_down(own, held_out, *others)

    Training(few, MIXED, TorchObjective(MIXED.network, MIXED.criterion, threads=1), synthesizer=synthesizer)
    assert [len(data.images) for data in seen] == [270, 30]
    first, second = ({image.tobytes() for image in data.images} for data in seen)
    assert not first & second


def test_what_a_synthesizer_was_made_from_and_fits_is_in_the_metadata(few: ImageSet) -> None:
    found = trained(few, replace(MIXED, passes=1, classes=DIGITS + "/"))
    assert found.metadata["trained_on"].endswith("; turned images")
    assert found.metadata["seen"] == "3"
    assert found.metadata["classes"] == found.classes == DIGITS + "/"


def test_rubbish_that_looks_like_a_digit_is_given_up_when_the_mixture_says_so(few: ImageSet) -> None:
    recipe = replace(MIXED, passes=3)
    assert recipe.mixture
    rubbish = np.full(len(few.images), paper.NOT_A_DIGIT, np.uint8)
    shown = MixedSampler(
        few, {"turned": replace(few, labels=rubbish)}, recipe.mixture, recipe, np.random.default_rng(0)
    )
    near = np.where(np.arange(len(few.images)) < 200, 1.0, 99.0)[:, None].repeat(10, axis=1)

    def rubbish_shown() -> int:
        images, labels = shown.shown(shown.order())
        return len({image.tobytes() for image in images[labels == 255]})

    before = rubbish_shown()
    shown.reconsider(1, lambda images: near)  # 0.7 of three passes is two
    assert len(shown._turns.rubbish) == 300
    shown.reconsider(2, lambda images: near)
    assert before > 100 >= rubbish_shown()


def test_a_writer_is_held_out_whole_or_not_at_all(few: ImageSet) -> None:
    groups = np.random.default_rng(0).integers(0, 40, len(few.images))
    held_out, trained_on = split(replace(few, groups=groups), 30)
    assert not set(groups[held_out]) & set(groups[trained_on])
    assert 30 <= len(held_out) < 60
    assert sorted([*held_out, *trained_on]) == list(range(len(few.images)))
    assert len(split(replace(few, groups=groups), 0)[0]) == 0


def test_groups_of_joined_sets_stay_apart(few: ImageSet) -> None:
    written = replace(few, groups=np.arange(len(few.images)) // 10)
    both = joined("both", written, few, written)
    assert both.groups is not None
    n = len(few.images)
    parts = [set(both.groups[k * n : (k + 1) * n].tolist()) for k in range(3)]
    assert [len(part) for part in parts] == [n // 10, n, n // 10]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert joined("both", few, few).groups is None
