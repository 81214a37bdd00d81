"""The exported C: it compiles everywhere without a warning and answers as the engine does."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import normalise, weights
from lenet5.errors import WeightsError
from lenet5.export.c import Source, source
from lenet5.export.c_compiled import CompiledC, code_bytes, compiled, compiler, require_engine_answers
from lenet5.export.onnx import LEVELS
from lenet5.export.reference import Reference, reference
from lenet5.learning import data
from lenet5.learning.method import OneCycleAdam
from lenet5.learning.objective import objective
from lenet5.learning.recipe import MODERN
from lenet5.learning.train import Training
from lenet5.quantise import levels

STRICT = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-Wdouble-promotion"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler is installed")


@pytest.fixture(scope="module", params=["float", "int8", "4 bits"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def int8(form: str) -> bool:
    return form != "float"


@pytest.fixture(scope="module")
def exported(form: str) -> weights.Weights:
    """The bundled weights; in 4 bits those of MNIST, trained a little further so on the embedded digits."""
    if form != "4 bits":
        return weights.load("lenet5")
    recipe = replace(MODERN, passes=10, bits=4, method=OneCycleAdam(0.001, averaging=0.9))
    digits = data.load("digits", "train")
    assert isinstance(digits, data.ImageSet)
    to_minimise = objective(recipe.network, recipe.criterion)
    training = Training(digits, recipe, to_minimise, start=weights.load("lenet5-mnist"))
    for _ in training:
        pass
    return training.weights()


@pytest.fixture(scope="module")
def written(exported: weights.Weights, int8: bool) -> Source:
    return source(exported, int8=int8)


@pytest.fixture(scope="module")
def library(written: Source) -> Iterator[CompiledC]:
    with compiled(written) as functions:
        yield functions


@pytest.fixture(scope="module")
def expected(exported: weights.Weights) -> Reference:
    return reference(exported)


def saved(written: Source, folder: Path) -> Path:
    (folder / "lenet5.h").write_text(written.header)
    (folder / "lenet5.c").write_text(written.source)
    return folder / "lenet5.c"


@pytest.mark.slow
@pytest.mark.parametrize("program", COMPILERS)
@pytest.mark.parametrize("language", ["c", "c++"])
def test_it_compiles_without_a_warning_and_passes_its_self_test(
    written: Source, program: str, language: str, tmp_path: Path
) -> None:
    path = saved(written, tmp_path)
    standard = "-std=c99" if language == "c" else "-std=c++11"
    command = [program, "-x", language, standard, *STRICT, "-O1", "-DLENET5_SELF_TEST", path, "-o", tmp_path / "test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    assert subprocess.run([tmp_path / "test"], check=False).returncode == 0


def test_it_needs_no_library_and_keeps_no_state(written: Source, tmp_path: Path) -> None:
    path = saved(written, tmp_path)
    assert re.findall(r"#include (\S+)", written.header + written.source) == ["<stdint.h>", '"lenet5.h"']
    subprocess.run([compiler() or "cc", "-std=c99", "-O2", "-c", path, "-o", tmp_path / "lenet5.o"], check=True)
    symbols = subprocess.run(["nm", tmp_path / "lenet5.o"], capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[-1]: line.split()[-2] for line in symbols.splitlines()}
    assert {name for name, kind in kinds.items() if kind == "T"} == {"lenet5_read", "lenet5_prepare"}
    assert not {name for name, kind in kinds.items() if kind in "DdBbC"}
    assert {name for name, kind in kinds.items() if kind == "U"} <= {"memset", "memcpy", "_GLOBAL_OFFSET_TABLE_"}


def test_the_stated_sizes_are_the_compilers(written: Source, form: str, tmp_path: Path) -> None:
    saved(written, tmp_path)
    check = (
        '#include "lenet5.h"\n'
        "int main(void) { return !(sizeof(lenet5_scratch) == LENET5_SCRATCH_BYTES"
        " && sizeof(lenet5_preparation) == LENET5_PREPARATION_BYTES); }"
    )
    (tmp_path / "sizes.c").write_text(check)
    subprocess.run([compiler() or "cc", tmp_path / "sizes.c", "-o", tmp_path / "sizes"], check=True)
    assert subprocess.run([tmp_path / "sizes"], check=False).returncode == 0
    sizes = {"uint8_t": 1, "int8_t": 1, "uint16_t": 2, "int32_t": 4, "float": 4}
    constants = re.findall(r"^static const (\w+) (?!test_)\w+((?:\[\d+\])+) =", written.source, re.MULTILINE)
    counted = sum(sizes[kind] * np.prod([int(n) for n in re.findall(r"\d+", shape)]) for kind, shape in constants)
    assert counted == written.constant_bytes
    most = {"int8": (62_500, 3_000), "4 bits": (32_500, 3_500)}.get(form, (250_000, 12_000))
    assert (written.constant_bytes, written.scratch_bytes) <= most
    assert written.scratch_bytes <= most[1]


def test_float_answers_are_the_engines(written: Source, library: CompiledC, expected: Reference, form: str) -> None:
    if form != "float":
        pytest.skip("8 and 4 bits have tests of their own")
    answers = library.read(expected.images)
    np.testing.assert_array_equal(answers.labels, expected.labels)
    np.testing.assert_allclose(answers.posterior, expected.posterior, atol=3e-5)
    np.testing.assert_allclose(answers.f6, expected.f6, atol=1e-5)
    require_engine_answers(weights.load("lenet5"), written, int8=False)


@pytest.mark.slow
def test_answers_of_rounded_weights_are_the_engines_of_the_same_weights(
    exported: weights.Weights, written: Source, library: CompiledC, expected: Reference, form: str
) -> None:
    require_engine_answers(exported, written, int8=form != "float")
    if form == "4 bits":  # one level of F6 is 1 / 74
        f6 = library.read(expected.images).f6 / LEVELS
        assert np.abs(f6 - expected.f6).mean() < 1 / LEVELS


def levels_in(written: str, layer: str, count: int) -> NDArray[np.intp]:
    """The numbers of a layer's weights in 8-bit source, so many rows."""
    body = re.search(rf"{layer}_weight(?:\[\d+\]){{2}} = \{{(.*?)\n\}};", written, re.DOTALL)
    assert body
    return np.array(re.findall(r"-?\d+", body[1]), int).reshape(count, -1)


@pytest.mark.parametrize(("layer", "count", "pruned"), [("c3", 60, slice(0, 3)), ("f6", 84, slice(5, 6))])
def test_a_unit_without_weights_leaves_the_others_their_levels(layer: str, count: int, pruned: slice) -> None:
    loaded = weights.load("lenet5-mnist")
    parameters = loaded.parameters.copy()
    weights.arrays(loaded.network, parameters)[f"{layer}.weight"][pruned] = 0
    without = levels_in(source(replace(loaded, parameters=parameters), int8=True).source, layer, count)
    before = levels_in(source(loaded, int8=True).source, layer, count)
    before[pruned] = 0
    np.testing.assert_array_equal(without, before)


def test_the_bytes_of_four_bits_hold_every_level(form: str, exported: weights.Weights, written: Source) -> None:
    if form != "4 bits":
        pytest.skip("of 4 bits alone")
    text = re.search(r"c5_weight\[120\]\[200\] = \{(.*?)\n\};", written.source, re.DOTALL)
    assert text
    held = np.array(re.findall(r"\d+", text[1].replace("two weights a byte", "")), np.uint8).reshape(120, 200)
    nibbles = np.stack([held & 15, held >> 4], axis=-1).reshape(120, 400).astype(int)
    signed = np.where(nibbles > 7, nibbles - 16, nibbles)
    level, _ = levels(weights.arrays(exported.network, exported.parameters)["c5.weight"].reshape(120, 400), 4)
    np.testing.assert_array_equal(signed, level)


def test_a_thousand_mnist_digits_are_read_as_by_the_engine(
    library: CompiledC, form: str, exported: weights.Weights, real_data: Path
) -> None:
    found = data.load("mnist", "test")
    assert isinstance(found, data.ImageSet)
    known = reference(exported, found.images[:1000])
    answers = library.read(known.images)
    different = np.count_nonzero(answers.labels != known.labels)
    assert different <= {"float": 0, "int8": 3, "4 bits": 10}[form]  # four: trained on few other digits


def test_weights_that_refuse_nothing_read_digits_as_the_engine_does_and_refuse_blank_paper(int8: bool) -> None:
    mnist = weights.load("lenet5-mnist")
    known = reference(mnist)  # the last two images are faint and blank
    with compiled(source(mnist, int8=int8)) as functions:
        answers = functions.read(known.images)
    assert np.count_nonzero(answers.labels[:360] != known.labels[:360]) <= (2 if int8 else 0)
    assert answers.labels[-2:].tolist() == known.labels[-2:].tolist() == [-1, -1]


def crops() -> list[NDArray[np.uint8]]:
    """Crops of digits, dark ink on white: drawn at several sizes, thin and thick."""
    digits = data.load("digits", "test")
    assert isinstance(digits, data.ImageSet)
    crops = []
    for k, size in enumerate((9, 14, 20, 31, 47, 80, 120, 200, 320)):
        image = digits.images[k].astype(np.float32)
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        for width in (size, max(3, size // 3)):
            enlarged = normalise.resize(ink, size, width)
            for thin in (0.0, 120.0):
                levels = np.clip((enlarged - thin) * (255 / (255 - thin)), 0, 255).round().astype(np.uint8)
                if levels.any():
                    crops.append(255 - levels)
    return crops


def test_a_prepared_crop_is_that_of_the_reader(library: CompiledC) -> None:
    different = []
    for crop in crops():
        ink = (255 - crop).astype(np.float32) / 255
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        expected = normalise.normalise(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        image = library.prepare(crop, paper=255, ink=0)
        assert image is not None
        different.append(int(np.abs(image.astype(int) - expected.astype(int)).max()))
    assert max(different) <= 2, different


def test_ink_may_be_light_and_blank_crops_give_blank_images(library: CompiledC) -> None:
    crop = crops()[8]
    dark, light = library.prepare(crop, paper=255, ink=0), library.prepare(255 - crop, paper=0, ink=255)
    np.testing.assert_array_equal(dark, light)
    assert library.prepare(np.full((30, 20), 200, np.uint8), paper=190, ink=40) is None
    assert library.prepare(np.full((30, 20), 200, np.uint8), paper=190, ink=190) is None
    labels = library.read(np.zeros((1, 28, 28), np.uint8)).labels
    assert labels.tolist() == [-1]


def test_c_is_written_of_the_papers_network_alone() -> None:
    with pytest.raises(WeightsError, match="of the paper's alone"):
        source(weights.load("concise"))


def test_the_command_writes_both_files_and_says_how_large(command: Callable[..., object], tmp_path: Path) -> None:
    outcome = command("export", "--format", "c", "--int8", "--output", tmp_path / "digits.c")
    assert outcome.status == 0, outcome  # type: ignore[attr-defined]
    assert re.search(r"constants 6\d,\d{3} bytes; scratch 2,804 bytes; code", outcome.err)  # type: ignore[attr-defined]
    assert '#include "digits.h"' in (tmp_path / "digits.c").read_text()
    assert (tmp_path / "digits.h").exists()
    assert command("export", "--format", "c", "--output", tmp_path / "digits").status == 2  # type: ignore[attr-defined]


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed")
def test_the_code_for_a_microcontroller_is_small(written: Source) -> None:
    assert 1_000 < (code_bytes(written) or 0) < 6_000
