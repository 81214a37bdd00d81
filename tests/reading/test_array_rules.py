"""Arrays, crops and patterns at the edges of what is allowed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import ArrayError, PatternError, PictureError, TooLargeError
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.opening import open_pages, open_picture
from lenet5.reading.pattern import pattern_automaton
from lenet5.reading.picture import Picture
from lenet5.result import Box
from tests.reading.test_opening import tiff

CLASSES = DIGITS + SEPARATORS


@pytest.mark.parametrize(
    ("array", "lightest"),
    [
        (np.array([[0, 255]], np.uint8), 1.0),
        (np.array([[0, 51]], np.uint8), 0.2),
        (np.array([[0, 65535]], np.uint16), 1.0),
        (np.array([[0, 13107]], np.uint16), 0.2),
        (np.array([[0, 13107]], ">u2"), 0.2),
        (np.array([[False, True]]), 1.0),
        (np.array([[0, 1]], np.float32), 1.0),
        (np.array([[0, 0.2]], np.float64), 0.2),
        (np.array([[0, 0.25]], np.float16), 0.25),
        (np.array([[0, 0.25]], np.longdouble), 0.25),
        (np.array([[[0], [51]]], np.uint8), 0.2),
        (np.array([[[0] * 3, [51] * 3]], np.uint8), 0.2),
        (np.array([[[0] * 3 + [255], [51] * 3 + [255]]], np.uint8), 0.2),
    ],
)
def test_levels_of_each_type_and_shape_are_shares_of_full_scale(array: NDArray[np.generic], lightest: float) -> None:
    grey = open_picture(array).grey
    assert grey.shape == (1, 2)
    assert grey.max() == pytest.approx(lightest, abs=1e-4)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3, 2), np.uint8), np.zeros((2, 2), np.uint32), np.zeros((2, 2), np.int8)]
)
def test_two_channels_and_other_integers_are_refused(array: NDArray[np.generic]) -> None:
    with pytest.raises(PictureError, match="an array must be"):
        open_picture(array)


def test_as_many_pages_as_are_allowed_are_opened() -> None:
    assert [page.page for page in open_pages(tiff(0, 1, 2), most_pages=3)] == [1, 2, 3]
    with pytest.raises(TooLargeError, match="has 3 pages, over the 2"):
        list(open_pages(tiff(0, 1, 2), most_pages=2))
    assert open_picture(tiff(0)).notes == ()
    assert len(open_picture(tiff(0, 1)).notes) == 1


# --- parts ---

PAGE = Picture(np.arange(600, dtype=np.float32).reshape(20, 30) / 600, (30, 20))


def test_a_part_may_be_the_whole_or_one_pixel_wide_and_no_narrower() -> None:
    assert PAGE.cropped(Box(0, 0, 30, 20)).bounds == Box(0, 0, 30, 20)
    assert PAGE.cropped(Box(29, 19, 30, 20)).grey.shape == (1, 1)
    assert PAGE.cropped((0, 0, 0.034, 1)).grey.shape == (20, 1)
    for region in ((0.5, 0, 0.5, 1), (0, 0.5, 1, 0.5), Box(5, 5, 5, 8), Box(5, 5, 8, 5)):
        with pytest.raises(ArrayError, match="is empty"):
            PAGE.cropped(region)
    for narrow in ((0.5, 0, 0.505, 1), (0, 0.5, 1, 0.505)):
        with pytest.raises(PictureError, match="no pixel of the picture"):
            PAGE.cropped(narrow)


@pytest.mark.parametrize("box", [Box(-1, 0, 5, 5), Box(0, -1, 5, 5), Box(0, 0, 31, 5), Box(0, 0, 5, 21)])
def test_a_part_that_reaches_out_on_one_side_is_refused(box: Box) -> None:
    with pytest.raises(PictureError, match="outside the picture"):
        PAGE.cropped(box)


@pytest.mark.parametrize("box", [Box(5, 0, 10, 20), Box(20, 0, 25, 20), Box(0, 0, 30, 5), Box(0, 15, 30, 20)])
def test_a_part_beside_a_part_has_no_pixel_in_it(box: Box) -> None:
    with pytest.raises(PictureError, match="in this part"):
        PAGE.cropped(Box(10, 5, 20, 15)).cropped(box)


def test_a_turned_part_is_cropped_by_the_picture_as_shown() -> None:
    for turns in range(1, 8):
        part = PAGE.turned(turns).cropped(Box(3, 5, 12, 20))
        assert part.bounds == Box(3, 5, 12, 20)
        assert part.grey.tolist() == np.rot90(PAGE.grey[5:20, 3:12], turns).tolist()


# --- patterns ---


def compiled(**given: object) -> Constraint:
    constraint = compile_constraint(CLASSES, **given)  # type: ignore[arg-type]
    assert constraint is not None
    return constraint


def test_a_character_that_is_not_known_is_no_space_and_a_space_stands_only_between_characters() -> None:
    constraint = compiled(pattern="[0-9 ]*")
    assert [t for t in ("", "0", "1 2", "1A2", " 1", "1 ", "1  2", "A") if constraint.allows(t)] == ["", "0", "1 2"]
    assert not compiled(pattern="12|1 2").allows("1")


def test_a_function_and_an_automaton_must_both_allow() -> None:
    even = compiled(pattern=r"\d\d", check=lambda text: text.endswith("2"))
    assert [t for t in ("12", "13", "2", "122") if even.allows(t)] == ["12"]
    assert compiled(pattern=r"\d\d").allows("13")


def test_a_hyphen_in_a_set_is_a_character_at_its_ends_alone() -> None:
    for pattern in ("[1-]", "[-1]", "[^1]-"):
        with pytest.raises(PatternError, match="'-', is not known"):
            compile_constraint(DIGITS, pattern=pattern)
    between = compile_constraint(DIGITS, pattern="[1-3]")
    assert between is not None
    assert [d for d in DIGITS if between.allows(d)] == ["1", "2", "3"]


@pytest.mark.parametrize("choices", ["12", ["12", 7], [None]])
def test_choices_are_a_list_of_strings(choices: object) -> None:
    with pytest.raises(PatternError, match="choices are a list of strings"):
        compiled(choices=choices)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (r"1{5000}", True),
        (r"1{5001}", False),
        (r"(1{50}){100}", True),
        (r"(1{51}){99}", False),
        (r"1{4000}1{1001}", False),
    ],
)
def test_a_pattern_has_at_most_5000_characters_written_out(pattern: str, fits: bool) -> None:
    if fits:
        assert len(pattern_automaton(pattern, "01 ").edges) == 5001
    else:
        with pytest.raises(PatternError, match="too large: written out it has more than 5,000 characters"):
            pattern_automaton(pattern, "01 ")


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("1{0}2", ["2"]), ("1{0,}2", ["2", "12", "112"]), ("1{0,1}2", ["2", "12"]), ("1{,1}2", ["2", "12"]),
        ("1{2}2", ["112"]), ("1{1,}2", ["12", "112"]), ("1??2", ["2", "12"]), ("(1|)2", ["2", "12"]),
        ("(|1)2", ["2", "12"]), ("[-1]2", ["12", "-2"]), ("[1-]2", ["12", "-2"]), ("[0-1]2", ["12"]),
        (r"[\-1]2", ["12", "-2"]), ("^12$", ["12"]),
        (r"[^\d]2", ["-2"]), ("[^1-]2", []), (r"[\d]2", ["12"]), (r"\D2", ["-2"]), (".2", ["12", "-2"]),
    ],
)  # fmt: skip
def test_repeats_and_sets_are_those_of_re(pattern: str, allowed: list[str]) -> None:
    constraint = compiled(pattern=pattern)
    assert [t for t in ("2", "12", "112", "-2") if constraint.allows(t)] == allowed


@pytest.mark.parametrize("pattern", ["1+*", "1**", "1{2}{3}", "1?+", "[1-a]", r"[\a]", r"[+-1]", "(1)^2", "1$2", "a"])
def test_what_no_automaton_does_and_what_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern=pattern)
