"""The facts, held against the paper's own arithmetic."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from lenet5 import paper
from lenet5.codes import code_array


@pytest.mark.parametrize(
    ("network", "parameters", "connections"), [(paper.LENET5, 60_000, 340_908), (paper.CONCISE, 61_706, 429_342)]
)
def test_the_layers_add_up_to_the_published_totals(network: paper.Network, parameters: int, connections: int) -> None:
    assert sum(layer.parameters for layer in network.layers) == network.parameters == parameters
    assert sum(layer.connections for layer in network.layers) == network.connections == connections
    assert sum(math.prod(array.shape) for array in network.arrays) == parameters


def test_each_row_of_the_layer_table_is_the_papers() -> None:
    rows = [(row.name, row.maps, row.size, row.neurons, row.parameters, row.connections) for row in paper.LENET5.layers]
    assert rows == [
        ("C1", 6, (28, 28), 4_704, 156, 122_304),
        ("S2", 6, (14, 14), 1_176, 12, 5_880),
        ("C3", 16, (10, 10), 1_600, 1_516, 151_600),
        ("S4", 16, (5, 5), 400, 32, 2_000),
        ("C5", 120, (1, 1), 120, 48_120, 48_120),
        ("F6", 84, (1, 1), 84, 10_164, 10_164),
        ("output", 10, (1, 1), 10, 0, 840),
    ]


def test_each_layers_arrays_hold_its_parameters(network: paper.Network) -> None:
    for layer in network.layers:
        sizes = [math.prod(a.shape) for a in network.arrays if a.name.startswith(f"{layer.name.lower()}.")]
        assert sum(sizes) == layer.parameters
        assert layer.neurons == layer.maps * math.prod(layer.size)


def test_table_i_is_the_papers_and_not_the_one_that_circulates() -> None:
    published = "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
    assert ["".join(map(str, maps)) for maps in paper.TABLE_I] == published.split()


def test_table_i_feeds_c3_1516_parameters() -> None:
    assert sum(25 * len(maps) + 1 for maps in paper.TABLE_I) == 1_516
    assert np.bincount(np.concatenate(paper.TABLE_I)).tolist() == [10] * 6


def test_the_pairs_follow_table_i_in_order() -> None:
    c3_maps, s2_maps = paper.table_pairs()
    assert len(c3_maps) == len(s2_maps) == 60
    rebuilt = [tuple(s2_maps[c3_maps == k].tolist()) for k in range(16)]
    assert tuple(rebuilt) == paper.TABLE_I
    assert (np.diff(c3_maps) >= 0).all()


def test_c3s_fan_in_is_each_maps_own() -> None:
    (weight,) = (array for array in paper.LENET5.arrays if array.name == "c3.weight")
    (bias,) = (array for array in paper.LENET5.arrays if array.name == "c3.bias")
    assert bias.fan_in == (75,) * 6 + (100,) * 9 + (150,)
    assert weight.fan_in == tuple(bias.fan_in[k] for k in paper.table_pairs()[0])


def test_the_codes_are_ten_pictures_7_wide_and_12_high() -> None:
    assert len(paper.CODES) == 10
    for code in paper.CODES:
        rows = code.split("\n")
        assert [len(row) for row in rows] == [7] * 12
        assert set(code) == {"#", ".", "\n"}


def test_the_code_of_a_one_shows_a_one() -> None:
    assert paper.CODES[1].split("\n")[:10] == [
        "...##..", "..###..", ".####..", "...##..", "...##..", "...##..", "...##..", "...##..", "...##..", ".######",
    ]  # fmt: skip


def test_the_code_array_is_the_pictures_read_line_by_line() -> None:
    codes = code_array()
    assert (codes.shape, codes.dtype) == ((10, 84), np.float32)
    assert set(np.unique(codes)) == {-1, 1}
    drawn = ["\n".join("".join(".#"[int(x > 0)] for x in row) for row in code.reshape(12, 7)) for code in codes]
    assert tuple(drawn) == paper.CODES


def test_6_and_8_are_the_closest_pair_12_pixels_apart() -> None:
    codes = code_array()
    apart = {(a, b): int((codes[a] != codes[b]).sum()) for a, b in combinations(range(10), 2)}
    assert min(apart, key=apart.__getitem__) == (6, 8)
    assert apart[6, 8] == 12
    assert sorted(apart.values())[1] > 12


def test_the_squashing_function_maps_1_to_1() -> None:
    at_one = paper.SQUASHING_AMPLITUDE * math.tanh(paper.SQUASHING_SLOPE)
    assert at_one == pytest.approx(1, abs=1e-4)


def test_a_vectors_length_says_which_network_it_is(network: paper.Network) -> None:
    assert paper.network_of_length(network.parameters) is network
