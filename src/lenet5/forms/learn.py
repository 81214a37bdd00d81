"""Fine-tuning on the corrections of a review folder, with replay of the original training material.

Three stages of recipe ``reading`` start at the parent's weights, with the corrections as one more kind of images. The
first two are short and show which of MNIST's training images are at risk: images that the parent read rightly and that
are now misread, or read with less confidence than 0.9. These are replayed more often in later stages. At the end the
parameters are interpolated between the parent's and the new ones (Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models"), as far as images held out of MNIST and UNIPEN allow. MNIST's test images are not used.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS
from lenet5.errors import DataError, WeightsError
from lenet5.forms.corrections import CorrectedField, Corrections, characters_of
from lenet5.forms.fields import read_field
from lenet5.forms.form import Field
from lenet5.forms.rules import Rules
from lenet5.global_training.material import Synthesis, by_writer
from lenet5.learning.method import OneCycleMuon
from lenet5.learning.mixture import Material
from lenet5.learning.objective import objective
from lenet5.learning.recipe import READING, Recipe
from lenet5.learning.sets import ImageSet, part_of, split
from lenet5.learning.train import Training
from lenet5.learning.unipen import Writing
from lenet5.learning.unipen_pictures import digit_images
from lenet5.reading.reader import Reader
from lenet5.weights import Weights

__all__ = ["Learning", "Learnt", "Measured", "Replay", "Step"]

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

_SYNTHESIS_IMAGES: Final = 6_000  # of MNIST's training images: other kinds of images and lines are made from them


@dataclass(frozen=True)
class _Stage:
    """A training on ``images`` images of MNIST; ``corrections`` and ``at_risk`` are their proportions of all images."""

    images: int
    corrections: float
    at_risk: float
    rate: float
    averaging: float


_SHORT: Final = _Stage(12_000, corrections=0.1, at_risk=0.15, rate=0.001, averaging=0.99)
_STAGES: Final = (_SHORT, _SHORT, _Stage(36_000, corrections=0.1, at_risk=0.15, rate=0.001, averaging=0.997))
_FRACTIONS: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
"""Fractions of the change of the parameters; the first that forgets nothing is kept."""

_MNIST_WORSE: Final = 0.0005  # of the held-out images of MNIST: additional errors that count as no forgetting
_UNIPEN_WORSE: Final = 0.002  # the same of the digits of UNIPEN's held-out writers
_SURE: Final = 0.9  # confidence in an image's label; below it the image is at risk
_AT_ONCE: Final = 10_000  # images classified


@dataclass(frozen=True)
class Step:
    """Progress: ``done`` of ``steps`` steps, in stage ``number`` of ``stages``; ``loss`` is the running mean.

    >>> step = Step(done=50, steps=200, number=1, stages=3, loss=0.8)
    >>> step.done / step.steps
    0.25
    """

    done: int
    steps: int
    number: int
    stages: int
    loss: float


@dataclass(frozen=True)
class Measured:
    """Errors and totals of what was held out: digits and fields of corrected sheets, MNIST, UNIPEN.

    >>> held_out = Measured(digits=(3, 120), fields=(2, 40), mnist=(30, 6000), unipen=(90, 3000))
    >>> errors, total = held_out.digits
    >>> f"{errors / total:.1%}"
    '2.5%'
    """

    digits: tuple[int, int]
    fields: tuple[int, int]
    mnist: tuple[int, int]
    unipen: tuple[int, int]


@dataclass(frozen=True)
class Learnt:
    """The weights, held-out errors before and after, and the fraction of the change that is ``kept``.

    >>> from lenet5.weights import load
    >>> before = Measured((9, 120), (5, 40), (30, 6000), (90, 3000))
    >>> after = Measured((3, 120), (2, 40), (31, 6000), (90, 3000))
    >>> Learnt(load("lenet5"), before, after, kept=1.0).better  # nothing is forgotten
    True
    """

    weights: Weights
    before: Measured
    after: Measured
    kept: float

    @property
    def better(self) -> bool:
        """Whether fewer held-out digits are wrong, or as many and fewer held-out fields, and nothing is forgotten."""
        after, before = self.after, self.before
        fewer = (after.digits[0], after.fields[0]) < (before.digits[0], before.fields[0])
        return fewer and not _forgets(before, after.mnist[0], after.unipen[0])


def _forgets(before: Measured, mnist: int, unipen: int) -> bool:
    """Whether these errors on MNIST and on UNIPEN's held-out writers are too many more than before."""
    more_mnist, more_unipen = mnist - before.mnist[0], unipen - before.unipen[0]
    return more_mnist > _MNIST_WORSE * before.mnist[1] or more_unipen > _UNIPEN_WORSE * before.unipen[1]


@dataclass(frozen=True, eq=False)
class Replay:
    """What is replayed: MNIST's training images, and ``material`` made from some of them and UNIPEN.

    ``mnist_held_out`` and ``unipen_held_out`` are not trained on: they show whether something is forgotten.
    """

    mnist: ImageSet
    mnist_held_out: ImageSet
    unipen_held_out: ImageSet
    material: Material

    @classmethod
    def of(
        cls, mnist: ImageSet, writings: Sequence[Writing], seed: int = 0,
        report: Callable[[str], None] = lambda line: None,
    ) -> Replay:  # fmt: skip
        """Make the material from MNIST's training images and UNIPEN's writings, which takes a minute.

        ``report`` takes a line before each kind of material.
        """
        held_out, trained_on = split(mnist, READING.validation)
        training, generator = part_of(mnist, trained_on), np.random.default_rng(seed)
        images, labels, _ = digit_images(by_writer(writings)[1])
        digits = part_of(training, generator.permutation(len(training.images))[:_SYNTHESIS_IMAGES])
        assert READING.mixture is not None
        synthesis = Synthesis(writings, READING.classes, report)
        material = synthesis(digits, None, READING.mixture, READING.criterion.j, generator)
        return cls(training, part_of(mnist, held_out), ImageSet("UNIPEN", images, labels), material)


class Learning:
    """Learns from ``corrections``; iterate it, then take ``learnt()``.

    ``rules`` are the constraints of the fields. The same arguments give the same weights on the same machine.
    Raises WeightsError for a parent that does not read lines with separators, DataError where no corrected field can be
    cut into characters.
    """

    def __init__(
        self, parent: Weights, corrections: Corrections, rules: Rules, replay: Replay, seed: int = 0,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        if parent.network is not READING.network or parent.classes != READING.classes:
            raise WeightsError(f"{parent.name} cannot learn from fields: start from lenet5, or from what it has learnt")
        self._parent, self._corrections, self._rules = parent, corrections, rules
        self._seed, self._threads, self._replay = seed, threads, replay
        model = Reader(parent, threads).line_model
        learnt, held_out = (characters_of(part, model) for part in (corrections.learnt, corrections.held_out))
        if learnt is None or held_out is None:
            raise DataError("no corrected field could be cut into characters: are the crops in the folder?")
        self.characters = learnt
        """The characters of the corrections."""
        self.held_out = part_of(held_out, np.flatnonzero(held_out.labels < len(DIGITS)))
        """The digits of the sheets that are held out."""
        self._parameters = parent.parameters.copy()
        self._order = np.random.default_rng(seed).permutation(len(replay.mnist.images))

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(-(-stage.images // READING.batch) for stage in _STAGES)

    def __iter__(self) -> Iterator[Step]:
        material = copy.deepcopy(self._replay.material)  # it has the state of a training: whose turn a line is
        is_right = self._confidence(self._parent) > 0
        at_risk, done, start = np.empty(0, np.intp), 0, 0
        for number, stage in enumerate(_STAGES, 1):
            indices = np.take(self._order, np.arange(start, start + stage.images), mode="wrap")
            training = self._training(stage, part_of(self._replay.mnist, indices), material, at_risk, number)
            for progress in training:
                done += 1
                yield Step(done, self.steps, number, len(_STAGES), progress.loss)
            self._parameters = training.current.copy()
            start += stage.images
            if number < len(_STAGES):
                confidence = self._confidence(replace(self._parent, parameters=self._parameters))
                at_risk = np.union1d(at_risk, np.flatnonzero(is_right & (confidence < _SURE)))

    def learnt(self, command: str = "", version: str = "") -> Learnt:
        """The weights and their errors. Their metadata say where they come from and keep the parent's about reading."""
        before = self._measured(self._parent)
        kept, changed = self._interpolated(before)
        after = self._measured(changed)
        parent, corrections = self._parent, self._corrections
        data = f"{corrections.fields} corrected fields, sha256 {corrections.digest}"
        origin = {
            "recipe": "learn",
            "command": command,
            "seed": str(self._seed),
            "passes": str(len(_STAGES)),
            "trained_on": "; ".join(filter(None, (parent.metadata.get("trained_on"), data))),
            "validation_error_percent": f"{100 * after.mnist[0] / after.mnist[1]:.4f}",
            "parent": f"{Path(parent.name).name}, sha256 {hashlib.sha256(parent.parameters.tobytes()).hexdigest()}",
            "start": parent.metadata.get("command", ""),
            "lenet5_version": version,
        }
        of_training = ("options", "bits")  # these describe the parent's training alone: the new weights are float
        inherited = {key: value for key, value in parent.metadata.items() if key not in of_training}
        return Learnt(replace(changed, metadata={**inherited, **origin}), before, after, kept)

    def _training(self, stage: _Stage, data: ImageSet, material: Material, at_risk: Indices, number: int) -> Training:
        """The training of one stage, from the current parameters."""
        images, mixture = {**material.images, "corrections": self.characters}, READING.mixture
        assert mixture is not None
        shares = (*mixture.shares, ("corrections", stage.corrections))
        if len(at_risk):
            images["at risk"], shares = part_of(self._replay.mnist, at_risk), (*shares, ("at risk", stage.at_risk))
        recipe: Recipe = replace(
            READING,
            name="learn",
            passes=1,
            validation=0,
            method=OneCycleMuon(rate=stage.rate, averaging=stage.averaging),
            mixture=replace(mixture, shares=shares, doubted=()),
        )
        loss = objective(paper.LENET5, recipe.criterion, "cpu", self._threads, recipe.classes)
        material, start = replace(material, images=images), replace(self._parent, parameters=self._parameters)
        seed = int(np.random.default_rng([self._seed, number]).integers(2**31))
        return Training(data, recipe, loss, seed, lambda *_: material, self._threads, start)

    def _interpolated(self, before: Measured) -> tuple[float, Weights]:
        """The largest fraction of the change that does not forget MNIST or UNIPEN, and the weights with it."""
        start, change = self._parent.parameters, self._parameters - self._parent.parameters
        for kept in _FRACTIONS:
            weights = replace(self._parent, parameters=(start + np.float32(kept) * change).astype(np.float32))
            mnist = self._errors(weights, self._replay.mnist_held_out)
            if not _forgets(before, mnist, self._errors(weights, self._replay.unipen_held_out)):
                break
        return kept, weights

    def _measured(self, weights: Weights) -> Measured:
        """The errors of the weights on what is held out."""
        digits, mnist, unipen = (
            (self._errors(weights, images), len(images.images))
            for images in (self.held_out, self._replay.mnist_held_out, self._replay.unipen_held_out)
        )
        model = Reader(weights, self._threads).line_model
        wrong_fields = sum(
            read_field(self._rule(field), field.cut, model).text.replace(" ", "") != field.text
            for field in self._corrections.held_out
        )
        return Measured(digits, (wrong_fields, len(self._corrections.held_out)), mnist, unipen)

    def _rule(self, field: CorrectedField) -> Field:
        """The constraints of a field; where the folder has no rule for it, its cells and pattern."""
        form, name = field.item.kind
        rule = next((rule for rule in self._rules.get(form, ()) if rule.name == name), None)
        return rule or Field(name, (0.0, 0.0, 1.0, 1.0), field.item.content.get("pattern"), field.cells)

    def _errors(self, weights: Weights, images: ImageSet) -> int:
        """The number of digits that are misread or refused."""
        return int((Reader(weights, self._threads).classify(images.images)[0] != images.labels).sum())

    def _confidence(self, weights: Weights) -> NDArray[np.float32]:
        """The confidence (N,) of one view in the labels of MNIST's training images, 0 where it reads another."""
        reader, images, labels = Reader(weights, self._threads), self._replay.mnist.images, self._replay.mnist.labels
        parts = [reader.classify(images[k : k + _AT_ONCE], views=1) for k in range(0, len(images), _AT_ONCE)]
        answers, confidences = (np.concatenate(values) for values in zip(*parts, strict=True))
        return np.where(answers == labels, confidences, 0).astype(np.float32)
