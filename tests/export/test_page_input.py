"""Drawings by mouse, finger, pen and keyboard, and pictures that are pasted, dropped, chosen or taken."""

from __future__ import annotations

import base64
import itertools

import numpy as np
import pytest
from PIL import Image

from tests.conftest import STROKES
from tests.export.use import TRANSFER, Draw, Open, answer, draw_by_mouse, drop, levels, notice, place, png

pytestmark = pytest.mark.browser


def test_a_digit_drawn_by_mouse_is_answered_as_it_grows(open_page: Open) -> None:
    opened = open_page()
    assert answer(opened) == "–"
    for digit in "327":
        opened.page.click("#clear")
        draw_by_mouse(opened, digit)
        assert answer(opened) == digit
        assert opened.text("#spoken").startswith(f"The paper's network reads {digit}, ")
    mouse = opened.page.mouse
    mouse.move(*place(opened, 20, 60))
    mouse.down()
    mouse.move(*place(opened, 90, 62), steps=5)
    before = opened.js("() => lenet5.levels().join()")
    mouse.move(*place(opened, 20, 30), steps=5)
    assert opened.js("() => lenet5.levels().join()") != before  # while the button is still down
    mouse.up()


def test_an_empty_canvas_is_refused_in_words_of_its_own(open_page: Open) -> None:
    opened = open_page()
    assert opened.text("#says") == "Nothing is drawn yet"
    draw_by_mouse(opened, "1")
    opened.page.click("#clear")
    assert (answer(opened), opened.text("#says")) == ("–", "Nothing is drawn yet")
    assert opened.text("#spoken").startswith("An empty picture gets no answer")
    assert opened.js("() => lenet5.levels()") is None


def test_what_is_no_digit_is_refused(open_page: Open) -> None:
    opened = open_page()
    opened.page.click('[data-example="star"]')
    assert answer(opened) == "?"
    assert opened.text("#says").startswith("not a digit, ")


def test_undo_takes_back_strokes_and_even_clear(open_page: Open) -> None:
    opened = open_page()
    draw_by_mouse(opened, "4")
    assert answer(opened) == "4"
    opened.page.click("#clear")
    opened.page.click("#undo")
    assert answer(opened) == "4"
    opened.page.click("#undo")
    assert opened.js("() => lenet5.levels() !== null")
    opened.page.locator("#board").press("Control+z")
    assert answer(opened) == "–"


def test_undo_while_a_stroke_is_drawn_ends_the_stroke(open_page: Open) -> None:
    opened = open_page()
    board = opened.page.locator("#board")
    board.focus()
    for key in (" ", "ArrowDown", "Control+z", "ArrowDown"):
        board.press(key)
    assert answer(opened) == "–"
    opened.page.mouse.move(*place(opened, 50, 20))
    opened.page.mouse.down()
    opened.page.keyboard.press("Control+z")
    opened.page.mouse.move(*place(opened, 50, 80))
    opened.page.mouse.up()
    assert answer(opened) == "–"


def test_undo_goes_back_to_a_picture_and_a_stroke_takes_its_place(open_page: Open, draw: Draw) -> None:
    opened = open_page()
    drop(opened, "5.png", png(draw("5")), "image/png")
    opened.page.wait_for_selector("#source-note:has-text('simply')")
    seen = levels(opened)
    draw_by_mouse(opened, "1")
    assert (answer(opened), opened.text("#source-note")) == ("1", "")
    opened.page.click("#undo")
    assert (levels(opened) == seen).all()
    assert opened.text("#source-note").startswith("Prepared simply")
    opened.page.click("#undo")
    assert answer(opened) == "–"


def test_a_finger_draws_without_scrolling(open_page: Open) -> None:
    opened = open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    session = opened.page.context.new_cdp_session(opened.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    (stroke,) = STROKES["3"]
    dense = np.concatenate([np.linspace(a, b, 5) for a, b in itertools.pairwise(stroke)])
    touch("touchStart", place(opened, *dense[0]))
    for x, y in dense:
        touch("touchMove", place(opened, x, y))
    touch("touchEnd")
    assert answer(opened) == "3"
    assert opened.js("() => scrollY") == 0
    assert opened.js("() => getComputedStyle(document.querySelector('#board')).touchAction") == "none"


def test_a_pens_pressure_is_the_strokes_width(open_page: Open) -> None:
    opened = open_page()
    session = opened.page.context.new_cdp_session(opened.page)
    widths = []
    for force in (0.1, 0.9):
        opened.page.click("#clear")
        for kind, y in (("mousePressed", 15), ("mouseMoved", 40), ("mouseMoved", 80), ("mouseReleased", 85)):
            x_there, y_there = place(opened, 50, y)
            event = {"type": kind, "x": x_there, "y": y_there, "button": "left", "buttons": 1, "clickCount": 1}
            session.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen", "force": force})
        opened.settle()
        ink = "() => document.querySelector('#board').getContext('2d').getImageData(0, 280, 560, 1).data"
        widths.append(opened.js(f"() => [...({ink})()].filter((value, k) => k % 4 === 3 && value > 127).length"))
    assert widths[1] > 1.5 * widths[0] > 0


def test_the_keyboard_draws(open_page: Open) -> None:
    opened = open_page()
    board = opened.page.locator("#board")
    board.focus()
    for key in (" ", *["ArrowDown"] * 18, " "):
        board.press(key)
    assert answer(opened) == "1"
    board.press("Delete")
    assert answer(opened) == "–"


def test_a_pasted_picture_is_read_and_said_to_be_prepared_simply(open_page: Open, draw: Draw) -> None:
    opened = open_page()
    transfer = opened.page.evaluate_handle(
        TRANSFER, [base64.b64encode(png(draw("5"))).decode(), "image.png", "image/png"]
    )
    opened.js(
        "(data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))",
        transfer,
    )
    opened.page.wait_for_selector("#source-note:not(:empty)")
    assert answer(opened) == "5"
    assert opened.text("#source-note").startswith("Prepared simply in this page")
    opened.js("() => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer() }))")
    assert notice(opened) == "There is no picture on the clipboard."
    opened.page.dispatch_event("#board", "drop", {"dataTransfer": opened.page.evaluate_handle("new DataTransfer()")})
    assert opened.text("#notice").startswith("Nothing was dropped but words or a link")


def pictures(draw: Draw) -> dict[str, Image.Image]:
    """A 7 as a scan, on a blackboard, transparent, in uneven light, on grainy paper, small, and large."""
    seven = draw("7")
    grey = np.asarray(seven, np.float32)
    light = np.linspace(0.45, 1, grey.shape[1], dtype=np.float32)
    transparent = Image.new("RGBA", seven.size, (0, 0, 0, 0))
    transparent.paste((20, 20, 60, 255), mask=Image.fromarray(255 - np.asarray(seven)))
    return {
        "scan": seven,
        "blackboard": Image.fromarray(np.uint8(40 + 0.7 * (255 - grey))),
        "transparent": transparent,
        "shadow": Image.fromarray(np.uint8((40 + 0.7 * grey) * light)),
        "grain": Image.fromarray(np.uint8(70 + 0.6 * grey + np.random.default_rng(1).normal(0, 6, grey.shape))),
        "small": seven.resize((40, 40), Image.Resampling.LANCZOS),
        "large": seven.resize((1800, 1800)),
    }


def test_dropped_and_chosen_pictures_are_read_in_any_polarity_size_and_light(open_page: Open, draw: Draw) -> None:
    opened = open_page()
    for name, image in pictures(draw).items():
        opened.page.click("#clear")
        drop(opened, f"{name}.png", png(image), "image/png")
        opened.page.wait_for_selector("#source-note:has-text('simply')")
        assert answer(opened) == "7", name
        assert (levels(opened) > 0).mean() < 0.4, name  # paper is white
    opened.page.click("#clear")
    opened.page.set_input_files("#file", {"name": "2.png", "mimeType": "image/png", "buffer": png(draw("2"))})
    opened.page.wait_for_selector("#source-note:has-text('simply')")
    assert answer(opened) == "2"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("letter.png", b"not a picture", "letter.png is not a picture that this browser opens: use PNG or JPEG."),
        ("blank.png", png(Image.new("L", (90, 60), 250)), "No ink was found in blank.png: take a picture of"),
    ],
)
def test_a_picture_without_a_digit_is_one_line(name: str, content: bytes, complaint: str, open_page: Open) -> None:
    opened = open_page()
    drop(opened, name, content, "image/png")
    assert notice(opened).startswith(complaint)


def test_the_camera_takes_a_picture_and_where_there_is_none_one_line_says_so(open_page: Open) -> None:
    opened = open_page()
    opened.page.click("#camera")
    opened.page.wait_for_selector("dialog[open] video")
    opened.page.wait_for_timeout(300)
    opened.page.click("dialog button.go")
    opened.page.wait_for_selector("dialog", state="hidden")
    opened.js(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }; }"
    )
    opened.page.click("#camera")
    opened.page.wait_for_selector("#notice:has-text('camera')")
    assert opened.text("#notice") == "The camera cannot be used here (NotFoundError): choose a picture instead."


def test_every_example_is_a_digit_read_as_drawn_or_is_said_not_to_be(open_page: Open) -> None:
    opened = open_page()
    wrong = set()
    for example in opened.js("() => lenet5.facts.examples.map(({ id, group, drawn }) => [id, group, drawn])"):
        name, group, drawn = example
        opened.page.click(f'[data-example="{name}"]')
        label = answer(opened)
        opened.page.wait_for_selector(f'[data-example="{name}"][title]')
        title = opened.page.get_attribute(f'[data-example="{name}"]', "title")
        assert title.endswith("refused" if label == "?" else f"read as {label}")
        if group in ("hard", "misread"):
            assert label != drawn
            wrong.add((group, label == "?"))
        else:
            assert label == drawn, name
    assert wrong == {("hard", True), ("hard", False), ("misread", False)}
