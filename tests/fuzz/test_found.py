"""What fuzzing found, each a test of its own."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pytest

from lenet5.errors import (
    DataError,
    FormError,
    LeNet5Error,
    PatternError,
    PictureError,
    WeightsError,
    one_line,
    printable,
)
from lenet5.forms.form import load_form
from lenet5.learning.data import load
from lenet5.learning.unipen import read_unipen
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.geometry import Geometry
from lenet5.reading.score import PageScore
from tests.fuzz.corpus import unipen_points, unipen_segments


def test_rows_longer_than_the_head_of_a_labels_csv_are_no_columns(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file\na.png,7\n")
    with pytest.raises(DataError, match=r"needs a column file and a column label, text or lines; it has file$"):
        load(str(tmp_path))


@pytest.mark.parametrize("breaks", ["\n", "\r", "\x1e", "\x85", "\u2028", "\x1b[2J"])
def test_an_error_is_one_line_whatever_it_quotes(breaks: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f'file,"t{breaks}ext"\na.png,7\n', newline="")
    with pytest.raises(DataError) as refusal:
        load(str(tmp_path))
    assert len(str(refusal.value).splitlines()) == 1
    assert str(refusal.value).isprintable()
    assert one_line(PictureError(f"a{breaks}b"), "x").isprintable()
    assert LeNet5Error(printable(f"a{breaks}b")).args == LeNet5Error(f"a{breaks}b").args


@pytest.mark.parametrize("number", ["1e39", "-1e300", "1e9", "nan", "inf"])
def test_points_beyond_any_tablet_are_malformed_and_no_warning(number: str, tmp_path: Path) -> None:
    lines: list[str] = []
    for path, content in (("data/1a/a", unipen_segments()[0]), ("include/1a/a.dat", unipen_points()[0])):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content.replace(b"4 5 6", f"{number} 5 6".encode()))
    with pytest.raises(DataError, match="holds no UNIPEN data"):
        read_unipen(tmp_path, report=lines.append)
    assert "points that no tablet gives" in lines[0]


@pytest.mark.parametrize("pattern", ["[[0-9]", "[0--9]", "[0&&1]", "[1||2]", "[0~~1]", "[[]"])
def test_sets_of_which_re_warns_are_refused_without_a_warning(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_constraint("0123456789/:-.,%()", pattern, None, None)


def test_brackets_nested_too_deep_are_refused_in_a_form_and_in_the_metadata_of_weights(tmp_path: Path) -> None:
    deep = "[" * 10_000
    (tmp_path / "form.toml").write_text(f'reference = "blank.png"\nchoices = {deep}')
    with pytest.raises(FormError, match="no TOML: brackets are nested too deep"):
        load_form(tmp_path / "form.toml")
    for parsed in (PageScore.from_json, Geometry.from_json):
        with pytest.raises(WeightsError):
            parsed(deep)


def test_a_pattern_of_many_repeats_is_refused_before_it_has_done_much() -> None:
    with cProfile.Profile() as profile, pytest.raises(PatternError, match="is too large"):
        compile_constraint("0123456789/:-.,%()", "(1|2){2}" + r"( \d){1,42}" * 50, None, None)
    assert pstats.Stats(profile).total_calls < 8_000_000  # type: ignore[attr-defined]
