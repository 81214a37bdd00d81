"""Every kind of drawn page by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from lenet5.synthesis.pages import (
    amounts,
    drawings,
    empty,
    forms,
    numbers,
    photos,
    print_alone,
    rows,
    scenes,
    single,
    thumbnails,
    words,
)
from lenet5.synthesis.pages.truth import Digits, Draw, Page

__all__ = ["KINDS", "pages"]

KINDS: Final[dict[str, Draw]] = {
    **numbers.KINDS,
    **rows.KINDS,
    **forms.KINDS,
    **single.KINDS,
    **photos.KINDS,
    **empty.KINDS,
    **print_alone.KINDS,
    **drawings.KINDS,
    **words.KINDS,
    **scenes.KINDS,
    **thumbnails.KINDS,
    **amounts.KINDS,
}
"""How each kind is drawn: digits and a generator → page. Kinds that begin with "no digits" have no lines."""


def pages(
    digits: Digits, kinds: Sequence[str], count: int, generator: np.random.Generator
) -> Iterator[tuple[str, Page]]:
    """``count`` pages of each of the kinds (keys of KINDS), the kinds in turn; the same from the same generator.

    >>> from lenet5.synthesis.pages import Glyph
    >>> bars = lambda generator, n: [Glyph(np.ones((20, 4), np.float32), 1)] * n  # writes only 1s
    >>> kinds = ["number", "no digits: blank"]
    >>> [(kind, set(page.text)) for kind, page in pages(bars, kinds, 2, np.random.default_rng(0))]
    [('number', {'1'}), ('no digits: blank', set()), ('number', {'1'}), ('no digits: blank', set())]
    """
    for _ in range(count):
        for kind in kinds:
            yield kind, KINDS[kind](digits, generator)
