"""What a person does with the page: draw, drop files, and read the answer."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import STROKES
from tests.export.conftest import Opened

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
