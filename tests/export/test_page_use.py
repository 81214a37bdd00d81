"""Links, languages, themes, dropped weights and sizes of windows."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import paper, weights
from tests.export.conftest import Opened
from tests.export.use import VIEWS, Draw, Open, answer, draw_by_mouse, drop, levels, notice, png

pytestmark = pytest.mark.browser


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
