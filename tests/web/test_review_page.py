"""The review's page in a real browser: keys, a reload, two people at once, a rule that is broken, both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from lenet5.forms.decisions import decide, decision_of
from tests.forms.folder import item, write_folder
from tests.web.conftest import SETTINGS, running

SHEETS = [("1234", "7"), ("5678", "12"), ("1284", "99")]
WORDS = (resources.files("lenet5.web.review_page") / "words.js").read_text("utf-8")


def test_every_word_is_in_both_languages_with_the_same_values_and_is_used() -> None:
    entries = re.findall(r'^  (\w+): \["(.+)", "(.+)"\],$', WORDS, flags=re.MULTILINE)
    assert len(entries) == WORDS.split("export const TEXT = {\n")[1].split("\n};")[0].count("\n") + 1
    folder = resources.files("lenet5.web.review_page")
    used = WORDS.split("\n};")[1] + "".join((folder / name).read_text("utf-8") for name in ("review.js", "review.html"))
    for key, english, chinese in entries:
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
        assert f'"{key}"' in used, key
    assert set(re.findall(r'data-t="(\w+)"', used)) <= {key for key, *_ in entries}


@dataclass
class Tab:
    """A tab with the page of the review."""

    page: Any

    def shown(self) -> str:
        """The name of the field that is shown, as the address has it."""
        return self.page.url.partition("item=")[2]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is there."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function("() => !document.getElementById('save').disabled")

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector)).strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "review", SHEETS)


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """A service of its own for each test: it remembers who looks at what."""
    with running(replace(SETTINGS, workers=1, review=folder)) as service:
        yield f"http://127.0.0.1:{service.port}/review"


@pytest.fixture
def open_tab(chromium: Any, address: str) -> Iterator[Callable[..., Tab]]:
    """Opens the page as one more person does; at the end nothing may have gone wrong in any."""
    contexts, failures = [], []

    def opened(hash_: str = "#lang=en", **how: Any) -> Tab:
        contexts.append(chromium.new_context(**how))
        tab = Tab(contexts[-1].new_page())
        tab.page.set_default_timeout(60_000)
        tab.page.on("pageerror", lambda error: failures.append(str(error)))
        tab.page.on("request", lambda asked: failures.append(asked.url) if "//127.0.0.1" not in asked.url and
                    not asked.url.startswith(("blob:", "data:")) else None)  # fmt: skip
        tab.page.goto(address + hash_)
        tab.page.wait_for_selector("html[data-ready]")
        tab.settle()
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not failures


pytestmark = pytest.mark.browser


def test_the_keyboard_alone_goes_through_all_fields(open_tab: Callable[..., Tab], folder: Path) -> None:
    tab = open_tab()
    assert tab.shown() == item(1, "student")
    assert tab.page.evaluate("document.activeElement.id") == "text"
    tab.press("Enter")  # accepts 1234
    assert decision_of(folder, item(1, "student")).accepted
    tab.press("PageDown")  # skips page 2
    assert tab.shown() == item(3, "student")
    tab.page.keyboard.type("9012")
    tab.press("Enter")
    assert decision_of(folder, item(3, "student")).text == "9012"
    assert tab.shown() == item(1, "points")
    tab.press("PageUp")
    assert tab.shown() == item(3, "student")
    assert tab.text("#before") == "Decided: 9012. Read: 1284."
    tab.page.keyboard.type("3456")
    tab.press("Enter")
    assert [decision_of(folder, item(3, "student")).text, tab.shown()] == ["3456", item(1, "points")]
    tab.press("Enter", "Enter", "Enter")
    assert tab.shown() == item(2, "student")  # what was skipped comes again
    tab.press("Enter")
    assert tab.text("#end-title") == "All fields are decided."
    assert tab.text("#count") == "6 of 6 decided"


def test_the_field_the_guess_and_the_best_texts_are_shown(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    assert tab.page.input_value("#text") == "1234"
    assert [re.sub(r"\s+", " ", row) for row in tab.page.locator("#texts button").all_inner_texts()] == [
        "1234 51%", "9012 20%", "3456 5.0%",
    ]  # fmt: skip
    assert tab.text("#reasons") == "Less sure than 0.95"
    assert tab.text("#where") == "page 1 of scans.pdf"
    tab.page.wait_for_function("() => document.getElementById('sheet-picture').naturalWidth > 0")
    crop = tab.page.evaluate("() => document.getElementById('crop').naturalWidth")
    assert crop == 200
    sheet, mark = (tab.page.locator(selector).bounding_box() for selector in ("#sheet-picture", "#mark"))
    assert mark["x"] == pytest.approx(sheet["x"] + 0.2 * sheet["width"], abs=6)
    assert mark["width"] == pytest.approx(0.4 * sheet["width"], abs=11)
    assert mark["y"] == pytest.approx(sheet["y"] + 0.1 * sheet["height"], abs=6)
    tab.press("ArrowDown")
    assert tab.page.input_value("#text") == "9012"
    tab.press("Escape")
    assert tab.page.input_value("#text") == "1234"
    tab.page.locator("#texts button").nth(2).click()
    assert tab.page.input_value("#text") == "3456"


def test_a_reload_comes_back_to_the_field_and_to_what_was_typed(open_tab: Callable[..., Tab], folder: Path) -> None:
    tab = open_tab()
    tab.press("Enter", "PageDown")
    tab.page.keyboard.type("34")
    tab.page.reload()
    tab.page.wait_for_selector("html[data-ready]")
    tab.settle()
    assert tab.shown() == item(3, "student")
    assert tab.page.input_value("#text") == "34"
    assert tab.text("#count") == "1 of 6 decided"
    assert decision_of(folder, item(1, "student")).text == "1234"


def test_two_people_get_different_fields(open_tab: Callable[..., Tab]) -> None:
    first, second = open_tab(), open_tab()
    assert [first.shown(), second.shown()] == [item(1, "student"), item(2, "student")]
    first.press("Enter")
    assert first.shown() == item(3, "student")


def test_two_people_at_one_field_do_not_undo_each_other(open_tab: Callable[..., Tab], folder: Path) -> None:
    name = item(1, "points")
    first, second = open_tab(f"#lang=en&item={name}"), open_tab(f"#lang=en&item={name}")
    first.page.keyboard.type("17")
    first.press("Enter")
    second.page.keyboard.type("11")
    second.press("Enter")
    assert second.shown() == name
    assert second.text("#message") == "Somebody else decided in the meantime: 17. Yours: 11."
    assert decision_of(folder, name).text == "17"
    second.page.click("#replace")
    second.settle()
    kept = decision_of(folder, name)
    assert (kept.text, [earlier["text"] for earlier in kept.earlier]) == ("11", ["17"])
    assert second.shown() != name


def test_enter_keeps_what_somebody_else_decided(open_tab: Callable[..., Tab], folder: Path) -> None:
    name = item(2, "points")
    tab = open_tab(f"#lang=en&item={name}")
    decide(folder, name, "13", 0)
    tab.press("Enter")
    assert tab.text("#save") == "Keep theirs"
    tab.press("Enter")
    assert decision_of(folder, name).text == "13"
    assert tab.shown() != name


def test_a_broken_rule_is_said_and_a_second_enter_saves_all_the_same(
    open_tab: Callable[..., Tab], folder: Path
) -> None:
    tab = open_tab()
    tab.page.keyboard.type("9999")
    tab.press("Enter")
    assert tab.text("#message") == "It is not in the list."
    assert tab.text("#save") == "Save all the same"
    assert decision_of(folder, item(1, "student")) is None
    tab.press("Enter")
    assert decision_of(folder, item(1, "student")).text == "9999"
    tab.press("Delete", "Enter")
    assert tab.text("#message") == "This field must not be empty."


def test_a_key_that_is_held_down_saves_one_field(open_tab: Callable[..., Tab], folder: Path) -> None:
    tab = open_tab()
    for _ in range(3):  # without a key-up in between these are repeats
        tab.page.keyboard.down("Enter")
        tab.settle()
    assert len(list(folder.glob("*.correction.json"))) == 1


def test_the_sheet_is_enlarged_and_made_small_again(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    small = tab.page.locator("#sheet").bounding_box()["width"]
    tab.page.click("#sheet")
    assert tab.page.locator("#sheet").bounding_box()["width"] > 2 * small
    assert tab.text("#sheet-caption").endswith("press to make it small")
    tab.press("PageDown")
    assert tab.page.locator("#sheet").bounding_box()["width"] == pytest.approx(small, abs=1)


def test_fields_that_come_in_later_are_shown_without_a_reload(open_tab: Callable[..., Tab], folder: Path) -> None:
    for path in folder.glob("*-p*"):
        path.unlink()
    tab = open_tab()
    assert tab.text("#end-title") == "No field of this folder is doubtful."
    write_folder(folder, SHEETS)
    tab.page.wait_for_selector("#main:not([hidden])")
    assert tab.shown() == item(1, "student")


def test_what_could_not_be_saved_stays_and_is_tried_again(open_tab: Callable[..., Tab], folder: Path) -> None:
    tab = open_tab()
    tab.page.route("**/review/items/*", lambda route: route.abort())
    tab.page.keyboard.type("9012")
    tab.press("Enter")
    assert tab.text("#message").startswith("Not saved")
    assert tab.page.input_value("#text") == "9012"
    tab.page.unroute("**/review/items/*")
    tab.press("Enter")
    assert decision_of(folder, item(1, "student")).text == "9012"


def test_the_page_speaks_chinese_and_fits_a_phone(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab("#lang=zh", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert tab.page.evaluate("document.documentElement.lang") == "zh-CN"
    assert tab.text("h1") == "待核对字段"
    assert tab.text("#reasons") == "置信度低于 0.95"
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.page.get_attribute("#text", "inputmode") == "numeric"
    tab.page.tap("#skip")
    tab.settle()
    assert tab.shown() == item(2, "student")
    tab.page.tap("#language")
    assert tab.text("h1") == "Fields to look at"


def test_a_screen_reader_is_told_of_each_field_and_every_control_has_a_name(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    assert tab.text("#spoken").startswith("Field student, page 1. Read: 1234, 51%.")
    tab.press("Enter")
    assert tab.text("#spoken").startswith("Saved: 1234. Field student, page 2.")
    tree = tab.page.locator("body").aria_snapshot()
    assert '- textbox "What stands here?"' in tree
    assert re.search(r'- img "Field student as it was scanned"', tree)
    assert not re.search(r"- (?:button|textbox|img)(?:$|:)", tree, flags=re.MULTILINE), tree
