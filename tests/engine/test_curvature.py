"""The curvature against its definition, written down once more with autograd in double precision.

Each layer's sums a get a second derivative h(a); one layer lower h(x) = Σ (∂a/∂x)² h(a), f″ dropped, and a
weight's is Σ over its uses of (∂a/∂w)² h(a). Squared Jacobians of a layer that is linear in its inputs come
from the same layer with squared weights or squared inputs, so autograd of that layer propagates h.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conftest import Case, case, compiled
from lenet5 import engine, paper, weights
from lenet5.codes import DIGITS, LETTERS, SEPARATORS, code_array
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, Criterion

torch = pytest.importorskip("torch")
functional = torch.nn.functional


@compiled
@pytest.mark.parametrize("n", [1, 5])
def test_curvature_is_the_back_propagated_diagonal(network: str, variant: str, criterion: Criterion, n: int) -> None:
    c = case(network, n, seed=2)
    ours = engine.curvature(c.parameters, c.images, c.labels, criterion, variant=variant)
    theirs = _curvature(c, criterion)
    for name, array in weights.arrays(c.network, ours).items():
        np.testing.assert_allclose(array, theirs[name], rtol=2e-4, atol=1e-6 * theirs[name].max() + 1e-30, err_msg=name)


@compiled
@pytest.mark.parametrize("classes", [DIGITS + "/", DIGITS + SEPARATORS + LETTERS], ids=len)
def test_curvature_with_further_classes_is_the_back_propagated_diagonal(
    classes: str, variant: str, criterion: Criterion
) -> None:
    c = case("lenet5", 5, seed=3)
    labels = np.array([0, 9, 10, len(classes) - 1, len(classes) // 2], np.uint8)
    c = replace(c, labels=labels)
    ours = engine.curvature(c.parameters, c.images, labels, criterion, variant=variant, codes=code_array(classes))
    theirs = _curvature(c, criterion, classes)
    for name, array in weights.arrays(c.network, ours).items():
        np.testing.assert_allclose(array, theirs[name], rtol=2e-4, atol=1e-6 * theirs[name].max() + 1e-30, err_msg=name)


@compiled
def test_last_layers_curvature_is_the_full_gauss_newton_diagonal(variant: str) -> None:
    """For eq. 8 the loss is half-quadratic in F6: h of f6.weight is Σ 2·(∂x/∂w)², with nothing dropped but f″."""
    c = case("lenet5", 4)
    maps = engine.feature_maps(c.parameters, c.images)
    slope = (1.7159 * 2 / 3) * (1 - np.square(maps.f6 / 1.7159))
    expected = 2 * np.einsum("no,ni->oi", np.square(slope), np.square(maps.c5[:, :, 0, 0])) / 4
    ours = engine.curvature(c.parameters, c.images, c.labels, MEAN_PENALTY, variant=variant)
    np.testing.assert_allclose(weights.arrays(c.network, ours)["f6.weight"], expected, rtol=1e-4)


@compiled
def test_output_curvature_equals_autograds_second_derivative(variant: str) -> None:
    """∂²E/∂bias² of the concise network's output, exact since logits are linear in it."""
    c = case("concise", 6)
    f6 = torch.from_numpy(engine.feature_maps(c.parameters, c.images).f6).double()
    named = {k: torch.from_numpy(v.copy()).double() for k, v in weights.arrays(c.network, c.parameters).items()}
    labels = torch.from_numpy(c.labels.astype(np.int64))

    def loss(bias: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(f6 @ named["output.weight"].T + bias, labels)

    exact = torch.autograd.functional.hessian(loss, named["output.bias"]).diagonal().numpy()
    ours = engine.curvature(c.parameters, c.images, c.labels, CROSS_ENTROPY, variant=variant)
    np.testing.assert_allclose(weights.arrays(c.network, ours)["output.bias"], exact, rtol=1e-4)


def _curvature(c: Case, criterion: Criterion, classes: str = DIGITS) -> dict[str, np.ndarray]:
    papers = c.network is paper.LENET5
    w = {k: torch.from_numpy(v.copy()).double() for k, v in weights.arrays(c.network, c.parameters).items()}
    codes = code_array(classes)
    maps_of = engine.feature_maps(c.parameters, c.images, variant="baseline", codes=codes)
    maps = [torch.from_numpy(m).double() for m in maps_of]
    x = torch.from_numpy(c.images[:, None]).double()
    if not papers:
        x = functional.pad(x, (2, 2, 2, 2))
    c1, s2, c3, s4, c5, f6, y = maps
    c5 = c5.flatten(1)
    n = len(y)

    def slope_squared(unit: torch.Tensor) -> torch.Tensor:
        slope = 1.7159 * 2 / 3 * (1 - (unit / 1.7159) ** 2) if papers else unit * (1 - unit)
        return slope * slope

    found: dict[str, np.ndarray] = {}

    def down(layer: object, inputs: torch.Tensor, h: torch.Tensor, *names: str) -> torch.Tensor:
        """h of a layer's sums → h of its inputs; its parameters' on the way. ``layer`` is linear in both."""
        squared = (inputs * inputs).requires_grad_()
        squares = {k: (w[k] * w[k]).requires_grad_() for k in names}
        out = layer(squared, *squares.values())  # type: ignore[operator]
        grads = torch.autograd.grad(out, [squared, *squares.values()], h)
        for name, grad in zip(names, grads[1:], strict=True):
            found[name] = grad.numpy()
        return grads[0]

    penalty = y if papers else -y
    energies = torch.cat([penalty, torch.full((n, 1), criterion.j).double()], 1)
    p = torch.softmax(-energies, 1)[:, :-1] if criterion.discriminative else torch.zeros_like(penalty)
    h_y = p * (1 - p) / n
    if papers:
        apart = 2 * (f6[:, None] - torch.tensor(codes).double())
        one = functional.one_hot(torch.from_numpy(c.labels.astype(np.int64)), len(codes))
        sum_of_slopes = (one - p).sum(1).clamp(min=0) / n
        h = (h_y[:, :, None] * apart**2).sum(1) + 2 * sum_of_slopes[:, None]
    else:
        h = down(_linear, f6, h_y, "output.weight", "output.bias")
    h = down(_linear, c5, h * slope_squared(f6), "f6.weight", "f6.bias")
    h = down(_linear, s4.flatten(1), h * slope_squared(c5), "c5.weight", "c5.bias").view_as(s4)
    h = _subsample_down(c3, s4, h, w, found, "s4", slope_squared, papers)
    convolution = _table_i if papers else functional.conv2d
    h = down(convolution, s2, h * slope_squared(c3), "c3.weight", "c3.bias")
    h = _subsample_down(c1, s2, h, w, found, "s2", slope_squared, papers)
    down(functional.conv2d, x, h * slope_squared(c1), "c1.weight", "c1.bias")
    return found


def _linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return functional.linear(x, weight.flatten(1), bias)


def _table_i(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    to, source = (torch.from_numpy(index) for index in paper.table_pairs())
    return functional.conv2d(x, weight.new_zeros(16, 6, 5, 5).index_put((to, source), weight), bias)


def _subsample_down(below, maps, h, w, found, name, slope_squared, papers):  # type: ignore[no-untyped-def]
    if not papers:
        return functional.interpolate(h, scale_factor=2) / 16
    h = h * slope_squared(maps)
    added = 4 * functional.avg_pool2d(below, 2)
    found[f"{name}.coefficient"] = (h * added**2).sum((0, 2, 3)).numpy()
    found[f"{name}.bias"] = h.sum((0, 2, 3)).numpy()
    return functional.interpolate(h, scale_factor=2) * w[f"{name}.coefficient"][:, None, None] ** 2
