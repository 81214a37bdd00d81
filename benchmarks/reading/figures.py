"""One measured figure: what of, how many, how much, how sure, and which goal it has."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lenet5.evaluation.evaluate import wilson_interval

__all__ = ["Row", "share"]


@dataclass(frozen=True)
class Row:
    """A figure of ``n`` things: ``value`` in ``unit``, its 95% interval, and its goal, ``least`` or ``most``."""

    case: str
    figure: str
    n: int
    value: float
    unit: str = "%"
    interval: tuple[float, float] | None = None
    least: float | None = None
    most: float | None = None
    reader: str = "lenet5"

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"value": round(self.value, 4), "reached": self.reached}

    def __str__(self) -> str:
        interval = f"({self.interval[0]:.1f}–{self.interval[1]:.1f})" if self.interval else ""
        goal = "".join(f"{sign} {g:g}" for sign, g in (("≥", self.least), ("≤", self.most)) if g is not None)
        verdict = {True: "reached", False: "NOT reached", None: ""}[self.reached]
        return (
            f"{self.case:44} {self.reader:16} {self.figure:26} {self.n:>6,} {self.value:>9.2f} {self.unit:10} "
            f"{interval:14} {goal:8} {verdict}".rstrip()
        )


def share(
    case: str,
    figure: str,
    hits: int,
    n: int,
    least: float | None = None,
    most: float | None = None,
    reader: str = "lenet5",
) -> Row:
    """``hits`` of ``n`` as a percentage with its Wilson interval."""
    low, high = wilson_interval(hits, n)
    return Row(case, figure, n, 100 * hits / n, "%", (100 * low, 100 * high), least, most, reader)
