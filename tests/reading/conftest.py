"""What tests of reading share."""

from __future__ import annotations

import pytest

from lenet5.learning.data import ImageSet, load


@pytest.fixture(scope="session")
def embedded() -> ImageSet:
    """The test part of the embedded digits."""
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    return digits
