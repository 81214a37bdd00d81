"""LeNet-5 beside the SVC of scikit-learn's own example, "Recognizing hand-written digits": errors and times.

    pip install '.[sklearn]'
    python examples/sklearn_digits.py

As in that example the first half of the 1,797 digits of 8×8 is trained on and the second half tested, in their order.
Recipe and passes are chosen by cross-validation within the first half.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.svm import SVC

from lenet5.sklearn import LeNet5Classifier

SEEDS = 3
CHOICES = {"recipe": ["fast", "modern"], "passes": [10, 20, 40]}


def measured(classifier: ClassifierMixin, data: list[np.ndarray]) -> tuple[int, float, float]:
    """Errors on the test half, seconds of training, seconds of predicting."""
    train, test, train_labels, test_labels = data
    started = time.perf_counter()
    classifier.fit(train, train_labels)
    trained = time.perf_counter()
    errors = int((classifier.predict(test) != test_labels).sum())
    return errors, trained - started, time.perf_counter() - trained


def main() -> None:
    pixels, labels = load_digits(return_X_y=True)
    data = train_test_split(pixels, labels, test_size=0.5, shuffle=False)
    search = GridSearchCV(LeNet5Classifier(random_state=0, n_jobs=-1), CHOICES, cv=3, refit=False)
    best = search.fit(data[0], data[2]).best_params_
    print(f"chosen within the training half: {best}")
    rows = [("SVC(gamma=0.001)", SVC(gamma=0.001))]
    rows += [
        (f"LeNet5Classifier, seed {seed}", LeNet5Classifier(**best, random_state=seed, n_jobs=-1))
        for seed in range(SEEDS)
    ]
    print(f"{'classifier':28} {'errors':>8} of {len(data[1])} {'fit':>9} {'predict':>9}")
    for name, classifier in rows:
        errors, fit, predict = measured(classifier, data)
        print(f"{name:28} {errors:8} {100 * errors / len(data[1]):5.2f}% {fit:7.2f} s {predict:7.3f} s")


if __name__ == "__main__":
    main()
