"""Patterns, choices and checks as automata: against ``re``, sets, and the checks as their standards write them."""

import itertools
import random
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lenet5.codes import DIGITS, LETTERS, SEPARATORS
from lenet5.errors import LeNet5Error, PatternError
from lenet5.reading.constraint import Constraint, compile_constraint

CLASSES = DIGITS + SEPARATORS
FEW = "01/ "


def compiled(**given: object) -> Constraint:
    constraint = compile_constraint(CLASSES, **given)  # type: ignore[arg-type]
    assert constraint is not None
    return constraint


def texts(length: int) -> list[str]:
    """All texts of FEW up to a length; spaces stand alone between characters, as wide gaps do."""
    every = ("".join(text) for k in range(length + 1) for text in itertools.product(FEW, repeat=k))
    return [text for text in every if text == text.strip() and "  " not in text]


TEXTS = texts(4)


def expressions() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(
        ["0", "1", "/", " ", r"\d", ".", "[01]", "[0-1/]", r"[^1]", r"[^\d]", r"\D", r"\s", r"\/", "[/-]", "[ /]"]
    )
    repeats = st.sampled_from(
        ["?", "*", "+", "{2}", "{1,3}", "{2,}", "{,2}", "{0}", "{0,0}", "*?", "??", "{1,2}?", "{,}"]
    )

    def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.lists(inner, min_size=2, max_size=3).map("".join),
            st.lists(st.one_of(inner, st.just("")), min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
            st.tuples(inner, repeats).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
            st.tuples(atoms, repeats).map("".join),
        )

    return st.recursive(atoms, longer, max_leaves=8)


@settings(deadline=None, max_examples=150)
@given(expressions())
@example("^1(0|)/$")
@example("1|0/|")
@example("(?P<day>0)1")
@example("()")
def test_a_pattern_allows_what_re_fullmatches(pattern: str) -> None:
    expected = [text for text in TEXTS if re.fullmatch(pattern, text)]
    try:
        constraint = compiled(pattern=pattern)
    except PatternError:
        assert not expected
    else:
        assert [text for text in TEXTS if constraint.allows(text)] == expected


KNOWN = "(digits, / : - . , % ( ) and space)"
USE = "is not supported: use literals, classes, groups, |, ?, *, + and {m,n}"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"\d\dA", rf"pattern '\d\dA': character 5, 'A', is not known to these weights {KNOWN}"),
        ("[0-9a-f]", f"pattern '[0-9a-f]': character 5, 'a', is not known to these weights {KNOWN}"),
        (r"1\+", rf"pattern '1\+': character 3, '+', is not known to these weights {KNOWN}"),
        ("1{x}", f"pattern '1{{x}}': character 2, '{{', is not known to these weights {KNOWN}"),
        (r"1[^\d\D]", r"pattern '1[^\d\D]': character 2, '[^\d\D]', matches nothing that these weights know " + KNOWN),
        ("", "the pattern is empty"),
        ("(12", "pattern '(12': character 1: missing ), unterminated subpattern"),
        ("*", "pattern '*': character 1: nothing to repeat"),
        ("1(?=2)", f"pattern '1(?=2)': character 2, '(?=', {USE}"),
        (r"(1)\1", rf"pattern '(1)\1': character 4, '\1', {USE}"),
        ("(?i)1", f"pattern '(?i)1': character 1, '(?i', {USE}"),
        (r"\b1", rf"pattern '\b1': character 1, '\b', {USE}"),
        ("1^2", f"pattern '1^2': character 2, '^', {USE}"),
        ("$1", f"pattern '$1': character 1, '$', {USE}"),
        (r"[\n]", rf"pattern '[\n]': character 2, '\n', {USE}"),
        ("1\n2", rf"pattern '1\n2': character 2, '\n', is not known to these weights {KNOWN}"),
        (" 1", "pattern ' 1' matches nothing: a space stands only between characters, and alone"),
        ("1  2", "pattern '1  2' matches nothing: a space stands only between characters, and alone"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_one_line_that_points_at_the_character(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        compiled(pattern=pattern)
    assert str(caught.value) == message
    assert isinstance(caught.value, LeNet5Error)


def test_a_separator_that_the_weights_lack_is_not_allowed_in_a_pattern() -> None:
    with pytest.raises(
        PatternError, match=re.escape("character 3, '/', is not known to these weights (digits and space)")
    ):
        compile_constraint(DIGITS, pattern=r"\d/")


@pytest.mark.parametrize(
    "pattern",
    [r"\d*1\d{20}", r"(\d?){4000}", r"\d{6000}", r"((\d{100}){100}){100}", "1{99999999999}", "(" * 3000 + ")" * 3000],
)
def test_a_pattern_whose_automaton_would_be_huge_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="too large"):
        compiled(pattern=pattern)


@given(st.lists(st.sampled_from([text for text in TEXTS if text]), min_size=1, max_size=12))
def test_choices_allow_themselves_and_nothing_else(choices: list[str]) -> None:
    constraint = compiled(choices=choices)
    assert {text for text in TEXTS if constraint.allows(text)} == set(choices)


def test_ten_thousand_choices_fit() -> None:
    rng = random.Random(1)
    choices = [f"{rng.randrange(10**9):09d}" for _ in range(10_000)]
    constraint = compiled(choices=choices)
    assert all(constraint.allows(choice) for choice in choices[:500])
    assert not constraint.allows("12345678")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([], "there are no choices"),
        (["12", " "], "choice 2 is empty"),
        (["12", "1B"], f"choice '1B': character 2, 'B', is not known to these weights {KNOWN}"),
        ("12", "choices are a list of strings, not one string"),
    ],
)
def test_choices_that_cannot_be_used_are_one_line(choices: object, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        compiled(choices=choices)
    assert str(caught.value) == message


def test_runs_of_spaces_in_choices_are_one_wide_gap_and_none_at_the_ends() -> None:
    constraint = compiled(choices=["  12   34 "])
    assert constraint.allows("12 34")
    assert not constraint.allows("1234")


def weighted_sum(text: str, weights: list[int]) -> int:
    return sum(w * int(d) for w, d in zip(weights, text, strict=True))


def luhn(text: str) -> bool:
    doubled = [sum(map(int, str(2 * int(d)))) if k % 2 else int(d) for k, d in enumerate(reversed(text))]
    return len(text) >= 2 and sum(doubled) % 10 == 0


def ean13(text: str) -> bool:
    return len(text) == 13 and (10 - weighted_sum(text[:12], [1, 3] * 6) % 10) % 10 == int(text[12])


def isbn13(text: str) -> bool:
    return ean13(text) and text[:3] in ("978", "979")


def isbn10(text: str) -> bool:
    return len(text) == 10 and weighted_sum(text, list(range(10, 0, -1))) % 11 == 0


def mod11(text: str) -> bool:
    return len(text) >= 2 and weighted_sum(text, list(range(len(text), 0, -1))) % 11 == 0


# The tables as they are printed.
MULTIPLICATION = """
0123456789
1234067895
2340178956
3401289567
4012395678
5987604321
6598710432
7659821043
8765932104
9876543210"""[1:].splitlines()
PERMUTATION = """
0123456789
1576283094
5803796142
8916043527
9453126870
4286573901
2793806415
7046913258"""[1:].splitlines()


def verhoeff(text: str) -> bool:
    c = 0
    for k, digit in enumerate(reversed(text)):
        c = int(MULTIPLICATION[c][int(PERMUTATION[k % 8][int(digit)])])
    return len(text) >= 2 and c == 0


CHECKS = {"luhn": luhn, "ean13": ean13, "isbn10": isbn10, "isbn13": isbn13, "mod11": mod11, "verhoeff": verhoeff}


def random_numbers(name: str) -> list[str]:
    """Numbers of every length, of which one in ten or eleven passes."""
    rng = random.Random(name)
    lengths = {"ean13": [12, 13, 13, 13, 14], "isbn10": [9, 10, 10, 10, 11], "isbn13": [13]}.get(
        name, list(range(1, 25))
    )
    start = "978" if name == "isbn13" else ""
    numbers = [start + f"{rng.randrange(10**30):030d}"[: rng.choice(lengths) - len(start)] for _ in range(3000)]
    return [*numbers, *("977" + n[3:] for n in numbers[:300]), *("979" + n[3:] for n in numbers[:300])]


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_allows_the_numbers_that_its_standard_does(name: str) -> None:
    constraint = compiled(check=name)
    numbers = random_numbers(name)
    passed = [number for number in numbers if CHECKS[name](number)]
    assert len(passed) > 150
    assert [number for number in numbers if constraint.allows(number)] == passed


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("luhn", "4539 1488 0343 6467"),
        ("luhn", "79927398713"),
        ("ean13", "4006381333931"),
        ("isbn10", "0-306-40615-2"),
        ("isbn13", "978-0-306-40615-7"),
        ("mod11", "943 476 5919"),  # the NHS's example
        ("mod11", "0378-5955"),  # an ISSN
        ("verhoeff", "2363"),
    ],
)
def test_known_numbers_pass_their_check_with_separators_and_gaps_and_no_other_last_digit_does(
    name: str, number: str
) -> None:
    constraint = compiled(check=name)
    assert [d for d in DIGITS if constraint.allows(number[:-1] + d)] == [number[-1]]


def test_an_isbn_that_ends_in_x_needs_the_class_x() -> None:
    with_x = compile_constraint(CLASSES + "X", check="isbn10")
    assert with_x is not None
    assert with_x.allows("0-8044-2957-X")
    assert not with_x.allows("X000000050")
    assert 10 * 10 + 2 * 5 == 10 * 11  # it would pass otherwise
    with pytest.raises(PatternError, match="'X', is not known"):
        compiled(pattern=r"\d{9}X", check="isbn10")


@pytest.mark.parametrize("letters", ["", LETTERS[1:26]])
def test_an_iban_needs_all_capital_letters(letters: str) -> None:
    with pytest.raises(PatternError, match="'iban' needs the letters A–Z, which these weights do not know"):
        compile_constraint(CLASSES + letters, check="iban")


def test_ibans_pass_with_weights_that_know_letters() -> None:
    constraint = compile_constraint(CLASSES + LETTERS, check="iban")
    assert constraint is not None
    for iban in ("GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "MT84MALT011000012345MTLCAST001S"):
        assert constraint.allows(iban)
        assert not constraint.allows(iban[:-1] + "7")
    for start in ("G", "GB", "GB82"):  # the head alone, whatever its remainder
        assert not any(constraint.allows(start + d) for d in DIGITS)


def test_a_check_that_is_not_known_is_an_error() -> None:
    with pytest.raises(PatternError, match="no check 'crc': use luhn, ean13"):
        compiled(check="crc")


@settings(deadline=None, max_examples=30)
@given(expressions(), st.lists(st.sampled_from(TEXTS[1:]), min_size=1, max_size=40))
def test_what_is_given_together_holds_together(pattern: str, choices: list[str]) -> None:
    expected = {text for text in choices if re.fullmatch(pattern, text) and luhn(re.sub(r"\D", "", text))}
    try:
        constraint = compiled(pattern=pattern, choices=choices, check="luhn")
    except PatternError:
        assert not expected
    else:
        assert {text for text in TEXTS if constraint.allows(text)} == expected


def test_a_contradiction_is_an_error_that_names_what_contradicts() -> None:
    with pytest.raises(PatternError, match="no choice matches pattern"):
        compiled(pattern=r"\d{3}", choices=["12", "1234"])
    with pytest.raises(PatternError, match=re.escape(r"no text of pattern '\d{12}' passes check 'ean13'")):
        compiled(pattern=r"\d{12}", check="ean13")
    with pytest.raises(PatternError, match="no choice passes check 'luhn'"):
        compiled(choices=["17"], check="luhn")


@pytest.mark.parametrize(
    "given", [{"check": "luhn"}, {"check": "verhoeff"}, {"pattern": r"\d+|\d \d", "check": "luhn"}]
)
def test_no_text_is_accepted_from_two_starts(given: dict[str, str]) -> None:
    constraint = compiled(**given)
    for k in range(1000):
        states = list(constraint.starts)
        for digit in str(k):
            states = [int(constraint.next[s, int(digit)]) for s in states if s >= 0]
        assert sum(s >= 0 and bool(constraint.accepting[s]) for s in states) <= 1


def test_a_function_is_a_predicate_on_top_of_the_automaton() -> None:
    constraint = compiled(pattern=r"\d\d", check=lambda text: text == text[::-1])
    assert constraint.allows("11")
    assert not constraint.allows("12")
    assert not constraint.allows("111")


def test_nothing_given_is_no_constraint() -> None:
    assert compile_constraint(CLASSES) is None
