"""The torch modules are the network of the paper, count by count and wire by wire."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lenet5 import Reader, WeightsError, engine, paper, pixels, weights
from lenet5.codes import code_array
from lenet5.network import ConciseLeNet5, LeNet5, squash

MODULES = {"lenet5": LeNet5, "concise": ConciseLeNet5}
PRETRAINED = [(LeNet5, "lenet5"), (LeNet5, "lenet5-mnist"), (ConciseLeNet5, "concise")]


@pytest.fixture
def module(network: paper.Network) -> LeNet5 | ConciseLeNet5:
    torch.manual_seed(3)
    return MODULES[network.name]()


@pytest.fixture
def lenet5() -> LeNet5:
    torch.manual_seed(3)
    return LeNet5()


def pictures(n: int, height: int = 32, width: int = 32) -> Tensor:
    return torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(1)) * 1.275 - 0.1


def test_the_parameters_stand_in_the_flat_vectors_order(network: paper.Network, module: LeNet5 | ConciseLeNet5) -> None:
    found = [(name, tuple(parameter.shape)) for name, parameter in module.named_parameters()]
    assert found == [(array.name, array.shape) for array in network.arrays]
    assert sum(parameter.numel() for parameter in module.parameters()) == network.parameters
    assert list(module.state_dict()) == [array.name for array in network.arrays]


def test_the_feature_maps_have_the_papers_shapes(network: paper.Network, module: LeNet5 | ConciseLeNet5) -> None:
    maps = module.feature_maps(pictures(2, *network.input_size))
    assert maps._fields == ("c1", "s2", "c3", "s4", "c5", "f6", "output")
    for layer, found in zip(network.layers, maps, strict=True):
        expected = (2, layer.maps, *layer.size) if found.ndim == 4 else (2, layer.maps)
        assert tuple(found.shape) == expected, layer.name
    assert maps.f6.ndim == maps.output.ndim == 2


def test_the_module_gives_what_the_numpy_engine_gives(network: paper.Network, module: LeNet5 | ConciseLeNet5) -> None:
    flat = torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy()
    x = pictures(5, *network.input_size)
    found = engine.forward(flat, x[:, 0].numpy())
    np.testing.assert_allclose(found, module(x).detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("k", range(16))
def test_a_c3_map_sees_only_the_s2_maps_that_table_i_gives_it(k: int, lenet5: LeNet5) -> None:
    s2 = torch.randn(1, 6, 14, 14, requires_grad=True)
    lenet5.c3(s2)[0, k].sum().backward()
    assert s2.grad is not None
    seen = s2.grad.abs().amax(dim=(0, 2, 3)).nonzero()[:, 0].tolist()
    assert tuple(seen) == paper.TABLE_I[k]


def test_c3s_kernels_follow_table_i_row_by_row(lenet5: LeNet5) -> None:
    s2 = torch.randn(1, 6, 14, 14)
    for k, kernel in zip((0, 6, 59), (0, 18, 59), strict=True):
        c3_maps, s2_maps = paper.table_pairs()
        c3, source = int(c3_maps[kernel]), int(s2_maps[kernel])
        with torch.no_grad():
            before = lenet5.c3(s2)
            lenet5.c3.weight[kernel] += 1
            change = lenet5.c3(s2) - before
            lenet5.c3.weight[kernel] -= 1
        summed = torch.nn.functional.conv2d(s2[:, source : source + 1], torch.ones(1, 1, 5, 5))
        torch.testing.assert_close(change[:, c3 : c3 + 1], summed, atol=1e-4, rtol=1e-4)
        change[:, c3] = 0
        assert change.abs().max() < 1e-5, k


def test_subsampling_adds_four_inputs_times_a_coefficient_plus_a_bias(lenet5: LeNet5) -> None:
    c1 = torch.randn(1, 6, 28, 28)
    found = lenet5.s2(c1)
    for k, row, column in [(0, 0, 0), (3, 5, 9), (5, 13, 13)]:
        four = c1[0, k, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].sum()
        expected = lenet5.s2.coefficient[k] * four + lenet5.s2.bias[k]
        torch.testing.assert_close(found[0, k, row, column], expected)


def test_every_layer_from_c1_to_f6_is_squashed(lenet5: LeNet5) -> None:
    maps = lenet5.feature_maps(pictures(1) * 1000)
    for name in ("c1", "s2", "c3", "s4", "c5", "f6"):
        assert getattr(maps, name).abs().max() <= 1.7159, name
    torch.testing.assert_close(maps.s2, squash(lenet5.s2(maps.c1)))


def test_the_squashing_function_is_eq_6() -> None:
    a = torch.tensor([0.0, 1.0, -1.0, 1e9], dtype=torch.float64)
    expected = [1.7159 * math.tanh(2 / 3 * x) for x in a.tolist()]
    torch.testing.assert_close(squash(a), torch.tensor(expected, dtype=torch.float64))


def test_the_output_is_the_squared_distance_to_each_code(lenet5: LeNet5) -> None:
    maps = lenet5.feature_maps(pictures(2))
    codes = torch.tensor(code_array())
    torch.testing.assert_close(maps.output, torch.cdist(maps.f6, codes).square(), atol=1e-3, rtol=1e-4)


def test_f6_showing_a_digits_picture_has_distance_0_to_it(lenet5: LeNet5) -> None:
    codes = torch.tensor(code_array())
    distances = lenet5.output(codes[:, :, None, None])[..., 0, 0]
    assert distances.diagonal().tolist() == [0] * 10
    assert distances[6, 8] == 4 * 12


@pytest.mark.parametrize(("height", "width"), [(32, 48), (44, 36), (33, 35), (40, 40)])
def test_a_larger_picture_gives_the_answers_to_its_windows_4_pixels_apart(
    height: int, width: int, lenet5: LeNet5
) -> None:
    x = pictures(2, height, width)
    with torch.no_grad():
        grid = lenet5(x)
        rows, columns = (height - 28) // 4, (width - 28) // 4
        if (rows, columns) == (1, 1):
            assert grid.shape == (2, 10)
            grid = grid[..., None, None]
        assert grid.shape == (2, 10, rows, columns)
        for row in range(rows):
            for column in range(columns):
                window = x[:, :, 4 * row : 4 * row + 32, 4 * column : 4 * column + 32]
                torch.testing.assert_close(grid[:, :, row, column], lenet5(window), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 3, 32, 32), (1, 1, 31, 32), (1, 1, 32, 28), (32, 32)])
def test_lenet5_refuses_what_is_no_picture_of_32x32_or_more(shape: tuple[int, ...], lenet5: LeNet5) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        lenet5(torch.zeros(shape))


def test_the_concise_network_takes_pictures_and_rows() -> None:
    module = ConciseLeNet5()
    x = torch.rand(3, 1, 28, 28)
    assert module(x).shape == (3, 10)
    torch.testing.assert_close(module(x.view(3, 784)), module(x))


def test_the_concise_network_is_the_tutorials_sequential() -> None:
    from torch import nn

    tutorial = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2, 2), nn.Conv2d(6, 16, 5), nn.Sigmoid(),
        nn.AvgPool2d(2, 2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, 10),
    )  # fmt: skip
    module = ConciseLeNet5()
    for ours, theirs in zip(module.parameters(), tutorial.parameters(), strict=True):
        theirs.data.copy_(ours.data)
    x = torch.rand(4, 1, 28, 28)
    torch.testing.assert_close(module(x), tutorial(x))


def test_lenet5s_initial_weights_are_within_2_4_over_fan_in(lenet5: LeNet5) -> None:
    for array in paper.LENET5.arrays:
        values = lenet5.get_parameter(array.name).detach().numpy()
        bound = 2.4 / np.broadcast_to(np.reshape(array.fan_in, (-1, *[1] * (values.ndim - 1))), values.shape)
        assert (np.abs(values) <= bound * 1.000001).all(), array.name
        assert np.abs(values / bound).max() > 0.5, array.name


def test_torchs_seed_decides_the_initial_weights(network: paper.Network, module: LeNet5 | ConciseLeNet5) -> None:
    torch.manual_seed(3)
    again = MODULES[network.name]()
    torch.manual_seed(4)
    other = MODULES[network.name]()
    assert torch.equal(again.c5.weight, module.c5.weight)
    assert not torch.equal(other.c5.weight, module.c5.weight)


@pytest.mark.parametrize("name", MODULES)
def test_the_bundled_weights_load_into_the_module_by_name(name: str) -> None:
    bundled = weights.load(name)
    module = MODULES[name]()
    named = weights.arrays(bundled.network, bundled.parameters)
    module.load_state_dict({key: torch.from_numpy(array) for key, array in named.items()})
    x = pictures(2, *bundled.network.input_size)
    expected = engine.forward(bundled.parameters, x[:, 0].numpy())
    np.testing.assert_allclose(module(x).detach(), expected, rtol=1e-3, atol=1e-3)


def test_cross_entropy_of_minus_the_distances_trains_every_parameter(lenet5: LeNet5) -> None:
    loss = torch.nn.functional.cross_entropy(-lenet5(pictures(4)), torch.tensor([0, 1, 2, 3]))
    loss.backward()
    for name, parameter in lenet5.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(("module_class", "name"), PRETRAINED)
def test_a_pretrained_module_gives_the_engines_outputs_for_real_digits(
    module_class: type[LeNet5 | ConciseLeNet5], name: str, mnist_form: NDArray[np.uint8]
) -> None:
    bundled = weights.load(name)
    x = pixels.network_input(bundled.network, mnist_form)
    codes = bundled.codes if bundled.network is paper.LENET5 else None
    expected = engine.forward(bundled.parameters, x, codes=codes)
    with torch.no_grad():
        outputs = module_class.pretrained(name)(torch.from_numpy(x)[:, None])
    assert outputs.shape == (len(x), len(bundled.classes))
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-3)


def test_pretrained_takes_the_readers_weights_and_the_concise_network_its_own() -> None:
    for network, bundled in ((LeNet5.pretrained(), Reader().weights), (ConciseLeNet5.pretrained(), "concise")):
        expected = weights.load(bundled) if isinstance(bundled, str) else bundled
        found = torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy()
        np.testing.assert_array_equal(found, expected.parameters)


@pytest.mark.parametrize(("module_class", "name"), PRETRAINED)
def test_pretrained_takes_a_name_a_file_and_loaded_weights_alike(
    module_class: type[LeNet5 | ConciseLeNet5], name: str, tmp_path: Path
) -> None:
    loaded = weights.load(name)
    loaded.save(tmp_path / "stored.safetensors")
    x = pictures(2, *loaded.network.input_size)
    with torch.no_grad():
        expected = module_class.pretrained(name)(x)
        for source in (str(tmp_path / "stored.safetensors"), tmp_path / "stored.safetensors", loaded):
            assert torch.equal(module_class.pretrained(source)(x), expected)


@pytest.mark.parametrize(("module_class", "name"), PRETRAINED)
def test_a_pretrained_module_is_in_eval_mode_and_can_be_trained_on_without_changing_the_weights_it_came_from(
    module_class: type[LeNet5 | ConciseLeNet5], name: str
) -> None:
    loaded = weights.load(name)
    before = loaded.parameters.copy()
    module = module_class.pretrained(loaded)
    assert not any(part.training for part in module.modules())
    assert all(parameter.requires_grad for parameter in module.parameters())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1)
    np.testing.assert_array_equal(loaded.parameters, before)


@pytest.mark.parametrize("module_class", MODULES.values())
def test_a_wrong_name_is_one_line_that_lists_the_bundled_ones(module_class: type[LeNet5 | ConciseLeNet5]) -> None:
    with pytest.raises(WeightsError) as caught:
        module_class.pretrained("lenet-5")
    assert str(caught.value) == (
        f"no weights at lenet-5: give a .safetensors file or one of {', '.join(weights.BUNDLED)}"
    )


@pytest.mark.parametrize(
    ("module_class", "name", "other"),
    [
        (LeNet5, "concise", "ConciseLeNet5"),
        (ConciseLeNet5, "lenet5", "LeNet5"),
        (ConciseLeNet5, "lenet5-mnist", "LeNet5"),
    ],
)
def test_weights_of_the_other_network_are_refused_with_the_name_of_its_module(
    module_class: type[LeNet5 | ConciseLeNet5], name: str, other: str
) -> None:
    with pytest.raises(WeightsError, match=rf"^{name} holds .*, not .*: load them with {other}\.pretrained$"):
        module_class.pretrained(name)


@pytest.mark.parametrize("name", weights.BUNDLED)
def test_from_module_and_pretrained_are_exact_both_ways(name: str, tmp_path: Path) -> None:
    loaded = weights.load(name)
    module_class = LeNet5 if loaded.network is paper.LENET5 else ConciseLeNet5
    module = module_class.pretrained(loaded)
    again = weights.from_module(module, loaded.metadata)
    assert again.parameters.tobytes() == loaded.parameters.tobytes()
    assert (again.network, dict(again.metadata)) == (loaded.network, dict(loaded.metadata))
    again.save(tmp_path / "again.safetensors")
    back = module_class.pretrained(tmp_path / "again.safetensors")
    for parameter, other in zip(module.parameters(), back.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_a_module_trained_in_pytorch_is_saved_for_the_reader(tmp_path: Path) -> None:
    module = LeNet5("0123456789/")
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)
    module(torch.rand(4, 1, 32, 32)).sum().backward()
    optimizer.step()
    trained = weights.from_module(module, {"recipe": "mine"}, name="mine")
    assert (trained.classes, trained.metadata["recipe"], trained.name) == ("0123456789/", "mine", "mine")
    before = trained.parameters.copy()
    optimizer.step()  # the weights are a copy
    np.testing.assert_array_equal(trained.parameters, before)
    trained.save(tmp_path / "mine.safetensors")
    labels, _ = Reader(tmp_path / "mine.safetensors").classify(np.full((1, 28, 28), 90, np.uint8))
    assert labels.shape == (1,)


def test_from_module_refuses_what_no_weights_file_can_hold() -> None:
    with pytest.raises(WeightsError, match="has not the parameters of lenet5 or concise"):
        weights.from_module(torch.nn.Linear(2, 2))
    with pytest.raises(WeightsError, match=r"should be float32 \(6, 1, 5, 5\), but is float64"):
        weights.from_module(LeNet5().double())
    broken = LeNet5()
    with torch.no_grad():
        broken.c5.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(WeightsError, match="NaN"):
        weights.from_module(broken)
