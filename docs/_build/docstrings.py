"""Docstrings as Markdown for the site: Sphinx's roles become links, examples become blocks of code."""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["AsMarkdown", "as_markdown"]

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")
EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n|$).*)*", flags=re.MULTILINE)


def as_markdown(docstring: str) -> str:
    """A docstring with links for its roles, ``:func:`` and the like, and with its doctests in fences."""
    text = EXAMPLE.sub(lambda example: f"```pycon\n{example[0]}\n```", docstring)
    return ROLE.sub(r"<autoref optional identifier='\1'><code>\1</code></autoref>", text)


class AsMarkdown(griffe.Extension):
    """Rewrites each docstring when its object has been loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
