"""The query of a request to read, checked: the arguments of ``Reader.read`` in a URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from lenet5.reading.check_digits import CHECKS
from lenet5.reading.reader import LAYOUTS
from lenet5.web.refused import RefusedError

__all__ = ["NAMES", "Parameters", "parameters"]

NAMES = ("layout", "pattern", "choices", "check", "region", "rotate", "min_confidence", "page")


@dataclass(frozen=True)
class Parameters:
    """The arguments of ``Reader.read``, and the page of the file to read (None: all pages).

    >>> Parameters(layout="line", page=2).options["layout"], "page" in Parameters().options
    ('line', False)
    """

    layout: str = "auto"
    pattern: str | None = None
    choices: tuple[str, ...] | None = None
    check: str | None = None
    region: tuple[float, ...] | None = None
    rotate: str | None = None
    min_confidence: float | None = None
    page: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of ``Reader.read``."""
        return {name: getattr(self, name) for name in NAMES if name != "page"}


def parameters(query: QueryParams) -> Parameters:
    """The parameters of a query. Raises RefusedError (422), which names the invalid one.

    Invalid patterns, choices and checks are refused by the worker, which compiles them.

    >>> parameters(QueryParams("layout=line&region=0,0,1,0.5")).region
    (0.0, 0.0, 1.0, 0.5)
    """
    values_by_name = {name: query.getlist(name) for name in query}
    for name, values in values_by_name.items():
        if name not in NAMES:
            raise _invalid(f"there is no parameter {_quoted(name)}: use {', '.join(NAMES)}")
        if len(values) > 1 and name != "choices":
            raise _invalid(f"{name} is given {len(values)} times")
    first = {name: values[0] for name, values in values_by_name.items()}
    return Parameters(
        layout=_one_of("layout", first.get("layout", "auto"), LAYOUTS),
        pattern=first.get("pattern"),
        choices=tuple(values_by_name["choices"]) if "choices" in values_by_name else None,
        check=_one_of("check", first["check"], CHECKS) if "check" in first else None,
        region=_region(first["region"]) if "region" in first else None,
        rotate=_one_of("rotate", first["rotate"], ("auto",)) if "rotate" in first else None,
        min_confidence=_probability(first["min_confidence"]) if "min_confidence" in first else None,
        page=_page(first["page"]) if "page" in first else None,
    )


def _one_of(name: str, value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise _invalid(f"{name} must be {'one of ' * (len(values) > 1)}{', '.join(values)}, not {_quoted(value)}")
    return value


def _region(text: str) -> tuple[float, ...]:
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        left = top = right = bottom = 0.0
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise _invalid(f"region must be left,top,right,bottom in 0..1, as 0.1,0.2,0.5,0.3, not {_quoted(text)}")
    return left, top, right, bottom


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise _invalid(f"min_confidence must be a probability in 0..1, not {_quoted(text)}")
    return value


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise _invalid(f"page must be a number from 1, not {_quoted(text)}")
    return int(text)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _invalid(message: str) -> RefusedError:
    return RefusedError(422, message, "parameter")
