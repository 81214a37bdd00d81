"""Check digits → automata: a state is how many digits are left, modulo a period, and a running value.

Separators and spaces are passed over. Where weights count from the right, the length is not known from the left: each
remainder of it has a start state, and only the right one is accepted at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

from lenet5.codes import DIGITS, LETTERS, SEPARATORS
from lenet5.errors import PatternError
from lenet5.reading.automaton import Automaton, explored

__all__ = ["CHECKS", "check_automaton"]

Value = TypeVar("Value", bound=Hashable)

CHECKS: Final = ("luhn", "ean13", "isbn10", "isbn13", "iban", "mod11", "verhoeff")

_SKIPPED: Final = SEPARATORS + " "

# Verhoeff 1969: a permutation that is applied once more for each place from the right.
_PERMUTATION: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def check_automaton(check: str, classes: str) -> Automaton:
    """Texts of ``classes`` whose digits pass ``check``, one of CHECKS; PatternError if there is no such check.

    - ``luhn``: at least two digits; every second one from the right, but for the last, is doubled; sum ≡ 0 (mod 10).
    - ``ean13``, ``isbn13``: 13 digits weighted 1, 3, 1, 3 …, sum ≡ 0 (mod 10); an ISBN starts with 978 or 979.
    - ``isbn10``: 10 digits weighted 10, 9 … 1, sum ≡ 0 (mod 11). An X as the last one stands for ten; without the class
      X, such numbers are not allowed.
    - ``mod11``: at least two digits, weighted 1, 2, 3 … from the right, sum ≡ 0 (mod 11): NHS numbers, ISSNs.
    - ``verhoeff``: at least two digits; ``iban``: ISO 13616, which needs the capital letters.

    >>> automaton = check_automaton("ean13", "0123456789")
    >>> state = automaton.starts[0]
    >>> for digit in "4006381333931":
    ...     state = automaton.edges[state][digit]
    >>> automaton.accepting[state]
    True
    """
    digits = {d: int(d) for d in DIGITS}
    if check == "luhn":
        return _by_place(digits, 2, 0, _add_luhn, lambda total: total == 0)
    if check == "verhoeff":
        powers = _powers(_PERMUTATION, 8)
        return _by_place(digits, len(powers), 0, lambda k, c, d: _dihedral(powers[k][d], c), lambda c: c == 0)
    if check == "mod11":
        return _by_place(digits, 1, (0, 0), _add_mod11, lambda sums: sums[1] == 0)
    if check in ("ean13", "isbn13"):
        prefix = [{d: digits[d] for d in place} for place in ("9", "7", "89")] if check == "isbn13" else [digits] * 3
        return _weighted([*prefix, *[digits] * 10], (1, 3) * 6 + (1,), 10)
    if check == "isbn10":
        ten = {x: 10 for x in "Xx" if x in classes}
        return _weighted([*[digits] * 9, digits | ten], range(10, 0, -1), 11)
    if check == "iban":
        return _iban(classes)
    raise PatternError(f"there is no check {check!r}: use {', '.join(CHECKS)} or a function")


def _by_place(
    digits: dict[str, int],
    period: int,
    start: Value,
    add: Callable[[int, Value, int], Value],
    accepts: Callable[[Value], bool],
) -> Automaton:
    """Two or more ``digits`` from the left: ``add(place, value, digit)`` gives the next value.

    ``place`` counts from the right, from 0, modulo ``period``.
    """

    def step(state: tuple[int, int, Value]) -> dict[str, tuple[int, int, Value]]:
        left, seen, value = state
        place = (left - 1) % period
        after = {c: (place, min(seen + 1, 2), add(place, value, digit)) for c, digit in digits.items()}
        return after | dict.fromkeys(_SKIPPED, state)

    starts = [(left, 0, start) for left in range(period)]
    return explored(starts, step, lambda state: state[0] == 0 and state[1] == 2 and accepts(state[2]))


def _weighted(places: Sequence[dict[str, int]], weights: Sequence[int], modulus: int) -> Automaton:
    """One character for each place, of those with a value there, their weighted sum ≡ 0."""
    weighed = [
        {c: weight * value for c, value in values.items()} for values, weight in zip(places, weights, strict=True)
    ]

    def step(state: tuple[int, int]) -> dict[str, tuple[int, int]]:
        count, total = state
        after = dict.fromkeys(_SKIPPED, state)
        for values in weighed[count : count + 1]:  # none after the last
            after |= {c: (count + 1, (total + value) % modulus) for c, value in values.items()}
        return after

    return explored([(0, 0)], step, lambda state: state == (len(places), 0))


def _add_luhn(place: int, total: int, digit: int) -> int:
    doubled = digit if place == 0 else 2 * digit - 9 * (digit > 4)
    return (total + doubled) % 10


def _dihedral(a: int, b: int) -> int:
    """The product in the group of a pentagon's symmetries: 0 to 4 are rotations, 5 to 9 reflections."""
    turned = (a + b) % 5 if a < 5 else (a - b) % 5
    return turned + 5 * ((a < 5) != (b < 5))


def _add_mod11(_: int, sums: tuple[int, int], digit: int) -> tuple[int, int]:
    """Plain and weighted sum: each further digit moves the earlier ones one place on, which adds them once more."""
    plain = (sums[0] + digit) % 11
    return plain, (sums[1] + plain) % 11


def _powers(permutation: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    powers = [tuple(range(len(permutation)))]
    for _ in range(count - 1):
        powers.append(tuple(powers[-1][k] for k in permutation))
    return powers


def _iban(classes: str) -> Automaton:
    """Two letters, two check digits, then the account: what follows the first four, then these, is 1 (mod 97)."""
    letters = {c: value for value, c in enumerate(LETTERS[:26], 10)}
    if not set(classes).issuperset(letters):
        raise PatternError("check 'iban' needs the letters A–Z, which these weights do not know")
    digits = {d: int(d) for d in DIGITS}

    def step(state: tuple[int, int, int]) -> dict[str, tuple[int, int, int]]:
        count, head, account = state
        after = dict.fromkeys(_SKIPPED, state)
        if count < 2:
            return after | {c: (count + 1, (100 * head + value) % 97, 0) for c, value in letters.items()}
        if count < 4:
            return after | {c: (count + 1, (10 * head + value) % 97, 0) for c, value in digits.items()}
        after |= {c: (5, head, (10 * account + value) % 97) for c, value in digits.items()}
        return after | {c: (5, head, (100 * account + value) % 97) for c, value in letters.items()}

    return explored([(0, 0, 0)], step, lambda s: s[0] == 5 and (s[2] * 10**6 + s[1]) % 97 == 1)
