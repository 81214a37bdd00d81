"""Training: run a recipe on an objective, step by step, and keep the best weights.

training = Training(data, recipe, objective, seed=1)   # and synthesizer=…, where the recipe has a mixture
for progress in training:       # a Progress after each step; stop whenever you like
    ...
training.weights().save("mine.safetensors")
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper, pixels, posterior, weights
from lenet5.codes import DIGITS
from lenet5.errors import CheckpointError, DataError, WeightsError
from lenet5.learning.checkpoint import State
from lenet5.learning.distort import distort
from lenet5.learning.method import Descent
from lenet5.learning.mixture import Material, Mixture, SequenceLoss, Synthesizer
from lenet5.learning.objective import Objective
from lenet5.learning.recipe import Recipe
from lenet5.learning.sampler import MixedSampler, Sampler
from lenet5.learning.sets import ImageSet, described, joined, part_of, split
from lenet5.quantise import Rounding

__all__ = ["Progress", "Training"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Progress:
    """The progress of a training: ``step`` of ``steps``, in pass ``number`` of ``passes``.

    ``loss`` is the running mean of the criterion; ``validation_error_percent`` that of the averaged
    weights after the last whole pass, None before the first.

    >>> progress = Progress(step=30, steps=60, number=1, passes=2, loss=0.4, validation_error_percent=None)
    >>> f"{progress.step / progress.steps:.0%} of the steps"
    '50% of the steps'
    """

    step: int
    steps: int
    number: int
    passes: int
    loss: float
    validation_error_percent: float | None


class Training:
    """One run of a recipe over an image set; iterate it, then take ``weights()``.

    The same data, recipe, objective and seed give the same weights on the same machine. The
    weights that are validated and kept are a running mean over the steps, where the method has one;
    after each pass they are kept if no earlier pass has a lower error on the held-out images. A recipe with lines,
    whose errors these images do not measure, always keeps the last pass. With ``bits`` in the recipe the network is
    always computed with rounded weights, and those that are kept are rounded. It starts from initial weights or from
    ``start``. ``checkpoint`` is the state of a run, with which :meth:`resume` goes on in another process.
    ``threads`` limits those that distort the images; the objective has its own. Raises DataError where there is
    nothing to train on or the recipe needs a synthesizer, WeightsError where ``start`` is of another network.

    >>> from dataclasses import replace
    >>> from lenet5.learning.data import load
    >>> from lenet5.learning.objective import objective
    >>> from lenet5.learning.recipe import FAST
    >>> recipe = replace(FAST, passes=1)
    >>> training = Training(load("digits", "train"), recipe, objective(recipe.network, recipe.criterion), seed=1)
    >>> for progress in training:
    ...     pass
    >>> progress.step, training.weights().metadata["passes"]
    (12, '1')
    """

    def __init__(
        self,
        data: ImageSet,
        recipe: Recipe,
        objective: Objective,
        seed: int = 0,
        synthesizer: Synthesizer | None = None,
        threads: int | None = None,
        start: weights.Weights | None = None,
    ) -> None:
        self.recipe, self._data, self._objective, self._seed, self._threads = recipe, data, objective, seed, threads
        if start and start.network is not recipe.network:
            raise WeightsError(
                f"recipe {recipe.name} trains a {recipe.network.name} network, not a {start.network.name} one"
            )
        self._rounding = Rounding(recipe.network, recipe.bits) if recipe.bits else None
        self._generator = np.random.default_rng(seed)
        validation, self._training = split(data, recipe.validation)
        if len(self._training) == 0:
            raise DataError(f"{data.name} has no images to train on")
        self.held_out = self._held_out = part_of(data, validation) if len(validation) else None
        """The images of ``data`` that are held out; None without any."""
        parameters = start.parameters.copy() if start else weights.initial(recipe.network, self._generator)
        self._sampler: Sampler | MixedSampler
        self._material = Material({})
        if recipe.mixture:
            self._sampler = self._mixed(recipe.mixture, synthesizer)
        else:
            self._sampler = Sampler(data, self._training, recipe, self._generator, threads)
        self._descent = recipe.method.start(recipe.network)
        averaged = parameters.copy() if recipe.method.averaging else parameters
        self._state = State(parameters, averaged, best=parameters.copy())
        self._change = np.empty_like(parameters)
        self._saved = self._copy()

    def _mixed(self, mixture: Mixture, synthesizer: Synthesizer | None) -> MixedSampler:
        """A sampler of training and synthesized images; the synthesizer's held-out images join those of the data."""
        if synthesizer is None:
            raise DataError(f"recipe {self.recipe.name} needs a synthesizer (synthesizer=…)")
        training = part_of(self._data, self._training)
        self._material = synthesizer(training, self._held_out, mixture, self.recipe.criterion.j, self._generator)
        if self._held_out and self._material.held_out:
            self._held_out = joined(self._data.name, self._held_out, self._material.held_out)
        return MixedSampler(training, self._material.images, mixture, self.recipe, self._generator, self._threads)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self._sampler.batches_a_pass * self.recipe.passes

    @property
    def sources(self) -> tuple[str, ...]:
        """The data sets that are used, each with its digest."""
        return (described(self._data, len(self._training)), *self._material.sources)

    @property
    def best_pass(self) -> int:
        """The pass whose weights are kept; 0 before the first is over."""
        return self._state.best_pass

    @property
    def checkpoint(self) -> State:
        """The state from which :meth:`resume` goes on: as it was when images were last prepared, a few steps ago.

        It is whole even after an exception in the middle of a step.
        """
        return self._saved

    def resume(self, state: State) -> None:
        """Go on from a checkpoint of a training with the same arguments: every bit is as if it had never stopped.

        Raises CheckpointError for one of another training.
        """
        if (
            self._saved.layout() != state.layout()
            or state.step > self.steps
            or state.generator.keys() != self._saved.generator.keys()
        ):
            raise CheckpointError("the checkpoint is of another training: its arrays do not fit this one")
        current = self._state
        current.parameters[...], current.averaged[...] = state.parameters, state.averaged
        self._state = replace(state, parameters=current.parameters, averaged=current.averaged)
        self._generator.bit_generator.state = state.generator
        for name, part in self._parts().items():
            prefix = f"{name}."
            part.restore({key.removeprefix(prefix): a for key, a in state.parts.items() if key.startswith(prefix)})
        self._saved = self._copy()

    def _parts(self) -> dict[str, Descent | Sampler | MixedSampler | SequenceLoss]:
        """The other parts with a state, by name."""
        parts: dict[str, Descent | Sampler | MixedSampler | SequenceLoss]
        parts = {"method": self._descent, "sampler": self._sampler}
        return parts | ({"lines": self._material.lines} if self._material.lines else {})

    def _copy(self) -> State:
        """The state as it is now, for a checkpoint."""
        parts = {f"{name}.{key}": a for name, part in self._parts().items() for key, a in part.state().items()}
        return self._state.copy(self._generator.bit_generator.state, parts)

    @property
    def current(self) -> Floats:
        """The current parameters (P,), or their running mean if there is one, which the next step may change."""
        return self._rounded(self._state.averaged)

    def _rounded(self, parameters: Floats) -> Floats:
        """Parameters (P,) rounded to the recipe's bits, if it has any."""
        return self._rounding(parameters) if self._rounding else parameters

    def __iter__(self) -> Iterator[Progress]:
        """The steps that are left: iterating again, after a break, goes on."""
        state, sampler, passes = self._state, self._sampler, self.recipe.passes
        while state.step < self.steps:
            number, first = divmod(state.step, sampler.batches_a_pass)
            if first == 0:
                self._descent.begin_pass(number + 1, self._curvature)
                state.order = sampler.order()
            batches = sampler.batches(state.order, first)
            for remaining, (images, labels) in zip(reversed(range(len(batches))), batches, strict=True):
                self._step(images, labels)
                if state.step % sampler.batches_a_pass == 0:
                    self._validate(number + 1)
                if remaining == 0:
                    self._saved = self._copy()
                yield Progress(state.step, self.steps, number + 1, passes, state.loss, state.last_error)

    def _step(self, images: Floats, labels: NDArray[np.uint8]) -> None:
        """Move the parameters by one batch."""
        state, mixture = self._state, self.recipe.mixture
        parameters = self._rounded(state.parameters)
        loss, gradient = self._objective(parameters, images, labels)
        if self._material.lines and mixture and mixture.lines:
            line_loss, by_lines = self._material.lines(self._objective, parameters)
            loss += mixture.lines.weight * line_loss
            gradient += np.float32(mixture.lines.weight) * by_lines
        self._descent.step(state.parameters, gradient, state.step / self.steps)
        state.step += 1
        self._average()
        state.loss += (loss - state.loss) / min(state.step, 100)

    def _curvature(self, patterns: int) -> Floats:
        """The criterion's diagonal second derivative (P,) over this many training patterns."""
        return self._objective.curvature(self._rounded(self._state.parameters), *self._sampler.sample(patterns))

    def _average(self) -> None:
        """Update the running mean; over the first steps it is a plain mean, so that it forgets the initial weights."""
        state = self._state
        if state.averaged is state.parameters:
            return
        decay = min(self.recipe.method.averaging, state.step / (state.step + 10))
        np.subtract(state.parameters, state.averaged, out=self._change)
        self._change *= np.float32(1 - decay)
        state.averaged += self._change

    def _validate(self, number: int) -> None:
        """Measure the averaged weights, and keep them if no earlier pass has a lower error or nothing is held out."""
        state, error, parameters = self._state, None, self.current
        if self._held_out:
            penalty, labels = self._penalties_of(parameters, self._held_out.images), self._held_out.labels
            is_refused = penalty.min(axis=1) > self.recipe.criterion.j
            is_right = np.where(labels == paper.NOT_A_DIGIT, is_refused, penalty.argmin(axis=1) == labels)
            error = 100 * float(1 - is_right.mean())
        state.passes, state.last_error = number, error
        if error is None or state.best_error is None or error <= state.best_error or self._material.lines:
            state.best, state.best_error, state.best_pass = parameters.copy(), error, number
        if isinstance(self._sampler, MixedSampler):
            self._sampler.reconsider(number, lambda images: self._objective.penalties(parameters, images))

    def _penalties_of(self, parameters: Floats, images: NDArray[np.uint8]) -> Floats:
        return self._objective.penalties(parameters, pixels.network_input(self.recipe.network, images))

    def weights(self) -> weights.Weights:
        """The best weights so far, calibrated, with where they came from as metadata.

        Before the first pass is over they are the running mean as it stands.
        """
        state = self._state
        parameters = state.best if state.passes else self.current
        temperature, j = self._calibrated(parameters)
        metadata = {
            "recipe": self.recipe.name,
            "seed": str(self._seed),
            "passes": str(state.passes),
            "trained_on": "; ".join(self.sources),
            "validation_error_percent": "" if state.best_error is None else f"{state.best_error:.4f}",
            "temperature": f"{temperature:.4f}",
            "j": f"{j:.4f}",
        }
        if self.recipe.classes != DIGITS:
            metadata["classes"] = self.recipe.classes
        if self.recipe.bits:
            metadata["bits"] = str(self.recipe.bits)
        metadata |= self._material.finish(partial(self._penalties_of, parameters), j, temperature)
        return weights.Weights(self.recipe.network, parameters, metadata)

    def _calibrated(self, parameters: Floats) -> tuple[float, float]:
        """The temperature under which the held-out labels are likeliest, and the penalty j of rubbish.

        With rubbish among the held-out images both are fitted to them (:func:`posterior.fit_rubbish`). Otherwise, where
        the criterion has a rubbish class, j is the largest penalty of any held-out digit,
        distorted as in training: what is farther than that from every code is rubbish. Without
        held-out images the training images stand in for j, and the temperature is 1.
        """
        held_out, j = self._held_out, self.recipe.criterion.j
        if held_out and self.recipe.mixture:
            penalty = self._penalties_of(parameters, held_out.images)
            return posterior.fit_rubbish(penalty, held_out.labels, self.recipe.classes)
        data = held_out or part_of(self._data, self._training)
        digits = data.images[data.labels != paper.NOT_A_DIGIT]
        if math.isfinite(j) and len(digits):
            recipe, generator = self.recipe, np.random.default_rng(self._seed)
            images = distort(digits, recipe.distortion, generator, recipe.network, self._threads)
            j = max(float(self._objective.penalties(parameters, images).min(axis=1).max()), 1e-3)
        if held_out is None:
            return 1.0, j
        penalty = self._penalties_of(parameters, held_out.images)
        return posterior.fit_temperature(penalty, held_out.labels, j), j
