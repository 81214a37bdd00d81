"""What a reader answers: digits, lines and pages in any picture, their boxes, and nothing where nothing stands."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

import lenet5
from lenet5 import ArrayError, Box, Digit, PictureError, Reader, Reading, WeightsError, paper, weights
from lenet5.learning.data import ImageSet, load
from tests.reading.test_ink import BLANK, FLAT, rough

Levels = NDArray[np.float32]

DIGITS = "0123456789"


def only(reading: Reading) -> Digit:
    ((digit,),) = reading.lines
    assert isinstance(digit, Digit)
    return digit


@pytest.mark.parametrize("label", DIGITS)
def test_each_drawn_digit_is_read_with_confidence(label: str, reader: Reader, draw: Callable[..., Image.Image]) -> None:
    digit = only(reader.read(draw(label), layout="digit"))
    assert digit.label == label
    assert digit.confidence > 0.9


def test_a_digit_tells_its_box_and_image(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    reading = reader.read(draw("7"), layout="digit")
    digit = only(reading)
    assert (reading.text, reading.confidence, reading.digits) == ("7", digit.confidence, (digit,))
    shown = ImageOps.invert(draw("7")).getbbox()
    assert shown is not None
    assert np.abs(np.subtract(digit.box.to_json(), shown)).max() <= 2
    assert digit.image.shape == (28, 28)
    assert digit.image.dtype == np.uint8
    assert digit.image.max() > 200


def test_a_doubtful_digit_tells_its_alternatives(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    digit = only(reader.read(ImageChops.darker(draw("3"), draw("0")), layout="digit"))
    labels, chances = zip(*digit.alternatives, strict=True)
    assert set(labels) <= {*DIGITS, "?"} - {digit.label}
    assert list(chances) == sorted(chances, reverse=True)
    assert digit.confidence + sum(chances) == pytest.approx(1, abs=0.006)


def holders(image: Image.Image, folder: Path) -> dict[str, object]:
    """The same picture in every way that a picture is passed or stored."""
    grey = np.asarray(image)
    png = io.BytesIO()
    image.save(png, "PNG")
    (folder / "digit.png").write_bytes(png.getvalue())
    held: dict[str, object] = {
        "path": folder / "digit.png",
        "text path": str(folder / "digit.png"),
        "bytes": png.getvalue(),
        "PIL image": image,
        "colour": image.convert("RGB"),
        "alpha": image.convert("RGBA"),
        "palette": image.convert("P"),
        "CMYK": image.convert("RGB").convert("CMYK"),
        "uint8": grey,
        "uint16": grey.astype(np.uint16) * 257,
        "float": grey / 255,
        "(H, W, 3)": np.repeat(grey[..., None], 3, axis=2),
        "white on black": 255 - grey,
        "black on transparent": np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey]),
        "white on transparent": np.dstack([np.full((*grey.shape, 3), 255, np.uint8), 255 - grey]),
    }
    files: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("16-bit.png", Image.fromarray(grey.astype(np.uint16) * 257), {}),
        ("float.tiff", Image.fromarray(grey.astype(np.float32) / 255), {}),
        ("cmyk.tiff", image.convert("RGB").convert("CMYK"), {}),
        ("animated.gif", image, {"save_all": True, "append_images": [Image.new("L", image.size, 255)]}),
    ]
    for name, stored, options in files:
        stored.save(folder / name, **options)
        held[name] = folder / name
    return held


def test_the_same_picture_gives_the_same_digit_whatever_holds_it(
    reader: Reader, draw: Callable[..., Image.Image], tmp_path: Path
) -> None:
    drawn = draw("5")
    expected = only(reader.read(drawn, layout="digit"))
    for name, held in holders(drawn, tmp_path).items():
        digit = only(reader.read(held, layout="digit"))  # type: ignore[arg-type]
        assert digit.label == expected.label, name
        assert np.abs(np.subtract(digit.box.to_json(), expected.box.to_json())).max() <= 1, name
        assert digit.confidence == pytest.approx(expected.confidence, abs=0.02), name


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_box_is_in_the_picture_as_shown_after_exif_rotation(
    orientation: int, reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    shown = draw("4").crop((0, 0, 160, 200))
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    shown.transpose(turn).save(file, "PNG", exif=exif)
    digit = only(reader.read(file.getvalue(), layout="digit"))
    assert digit == only(reader.read(shown, layout="digit"))


@pytest.mark.parametrize("label", ["2", "5", "8"])
@pytest.mark.parametrize("polarity", ["dark", "light"])
@pytest.mark.parametrize(
    ("side", "place", "scale"),
    [(28, (-1, -1), 0.3), (64, (5, 3), 0.5), (400, (0, 0), 1.2), (400, (180, 150), 2.0), (1500, (900, 30), 5.0)],
    ids=["28 pixels", "64 pixels", "top left", "bottom right", "1,500 pixels"],
)
def test_a_digit_is_read_at_any_size_and_place(
    label: str,
    polarity: str,
    side: int,
    place: tuple[int, int],
    scale: float,
    reader: Reader,
    draw: Callable[..., Image.Image],
) -> None:
    image = draw(label, side=side, place=place, scale=scale)
    shown = image if polarity == "dark" else ImageOps.invert(image)
    digit = only(reader.read(shown, layout="digit"))
    assert digit.label == label
    extent = ImageOps.invert(image).getbbox()
    assert extent is not None
    assert np.abs(np.subtract(digit.box.to_json(), extent)).max() <= max(2, side // 100)


def test_a_large_picture_is_read_and_noted(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    reading = reader.read(draw("3", side=4200, place=(1000, 900), scale=20), layout="digit")
    assert reading.text == "3"
    assert len(reading.notes) == 1
    assert only(reading).box.left == pytest.approx(1000 + 20 * 24.5, abs=60)


@pytest.mark.parametrize("grey", FLAT.values(), ids=FLAT.keys())
def test_a_blank_picture_as_a_digit_is_refused(grey: Levels, reader: Reader) -> None:
    reading = reader.read(np.clip(grey, 0, 1), layout="digit")
    assert reading.text == "?"
    assert only(reading).box == Box(0, 0, grey.shape[1], grey.shape[0])


@pytest.mark.parametrize("grey", BLANK.values(), ids=BLANK.keys())
@pytest.mark.parametrize("layout", ["auto", "page"])
def test_in_a_blank_picture_nothing_is_read_in_whatever_light(grey: Levels, layout: str, reader: Reader) -> None:
    assert reader.read(np.clip(grey, 0, 1), layout=layout).lines == ()


@pytest.mark.parametrize("amount", [0.005, 0.01, 0.02])
def test_on_rough_paper_nothing_is_read(amount: float, reader: Reader) -> None:
    assert reader.read(np.clip(rough((300, 400), amount), 0, 1)).lines == ()


def test_a_digit_less_sure_than_asked_for_is_refused_and_stays_an_alternative(
    reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    digit = only(reader.read(draw("8"), layout="digit", min_confidence=1.0))
    assert digit.label == "?"
    assert digit.alternatives[0][0] == "8"
    assert only(reader.read(draw("8"), layout="digit", min_confidence=0.5)).label == "8"


@pytest.mark.parametrize("layout", ["word", "", None])
def test_an_unknown_layout_is_refused_by_name(layout: str, reader: Reader) -> None:
    with pytest.raises(ArrayError, match="layout must be one of auto, digit, line, page"):
        reader.read(np.zeros((9, 9), np.uint8), layout=layout)


def test_what_cannot_be_opened_raises_a_picture_error(reader: Reader) -> None:
    with pytest.raises(PictureError):
        reader.read(b"seven", layout="digit")


def test_reading_does_not_change_the_array_it_is_given(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    array = np.array(draw("6"))
    before = array.copy()
    reader.read(array, layout="digit")
    assert (array == before).all()


def test_a_reading_is_the_same_each_time(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    first, second = (reader.read(draw("9"), layout="digit") for _ in range(2))
    assert first == second


# --- classify ---


@pytest.fixture(scope="module")
def embedded() -> ImageSet:
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    return found


def test_classify_gives_a_label_and_a_probability_for_each_image(reader: Reader, embedded: ImageSet) -> None:
    labels, confidences = reader.classify(embedded.images)
    assert labels.dtype == np.int8
    assert confidences.dtype == np.float32
    assert labels.shape == confidences.shape == (360,)
    assert set(labels.tolist()) <= set(range(-1, 10))
    assert confidences.min() > 0
    assert confidences.max() <= 1
    assert (labels == embedded.labels).mean() > 0.8  # trained on other hands, scanned far more finely


def test_classify_of_one_image_at_a_time_is_classify_of_all(reader: Reader, embedded: ImageSet) -> None:
    labels, confidences = reader.classify(embedded.images[:20])
    for k in range(20):
        label, confidence = reader.classify(embedded.images[k : k + 1])
        assert label[0] == labels[k]
        assert confidence[0] == pytest.approx(confidences[k], abs=1e-4)


def test_classify_refuses_images_without_ink(reader: Reader) -> None:
    labels, confidences = reader.classify(np.zeros((2, 28, 28), np.uint8))
    assert labels.tolist() == [-1, -1]
    assert confidences.tolist() == [1, 1]


def test_classify_of_no_images_is_empty(reader: Reader) -> None:
    labels, confidences = reader.classify(np.zeros((0, 28, 28), np.uint8))
    assert labels.shape == confidences.shape == (0,)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 32, 32), np.uint8),
        np.zeros((1, 28, 28), np.float32),
        np.zeros((1, 1, 28, 28), np.uint8),
    ],
    ids=lambda images: f"{images.dtype} {images.shape}",
)
def test_classify_refuses_other_shapes_and_types(images: NDArray[np.uint8], reader: Reader) -> None:
    with pytest.raises(ArrayError):
        reader.classify(images)


def test_classify_of_mnists_test_images_is_nearly_always_right(reader: Reader, real_data: Path) -> None:
    found = load("mnist", "test")
    assert isinstance(found, ImageSet)
    labels, _ = reader.classify(found.images[:1000])
    assert (labels == found.labels[:1000]).mean() > 0.97


# --- weights ---


def test_a_reader_takes_a_file_of_weights(tmp_path: Path, draw: Callable[..., Image.Image]) -> None:
    path, named = tmp_path / "copy.safetensors", Reader("lenet5-mnist")
    named.weights.save(path)
    assert Reader(path).read(draw("2"), layout="digit") == named.read(draw("2"), layout="digit")


def test_a_reader_without_its_weights_says_which_are_bundled(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="lenet5, lenet5-mnist"):
        Reader(tmp_path / "none.safetensors")


def test_untrained_weights_still_answer(network: paper.Network, draw: Callable[..., Image.Image]) -> None:
    drawn = weights.initial(network, np.random.default_rng(0))
    digit = only(Reader(weights.Weights(network, drawn)).read(draw("2"), layout="digit"))
    assert digit.label in DIGITS
    assert 0 < digit.confidence <= 1


def test_the_package_offers_the_reader_by_name() -> None:
    assert lenet5.Reader is Reader
    assert all(hasattr(lenet5, name) for name in lenet5.__all__)
    with pytest.raises(AttributeError):
        lenet5.Writer  # noqa: B018


@pytest.mark.parametrize("shape", [(6, 2000), (24, 9000), (2000, 6), (3, 3)])
def test_thin_strips_with_a_mark_do_not_crash_any_layout(shape: tuple[int, int], reader: Reader) -> None:
    strip = np.full(shape, 230, np.uint8)
    strip[shape[0] // 3 : 2 * shape[0] // 3, shape[1] // 2 : shape[1] // 2 + 3] = 20
    for layout in ("digit", "line", "page", "auto"):
        assert 0 <= reader.read(strip, layout=layout).confidence <= 1


def test_a_line_with_refused_digits_is_as_unsure_as_they_are(reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [[0, 1, 2, 3, 4]])
    sure = reader.read(page, "line")
    least = float(np.nextafter(min(digit.confidence for digit in sure.digits), 1))
    refused = reader.read(page, "line", min_confidence=least)
    assert refused.text.count("?") == 1
    assert refused.text.replace("?", "") == "".join(d.label for d in sure.digits if d.confidence >= least)
    assert 0 <= refused.confidence < 0.5 * sure.confidence


@pytest.mark.parametrize("least", [0.5, 0.9, 0.999999, 1.0])
def test_whatever_is_refused_a_confidence_is_a_probability(least: float, reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [[0, 1, 2, 3, 4], [5, 6, 7]])
    for layout in ("digit", "line", "page"):
        reading = reader.read(page, layout, min_confidence=least)
        assert 0 <= reading.confidence <= 1
        for digit in reading.digits:
            assert 0 <= digit.confidence <= 1
            assert digit.label == "?" or digit.confidence >= least


def test_the_image_of_a_digit_is_what_reading_saw(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    grey = np.asarray(draw("5", side=160, scale=1.5), np.float32) / 255
    noise = np.random.default_rng(1).random(grey.shape)
    noisy = np.where(noise < 0.04, 0, np.where(noise < 0.08, 1, grey)).astype(np.float32)
    (digit,) = reader.read(noisy, "digit").digits
    assert digit.label == "5"
    assert (reader.image(noisy) == digit.image).all()


def ruled(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = grey.copy()
    for row in range(35, 400, 70):
        grey[row : row + 2] *= 0.75
    return grey


def squared(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = ruled(grey)
    for column in range(20, 500, 70):
        grey[:, column : column + 2] *= 0.75
    return grey


def shaded(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    return np.asarray(grey * np.where(x + y / 3 > 420, 0.6, 1), np.float32)


def framed(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = grey.copy()
    cv2.rectangle(grey, (70, 40), (350, 340), 0.3, 3)
    return grey


def on_a_table(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    turn = cv2.getRotationMatrix2D((250, 200), 6, 0.75)
    size = grey.shape[::-1]
    sheet = cv2.warpAffine(np.ones_like(grey), turn, size)
    return np.asarray(cv2.warpAffine(grey, turn, size) * sheet + 0.25 * (1 - sheet), np.float32)


def finely_squared(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    lines = ((y + x // 40) % 25 < 2) | ((x - y // 40) % 25 < 2)
    return np.asarray(grey * np.where(lines, 0.8, 1), np.float32)


def captioned(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    word = cv2.putText(np.zeros(grey.shape, np.uint8), "Room", (150, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3)
    return np.asarray(grey * (1 - 0.8 * (word > 0)), np.float32)


PAPERS = (ruled, squared, finely_squared, framed, on_a_table, shaded, captioned)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.__name__)
@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_one_digit_in_a_photo_is_read_whatever_it_is_written_on(
    paper: Callable[[Levels], Levels], layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    answers = []
    for digit in DIGITS:
        drawn = np.full((400, 500), 0.85, np.float32)
        drawn[60:320, 90:350] *= 0.2 + 0.8 * np.asarray(draw(digit, side=260, scale=2.5, pen=14), np.float32) / 255
        drawn += np.random.default_rng(2).normal(0, 0.01, drawn.shape).astype(np.float32)
        answers.append(reader.read(np.clip(paper(drawn), 0, 1), layout).text)
    fewest = 5 if paper is captioned else 8  # a letter just above the digit may be taken for a part of it
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= fewest, answers


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
@pytest.mark.parametrize("text", ["12", "2013", "7410123"])
def test_ones_of_a_line_cropped_to_its_ink_are_read(
    text: str, layout: str, write: Callable[..., Image.Image], reader: Reader
) -> None:
    line = write(text, pen=4)
    box = ImageOps.invert(line).getbbox()
    assert box is not None
    cropped = ImageOps.expand(line.crop(box), 3, 255).resize(
        [2 * (side + 6) for side in (box[2] - box[0], box[3] - box[1])]
    )
    assert reader.read(cropped, layout).text == text


def test_a_digit_in_a_cell_of_which_one_side_is_seen_is_read(draw: Callable[..., Image.Image], reader: Reader) -> None:
    cell = np.full((64, 64), 0.8, np.float32)
    cell[6:58, 8:60] *= 0.15 + 0.85 * np.asarray(draw("8", side=52, scale=0.5, pen=4), np.float32) / 255
    cell[:7] = 0.1
    assert [reader.read(cell, layout).text for layout in ("digit", "auto")] == ["8", "8"]


def test_a_number_in_a_tiny_picture_is_no_refused_digit(write: Callable[..., Image.Image], reader: Reader) -> None:
    number = write("73")
    box = ImageOps.invert(number).getbbox()
    assert box is not None
    tiny = ImageOps.expand(number.crop(box), 20, 255).resize((60, 44), Image.Resampling.BOX)
    assert reader.read(tiny).text == "73"
    assert len(reader.read(tiny, "digit").digits) == 1


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
def test_ones_between_two_printed_lines_are_read(
    layout: str, write: Callable[..., Image.Image], reader: Reader
) -> None:
    number = write("1213141", pen=7)
    box = ImageOps.invert(number).getbbox()
    assert box is not None
    strip = np.pad(np.asarray(number.crop(box).resize((820, 96))), ((12, 12), (40, 40)), constant_values=255).copy()
    strip[2:5] = strip[-5:-2] = 60
    assert reader.read(strip, layout).text == "1213141"


# --- where a digit is, whatever lies beside it ---


def small(draw: Callable[..., Image.Image], digit: str) -> tuple[NDArray[np.uint8], Box]:
    """A drawn digit in the middle of 140×140 pixels, and its box."""
    image = draw(digit, side=140, place=(30, 30), scale=0.8, pen=6)
    box = ImageOps.invert(image).getbbox()
    assert box is not None
    return np.array(image, np.uint8), Box(*box)


def assert_found(
    reader: Reader, pictures: Sequence[tuple[NDArray[np.uint8], Box]], layout: str, fewest: int = 9, slack: int = 3
) -> None:
    """Of pictures of the ten digits, so many at least are read, with the box where the digit is."""
    answers = []
    for picture, box in pictures:
        digits = reader.read(picture, layout).digits
        near = len(digits) == 1 and np.abs(np.subtract(digits[0].box.to_json(), box.to_json())).max() <= slack
        answers.append(digits[0].label if near else "-")
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= fewest, answers


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize(
    ("line", "inset"), [(1, 0), (3, 0), (8, 0), (2, 8), (4, 10)], ids=lambda length: f"{length} pixels"
)
def test_a_frame_round_the_digit_is_left_out_of_its_box(
    line: int, inset: int, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        grey, box = small(draw, digit)
        framed = np.pad(grey[inset + line : 140 - inset - line, inset + line : 140 - inset - line], line)
        pictures.append((np.pad(framed, inset, constant_values=255), box))
    assert_found(reader, pictures, layout)


@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_a_speck_far_away_is_left_out_of_the_box(layout: str, draw: Callable[..., Image.Image], reader: Reader) -> None:
    pictures = [small(draw, digit) for digit in DIGITS]
    for grey, _ in pictures:
        grey[130:133, 130:133] = 0
    assert_found(reader, pictures, layout)


@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_a_digit_that_touches_the_edge_is_still_the_digit(
    layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        grey, box = small(draw, digit)
        pictures.append((grey[box.top :], Box(box.left, 0, box.right, box.bottom - box.top)))
    assert_found(reader, pictures, layout)


def test_a_gap_in_a_dry_stroke_does_not_part_the_digit(draw: Callable[..., Image.Image], reader: Reader) -> None:
    pictures = [small(draw, digit) for digit in DIGITS]
    for grey, _ in pictures:
        grey[68:70] = 255
    assert_found(reader, pictures, "digit", fewest=8)


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("pen", [8, 14])
def test_chalk_on_a_board_is_the_digit_and_not_what_is_around_it(
    pen: int, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        image = draw(digit, side=200, place=(30, 30), scale=1.4, pen=pen)
        box = ImageOps.invert(image).getbbox()
        assert box is not None
        pictures.append(((25 + 0.8 * (255 - np.asarray(image, np.float32))).astype(np.uint8), Box(*box)))
    assert_found(reader, pictures, layout)


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("height", [0.03, 0.05, 0.1])
def test_a_digit_small_in_a_large_photo_is_read(
    height: float, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    answers, side = [], 1600
    for digit in DIGITS:
        ink = np.asarray(draw(digit, side=round(side * height * 1.3), scale=height * side / 80), np.float32) / 255
        photo = np.full((side * 3 // 4, side), 0.85, np.float32)
        photo[200 : 200 + len(ink), 900 : 900 + len(ink)] *= 0.15 + 0.85 * ink
        photo += np.random.default_rng(3).normal(0, 0.01, photo.shape).astype(np.float32)
        answers.append(reader.read(np.clip(photo, 0, 1), layout).text)
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= 8, answers


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("shade", [0.8, 0.7, 0.6, 0.5])
def test_a_shadow_cast_over_the_digit_is_not_read(
    shade: float, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    y, x = np.mgrid[:400, :400]
    answers = []
    for blur in (1, 8, 20):
        edge = np.clip((0.9 * x + 0.44 * y - 260) / (blur / 4 + 0.1), -50, 50)
        light = shade + (1 - shade) / (1 + np.exp(-edge))
        for digit in DIGITS:
            paper = np.asarray(draw(digit, side=400, place=(100, 80), scale=2.2, pen=16), np.float32) / 255 * 0.7 + 0.15
            answers.append(reader.read((paper * light).astype(np.float32), layout).text)
    assert sum(answer == digit for answer, digit in zip(answers, 3 * DIGITS, strict=True)) >= 24, answers


def cropped_to_its_ink(drawn: Image.Image, side: int) -> NDArray[np.uint8]:
    """A digit drawn in black as a square of ``side`` pixels, ink 255 to its borders, as coarse as 16 pixels are."""
    ink = 255 - np.asarray(drawn)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    coarse = np.where(cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA) > 90, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("dark", [True, False], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize(("layout", "share"), [("digit", 0.9), ("auto", 0.6)])
def test_digits_cropped_to_their_ink_are_read_at_any_size(
    layout: str, share: float, dark: bool, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    digits = "023456789"  # a 1 made square is a blot
    pictures = [cropped_to_its_ink(draw(digit), side) for side in (16, 64, 192) for digit in digits]
    answers = [reader.read(255 - picture if dark else picture, layout).text for picture in pictures]
    assert np.mean([a == digit for a, digit in zip(answers, 3 * digits, strict=True)]) >= share, answers


def in_cells(images: NDArray[np.uint8]) -> list[Levels]:
    """Images (N, 28, 28) written into printed cells of many sizes, with pen or pencil, some across the sides."""
    generator = np.random.default_rng(11)
    pictures = []
    for image in images:
        side, line = int(generator.integers(40, 110)), int(generator.integers(1, 4))
        place = int(generator.integers(0, 7))
        cell = np.full((side, side), generator.uniform(0.8, 1), np.float32)
        drawn = generator.random(4) < 0.9
        for turn in range(4):
            if drawn[turn]:
                np.rot90(cell, turn)[place : place + line] = generator.uniform(0.1, 0.6)
        size = round(side * generator.uniform(0.7, 1))
        before = (side - size) // 2
        ink = cv2.resize(image.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
        ink = np.pad(ink, (before, side - size - before))
        pictures.append(np.asarray(cell * (1 - ink * generator.uniform(0.6, 1)), np.float32))
    return pictures


@pytest.mark.parametrize(("layout", "share"), [("digit", 0.85), ("auto", 0.75)])
def test_handwriting_in_printed_cells_is_read(layout: str, share: float, reader: Reader, embedded: ImageSet) -> None:
    right = reader.classify(embedded.images)[0] == embedded.labels
    images, labels = embedded.images[right][:120], embedded.labels[right][:120]
    read = [
        reader.read(picture, layout).text == str(label) for picture, label in zip(in_cells(images), labels, strict=True)
    ]
    assert np.mean(read) > share


@pytest.mark.parametrize("column", [6, 8])
def test_a_lone_upright_stroke_from_top_to_bottom_of_a_small_picture_is_the_digit(column: int, reader: Reader) -> None:
    strip = np.zeros((16, 16), np.float32)
    strip[:, column] = 1
    digit = only(reader.read(strip, "digit"))
    assert digit.label == "1"
    assert np.abs(np.subtract(digit.box.to_json(), (column, 0, column + 1, 16))).max() <= 1


# --- lines and pages ---


def page_of(digits: ImageSet, numbers: list[list[int]], scale: int = 2) -> tuple[Levels, list[str]]:
    """Embedded digits by number, dark on grey paper, and the text of each row."""
    side = 28 * scale
    page = np.full((len(numbers) * 2 * side, max(map(len, numbers)) * side + 2 * side), 0.85, np.float32)
    for r, row in enumerate(numbers):
        for c, k in enumerate(row):
            large = cv2.resize(digits.images[k], (side, side), interpolation=cv2.INTER_CUBIC)
            top, left = side // 2 + r * 2 * side, side + c * side
            page[top : top + side, left : left + side] -= 0.7 * large.astype(np.float32) / 255
    page += np.random.default_rng(3).normal(0, 0.01, page.shape).astype(np.float32)
    return np.clip(page, 0, 1), ["".join(str(digits.labels[k]) for k in row) for row in numbers]


@pytest.mark.parametrize("layout", ["page", "auto"])
def test_rows_of_digits_are_read_with_a_box_around_each(layout: str, reader: Reader, embedded: ImageSet) -> None:
    page, texts = page_of(embedded, [list(range(8)), list(range(8, 16))])
    reading = reader.read(page, layout)
    right = sum(a == b for a, b in zip("".join(texts), reading.text.replace("\n", ""), strict=False))
    assert [len(line) for line in reading.lines] == [8, 8]
    assert right >= 15
    for line in reading.lines:
        assert all(a.box.left < b.box.left for a, b in pairwise(line))
        for mark in line:
            assert 32 < mark.box.bottom - mark.box.top < 46  # MNIST's digits are up to 20 pixels tall, here 40
            assert page[mark.box.top : mark.box.bottom, mark.box.left : mark.box.right].min() < 0.5
    assert 0.5 < reading.confidence <= 1


def test_layout_line_reads_one_of_two_rows_and_only_it(reader: Reader, embedded: ImageSet) -> None:
    page, texts = page_of(embedded, [[0, 1, 2], [4, 5, 6, 7, 8, 9]])
    reading = reader.read(page, "line")
    assert len(reading.lines) == 1
    assert len(reading.text) == len(texts[1])


def test_a_strip_is_read_alike_in_every_layout_but_digit(reader: Reader, embedded: ImageSet) -> None:
    strip, (text,) = page_of(embedded, [[20, 21, 22, 23, 24]])
    (answer,) = {reader.read(strip[20:-20], layout).text for layout in ("line", "page", "auto")}
    assert len(answer) == len(text)
    assert sum(a == b for a, b in zip(answer, text, strict=True)) >= 4


def test_digits_of_a_line_less_sure_than_asked_for_become_question_marks(reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [list(range(8))])
    plain, refused = reader.read(page, "line"), reader.read(page, "line", min_confidence=0.9999999)
    assert refused.text == "".join("?" if digit.confidence < 0.9999999 else digit.label for digit in plain.digits)
    assert "?" in refused.text
    for before, after in zip(plain.digits, refused.digits, strict=True):
        assert after.label == before.label or after.alternatives[0] == (before.label, before.confidence)


@pytest.mark.parametrize("layout", ["line", "auto"])
def test_marks_lie_where_a_sloping_line_has_them(layout: str, reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [[0, 1, 2, 3, 4, 5]])
    slope = 0.08
    matrix = np.array([[1, 0, 0], [slope, 1, 0]])
    sloping = cv2.warpAffine(page, matrix, (page.shape[1], page.shape[0] + 40), borderValue=0.85)
    level, sloped = (reader.read(np.asarray(p), layout).digits for p in (page, sloping))
    assert len(level) == len(sloped) == 6
    for a, b in zip(level, sloped, strict=True):
        middle = (a.box.left + a.box.right) / 2
        assert abs((b.box.top + b.box.bottom) / 2 - (a.box.top + a.box.bottom) / 2 - slope * middle) < 6


@pytest.mark.parametrize("lower", range(0, 40, 10))
def test_what_stands_on_one_row_is_read_from_left_to_right_wherever_the_row_is(
    lower: int, reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    page = np.full((400, 1200), 255, np.uint8)

    def put(digit: str, left: int, top: int) -> None:
        part = page[top : top + 70, left : left + 70]
        np.minimum(part, np.asarray(draw(digit, side=70, scale=0.7, pen=6)), out=part)

    for k in range(3):
        put("3", 100 + 60 * k, 66 + lower)  # too far apart to be one line, and not at quite the same height
        put("5", 900 + 60 * k, 60 + lower)
        put("8", 40 + 60 * k, 160 + lower)
    assert reader.read(page, "page").text == "333\n555\n888"
    assert reader.read(page[: 150 + lower], "line").text == "333555"


def stained(page: Levels, x: float, y: float) -> Levels:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = 22 + 4 * np.random.default_rng(1).standard_normal(24)
    rim = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1)
    return np.asarray(cv2.fillPoly(page.copy(), [np.round(rim).astype(np.int32)], 0.2), np.float32)


def test_stains_are_no_digits(reader: Reader) -> None:
    blank = np.full((300, 500), 0.85, np.float32)
    assert reader.read(stained(stained(blank, 120, 140), 220, 160)).text == ""


def test_a_stain_beside_digits_takes_none_away(reader: Reader, embedded: ImageSet) -> None:
    page, (text,) = page_of(embedded, [[0, 1, 2, 3, 4]])
    beside = stained(page, page.shape[1] - 25, page.shape[0] - 30)
    assert reader.read(page, "page").text == text
    assert text in reader.read(beside, "page").text.split("\n")


def test_a_shadow_across_a_sheet_is_no_line(reader: Reader) -> None:
    across, corner = np.full((270, 1000), 0.75, np.float32), np.full((300, 400), 0.9, np.float32)
    cv2.fillPoly(across, [np.array([[0, 70], [350, 60], [1000, 180], [0, 150]], np.int32)], 0.55)
    cv2.fillPoly(corner, [np.array([[0, 0], [250, 0], [120, 300], [0, 300]], np.int32)], 0.45)
    for grey in (np.asarray(cv2.GaussianBlur(across, (0, 0), 9)), corner):
        assert reader.read(grey).text == ""


def test_a_line_of_specks_alone_has_no_digits(reader: Reader) -> None:
    specks = np.ones((60, 200), np.float32)
    specks[40:43, 20::40] = specks[40:43, 21::40] = specks[40:43, 22::40] = 0
    for layout in ("line", "auto"):
        assert reader.read(specks, layout).text == ""


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
@pytest.mark.parametrize("text", ["27035", "384962"])
def test_a_number_written_into_the_cells_of_a_form_is_read(
    text: str, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    form = np.full((400, 700), 0.85, np.float32)
    for k, digit in enumerate(text):
        left = 60 + 70 * k
        cv2.rectangle(form, (left, 120), (left + 70, 200), 0.3, 2)
        form[128:192, left + 3 : left + 67] *= (
            0.2 + 0.8 * np.asarray(draw(digit, side=64, scale=0.64, pen=5), np.float32) / 255
        )
    form += np.random.default_rng(2).normal(0, 0.01, form.shape).astype(np.float32)
    assert reader.read(np.clip(form, 0, 1), layout).text == text


WORDS = (
    "The quick brown fox jumps over the lazy dog",
    "received with thanks from the bearer",
    "amount payable to signature",
    "Hello World silly solo bottle ISO Boss",
)


def printed(lines: Sequence[str], size: int) -> Image.Image:
    """Lines of print, black on white."""
    image = Image.new("L", (30 * size, 60 + 2 * size * len(lines)), 255)
    for k, text in enumerate(lines):
        ImageDraw.Draw(image).text((30, 30 + 2 * k * size), text, 0, font=ImageFont.load_default(size=size))
    return image


@pytest.mark.parametrize("size", [14, 22, 34])
@pytest.mark.parametrize("layout", ["auto", "page"])
def test_a_page_of_words_has_no_numbers(layout: str, size: int, reader: Reader) -> None:
    assert reader.read(printed(WORDS * 2, size), layout).text == ""


@pytest.mark.parametrize("layout", ["auto", "page"])
def test_a_form_with_a_label_before_each_number_keeps_its_numbers(
    layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    numbers = ["2738", "491", "56587", "293"]
    form = np.full((60 + 150 * len(numbers), 900), 255, np.uint8)
    for k, (label, number) in enumerate(zip(("Account:", "Branch:", "Amount:", "Room:"), numbers, strict=True)):
        form[150 * k + 30 : 150 * k + 120, :280] = np.asarray(printed([label], 30))[20:110, :280]
        for c, digit in enumerate(number):
            part = form[150 * k + 40 : 150 * k + 110, 300 + 50 * c : 370 + 50 * c]
            np.minimum(part, np.asarray(draw(digit, side=70, scale=0.7, pen=6)), out=part)
    assert reader.read(form, layout).text == "\n".join(numbers)


def test_numbers_larger_than_the_print_around_them_are_read(reader: Reader, write: Callable[..., Image.Image]) -> None:
    print_above, number = printed(WORDS, 16), write("36582", pitch=45)
    page = Image.new("L", (480, print_above.height + number.height), 255)
    page.paste(print_above, (0, 0))
    page.paste(number, (40, print_above.height))
    assert reader.read(page).text == "36582"
