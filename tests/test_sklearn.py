"""LeNet5Classifier is a scikit-learn classifier of small pictures."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader, engine, weights
from lenet5.learning import data

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from lenet5.sklearn import LeNet5Classifier  # noqa: E402

pytestmark = pytest.mark.skipif(not engine.AVAILABLE, reason="training needs the compiled engine or PyTorch")


@cache
def digits() -> tuple[NDArray[Any], NDArray[Any]]:
    """The 1,797 digits of 8×8 of scikit-learn's own example."""
    pixels, labels = load_digits(return_X_y=True)
    return pixels, labels


EXPECTED_FAILURES = {
    "check_methods_subset_invariance": "the engine adds float32 in another order for fewer than eight pictures: "
    "probabilities differ by up to 10⁻⁵"
}
"""Checks of scikit-learn that the classifier does not pass, and why."""


@parametrize_with_checks([LeNet5Classifier(passes=1)], expected_failed_checks=lambda _: EXPECTED_FAILURES)
@pytest.mark.filterwarnings("ignore:.*features are no square picture:UserWarning")
def test_it_passes_scikit_learns_checks(estimator: LeNet5Classifier, check: Any) -> None:
    check(estimator)


def test_it_learns_digits_of_eight_by_eight() -> None:
    pixels, labels = digits()
    classifier = LeNet5Classifier(passes=40, random_state=0).fit(pixels[:1400], labels[:1400])
    assert classifier.score(pixels[1400:], labels[1400:]) > 0.9
    p = classifier.predict_proba(pixels[1400:])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(classifier.classes_[p.argmax(axis=1)], classifier.predict(pixels[1400:]))


@pytest.mark.slow
def test_few_pictures_get_more_passes_than_the_recipe_has() -> None:
    pixels, labels = digits()
    classifier = LeNet5Classifier(random_state=0).fit(pixels[:100], labels[:100])
    assert classifier.weights_.metadata["passes"] == "1500"
    assert classifier.score(pixels[:100], labels[:100]) == 1


def test_pictures_may_be_square_arrays_of_any_levels() -> None:
    pixels, labels = digits()
    flat = LeNet5Classifier(passes=2, random_state=0).fit(pixels[:300], labels[:300])
    for same in (pixels.reshape(-1, 8, 8), (pixels * 4).astype(np.uint8), pixels / 16):
        other = LeNet5Classifier(passes=2, random_state=0).fit(same[:300], labels[:300])
        np.testing.assert_array_equal(other.predict(same[300:400]), flat.predict(pixels[300:400]))
    with pytest.raises(ValueError, match="pictures are square"):
        flat.predict(np.zeros((1, 8, 6)))
    with pytest.warns(UserWarning, match="60 features are no square picture"):
        LeNet5Classifier(passes=1).fit(pixels[:50, :60], labels[:50])


def test_labels_may_be_anything_and_digits_keep_their_codes() -> None:
    pixels, labels = digits()
    three = np.isin(labels, (3, 7, 8))
    names = np.array(["zero", "one", "two", "drei", "four", "five", "six", "sieben", "acht", "nine"])
    named = LeNet5Classifier(passes=10, random_state=0).fit(pixels[three], names[labels[three]])
    assert set(named.predict(pixels[three])) == {"drei", "sieben", "acht"}
    texts = LeNet5Classifier(passes=20, random_state=0).fit(pixels[three], labels[three].astype(str))
    assert texts.predict_proba(pixels[:5]).shape == (5, 3)
    read, _ = Reader(texts.weights_).classify(texts._images(pixels[three]), views=1)
    assert (read == labels[three]).mean() > 0.9


def test_more_than_ten_classes_are_learned() -> None:
    pixels, labels = digits()
    light = np.concatenate([pixels, pixels[:, ::-1]])
    classes = np.concatenate([labels, labels + 10])
    classifier = LeNet5Classifier(passes=4, random_state=0).fit(light, classes)
    assert classifier.predict_proba(light[:3]).shape == (3, 20)
    assert classifier.score(light, classes) > 0.5
    with pytest.raises(ValueError, match="at most 10"):
        LeNet5Classifier(recipe="concise").fit(light, classes)


@pytest.mark.parametrize("recipe", ["concise", "paper"])
def test_other_recipes_train_too(recipe: str) -> None:
    pixels, labels = digits()
    classifier = LeNet5Classifier(recipe, passes=2, random_state=0).fit(pixels[:300], labels[:300])
    assert classifier.weights_.metadata["recipe"] == recipe
    with pytest.raises(ValueError, match="recipe is one of modern, paper, concise, fast"):
        LeNet5Classifier("reading").fit(pixels[:50], labels[:50])


def test_the_same_random_state_gives_the_same_weights_whatever_n_jobs() -> None:
    pixels, labels = digits()
    fitted = [
        LeNet5Classifier(passes=1, random_state=state, n_jobs=jobs).fit(pixels, labels).weights_.parameters
        for state, jobs in ((1, None), (1, 2), (2, None))
    ]
    np.testing.assert_array_equal(fitted[0], fitted[1])
    assert (fitted[0] != fitted[2]).any()


def test_it_works_in_pipelines_searches_and_pickles() -> None:
    pixels, labels = digits()
    pixels, labels = pixels[:200], labels[:200]
    pipeline = make_pipeline(MinMaxScaler(), LeNet5Classifier(passes=1, random_state=0))
    assert len(cross_val_score(pipeline, pixels, labels, cv=2)) == 2
    search = GridSearchCV(LeNet5Classifier(random_state=0), {"passes": [1, 2]}, cv=2, n_jobs=1).fit(pixels, labels)
    assert search.best_params_["passes"] in (1, 2)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(pixels), search.predict_proba(pixels))
    assert clone(again).get_params() == again.get_params()


def test_partial_fit_learns_on_and_keeps_its_classes() -> None:
    pixels, labels = digits()
    classifier = LeNet5Classifier(random_state=0)
    with pytest.raises(ValueError, match="needs classes"):
        classifier.partial_fit(pixels, labels)
    scores = []
    for first in range(0, 1400, 200):
        part = slice(first, first + 200)
        classifier.partial_fit(pixels[part], labels[part], classes=np.arange(10))
        scores.append(classifier.score(pixels[1400:], labels[1400:]))
    for _ in range(4):
        classifier.partial_fit(pixels[:1400], labels[:1400])
    assert classifier.score(pixels[1400:], labels[1400:]) > max(0.6, scores[0])
    with pytest.raises(ValueError, match="is none of the classes"):
        classifier.partial_fit(pixels[:2], np.array([1, 17]))
    with pytest.raises(ValueError, match="began with the classes"):
        classifier.partial_fit(pixels[:2], labels[:2], classes=[1, 2])


@pytest.mark.slow
def test_a_third_of_mnist_is_learned_in_three_passes(real_data: Path) -> None:
    train, test = data.load("mnist", "train"), data.load("mnist", "test")
    assert isinstance(train, data.ImageSet)
    assert isinstance(test, data.ImageSet)
    classifier = LeNet5Classifier(passes=3, random_state=0, n_jobs=2).fit(train.images[:20_000], train.labels[:20_000])
    assert classifier.score(test.images, test.labels) > 0.95
    assert isinstance(classifier.weights_, weights.Weights)
