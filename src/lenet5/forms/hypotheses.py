from __future__ import annotations
from collections.abc import Iterator
import numpy as np

def outline_hypotheses(scan, reference) -> Iterator[np.ndarray]:
    return iter(())
