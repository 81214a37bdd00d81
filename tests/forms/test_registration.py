"""Registration: a scan is laid onto the blank sheet however it lies, and what is no such sheet is told."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lenet5.forms.registration import FRAME, LEAST_QUALITY, Reference, Scan, register
from tests.forms.sheets import BOX, CELLS, SIZE, blank, filled, seen_through, turned

MM = FRAME / 297  # pixels of the frame, an A4 sheet


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.of(np.asarray(blank()))


def through(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    moved = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


PERSPECTIVE = np.array([[0.75, 0.05, 60], [-0.04, 0.8, 90], [6e-5, 5e-5, 1]])
WAYS = {
    "shifted": turned(0, shift=(14, -9)),
    "askew": turned(7.3),
    "sheared": np.array([[1.01, 0.012, 0], [-0.02, 0.99, 5], [0, 0, 1]]),
    "on its side": np.array([[0, -1, SIZE[1]], [1, 0, 0], [0, 0, 1.0]]),
    "upside down": turned(180.7),
    "printed at 75%": turned(0.5, 0.75, (40, -60)),
    "in perspective": PERSPECTIVE,
}


@pytest.mark.parametrize("way", WAYS)
def test_corners_of_cells_are_found_to_half_a_millimetre(way: str, reference: Reference) -> None:
    matrix = WAYS[way]
    size = SIZE[::-1] if way == "on its side" else SIZE
    scan = seen_through(filled(), matrix, size, table=110 if way == "in perspective" else 255)
    _, found = register(Scan.of(scan), [reference])
    assert found.quality > 0.8
    corners = np.array([(x, y) for box in (CELLS, BOX) for x in box[::2] for y in box[1::2]], float)
    scale = FRAME / SIZE[1]
    apart = through(np.linalg.inv(found.matrix), through(matrix, corners)) - corners * scale
    assert np.hypot(*apart.T).max() < 0.5 * MM


def test_a_shadow_and_noise_do_not_disturb(reference: Reference) -> None:
    scan = seen_through(filled(), PERSPECTIVE, table=110).astype(float)
    x = np.arange(SIZE[0])[None] + 0.3 * np.arange(SIZE[1])[:, None]
    shaded = scan * (1 - 0.5 / (1 + np.exp(-(x - 500) / 10))) + np.random.default_rng(0).normal(0, 4, scan.shape)
    _, found = register(Scan.of(np.clip(shaded, 0, 255).astype(np.uint8)), [reference])
    assert found.quality > 0.8


@pytest.mark.parametrize("other", ["blank page", "black page", "noise", "other form", "photo"])
def test_what_is_no_sheet_of_the_form_has_low_quality(other: str, reference: Reference) -> None:
    rng = np.random.default_rng(1)
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    if other == "black page":
        page = Image.new("L", SIZE, 3)
    elif other == "other form":
        for k in range(8):
            pencil.rectangle((120 + 60 * k, 500, 180 + 60 * k, 570), outline=0, width=2)
        pencil.text((80, 100), "Delivery note 2207 of the other firm", 0, font_size=30)
        pencil.text((80, 700), "Received with thanks; goods remain ours until paid.", 0, font_size=20)
    levels = np.asarray(page)
    if other == "noise":
        levels = rng.integers(0, 256, SIZE[::-1]).astype(np.uint8)
    elif other == "photo":
        small = rng.integers(0, 256, (12, 9)).astype(np.uint8)
        levels = np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC))
    _, found = register(Scan.of(levels), [reference])
    assert found.quality < LEAST_QUALITY


def test_the_form_of_several_that_a_sheet_is_of_is_found(reference: Reference) -> None:
    moved = Image.new("L", SIZE, 255)
    page = blank()
    moved.paste(page.crop((0, 0, SIZE[0], 220)), (0, 0))  # the same heading
    moved.paste(page.crop((0, 220, SIZE[0], 480)), (0, 420))  # its fields elsewhere
    moved.paste(page.crop((0, 860, SIZE[0], SIZE[1])), (0, 860))
    other = Reference.of(np.asarray(moved))
    for scan, expected in ((filled(), 0), (moved, 1)):
        number, found = register(Scan.of(seen_through(scan, turned(2))), [reference, other])
        assert number == expected
        assert found.quality > 0.8
    assert register(Scan.of(np.asarray(moved)), [reference])[1].quality < LEAST_QUALITY


@pytest.mark.parametrize("way", ["shifted", "askew", "upside down", "printed at 75%"])
def test_a_few_cells_on_white_paper_are_enough(way: str) -> None:
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    for k in range(6):
        pencil.rectangle((120 + 70 * k, 300, 190 + 70 * k, 380), outline=0, width=3)
    pencil.rectangle((120, 460, 400, 540), outline=0, width=3)
    reference = Reference.of(np.asarray(page))
    _, found = register(Scan.of(seen_through(page, WAYS[way])), [reference])
    assert found.quality > LEAST_QUALITY
    corners = np.array([(120, 300), (540, 300), (540, 380), (120, 380), (400, 540)], float)
    scale = FRAME / SIZE[1]
    apart = through(np.linalg.inv(found.matrix), through(WAYS[way], corners)) - corners * scale
    assert np.hypot(*apart.T).max() < 0.5 * MM
