"""What the page explains of a network: fields, sums, codes, wires, and what hides a digit."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lenet5 import paper
from tests.export.use import Open, levels

pytestmark = pytest.mark.browser


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
