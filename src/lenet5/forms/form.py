from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from numpy.typing import NDArray

@dataclass(frozen=True)
class Field:
    name: str
    box: tuple[float, float, float, float]
    pattern: str | None = None
    cells: int | None = None
    choices: tuple[str, ...] | None = None
    check: str | None = None
    required: bool = False
    min_confidence: float = 0.95
    unique: bool = False

@dataclass(frozen=True)
class Form:
    name: str
    blank: NDArray[np.uint8]
    fields: tuple[Field, ...]
