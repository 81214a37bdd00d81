"""LeNet-5 for people who write PyTorch: two modules that can be read beside the paper.

Shapes in the comments are (maps, height, width) of one image. The modules' parameters stand in the
order of the flat vector of :mod:`lenet5.weights`.
"""

from __future__ import annotations

import os
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lenet5 import paper
from lenet5.codes import DIGITS, code_array
from lenet5.errors import WeightsError
from lenet5.paper import FeatureMaps
from lenet5.weights import Weights, arrays, load

__all__ = ["ConciseLeNet5", "LeNet5", "squash"]

_Module = TypeVar("_Module", bound=nn.Module)


def squash(a: Tensor) -> Tensor:
    """The squashing function f(a) = A·tanh(S·a), eq. 6: between −1.7159 and 1.7159, f(±1) ≈ ±1.

    >>> squash(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.0000,  0.0000,  1.0000])
    """
    return paper.SQUASHING_AMPLITUDE * torch.tanh(paper.SQUASHING_SLOPE * a)


class Subsampling(nn.Module):
    """S2 and S4: each unit adds its 2×2 inputs, times its map's coefficient, plus its map's bias.

    >>> pool = Subsampling(1)
    >>> _ = pool.coefficient.data.fill_(0.5), pool.bias.data.fill_(1.0)
    >>> pool(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item()  # 0.5 · (1 + 2 + 3 + 4) + 1
    6.0
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))

    def forward(self, x: Tensor) -> Tensor:
        added = 4 * functional.avg_pool2d(x, 2)
        return self.coefficient[:, None, None] * added + self.bias[:, None, None]


class TableIConvolution(nn.Module):
    """C3: 60 kernels of 5×5, one for each pair of Table I. The other 36 pairs have no weights at all.

    >>> sum(parameter.numel() for parameter in TableIConvolution().parameters())  # 60 · 25 + 16
    1516
    """

    c3_maps: Tensor  # (60,) the C3 map that a kernel feeds
    s2_maps: Tensor  # (60,) the S2 map that it reads

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(60, 5, 5))
        self.bias = nn.Parameter(torch.empty(16))
        c3_maps, s2_maps = (torch.from_numpy(index) for index in paper.table_pairs())
        self.register_buffer("c3_maps", c3_maps, persistent=False)
        self.register_buffer("s2_maps", s2_maps, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernels = self.weight.new_zeros(16, 6, 5, 5).index_put((self.c3_maps, self.s2_maps), self.weight)
        return functional.conv2d(x, kernels, self.bias)


class RadialBasisFunctions(nn.Module):
    """The output: y_i = Σ_j (x_j − w_ij)², the squared distance of F6 to the picture of class i (eq. 7).

    >>> units = RadialBasisFunctions("0123456789")
    >>> units(units.codes[3:4]).flatten().tolist()[3]  # the code of 3 is at distance 0 from itself
    0.0
    """

    codes: Tensor  # (classes, 84, 1, 1)

    def __init__(self, classes: str) -> None:
        super().__init__()
        codes = torch.tensor(code_array(classes))
        self.register_buffer("codes", codes[:, :, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] - self.codes).square().sum(dim=2)


class LeNet5(nn.Module):
    """The network of the paper, section II-B: 60,000 trainable parameters, 340,908 connections.

    Takes (N, 1, H, W) float32 in the paper's input range (background −0.1, ink 1.175), H and W at
    least 32, and returns the distances (N, 10) to the ten digits, the smallest the answer. All
    layers are convolutions, so that a larger picture gives (N, 10, h, w), h = (H − 28) // 4: an
    answer for each 32×32 window, 4 pixels apart (section VII). With further ``classes`` there is an output for each
    character: their codes are fixed pictures, so that they cost no parameter (:mod:`lenet5.codes`). Initial weights
    are the paper's, uniform in ±2.4 / fan-in, from torch's global generator.

    >>> network = LeNet5()
    >>> sum(parameter.numel() for parameter in network.parameters())
    60000
    >>> network(torch.zeros(2, 1, 32, 32)).shape, network(torch.zeros(1, 1, 32, 100)).shape
    (torch.Size([2, 10]), torch.Size([1, 10, 1, 18]))
    >>> network.feature_maps(torch.zeros(1, 1, 32, 32)).c3.shape
    torch.Size([1, 16, 10, 10])
    """

    def __init__(self, classes: str = DIGITS) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.s2 = Subsampling(6)
        self.c3 = TableIConvolution()
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)
        self.f6 = nn.Linear(120, 84)
        self.output = RadialBasisFunctions(classes)
        self.classes = classes
        """The characters of the outputs, in their order."""
        _draw_initial_weights(self, paper.LENET5)

    @classmethod
    def pretrained(cls, weights: str | os.PathLike[str] | Weights = "lenet5") -> LeNet5:
        """The network of the paper with trained weights, in eval mode; its outputs are the engine's.

        ``weights`` are a bundled name, a safetensors file, or loaded weights. "lenet5" are those with which
        :class:`lenet5.Reader` reads, "lenet5-mnist" are trained on MNIST alone. The parameters are a copy.

        Takes (N, 1, H, W) float32 in −0.1..1.175, H and W at least 32; :func:`lenet5.pixels.network_input` makes it
        from images in MNIST's form. Returns distances ≥ 0, the smallest the answer. For a 32×32 input they are (N, 18)
        with "lenet5", the ten digits first, then the separators ``/ : - . , % ( )``, and (N, 10) with "lenet5-mnist".

        Raises WeightsError for a name that is neither bundled nor a file, an unsound file, and weights of the concise
        network. Source: section II-B of the paper.

        >>> from lenet5.learning.data import load
        >>> from lenet5.pixels import network_input
        >>> network = LeNet5.pretrained()
        >>> images = load("digits", "test").images[:5]  # (5, 28, 28) uint8, ink 255
        >>> x = torch.from_numpy(network_input(paper.LENET5, images))[:, None]
        >>> x.shape, network(x).shape
        (torch.Size([5, 1, 32, 32]), torch.Size([5, 18]))
        >>> network(x)[:, :10].argmin(dim=1)
        tensor([2, 3, 4, 5, 6])
        """
        loaded = _weights_for(paper.LENET5, weights)
        return _filled(cls(loaded.classes), loaded)

    def feature_maps(self, x: Tensor) -> FeatureMaps:
        """Every layer's maps by name; f6 and output are (N, units) for a 32×32 input."""
        if x.ndim != 4 or x.shape[1] != 1 or min(x.shape[2:]) < 32:
            raise ValueError(f"LeNet5 takes (N, 1, H, W), H and W at least 32, not {tuple(x.shape)}")
        c1 = squash(self.c1(x))  #                                  1×32×32 →   6×28×28
        s2 = squash(self.s2(c1))  #                                         →   6×14×14
        c3 = squash(self.c3(s2))  #                                         →  16×10×10
        s4 = squash(self.s4(c3))  #                                         →  16×5×5
        c5 = squash(self.c5(s4))  #                                         → 120×1×1
        f6 = squash(self.f6(c5.movedim(1, -1)).movedim(-1, 1))  #           →  84×1×1
        output = self.output(f6)  #                                         → classes×1×1
        if output.shape[2:] == (1, 1):
            f6, output = f6[..., 0, 0], output[..., 0, 0]
        return FeatureMaps(c1, s2, c3, s4, c5, f6, output)

    def forward(self, x: Tensor) -> Tensor:
        distances: Tensor = self.feature_maps(x).output
        return distances


class ConciseLeNet5(nn.Module):
    """The short form of the tutorials: 28×28 input, sigmoids, plain pooling, a linear output.

    Takes (N, 1, 28, 28) or (N, 784) float32 in 0..1 and returns logits (N, 10), the largest the
    answer. 61,706 parameters. What differs from the paper is listed in docs/paper.md. Initial
    weights are Xavier's uniform: with PyTorch's own the sigmoids sit on a plateau for several passes.

    >>> network = ConciseLeNet5()
    >>> sum(parameter.numel() for parameter in network.parameters())
    61706
    >>> network(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.c5 = nn.Linear(400, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    @classmethod
    def pretrained(cls, weights: str | os.PathLike[str] | Weights = "concise") -> ConciseLeNet5:
        """The concise network with trained weights, in eval mode; its outputs are the engine's.

        ``weights`` are the bundled "concise", trained on MNIST, a safetensors file, or loaded weights. The parameters
        are a copy.

        Takes (N, 1, 28, 28) or (N, 784) float32 in 0..1, background 0. Returns logits (N, 10) of any sign, the largest
        the answer.

        Raises WeightsError for a name that is neither bundled nor a file, an unsound file, and weights of the paper's
        network. Source: the tutorials' short form of section II-B of the paper; docs/paper.md lists the differences.

        >>> from lenet5.learning.data import load
        >>> network = ConciseLeNet5.pretrained()
        >>> images = torch.from_numpy(load("digits", "test").images[:5])  # (5, 28, 28) uint8, ink 255
        >>> logits = network(images[:, None] / 255)
        >>> logits.shape, logits.argmax(dim=1)
        (torch.Size([5, 10]), tensor([2, 3, 4, 5, 6]))
        """
        return _filled(cls(), _weights_for(paper.CONCISE, weights))

    def feature_maps(self, x: Tensor) -> FeatureMaps:
        """Every layer's maps by name; f6 and output are (N, units)."""
        if x.shape[1:] not in ((1, 28, 28), (784,)):
            raise ValueError(f"ConciseLeNet5 takes (N, 1, 28, 28) or (N, 784), not {tuple(x.shape)}")
        x = x.reshape(-1, 1, 28, 28)
        c1 = torch.sigmoid(self.c1(x))  #                                   1×28×28 →   6×28×28
        s2 = functional.avg_pool2d(c1, 2)  #                                        →   6×14×14
        c3 = torch.sigmoid(self.c3(s2))  #                                          →  16×10×10
        s4 = functional.avg_pool2d(c3, 2)  #                                        →  16×5×5
        c5 = torch.sigmoid(self.c5(s4.flatten(1)))  #                               → 120
        f6 = torch.sigmoid(self.f6(c5))  #                                          →  84
        output = self.output(f6)  #                                                 →  10
        return FeatureMaps(c1, s2, c3, s4, c5[:, :, None, None], f6, output)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.feature_maps(x).output
        return logits


def _weights_for(network: paper.Network, source: str | os.PathLike[str] | Weights) -> Weights:
    """Loaded weights, a bundled name's or a file's; WeightsError unless they are of this network."""
    loaded = source if isinstance(source, Weights) else load(source)
    if loaded.network != network:
        modules = {paper.LENET5: LeNet5, paper.CONCISE: ConciseLeNet5}
        raise WeightsError(
            f"{loaded.name} holds weights of network {loaded.network.name}, not {network.name}: "
            f"load them with {modules[loaded.network].__name__}.pretrained"
        )
    return loaded


def _filled(module: _Module, weights: Weights) -> _Module:
    """The module with a copy of the weights, in eval mode."""
    named = arrays(weights.network, weights.parameters)
    module.load_state_dict({name: torch.tensor(array) for name, array in named.items()})
    return module.eval()


@torch.no_grad()
def _draw_initial_weights(module: nn.Module, network: paper.Network) -> None:
    """Uniform in ±2.4 / fan-in (appendix A); for C3 each map's own fan-in, by Table I."""
    for array in network.arrays:
        parameter = module.get_parameter(array.name)
        assert parameter.shape == array.shape, (array, parameter.shape)
        bound = 2.4 / torch.tensor(array.fan_in).view(-1, *[1] * (len(array.shape) - 1))
        parameter.uniform_(-1, 1).mul_(bound)
    assert sum(p.numel() for p in module.parameters()) == network.parameters
