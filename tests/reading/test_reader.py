"""What a reader answers: one digit from any source, nothing where nothing stands, and images in MNIST's form."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageOps

import lenet5
from lenet5 import ArrayError, Box, Digit, PictureError, Reader, Reading, WeightsError, paper, weights
from lenet5.learning.data import ImageSet, load
from tests.reading.test_ink import BLANK, FLAT, rough
from tests.reading.test_lines_and_pages import page_of

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


@pytest.mark.slow
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
