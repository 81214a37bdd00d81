"""A line in which nothing could be a digit."""

from __future__ import annotations

import numpy as np

from lenet5 import Digit, Reader
from lenet5.reading.line import read_line
from lenet5.reading.lines import Line


def test_a_line_of_specks_alone_has_no_digits(reader: Reader) -> None:
    level = np.zeros((60, 200), np.float32)
    level[40:43, 20::40] = level[40:43, 21::40] = level[40:43, 22::40] = 1
    found = read_line(Line(level, 0.0, 0.0, 1.0, 0.0), reader.line_model)
    assert not any(isinstance(mark, Digit) and mark.label != "?" for word in found.words for mark in word)
