"""(parameters, images, labels or targets) → (loss, gradient): the function that an optimizer minimises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper
from lenet5.codes import DIGITS, code_array
from lenet5.criterion import MEAN_PENALTY, Criterion, Desired
from lenet5.errors import UnavailableError, WeightsError
from lenet5.posterior import penalties, probabilities
from lenet5.weights import Weights

__all__ = ["DistillationObjective", "EngineObjective", "Objective", "TorchObjective", "objective"]

Floats = NDArray[np.float32]

_NO_TORCH: Final = "training on a GPU needs PyTorch: pip install '.[torch]' in lenet5's folder"
_NO_ENGINE: Final = (
    "training needs the compiled engine (install a C compiler and Python's headers, then lenet5 again) "
    "or PyTorch: pip install '.[torch]' in lenet5's folder"
)


class Objective(Protocol):
    """A network with a criterion, as a function of the flat parameter vector (P,).

    >>> from lenet5 import criterion, weights
    >>> loss_of: Objective = objective(paper.LENET5, criterion.CROSS_ENTROPY)
    >>> loss_of.penalties(weights.load("lenet5-mnist").parameters, np.zeros((3, 32, 32), np.float32)).shape
    (3, 10)
    """

    def __call__(self, parameters: Floats, images: Floats, desired: Desired) -> tuple[float, Floats]:
        """Mean loss over images (N, H, W) in the network's input range, and its gradient (P,); labels or targets."""

    def curvature(self, parameters: Floats, images: Floats, desired: Desired) -> Floats:
        """The diagonal second derivative (P,) of the mean loss, never negative (:func:`lenet5.engine.curvature`)."""

    def backward(self, parameters: Floats, images: Floats, derivative: Floats) -> Floats:
        """Back-propagate a derivative (N, C) by the images' penalties to the parameters: (P,)."""

    def penalties(self, parameters: Floats, images: Floats) -> Floats:
        """The penalties of each image: (N, C), the smallest the answer."""


class EngineObjective:
    """The network in the compiled engine, on the CPU. UnavailableError where it was not compiled.

    >>> from lenet5 import criterion, weights
    >>> loss_of = EngineObjective(paper.LENET5, criterion.CROSS_ENTROPY, threads=1)
    >>> parameters, images = weights.load("lenet5-mnist").parameters, np.zeros((2, 32, 32), np.float32)
    >>> loss, gradient = loss_of(parameters, images, np.array([0, 1], np.uint8))
    >>> gradient.shape
    (60000,)
    """

    def __init__(
        self, network: paper.Network, criterion: Criterion, threads: int | None = None, classes: str = DIGITS
    ) -> None:
        if not engine.AVAILABLE:
            raise UnavailableError(_NO_ENGINE)
        self._network, self._criterion, self._threads = network, criterion, threads
        self._codes = code_array(classes)

    def __call__(self, parameters: Floats, images: Floats, desired: Desired) -> tuple[float, Floats]:
        return engine.gradient(parameters, images, desired, self._criterion, self._threads, codes=self._codes)

    def curvature(self, parameters: Floats, images: Floats, desired: Desired) -> Floats:
        return engine.curvature(parameters, images, desired, self._criterion, self._threads, codes=self._codes)

    def backward(self, parameters: Floats, images: Floats, derivative: Floats) -> Floats:
        targets = np.zeros((len(images), len(self._codes) + 1), np.float32)
        targets[:, :-1] = derivative * len(images)  # eq. 8 is a mean, and linear in its targets
        return engine.gradient(parameters, images, targets, MEAN_PENALTY, self._threads, codes=self._codes)[1]

    def penalties(self, parameters: Floats, images: Floats) -> Floats:
        return penalties(self._network, engine.forward(parameters, images, self._threads, codes=self._codes))


class TorchObjective:
    """The network as a torch module on any device; the gradient by autograd.

    The module's parameters are views of one flat tensor, so that a step copies one vector in and
    one out. The criterion and its derivative by the outputs come from :mod:`lenet5.criterion`.

    >>> from lenet5 import criterion, weights
    >>> loss_of = TorchObjective(paper.LENET5, criterion.CROSS_ENTROPY)
    >>> parameters, images = weights.load("lenet5-mnist").parameters, np.zeros((2, 32, 32), np.float32)
    >>> loss, gradient = loss_of(parameters, images, np.array([0, 1], np.uint8))
    >>> gradient.shape
    (60000,)
    """

    def __init__(
        self,
        network: paper.Network,
        criterion: Criterion,
        device: str = "cpu",
        threads: int | None = None,
        classes: str = DIGITS,
    ) -> None:
        try:
            import torch
        except ImportError:
            raise UnavailableError(_NO_TORCH if device == "cuda" else _NO_ENGINE) from None
        from lenet5.network import ConciseLeNet5, LeNet5

        if device == "cuda" and not torch.cuda.is_available():
            raise UnavailableError("no CUDA device is ready here: use --device cpu")
        if threads:
            torch.set_num_threads(threads)
        self._network, self._criterion, self._device, self._torch = network, criterion, device, torch
        self._codes = code_array(classes)
        module = LeNet5(classes) if network is paper.LENET5 else ConciseLeNet5()
        self._module = module.to(device)
        self._flat = torch.zeros(network.parameters, device=device)
        self._gradient = torch.zeros_like(self._flat)
        start = 0
        for parameter in self._module.parameters():
            piece = slice(start, start + parameter.numel())
            parameter.data = self._flat[piece].view_as(parameter)
            parameter.grad = self._gradient[piece].view_as(parameter)
            start = piece.stop

    def __call__(self, parameters: Floats, images: Floats, desired: Desired) -> tuple[float, Floats]:
        outputs = self._outputs(parameters, images)
        loss, derivative = self._criterion(penalties(self._network, outputs.detach().cpu().numpy()), desired)
        return loss, self._gradient_of(outputs, derivative)

    def curvature(self, parameters: Floats, images: Floats, desired: Desired) -> Floats:
        """The engine's: autograd has no diagonal second derivatives. UnavailableError where it was not compiled."""
        return engine.curvature(parameters, images, desired, self._criterion, codes=self._codes)

    def backward(self, parameters: Floats, images: Floats, derivative: Floats) -> Floats:
        return self._gradient_of(self._outputs(parameters, images), np.asarray(derivative, np.float32))

    def _gradient_of(self, outputs: Any, derivative: Floats) -> Floats:
        """The gradient (P,) from the derivative (N, C) by the penalties."""
        self._gradient.zero_()
        outputs.backward(self._torch.from_numpy(penalties(self._network, derivative)).to(self._device))
        return np.array(self._gradient.cpu().numpy())

    def penalties(self, parameters: Floats, images: Floats) -> Floats:
        with self._torch.no_grad():
            blocks = [self._outputs(parameters, images[i : i + 1000]) for i in range(0, len(images), 1000)]
            return penalties(self._network, self._torch.cat(blocks).cpu().numpy())

    def _outputs(self, parameters: Floats, images: Floats) -> Any:
        self._flat.copy_(self._torch.from_numpy(parameters))
        return self._module(self._torch.from_numpy(images)[:, None].to(self._device))


class DistillationObjective:
    """Distillation: the targets are the averaged answers of teachers (Hinton, Vinyals and Dean 2015).

    The teachers' penalties are averaged and turned into probabilities at the criterion's temperature; these are the
    targets of the ``student``, whose ``classes`` they share. Labels are ignored. Raises WeightsError for teachers of
    another network or of other classes.

    >>> from lenet5 import criterion, weights
    >>> student = objective(paper.LENET5, criterion.CROSS_ENTROPY)
    >>> teacher = weights.load("lenet5-mnist")
    >>> loss_of = DistillationObjective(student, paper.LENET5, criterion.CROSS_ENTROPY, [teacher])
    >>> parameters = weights.initial(paper.LENET5, np.random.default_rng(0))
    >>> loss, gradient = loss_of(parameters, np.zeros((2, 32, 32), np.float32), np.array([0, 1], np.uint8))
    >>> gradient.shape
    (60000,)
    """

    def __init__(
        self,
        student: Objective,
        network: paper.Network,
        criterion: Criterion,
        teachers: Sequence[Weights],
        threads: int | None = None,
        classes: str = DIGITS,
    ) -> None:
        for teacher in teachers:
            if teacher.network is not network:
                raise WeightsError(f"a {teacher.network.name} network cannot teach a {network.name} network")
            if teacher.classes != classes:
                raise WeightsError(f"{teacher.name} knows the classes {teacher.classes}, not {classes}")
        self._codes = code_array(classes)
        self._student, self._network, self._criterion, self._threads = student, network, criterion, threads
        self._teachers = [teacher.parameters for teacher in teachers]

    def __call__(self, parameters: Floats, images: Floats, desired: Desired) -> tuple[float, Floats]:
        return self._student(parameters, images, self._targets(images))

    def curvature(self, parameters: Floats, images: Floats, desired: Desired) -> Floats:
        return self._student.curvature(parameters, images, self._targets(images))

    def backward(self, parameters: Floats, images: Floats, derivative: Floats) -> Floats:
        return self._student.backward(parameters, images, derivative)

    def penalties(self, parameters: Floats, images: Floats) -> Floats:
        return self._student.penalties(parameters, images)

    def _targets(self, images: Floats) -> Floats:
        """The teachers' probabilities: (N, C + 1)."""
        said = [engine.forward(teacher, images, self._threads, codes=self._codes) for teacher in self._teachers]
        energy = penalties(self._network, np.mean(said, axis=0))
        return probabilities(energy, self._criterion.j, self._criterion.temperature).astype(np.float32)


def objective(
    network: paper.Network,
    criterion: Criterion,
    device: str = "cpu",
    threads: int | None = None,
    classes: str = DIGITS,
) -> Objective:
    """The fastest objective for a device: the compiled engine on "cpu"; PyTorch on "cuda" or where no engine is.

    >>> from lenet5 import criterion
    >>> type(objective(paper.LENET5, criterion.MEAN_PENALTY)).__name__ in ("EngineObjective", "TorchObjective")
    True
    """
    if device == "cpu" and engine.AVAILABLE:
        return EngineObjective(network, criterion, threads, classes)
    return TorchObjective(network, criterion, device, threads, classes)
