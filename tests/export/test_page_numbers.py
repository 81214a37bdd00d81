"""What the page computes in JavaScript is what the package computes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader, describe, engine, paper, pixels, posterior, weights
from lenet5.codes import DIGITS
from lenet5.export.html import page
from lenet5.learning import data
from lenet5.normalise import is_normal, normalise
from lenet5.strokes import any_hand, any_pen, hold, ink_of
from tests.conftest import STROKES
from tests.export.conftest import Opened

pytestmark = pytest.mark.browser

Open = Callable[..., Opened]

BYTES = "(text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))"


def packed(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def images_of(name: str, n: int) -> NDArray[np.uint8]:
    found = data.load(name, "test")
    assert isinstance(found, data.ImageSet)
    return found.images[:n]


def forward(opened: Opened, network: str, images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], list[int]]:
    """Outputs (N, classes) and labels of the page, −1 where refused."""
    outputs, labels = opened.js(
        f"""([text, network]) => {{
            const bytes = ({BYTES})(text);
            const n = bytes.length / 784;
            const images = Array.from({{ length: n }}, (_, k) => bytes.subarray(784 * k, 784 * k + 784));
            return [
                images.map((image) => [...lenet5.forward(image, network).output]),
                images.map((image) => lenet5.answer(image, network).label),
            ];
        }}""",
        [packed(images), network],
    )
    return np.array(outputs), labels


def agrees(opened: Opened, network: str, images: NDArray[np.uint8]) -> None:
    loaded = weights.load(network)
    inputs = pixels.network_input(loaded.network, images)
    wanted = engine.forward(loaded.parameters, inputs, codes=loaded.codes)
    outputs, labels = forward(opened, network, images)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-3, atol=1e-3)
    assert labels == Reader(loaded).classify(images, views=1)[0].tolist()


@pytest.mark.parametrize("network", ["lenet5", "concise"])
def test_outputs_and_answers_are_the_engines(network: str, open_page: Open) -> None:
    rubbish = np.random.default_rng(3).integers(0, 256, (40, 28, 28)).astype(np.uint8)
    blank = np.zeros((1, 28, 28), np.uint8)
    agrees(open_page(), network, np.concatenate([images_of("digits", 300), rubbish, blank]))


def test_outputs_and_answers_to_1000_test_digits_of_mnist_are_the_engines(open_page: Open, real_data: Path) -> None:
    opened = open_page()
    for network in ("lenet5", "concise"):
        agrees(opened, network, images_of("mnist", 1000))


def test_every_layers_maps_are_the_engines(open_page: Open) -> None:
    image = images_of("digits", 3)[2:]
    opened = open_page()
    for network in paper.NETWORKS.values():
        loaded = weights.load(network.name)
        maps = engine.feature_maps(loaded.parameters, pixels.network_input(network, image), codes=loaded.codes)
        for layer, values in maps._asdict().items():
            found = opened.js(
                "([levels, network, layer]) => [...lenet5.forward(Uint8Array.from(levels), network)[layer]]",
                [image.ravel().tolist(), network.name, layer],
            )
            np.testing.assert_allclose(found, values.ravel(), rtol=1e-3, atol=1e-4, err_msg=f"{network.name} {layer}")


def test_probabilities_are_the_posteriors(open_page: Open) -> None:
    images, loaded = images_of("digits", 20), weights.load("lenet5")
    outputs = engine.forward(loaded.parameters, pixels.network_input(loaded.network, images), codes=loaded.codes)
    wanted = posterior.of_classes(outputs, loaded.classes, DIGITS, loaded.j, loaded.temperature)
    opened = open_page()
    found = [opened.js("(levels) => [...lenet5.answer(levels).all]", image.ravel().tolist()) for image in images]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_int8_answers_as_its_rounded_weights_do(open_page: Open, tmp_path: Path) -> None:
    from lenet5.quantise import levels

    file = tmp_path / "small.html"
    file.write_text(page(weights.load("lenet5"), int8=True), "utf-8")
    loaded = weights.load("lenet5")
    rounded = loaded.parameters.copy()
    for array in weights.arrays(loaded.network, rounded).values():
        if array.ndim > 1:
            level, step = levels(array)
            array[...] = level * step.reshape(-1, *[1] * (array.ndim - 1))
    images = images_of("digits", 100)
    wanted = engine.forward(rounded, pixels.network_input(loaded.network, images), codes=loaded.codes)
    outputs, _ = forward(open_page(url=file.as_uri()), "lenet5", images)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-3, atol=1e-3)


def drawings(n: int) -> list[NDArray[np.float32]]:
    """Crops of ink of digits by many hands and pens, 8 to 700 pixels tall, and hairlines and dots of ink."""
    generator = np.random.default_rng(11)
    crops = []
    for k in range(n - 4):
        strokes = [np.array(stroke, np.float32) / 100 for stroke in STROKES[str(k % 10)]]
        held = hold(strokes, any_hand(generator), generator)
        height = float(np.exp(generator.uniform(np.log(8), np.log(700 if k % 15 == 0 else 160))))
        ink = ink_of(held, height, any_pen(generator), generator) * np.float32(generator.uniform(0.3, 1))
        rows, columns = np.nonzero(ink > 0.05)
        crops.append(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    return [*crops, *(np.full(shape, 0.7, np.float32) for shape in ((1, 1), (40, 1), (2, 90), (150, 150)))]


def test_preparation_is_that_of_normalise_on_300_drawings(open_page: Open) -> None:
    crops = drawings(300)
    opened = open_page()
    found = np.array(
        [
            opened.js(
                f"""([text, rows, columns]) => {{
                    const bytes = ({BYTES})(text);
                    return [...lenet5.prepare(new Float32Array(bytes.buffer), rows, columns)];
                }}""",
                [packed(crop), *crop.shape],
            )
            for crop in crops
        ],
        np.uint8,
    ).reshape(-1, 28, 28)
    wanted = np.stack([normalise(crop) for crop in crops])
    difference = np.abs(found.astype(int) - wanted)
    assert difference.mean() <= 0.1
    assert difference.mean(axis=(1, 2)).max() <= 2
    reader = Reader()
    same = reader.classify(found, views=1)[0] == reader.classify(wanted, views=1)[0]
    assert same.mean() >= 0.997


def test_a_picture_in_mnists_form_is_used_as_it_is(open_page: Open) -> None:
    opened = open_page()
    for image in images_of("digits", 12):
        rgba = np.dstack([image] * 3 + [np.full_like(image, 255)])
        levels = opened.js("(rgba) => [...lenet5.digitOf(rgba, 28, 28).levels]", rgba.ravel().tolist())
        assert (levels == image.ravel().tolist()) == is_normal(image)


def test_counts_of_the_page_are_those_of_describe(open_page: Open) -> None:
    opened = open_page("#view=sizes&beside=1&lang=en")
    for network in paper.NETWORKS.values():
        counted = describe.describe(weights.load(network.name))
        rows = opened.page.locator(f"table[data-network={network.name}] tbody tr").all_inner_texts()
        assert len(rows) == len(counted.layers) + 1
        for row, layer in zip(rows, counted.layers, strict=False):
            for count in (layer.neurons, layer.parameters, layer.connections):
                assert f"{count:,}" in row.replace("\t", " ").split(), (row, count)
        assert f"{counted.parameters:,}" in rows[-1]
        assert f"{counted.connections:,}" in rows[-1]
        assert "✗" not in "".join(rows)
        for row in rows[:-1]:
            for formula in (cell for cell in row.split("\t") if "=" in cell):
                expression, total = formula.split("=")
                arithmetic = expression.replace("·", "*").replace(",", "")
                assert set(arithmetic) <= set("0123456789+*() ")
                assert eval(arithmetic) == int(total.replace(",", "")), formula
    published, more = paper.LENET5, len(weights.load("lenet5").classes) - 10
    row = opened.page.locator("table[data-network=lenet5] .total").inner_text()
    assert f"{published.parameters:,}" in row
    assert f"{published.connections:,}" in row
    total = published.connections + 84 * more
    assert f"{published.connections:,} + 84·{more} = {total:,}" in opened.text("#panel")


def test_the_sum_of_each_kind_of_unit_comes_to_its_value(open_page: Open) -> None:
    image = images_of("digits", 1)[0]
    opened = open_page()
    opened.js("(levels) => lenet5.see(levels)", image.ravel().tolist())
    for network, layer, map_ in (
        ("lenet5", "c1", 3), ("lenet5", "s2", 2), ("lenet5", "c3", 9), ("lenet5", "s4", 15), ("lenet5", "c5", 119),
        ("lenet5", "f6", 83), ("lenet5", "output", 9), ("concise", "c1", 3), ("concise", "s2", 2), ("concise", "c3", 9),
        ("concise", "s4", 15), ("concise", "c5", 119), ("concise", "f6", 83), ("concise", "output", 9),
    ):  # fmt: skip
        opened.js(
            """(hash) => new Promise((done) => {
                addEventListener("hashchange", () => requestAnimationFrame(done), { once: true });
                location.hash = hash;
            })""",
            f"#lang=en&beside=1&unit={network}.{layer}.{map_}.0.0",
        )
        opened.js("(levels) => lenet5.see(levels)", image.ravel().tolist())
        opened.settle()
        shown = opened.page.locator("#panel .formula code").all_inner_texts()
        maps = opened.js(
            "([levels, network, layer]) => [...lenet5.forward(levels, network)[layer]]",
            [image.ravel().tolist(), network, layer],
        )
        value = maps[
            map_ * (len(maps) // {"c1": 6, "s2": 6, "c3": 16, "s4": 16, "c5": 120, "f6": 84}.get(layer, len(maps)))
        ]
        last = [text for text in shown if not text.startswith("P(")][-1].rsplit("=", 1)[1]
        assert float(last.replace("−", "-")) == pytest.approx(value, abs=0.006), (network, layer, shown)
