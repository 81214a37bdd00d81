"""JSON from outside, of which every fault is one kind of exception."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["parsed_json"]


def parsed_json(text: str | bytes) -> Any:
    """What ``json.loads`` gives. Raises ValueError for anything else, also where brackets are nested too deep for it.

    >>> parsed_json('{"text": "41973"}')
    {'text': '41973'}
    >>> parsed_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: brackets are nested too deep
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("brackets are nested too deep") from None
