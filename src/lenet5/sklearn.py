"""LeNet-5 as a scikit-learn classifier: fit, predict, pipelines, grid search. Needs the extra ``sklearn``."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any, Final

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from lenet5 import engine, paper, pixels, posterior
from lenet5 import weights as weights_of
from lenet5.codes import CODES, DIGITS
from lenet5.learning.method import Descent
from lenet5.learning.objective import Objective, objective
from lenet5.learning.recipe import RECIPES, Recipe
from lenet5.learning.sampler import Sampler
from lenet5.learning.sets import ImageSet
from lenet5.learning.train import Training
from lenet5.normalise import resize
from lenet5.paper import SIDE

__all__ = ["LeNet5Classifier"]

_LEAST_STEPS: Final = 1_500  # of a training: a few hundred images get more passes than the recipe has
_PARTIAL_PROGRESS: Final = 0.6  # where on its schedule partial_fit holds a recipe's rate: at half of the peak
_TRAINABLE: Final = tuple(name for name, recipe in RECIPES.items() if recipe.mixture is None)


class LeNet5Classifier(ClassifierMixin, BaseEstimator):
    """A LeNet-5 trained in the compiled engine, for small pictures of up to 95 classes.

    X is (n, 28, 28), or (n, features) of square pictures, row by row, with a low background and higher ink: levels of
    0..255, 0..16 or 0..1 alike, as the largest level in ``fit`` becomes full ink. Pictures of another size than 28×28
    are resized. Where the number of features is no square, a warning is given and the rest of the square is blank.

    Parameters
    ----------
    recipe : "fast", "modern", "paper" or "concise"
        How the network is trained (docs/accuracy.md); "concise" has the tutorials' network, for up to ten classes.
    passes : int or None
        Passes over the pictures; None: the recipe's, and more where the pictures are few.
    random_state : int, RandomState or None
        Draws the initial weights, the order and the distortions.
    n_jobs : int or None
        Threads; None is 1, −1 all.

    Attributes
    ----------
    classes_ : (classes,) the labels; n_features_in_ : int; levels_ : (lowest, highest) level
    weights_ : lenet5.weights.Weights
        What was learned. Where the classes are digits, ``Reader(classifier.weights_)`` reads pictures with them.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = LeNet5Classifier(passes=30, random_state=0).fit(X[:1400], y[:1400])
    >>> classifier.score(X[1400:], y[1400:]) > 0.9
    True
    """

    def __init__(
        self, recipe: str = "fast", passes: int | None = None, random_state: Any = None, n_jobs: int | None = None
    ) -> None:
        self.recipe = recipe
        self.passes = passes
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> LeNet5Classifier:  # noqa: N803
        """Trains on pictures and their labels (n,), from random weights. Raises ValueError for unsound ones."""
        X, y = self._validated(X, y, reset=True)  # noqa: N806
        self._learn_classes(y)
        images, labels, recipe = self._images(X), self._codes_of(y), self._recipe()
        if self.passes is None:
            enough = math.ceil(_LEAST_STEPS / math.ceil(len(images) / recipe.batch))
            recipe = replace(recipe, passes=max(recipe.passes, enough))
        data, threads = ImageSet("sklearn", images, labels), self._threads()
        training = Training(data, recipe, self._objective(recipe), self._seed(), threads=threads)
        for _ in training:
            pass
        self.weights_ = training.weights()
        self._descent: Descent | None = None  # of partial_fit
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> LeNet5Classifier:  # noqa: N803
        """Trains one pass further on these pictures, at a constant rate; the first call names all ``classes``.

        The range of levels stays that of the first call, or of ``fit``. Raises ValueError for unsound pictures and for
        labels that are none of the classes.
        """
        first = not hasattr(self, "weights_")
        X, y = self._validated(X, y, reset=first)  # noqa: N806
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes: all labels that will ever come")
        if first:
            self._learn_classes(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"partial_fit began with the classes {self.classes_}, not {np.unique(classes)}")
        recipe = self._recipe()
        if first or self._descent is None:
            self._generator = np.random.default_rng(self._seed())
            self._descent = recipe.method.start(recipe.network)
        parameters = weights_of.initial(recipe.network, self._generator) if first else self.weights_.parameters.copy()
        data = ImageSet("sklearn", self._images(X), self._codes_of(y))
        self._one_pass(recipe, self._descent, parameters, data)
        metadata = {"recipe": recipe.name, "j": f"{recipe.criterion.j:g}", "classes": recipe.classes}
        self.weights_ = weights_of.Weights(recipe.network, parameters, metadata)
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The likeliest class of each picture: (n,). Nothing is refused."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """P of each of ``classes_``: (n, classes), rows adding to 1."""
        check_is_fitted(self, "weights_")
        X = self._validated(X, "no_validation", reset=False)[0]  # noqa: N806
        learned = self.weights_
        seen = pixels.network_input(learned.network, self._images(X))
        outputs = engine.forward(learned.parameters, seen, self._threads(), codes=learned.codes)
        penalty = posterior.penalties(learned.network, outputs)[:, self._codes]
        return posterior.probabilities(penalty, math.inf, learned.temperature)[:, :-1]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.poor_score = True  # on the points in a plane of check_estimator: they are no pictures
        return tags

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:  # noqa: N803
        """Pictures as (n, features) and labels (n,), as scikit-learn checks them; ``reset`` learns the levels.

        With ``y`` "no_validation" the labels are empty.
        """
        if getattr(X, "ndim", 2) == 3:
            if X.shape[1] != X.shape[2]:
                raise ValueError(f"pictures are square, not {X.shape[1:]}")
            X = X.reshape(len(X), -1)  # noqa: N806
        options: dict[str, Any] = {"dtype": [np.uint8, np.float32, np.float64], "reset": reset}
        if isinstance(y, str):
            return validate_data(self, X, **options), np.empty(0)
        X, y = validate_data(self, X, y, **options)  # noqa: N806
        check_classification_targets(y)
        if reset:
            self.levels_ = min(float(X.min()), 0.0), float(X.max())
        return X, y

    def _learn_classes(self, labels: Any) -> None:
        """``classes_`` and the network's output for each: digits get their own, other labels one after the other."""
        self.classes_ = np.unique(labels)
        names = [str(label) for label in self.classes_.tolist()]
        most = len(CODES) if RECIPES.get(self.recipe, RECIPES["fast"]).network is paper.LENET5 else len(DIGITS)
        if len(names) > most:
            raise ValueError(f"there are {len(names)} classes, but recipe {self.recipe!r} has at most {most}")
        digits = all(len(name) == 1 and name in DIGITS for name in names)
        self._codes = np.array([int(name) for name in names] if digits else range(len(names)), np.intp)

    def _codes_of(self, y: NDArray[Any]) -> NDArray[np.uint8]:
        """The network's output for each label."""
        place = np.minimum(np.searchsorted(self.classes_, y), len(self.classes_) - 1)
        unknown = self.classes_[place] != y
        if unknown.any():
            raise ValueError(f"the label {y[unknown][0]!r} is none of the classes {self.classes_}")
        return np.asarray(self._codes[place].astype(np.uint8))

    def _images(self, X: NDArray[Any]) -> NDArray[np.uint8]:  # noqa: N803
        """Pictures (n, features) as (n, 28, 28) uint8, full ink 255."""
        low, high = self.levels_
        side = math.isqrt(X.shape[1] - 1) + 1
        if X.dtype == np.uint8 and (low, high, side) == (0, 255, SIDE) and X.shape[1] == SIDE**2:
            return X.reshape(-1, SIDE, SIDE)
        levels = (X.astype(np.float32) - np.float32(low)) * np.float32(255 / max(high - low, 1e-30))
        if X.shape[1] != side**2:
            warnings.warn(
                f"{X.shape[1]} features are no square picture: {side}×{side} are filled row by row", stacklevel=3
            )
            levels = np.pad(levels, ((0, 0), (0, side**2 - X.shape[1])))
        images = levels.reshape(-1, side, side)
        if side != SIDE:  # a linear map of the rows, and the same of the columns
            enlarge = resize(np.eye(side, dtype=np.float32), SIDE, side)
            images = enlarge @ images @ enlarge.T
        return np.asarray(np.clip(np.round(images), 0, 255).astype(np.uint8))

    def _recipe(self) -> Recipe:
        """The recipe with as many classes and passes as are wanted."""
        if self.recipe not in _TRAINABLE:
            raise ValueError(f"recipe is one of {', '.join(_TRAINABLE)}, not {self.recipe!r}")
        recipe = RECIPES[self.recipe]
        classes = "".join(CODES)[: max(int(self._codes.max()) + 1, len(DIGITS))]
        return replace(recipe, classes=classes, passes=self.passes or recipe.passes)

    def _objective(self, recipe: Recipe) -> Objective:
        return objective(recipe.network, recipe.criterion, threads=self._threads(), classes=recipe.classes)

    def _one_pass(self, recipe: Recipe, descent: Descent, parameters: NDArray[np.float32], data: ImageSet) -> None:
        """Changes the parameters (P,) by one pass over a set, at a constant rate."""
        loss = self._objective(recipe)
        everything = np.arange(len(data.images))
        sampler = Sampler(data, everything, recipe, self._generator, self._threads())
        descent.begin_pass(1, lambda n: loss.curvature(parameters, *sampler.sample(n)))
        for images, labels in sampler.one_pass():
            descent.step(parameters, loss(parameters, images, labels)[1], _PARTIAL_PROGRESS)

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _threads(self) -> int:
        return int(effective_n_jobs(self.n_jobs))
