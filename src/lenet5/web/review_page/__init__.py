"""The page of the review as one HTML file: its sources are beside this module, plain HTML, CSS and JavaScript."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from lenet5 import __version__
from lenet5.export.bundle import bundle, compact
from lenet5.export.html import palette

__all__ = ["review_page"]


def review_page() -> str:
    """The HTML of the page. Its policy allows its own script and style, and requests to its own service, alone.

    >>> "http://" in review_page().replace("http://www.w3.org/2000/svg", "")
    False
    """
    folder = resources.files("lenet5.web.review_page")
    sources = {
        entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith((".js", ".css"))
    }
    modules = {name.removesuffix(".js"): compact(text) for name, text in sources.items() if name.endswith(".js")}
    script, style = bundle(modules, "review"), compact(palette() + sources["review.css"])
    html = compact((folder / "review.html").read_text("utf-8"))
    for name, text in {
        "SCRIPT_DIGEST": _digest(script), "STYLE_DIGEST": _digest(style), "VERSION": __version__, "STYLE": style,
        "SCRIPT": script,
    }.items():  # fmt: skip
        html = html.replace(f"%{name}%", text)
    return html


def _digest(text: str) -> str:
    """The source of a Content-Security-Policy that allows this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
