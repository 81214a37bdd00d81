"""A real Chromium with the page opened from a file, as from a USB stick; every request that leaves it is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lenet5 import weights
from lenet5.export.html import page

LAPTOP = {"width": 1366, "height": 900}


@dataclass
class Opened:
    """A page of the browser, what it asked for over the network, and what went wrong in it."""

    page: Any
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def asked(self, request: Any) -> None:
        self.requests.append(request.url)

    def failed(self, error: Any) -> None:
        self.failures.append(str(error))

    def said(self, message: Any) -> None:
        if message.type == "error":
            self.failures.append(message.text)

    def js(self, expression: str, argument: object = None) -> Any:
        return self.page.evaluate(expression, argument)

    def settle(self) -> None:
        """Waits until what was asked for is drawn."""
        self.js("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, selector: str) -> str:
        self.settle()
        return str(self.page.text_content(selector))


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the bundled weights."""
    file = tmp_path_factory.mktemp("page") / "lenet5.html"
    file.write_text(page(weights.load("lenet5")), "utf-8")
    return file


@pytest.fixture(scope="session")
def first_tab(chromium: Any) -> Iterator[Any]:
    """A tab that tests use one after another: a new process for each would take most of their time."""
    context = chromium.new_context(viewport=LAPTOP)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(chromium: Any, page_file: Path, first_tab: Any) -> Iterator[Callable[..., Opened]]:
    """Opens the page: ``open_page("#lang=zh", viewport={…})``; at the end nothing may have gone wrong in it."""
    contexts, every = [], []

    def opened(hash_: str = "#lang=en", url: str | None = None, **how: Any) -> Opened:
        if how or every:
            contexts.append(chromium.new_context(**({"viewport": LAPTOP} | how)))
            found = Opened(contexts[-1].new_page())
        else:
            found = Opened(first_tab)
            first_tab.goto("about:blank")
        every.append(found)
        found.page.set_default_timeout(60_000)  # of a machine that is busy with other things
        found.page.on("request", found.asked)
        found.page.on("pageerror", found.failed)
        found.page.on("console", found.said)
        found.page.goto((url or page_file.as_uri()) + hash_)
        found.page.wait_for_selector("html[data-ready]")
        found.settle()
        return found

    yield opened
    failures = [failure for found in every for failure in found.failures]
    for found in every:
        for event, listener in (("request", found.asked), ("pageerror", found.failed), ("console", found.said)):
            found.page.remove_listener(event, listener)
    for context in contexts:
        context.close()
    assert not failures
