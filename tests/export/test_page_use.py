"""The page in a person's hands: real pointer, touch, pen and keyboard events, files, links, both languages."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from lenet5 import paper, weights
from tests.conftest import STROKES
from tests.export.conftest import Opened

pytestmark = pytest.mark.browser

Open = Callable[..., Opened]
Draw = Callable[..., Image.Image]

VIEWS = ("unit", "lesson", "table", "kernels", "sizes", "pixels")


def place(opened: Opened, x: float, y: float) -> tuple[float, float]:
    """A place of the board, given in 0..100, as pixels of the window."""
    box = opened.page.locator("#board").bounding_box()
    return box["x"] + x * box["width"] / 100, box["y"] + y * box["height"] / 100


def draw_by_mouse(opened: Opened, digit: str) -> None:
    mouse = opened.page.mouse
    for start, *points in STROKES[digit]:
        mouse.move(*place(opened, *start))
        mouse.down()
        for point in points:
            mouse.move(*place(opened, *point), steps=4)
        mouse.up()


def answer(opened: Opened) -> str:
    return opened.text("#label")


def levels(opened: Opened) -> NDArray[np.uint8]:
    """The 28×28 picture that the network sees."""
    return np.array(opened.js("() => [...lenet5.levels()]"), np.uint8).reshape(28, 28)


def png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


TRANSFER = """([text, name, type]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
    return transfer;
}"""


def drop(opened: Opened, name: str, content: bytes, kind: str = "") -> None:
    transfer = opened.page.evaluate_handle(TRANSFER, [base64.b64encode(content).decode(), name, kind])
    opened.page.dispatch_event("#board", "drop", {"dataTransfer": transfer})


def notice(opened: Opened) -> str:
    """What the page says in its one line, once it says it."""
    opened.page.wait_for_selector("#notice:not(:empty)")
    return opened.text("#notice")


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


def test_receptive_fields_are_the_pixels_that_can_change_a_unit(open_page: Open) -> None:
    opened = open_page()
    found = opened.js("""() => {
        const generator = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        const random = generator(7);
        const levels = Uint8Array.from({ length: 784 }, () => Math.floor(random() * 256));
        const units = [
            ["lenet5", "c1", 4, 10, 27, 28], ["lenet5", "s2", 1, 13, 0, 14], ["lenet5", "c3", 7, 3, 9, 10],
            ["lenet5", "s4", 15, 4, 2, 5], ["concise", "c1", 2, 0, 27, 28], ["concise", "c3", 7, 9, 0, 10],
        ];
        return units.map(([network, layer, map, row, column, side]) => {
            const at = (map * side + row) * side + column;
            const before = lenet5.forward(levels, network)[layer][at];
            const field = lenet5.fields({ network, layer, map, row, column }).input;
            const frame = network === "lenet5" ? 2 : 0;
            let wrong = 0;
            for (let k = 0; k < 784; k += 3) {
                const changed = Uint8Array.from(levels);
                changed[k] ^= 255;
                const r = Math.floor(k / 28) + frame, c = (k % 28) + frame;
                const inside = r >= field.top && r < field.bottom && c >= field.left && c < field.right;
                wrong += (lenet5.forward(changed, network)[layer][at] !== before) !== inside;
            }
            return wrong;
        });
    }""")
    assert found == [0] * 6


def test_pointing_at_a_unit_frames_its_field_and_shows_its_sum(open_page: Open) -> None:
    opened = open_page()
    opened.page.click('[data-example="8"]')
    opened.settle()
    pixels = "() => document.querySelector('#strip-lenet5 [data-layer=input] canvas').toDataURL()"
    before = opened.js(pixels)
    opened.page.hover("#strip-lenet5 [data-layer=c3] canvas", position={"x": 10, "y": 14})
    assert opened.text("#panel h3").startswith("C3, map 0, row 3, column 2")
    assert opened.js(pixels) != before
    assert "Table I connects this map to S2 maps 0, 1, 2." in opened.text("#panel")
    opened.page.hover('#codes-lenet5 [data-class="9"]')
    assert "code of 9" in opened.text("#panel h3")
    opened.page.click('#codes-lenet5 [data-class="9"]')
    opened.page.hover("#strip-lenet5 [data-layer=c1] canvas")
    assert "code of 9" in opened.text("#panel h3")  # pinned


def test_the_code_of_the_answer_is_marked_and_of_a_refused_picture_none(open_page: Open) -> None:
    opened = open_page("#lang=en&beside=1")
    opened.page.click('[data-example="8"]')
    opened.settle()
    marked = "() => [...document.querySelectorAll('.code.best')].map((code) => code.dataset.class)"
    assert opened.js(marked) == ["8", "8"]
    opened.page.click('[data-example="star"]')
    opened.settle()
    assert opened.page.locator("#codes-lenet5 .best").count() == 0


def test_an_output_of_the_concise_network_is_explained_as_a_logit(open_page: Open) -> None:
    opened = open_page("#lang=en&beside=1&unit=concise.output.8.0.0")
    opened.page.click('[data-example="8"]')
    assert opened.text("#panel h3").startswith("Output, weights of 8")
    y, t, p = opened.js("""() => {
        const { temperature } = lenet5.weights("concise");
        return [[...lenet5.forward(lenet5.levels(), "concise").output], temperature,
                lenet5.answer(lenet5.levels(), "concise").all[8]];
    }""")
    assert "e^(y/T) over the sum" in opened.text("#panel")
    odds = np.exp(np.array(y) / t)
    assert p == pytest.approx(odds[8] / odds.sum(), rel=1e-6)


def test_on_a_phone_the_value_of_a_touched_unit_stays_in_sight_and_leads_to_its_sum(open_page: Open) -> None:
    opened = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    opened.page.tap('[data-example="3"]')
    assert opened.page.is_hidden("#peek")
    opened.page.tap("#strip-lenet5 [data-layer=s2] canvas", position={"x": 30, "y": 30})
    opened.page.wait_for_selector("#peek:visible")
    assert re.fullmatch(r"S2, map 0, row \d, column \d: −?\d\.\d{3} ↓", opened.text("#peek"))
    opened.page.tap("#peek")
    opened.page.wait_for_selector("#peek", state="hidden")
    assert opened.page.locator("#panel h3").bounding_box()["y"] < 740


def test_only_what_is_meant_to_be_said_is_a_live_region(open_page: Open) -> None:
    opened = open_page("#lang=en&beside=1")
    live = opened.js("""() => [...document.querySelectorAll("output, [aria-live], [role=status], [role=alert]")]
        .filter((node) => node.getAttribute("aria-live") !== "off").map((node) => node.id)""")
    assert sorted(live) == ["notice", "pointed", "spoken"]


def test_the_keyboard_reaches_every_unit_and_says_its_value(open_page: Open) -> None:
    opened = open_page()
    opened.page.click('[data-example="8"]')
    layer = opened.page.locator("#strip-lenet5 [data-layer=s2] canvas")
    layer.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "PageDown"):
        layer.press(key)
    assert re.fullmatch(r"S2, map 1, row 1, column 2: −?\d\.\d{3}", opened.text("#pointed"))
    opened.page.locator("#strip-lenet5 [data-layer=f6] canvas").press("End")
    opened.page.locator("#tab-unit").focus()
    opened.page.keyboard.press("ArrowRight")
    assert opened.page.get_attribute("#tab-lesson", "aria-selected") == "true"
    assert opened.js("() => document.activeElement.id") == "tab-lesson"
    opened.page.focus("[data-go=next]")
    for step in range(2, 11):
        opened.page.keyboard.press("Enter")
        assert f"Step {step} of 10" in opened.text("#panel .steps")
    names = opened.js("""() => [...document.querySelectorAll("button, canvas[tabindex], input, select, [role=img]")]
        .filter((node) => node.checkVisibility())
        .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.closest("label")))
        .map((node) => node.outerHTML.slice(0, 100))""")
    assert names == []


def test_table_i_lights_up_the_wires_of_a_map(open_page: Open) -> None:
    opened = open_page("#view=table&lang=en")
    opened.page.click('[data-example="3"]')
    for map_, sources in enumerate(paper.TABLE_I):
        opened.page.hover(f'g[data-side=c3][data-map="{map_}"]')
        lit = opened.js(
            "() => [...document.querySelectorAll('.wire.lit')].map((wire) => [+wire.dataset.to, +wire.dataset.from])"
        )
        assert lit == [[map_, source] for source in sources]
    assert opened.page.locator(".wire").count() == 60
    assert opened.page.locator(".table-i td canvas").count() == 60
    opened.page.focus('g[data-side=s2][data-map="0"]')
    opened.page.keyboard.press("ArrowRight")
    feeds = [str(k) for k, sources in enumerate(paper.TABLE_I) if 1 in sources]
    assert opened.text(".wiring-said") == f"S2 map 1 feeds C3 maps {', '.join(feeds)}."


def test_occlusion_is_the_change_of_the_answers_lead(open_page: Open) -> None:
    opened = open_page("#view=pixels&lang=en&beside=1")
    opened.page.click('[data-example="6"]')
    opened.page.wait_for_selector(".occlusion")
    assert opened.page.locator(".occlusion").count() == 2
    passes = opened.js("() => lenet5.occlusion(lenet5.levels(), 6).passes")
    hides_ink = np.asarray(Image.fromarray(levels(opened)).filter(ImageFilter.MaxFilter(5))) > 0
    assert passes == 1 + np.count_nonzero(hides_ink)
    assert f"{passes} passes in" in opened.text("#panel")
    difference = opened.js("""() => {
        const levels = lenet5.levels();
        const lead = (shown) => {
            const y = lenet5.forward(shown).output.slice(0, 10);
            return Math.min(lenet5.weights().j, ...y.filter((_, k) => k !== 6)) - y[6];
        };
        const { change, margin } = lenet5.occlusion(levels, 6);
        const covered = Uint8Array.from(levels);
        for (let r = 12; r < 17; r++) covered.fill(0, r * 28 + 8, r * 28 + 13);
        return [margin - lead(levels), change[14 * 28 + 10] - (lead(levels) - lead(covered))];
    }""")
    np.testing.assert_allclose(difference, 0, atol=1e-4)


def state_of(opened: Opened) -> str:
    opened.page.wait_for_timeout(400)  # the address follows a little later
    return str(opened.js("() => location.hash"))


def test_a_link_holds_strokes_view_unit_language_and_theme(open_page: Open) -> None:
    first = open_page("#lang=zh&theme=dark")
    draw_by_mouse(first, "6")
    first.page.click("#beside")
    first.page.hover("#strip-lenet5 [data-layer=s4] canvas", position={"x": 40, "y": 40})
    first.page.mouse.down()
    first.page.mouse.up()
    wanted = [first.text(selector) for selector in ("#label", "#says", "#panel h3", "#codes-lenet5", "title")]
    second = open_page(state_of(first))
    assert [second.text(s) for s in ("#label", "#says", "#panel h3", "#codes-lenet5", "title")] == wanted
    assert wanted[0] == "6"
    assert "特征图" in wanted[2]
    assert second.page.is_visible("#strip-concise")
    assert second.js("() => [document.documentElement.dataset.theme, document.documentElement.lang]") == [
        "dark",
        "zh-CN",
    ]
    assert second.js("() => lenet5.levels().join()") == first.js("() => lenet5.levels().join()")


def test_a_link_holds_a_picture_that_was_opened(open_page: Open, draw: Draw) -> None:
    first = open_page()
    drop(first, "5.png", png(draw("5")), "image/png")
    first.page.wait_for_selector("#source-note:has-text('simply')")
    second = open_page(state_of(first))
    assert answer(second) == "5"
    assert (levels(second) == levels(first)).all()


@pytest.mark.parametrize(
    "hash_",
    [
        "#picture=AAAA",
        "#picture=" + 1046 * "é",
        "#strokes=%%%&picture=" + 1045 * "A",
        "#strokes=%%%",
        "#strokes=abc&view=none&unit=lenet5.c1.999.99.99&lang=fr&theme=pink",
        "#unit=concise.x.1.1.1&step=99&view=lesson",
        "#&&=&",
    ],
)
def test_an_unsound_link_opens_the_page_as_usual(hash_: str, open_page: Open) -> None:
    opened = open_page(hash_)
    assert answer(opened) == "–"
    draw_by_mouse(opened, "0")
    assert answer(opened) == "0"


def test_the_language_and_theme_buttons_change_every_word_and_colour(open_page: Open) -> None:
    opened = open_page("#lang=en", color_scheme="light")
    opened.page.click('[data-example="2"]')
    paper_colour = "() => getComputedStyle(document.body).backgroundColor"
    before = opened.js(paper_colour)
    opened.page.click("#theme")
    assert opened.js(paper_colour) != before
    opened.page.click("#language")
    for view in VIEWS:
        opened.page.click(f"#tab-{view}")
        opened.settle()
        visible = opened.js("() => document.body.innerText")
        english = {
            word for word in re.findall(r"[A-Za-z]{4,}", visible)
            if word not in ("LeNet", "English", "safetensors", "MNIST", "sigmoid", "tanh", "Output")
        }  # fmt: skip
        footer = set(re.findall(r"[A-Za-z]{4,}", opened.js("() => document.querySelector('footer').innerText")))
        assert english <= footer | {"lenet"}, (view, english - footer)


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "is not a whole safetensors file": lambda content: content[:-40],
    "is a pickle": lambda content: b"\x80\x04" + content,
    "has weights format 7": lambda content: changed(content, format="7"),
    "does not say that it holds one of the networks": lambda content: changed(content, network="alexnet"),
    "classes that have no output codes": lambda content: changed(content, classes="0123456789€"),
    "gives temperature as no number": lambda content: changed(content, temperature="hot"),
    "holds NaN": lambda content: content[:-4] + struct.pack("<f", np.nan),
    "has an array c9.bias that its network does not know": lambda content: content.replace(b'"c3.bias"', b'"c9.bias"'),
    "lacks the array c3.bias": lambda content: without(content, "c3.bias"),
    "c1.bias should be F32 (6), but is F64 (6)": lambda content: content.replace(
        b'F32","shape":[6]', b'F64","shape":[6]', 1
    ),
}


def header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def with_header(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def changed(content: bytes, **metadata: str) -> bytes:
    header, data = header_of(content)
    return with_header(header | {"__metadata__": header["__metadata__"] | metadata}, data)


def without(content: bytes, array: str) -> bytes:
    header, data = header_of(content)
    del header[array]
    return with_header(header, data)


@pytest.fixture(scope="module")
def own_weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, NDArray[np.float32]]:
    """A file as lenet5 train writes it, and its parameters."""
    file = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    parameters = weights.initial(paper.LENET5, np.random.default_rng(4))
    weights.Weights(paper.LENET5, parameters, {"recipe": "paper", "passes": "1", "trained_on": "nothing"}).save(file)
    return file.read_bytes(), parameters


def test_dropped_weights_of_lenet5_train_are_used(
    open_page: Open, own_weights: tuple[bytes, NDArray[np.float32]]
) -> None:
    opened = open_page("#view=sizes&lang=en")
    opened.page.click('[data-example="4"]')
    content, parameters = own_weights
    drop(opened, "mine.safetensors", content)
    assert notice(opened) == "mine.safetensors is loaded: 60,000 parameters, 10 classes."
    assert opened.text("#weights-name") == "Weights: mine.safetensors, concise"
    flat = opened.js("() => Object.values(lenet5.weights().arrays).flatMap((array) => [...array])")
    np.testing.assert_array_equal(np.float32(flat), parameters)
    assert opened.page.locator("#codes-lenet5 button").count() == 10
    assert "340,908" in opened.text("#panel .total")
    opened.page.click("#bundled")
    assert opened.text("#weights-name") == "Weights: lenet5, concise"
    assert answer(opened) == "4"


@pytest.mark.parametrize("complaint", SPOILED)
def test_a_wrong_weights_file_is_one_line_and_changes_nothing(
    complaint: str, open_page: Open, own_weights: tuple[bytes, NDArray[np.float32]]
) -> None:
    opened = open_page()
    drop(opened, "mine.safetensors", SPOILED[complaint](own_weights[0]))
    line = notice(opened)
    assert complaint in line
    assert line.startswith("mine.safetensors")
    assert opened.text("#weights-name") == "Weights: lenet5, concise"


def test_nothing_is_asked_of_any_host_while_the_page_is_used(open_page: Open, draw: Draw) -> None:
    opened = open_page("#lang=en&beside=1")
    draw_by_mouse(opened, "9")
    for view in VIEWS:
        opened.page.click(f"#tab-{view}")
    drop(opened, "5.png", png(draw("5")), "image/png")
    opened.page.wait_for_selector("#source-note:has-text('simply')")
    opened.page.click("#language")
    opened.page.click("#share")
    opened.settle()
    schemes = {re.match(r"\w+:", url)[0] for url in opened.requests}  # type: ignore[index]
    assert schemes <= {"file:", "data:", "blob:"}
    assert [url.split("#")[0] for url in opened.requests if url.startswith("file:")] == [opened.page.url.split("#")[0]]


CONTRAST = """() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = (colour) => {
        const [r, g, b] = colour.map((value) => linear(value / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] > 0.9) return colour;
        }
        return [255, 255, 255];
    };
    const low = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const node = walker.currentNode.parentElement;
        if (!text || !node.checkVisibility() || node.closest("script, noscript, .unseen, :disabled")) continue;
        const style = getComputedStyle(node);
        const front = light(parse(node.namespaceURI.endsWith("svg") ? style.fill : style.color));
        const back = light(behind(node));
        const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        if (ratio < 4.5) low.push(`${node.tagName} ${node.className} ${text.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return low;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_contrast_of_all_text_is_at_least_4_5(theme: str, open_page: Open) -> None:
    opened = open_page("#lang=en&beside=1", color_scheme=theme)
    opened.page.click('[data-example="heart"]')
    drop(opened, "no.safetensors", b"no")
    for view in VIEWS:
        opened.page.click(f"#tab-{view}")
        if view == "unit":
            opened.page.hover("#strip-lenet5 [data-layer=c1] canvas", position={"x": 20, "y": 20})
        if view == "table":
            opened.page.hover('g[data-side=c3][data-map="6"]')
        opened.settle()
        assert opened.js(CONTRAST) == [], view


@pytest.mark.parametrize(("width", "height"), [(360, 740), (820, 1180), (1366, 768), (1920, 1080)])
def test_nothing_is_cut_off_on_phone_tablet_laptop_and_projector(width: int, height: int, open_page: Open) -> None:
    density = 2 if width < 1000 else 1
    opened = open_page("#lang=en&beside=1", viewport={"width": width, "height": height}, device_scale_factor=density)
    opened.page.click('[data-example="5"]')
    for language in ("en", "zh"):
        for view in VIEWS[: 6 if language == "en" else 5]:
            opened.js("(id) => document.getElementById(id).click()", f"tab-{view}")
            opened.settle()
            assert opened.js("() => document.scrollingElement.scrollWidth") <= width, (language, view)
        opened.page.click("#language")
    if width >= 1366:
        opened.page.click("#tab-sizes")
        opened.settle()
        wide = opened.js(
            "() => [...document.querySelectorAll('.wide')].map((box) => box.scrollWidth - box.clientWidth)"
        )
        assert wide == [0, 0]  # the published counts are in sight
    if width >= 820:
        tops = opened.js("() => [...document.querySelectorAll('#strip-lenet5 .layer')].map((layer) => layer.offsetTop)")
        assert len(set(tops)) == 1
