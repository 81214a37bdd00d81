"""Drawn pictures with known truth: what a page score is fitted on, and, from other seeds, measured on."""

from lenet5.synthesis.pages.kinds import KINDS, pages
from lenet5.synthesis.pages.sources import Images, Writers, from_writings
from lenet5.synthesis.pages.truth import Digits, Glyph, Page, TrueLine

__all__ = ["KINDS", "Digits", "Glyph", "Images", "Page", "TrueLine", "Writers", "from_writings", "pages"]
