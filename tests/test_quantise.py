"""Weights in a few bits: the levels of exports, and the rounding that training knows of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lenet5 import paper, weights
from lenet5.errors import WeightsError
from lenet5.learning.data import ImageSet, load
from lenet5.learning.objective import objective
from lenet5.learning.recipe import FAST
from lenet5.learning.train import Training
from lenet5.quantise import BITS, Rounding, levels, normal_step, rows, steps

LAYERS = ("c1", "c3", "c5", "f6")


@pytest.mark.parametrize("bits", [8, 4, 3])
def test_levels_are_within_half_a_step_and_use_the_highest(bits: int) -> None:
    array = np.random.default_rng(1).normal(0, 1, (7, 3, 5)).astype(np.float32)
    array[2] = 0
    level, step = levels(array, bits)
    assert np.abs(level * step[:, None, None] - array).max() <= step.max() / 2 * 1.0001
    assert (
        np.abs(np.delete(level, 2, axis=0).astype(int)).reshape(6, -1).max(axis=1).tolist() == [2 ** (bits - 1) - 1] * 6
    )
    assert not level[2].any()


@pytest.mark.parametrize("bits", BITS)
def test_no_step_near_the_normal_one_rounds_normal_numbers_better(bits: int) -> None:
    x, most = np.random.default_rng(0).normal(0, 1, 400_000), 2 ** (bits - 1) - 1

    def error(step: float) -> float:
        return float(np.square(np.clip(np.round(x / step), -most, most) * step - x).mean())

    best = error(normal_step(bits))
    assert all(error(normal_step(bits) * factor) > best for factor in (0.8, 0.9, 1.1, 1.25))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("layer", LAYERS)
def test_an_export_finds_the_rounded_weights_exactly(bits: int, layer: str) -> None:
    loaded = weights.load("lenet5-mnist")
    rounded = rows(layer, weights.arrays(loaded.network, Rounding(loaded.network, bits)(loaded.parameters)))
    level, step = levels(rounded, bits)
    np.testing.assert_allclose(level * step[:, None], rounded, rtol=3e-7)
    assert np.abs(level.astype(int)).max(axis=1).tolist() == [2 ** (bits - 1) - 1] * len(rounded)


def test_rounding_leaves_all_but_the_weights_as_they_are() -> None:
    loaded = weights.load("lenet5-mnist")
    before = loaded.parameters.copy()
    named = weights.arrays(loaded.network, Rounding(loaded.network, 4)(loaded.parameters))
    for name, array in weights.arrays(loaded.network, before).items():
        same = (array == named[name]).mean()
        assert same == 1 if name not in {f"{layer}.weight" for layer in LAYERS} else same < 0.1, name
    assert (loaded.parameters == before).all()


def test_weights_of_zero_stay_zero() -> None:
    assert not Rounding(paper.LENET5, 4)(np.zeros(60_000, np.float32)).any()


def test_the_rows_of_c3_are_the_maps_of_table_i() -> None:
    named = weights.arrays(paper.LENET5, np.arange(60_000, dtype=np.float32))
    by_map = rows("c3", named).reshape(16, 6, 25)
    for number, joined in enumerate(paper.TABLE_I):
        assert [k for k in range(6) if by_map[number, k].any()] == list(joined)
    assert by_map.sum() == named["c3.weight"].sum()
    assert (steps(rows("c3", named), 8) > 0).all()


def test_only_the_papers_network_is_rounded() -> None:
    with pytest.raises(WeightsError, match="only the paper's network is trained in 4 bits"):
        Rounding(paper.CONCISE, 4)


def trained(bits: int | None, passes: int = 6) -> tuple[weights.Weights, float]:
    """A short run on the embedded digits, and how many of their test part it errs on, in percent."""
    recipe = replace(FAST, passes=passes, bits=bits)
    digits, test = load("digits", "train"), load("digits", "test")
    assert isinstance(digits, ImageSet)
    assert isinstance(test, ImageSet)
    to_minimise = objective(recipe.network, recipe.criterion)
    training = Training(digits, recipe, to_minimise, seed=2)
    for _ in training:
        pass
    result = training.weights()
    from lenet5 import pixels

    penalty = to_minimise.penalties(result.parameters, pixels.network_input(recipe.network, test.images))
    return result, 100 * float((penalty.argmin(axis=1) != test.labels).mean())


def test_a_run_in_four_bits_learns_keeps_only_levels_and_says_so() -> None:
    exact, errors = trained(None)
    coarse, in_four_bits = trained(4)
    rounded_after = Rounding(exact.network, 4)(exact.parameters)
    named = weights.arrays(coarse.network, coarse.parameters)
    for layer in LAYERS:
        assert max(len(np.unique(row.round(7))) for row in rows(layer, named)) <= 15
    assert (exact.bits, coarse.bits) == (None, 4)
    assert in_four_bits <= errors + 3, (in_four_bits, errors)
    assert (rounded_after != coarse.parameters).any()


@pytest.mark.parametrize("bits", ["16", "four", ""])
def test_unknown_bits_are_one_line(bits: str) -> None:
    loaded = weights.load("lenet5-mnist")
    with pytest.raises(WeightsError, match=f"gives bits as {bits!r}, not 8 or 4"):
        _ = replace(loaded, metadata={"bits": bits}).bits
