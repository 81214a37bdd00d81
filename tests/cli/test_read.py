"""``lenet5 read``: digits on stdout, one line on stderr for each file that cannot be read."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lenet5 import Reader, Reading
from lenet5.reading.constraint import Constraint
from lenet5.reading.picture import Picture
from tests.conftest import Outcome
from tests.reading.test_opening import encoded, float_tiff, png

Command = Callable[..., Outcome]


@pytest.fixture
def three(draw: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A picture file of a 3."""
    path = tmp_path / "three.png"
    draw("3").save(path)
    return path


@pytest.fixture
def folder(draw: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A folder with a 2, in a folder within it a 7, a broken picture, and a text."""
    found = tmp_path / "folder"
    (found / "inner").mkdir(parents=True)
    draw("2").save(found / "a two.png")
    draw("7").save(found / "inner" / "seven.JPG")
    (found / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (found / "notes.txt").write_text("not a picture, and not meant as one")
    return found


def test_one_picture_prints_its_digit_alone(command: Command, three: Path) -> None:
    assert command("read", three) == Outcome(0, "3\n", "")


def test_several_pictures_print_file_and_digit(command: Command, three: Path, draw: Callable[..., Image.Image]) -> None:
    five = three.with_name("five.png")
    draw("5").save(five)
    assert command("read", three, five, "--layout", "digit") == Outcome(0, f"{three}: 3\n{five}: 5\n", "")


def test_a_folder_stands_for_its_pictures_and_a_broken_one_does_not_stop_the_rest(
    command: Command, folder: Path
) -> None:
    outcome = command("read", folder)
    assert outcome.out.splitlines() == [f"{folder / 'a two.png'}: 2", f"{folder / 'inner' / 'seven.JPG'}: 7"]
    assert str(folder / "broken.png") in outcome.complaint


def test_json_gives_one_object_a_file_as_the_contract_has_it(command: Command, folder: Path) -> None:
    outcome = command("read", "--json", folder)
    two, broken, seven = map(json.loads, outcome.out.splitlines())
    assert list(two) == ["file", "page", "text", "confidence", "lines"]
    assert (two["file"], two["page"], two["text"]) == (str(folder / "a two.png"), 1, "2")
    ((digit,),) = two["lines"]
    assert list(digit) == ["label", "confidence", "box", "alternatives"]
    assert 0 < two["confidence"] <= digit["confidence"] <= 1
    assert all(isinstance(edge, int) for edge in digit["box"])
    assert all(label in "0123456789?" and 0 < chance < 1 for label, chance in digit["alternatives"])
    assert list(broken) == ["file", "error"]
    assert broken["file"] == str(folder / "broken.png")
    assert seven["text"] == "7"
    assert outcome.status == 1


def test_csv_gives_a_header_and_one_row_a_file(command: Command, folder: Path) -> None:
    outcome = command("read", "--csv", folder / "a two.png", folder / "inner")
    header, *rows = csv.reader(io.StringIO(outcome.out))
    assert header == ["file", "text", "confidence"]
    assert [row[1] for row in rows] == ["2", "7"]
    assert all(0.5 < float(row[2]) <= 1 for row in rows)
    assert outcome.status == 0


def test_a_dash_reads_the_picture_on_standard_input(shell: Command, three: Path) -> None:
    outcome = shell("-m", "lenet5", "read", "-", stdin=three.read_bytes())
    assert outcome == Outcome(0, "3\n", "")


def test_min_confidence_refuses_what_is_less_sure(command: Command, three: Path) -> None:
    assert command("read", "--min-confidence", "1", three).out == "?\n"


def test_a_blank_picture_prints_a_question_mark(command: Command, tmp_path: Path) -> None:
    Image.new("RGB", (50, 70), "white").save(tmp_path / "white.png")
    assert command("read", "--layout", "digit", tmp_path / "white.png") == Outcome(0, "?\n", "")


def test_a_picture_of_one_pixel_prints_a_question_mark(command: Command, tmp_path: Path) -> None:
    Image.new("L", (1, 1)).save(tmp_path / "pixel.png")
    assert command("read", "--layout", "digit", tmp_path / "pixel.png") == Outcome(0, "?\n", "")


def test_a_note_on_a_large_picture_goes_to_stderr(
    command: Command, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    path = tmp_path / "large.png"
    draw("1", side=4100, scale=40).save(path, compress_level=1)
    outcome = command("read", path)
    assert (outcome.status, outcome.out) == (0, "1\n")
    assert outcome.err.startswith(f"lenet5: {path}: scaled down")


NOISE = np.random.default_rng(3).integers(0, 256, (40, 40), np.uint8)

BAD_PICTURES = {
    "empty": (b"", "is empty"),
    "text": (b"seven\n", "not a picture"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "not a picture"),
    "cut short": (encoded(Image.fromarray(NOISE))[:1000], "cut short"),
    "0x0": (png(0, 0), ""),
    "a bomb": (png(100_000, 100_000), "over 100 megapixels"),
    "NaN": (float_tiff(np.full((9, 9), np.nan)), "NaN or infinite"),
    "infinite": (float_tiff(np.full((9, 9), np.inf)), "NaN or infinite"),
}


@pytest.mark.parametrize(("content", "reason"), BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
def test_a_bad_picture_is_told_in_one_line(content: bytes, reason: str, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    outcome = command("read", path)
    assert outcome.out == ""
    assert str(path) in outcome.complaint
    assert reason in outcome.complaint


@pytest.mark.parametrize("name", ["text", "cut short", "a bomb", "NaN"])
def test_a_bad_picture_is_told_in_one_line_by_the_real_command(name: str, shell: Command, tmp_path: Path) -> None:
    content, reason = BAD_PICTURES[name]
    (tmp_path / "bad.png").write_bytes(content)
    outcome = shell("-m", "lenet5", "read", tmp_path / "bad.png")
    assert outcome.out == ""
    assert reason in outcome.complaint


def test_a_missing_file_is_told_in_one_line(shell: Command, tmp_path: Path) -> None:
    outcome = shell("-m", "lenet5", "read", tmp_path / "none.png")
    assert outcome.complaint == f"lenet5: no such file: {tmp_path / 'none.png'}"


def test_a_folder_without_pictures_is_told_in_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert command("read", tmp_path).complaint == f"lenet5: no pictures in the folder {tmp_path}"


def test_a_folder_without_pictures_does_not_stop_the_other_files(command: Command, three: Path) -> None:
    empty = three.parent / "empty"
    empty.mkdir()
    outcome = command("read", empty, three)
    assert f"{three}: 3" in outcome.out
    assert outcome.complaint == f"lenet5: no pictures in the folder {empty}"


def test_nothing_on_standard_input_is_told_in_one_line(shell: Command) -> None:
    assert "is empty" in shell("-m", "lenet5", "read", "-").complaint


def test_a_bad_picture_among_good_ones_gives_status_1_and_the_rest(command: Command, three: Path) -> None:
    outcome = command("read", three, three.parent / "none.png", three)
    assert outcome.out == f"{three}: 3\n" * 2
    assert "none.png" in outcome.complaint


def fail(picture: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make reading a picture of this size fail for a reason that nobody expects."""
    read = Reader._read

    def failing(self: Reader, opened: Picture, layout: str, constraint: Constraint | None) -> Reading:
        if opened.size == FAILS:
            raise kind("first\nsecond")
        return read(self, opened, layout, constraint)

    Image.new("L", FAILS, 255).save(picture)
    monkeypatch.setattr(Reader, "_read", failing)


FAILS = (77, 123)
KINDS = [cv2.error, MemoryError, ValueError, RecursionError, OSError, ZeroDivisionError, AssertionError]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_fails_for_whatever_reason_is_one_line_and_the_rest_are_read(
    kind: type[Exception], command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = str(folder / "broken.png")
    fail(bad, kind, monkeypatch)
    outcome = command("read", folder)
    assert outcome.out.splitlines() == [f"{folder / 'a two.png'}: 2", f"{folder / 'inner' / 'seven.JPG'}: 7"]
    assert bad in outcome.complaint
    rows = [json.loads(line) for line in command("read", "--json", folder).out.splitlines()]
    assert [row.get("text") for row in rows] == ["2", None, "7"]
    assert rows[1] == {"file": bad, "error": outcome.complaint.removeprefix("lenet5: ")}


def test_a_drawing_that_fails_for_whatever_reason_does_not_stop_the_rest(
    command: Command, three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("lenet5.evaluation.annotate.annotated", failing)
    outcome = command("read", "--annotate", three.with_name("out.png"), three, three)
    assert outcome.out == f"{three}: 3\n" * 2
    assert outcome.status == 1
    assert outcome.err == f"lenet5: {three} needs more memory than there is\n" * 2


def test_an_interrupt_stops_at_once(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(str(folder / "broken.png"), KeyboardInterrupt, monkeypatch)
    outcome = command("read", folder)
    assert (outcome.status, outcome.out) == (130, f"{folder / 'a two.png'}: 2\n")
    assert outcome.err.strip() == "lenet5: stopped"


@pytest.fixture
def scan(draw: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A TIFF of three pages: a 3, nothing, and a 5."""
    path = tmp_path / "scan.tif"
    pages = [draw("3"), Image.new("L", (200, 200), 255), draw("5")]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


def test_a_tiff_of_several_pages_prints_a_text_for_each(command: Command, scan: Path) -> None:
    outcome = command("read", "--layout", "digit", scan)
    assert outcome == Outcome(0, "3\n?\n5\n", "")


def test_the_pages_of_a_tiff_among_other_files_are_told_apart(command: Command, scan: Path, three: Path) -> None:
    outcome = command("read", "--layout", "digit", scan, three)
    assert outcome.out == f"{scan} page 1: 3\n{scan} page 2: ?\n{scan} page 3: 5\n{three}: 3\n"


def test_json_numbers_the_pages_of_a_tiff(command: Command, scan: Path) -> None:
    pages = [json.loads(line) for line in command("read", "--layout", "digit", "--json", scan).out.splitlines()]
    assert [(page["file"], page["page"], page["text"]) for page in pages] == [
        (str(scan), 1, "3"),
        (str(scan), 2, "?"),
        (str(scan), 3, "5"),
    ]


def test_a_damaged_page_is_told_after_the_pages_before_it(command: Command, scan: Path) -> None:
    with Image.open(scan) as pages:
        pages.seek(2)
        strip = pages.tag_v2[273][0]  # where the third page's pixels start
    broken = scan.with_name("broken.tif")
    broken.write_bytes(scan.read_bytes()[: strip + 1000])
    outcome = command("read", "--layout", "digit", broken)
    assert outcome.out == "3\n?\n"
    assert outcome.complaint == f"lenet5: not a picture: page 3 of {broken} is cut short"


def annotated_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), 2, 0)
        assert (np.maximum(abs(red - green), abs(green - blue)) > 60).any()  # what is drawn has a colour
        return image.size


def test_annotate_draws_the_reading_on_the_picture(command: Command, three: Path) -> None:
    drawn = three.with_name("drawn.png")
    assert command("read", "--annotate", drawn, three) == Outcome(0, "3\n", "")
    width, height = annotated_size(drawn)
    assert width >= 200
    assert height >= 200


def test_annotate_gives_each_of_several_pictures_a_file(command: Command, scan: Path, folder: Path) -> None:
    outcome = command("read", "--layout", "digit", "--annotate", scan.with_name("out.png"), scan, folder)
    assert str(folder / "broken.png") in outcome.complaint
    names = sorted(path.name for path in scan.parent.glob("out*"))
    assert names == [
        "out-a two.png", "out-scan-page1.png", "out-scan-page2.png", "out-scan-page3.png", "out-seven.png"
    ]  # fmt: skip
    for name in names:
        annotated_size(scan.with_name(name))


def test_two_pictures_of_one_name_are_annotated_in_two_files(command: Command, three: Path, folder: Path) -> None:
    other = folder / "three.png"
    other.write_bytes(three.read_bytes())
    assert command("read", "--annotate", three.with_name("out.png"), three, other).status == 0
    assert sorted(path.name for path in three.parent.glob("out*")) == ["out-three-2.png", "out-three.png"]


def test_annotate_never_writes_over_a_picture_that_is_read(command: Command, three: Path) -> None:
    before = three.read_bytes()
    assert "is a picture to be read" in command("read", "--annotate", three, three).complaint
    assert three.read_bytes() == before


def test_annotate_into_no_folder_is_told_before_anything_is_read(command: Command, three: Path) -> None:
    outcome = command("read", "--annotate", three.parent / "none" / "out.png", three)
    assert outcome.out == ""
    assert "cannot write" in outcome.complaint


def test_annotate_to_what_is_no_png_is_wrong_usage(command: Command, three: Path) -> None:
    outcome = command("read", "--annotate", three.with_name("out.jpg"), three)
    assert outcome.status == 2
    assert ".png" in outcome.err


def test_debug_keeps_what_the_network_saw_of_every_digit(command: Command, three: Path) -> None:
    kept = three.parent / "debug"
    assert command("read", "--debug", kept, three) == Outcome(0, "3\n", "")
    names = sorted(path.name for path in (kept / "three").iterdir())
    assert names == ["01-01-3.png", "annotated.png", "digits.png", "pieces-01.png", "reading.json"]
    seen = np.asarray(Image.open(kept / "three" / "01-01-3.png"))
    assert (seen[::8, ::8] == Reader().read(three).digits[0].image).all()
    assert json.loads((kept / "three" / "reading.json").read_text())["text"] == "3"


def test_debug_leaves_nothing_of_an_earlier_reading(command: Command, three: Path, tmp_path: Path) -> None:
    kept = tmp_path / "debug"
    command("read", "--debug", kept, three)
    Image.new("L", (50, 50), 255).save(three)
    command("read", "--layout", "digit", "--debug", kept, three)
    names = sorted(path.name for path in (kept / "three").iterdir())
    assert names == ["01-01-refused.png", "annotated.png", "digits.png", "reading.json"]


def test_debug_into_a_file_is_told_in_one_line(command: Command, three: Path) -> None:
    assert "cannot make the folder" in command("read", "--debug", three, three).complaint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_beside_a_progress_bar_on_the_terminal_the_results_go_to_the_pipe(three: Path) -> None:
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "lenet5", "read", *[three] * 30], stdout=subprocess.PIPE, stderr=terminal, check=True
    )
    os.close(terminal)
    bar = os.read(master, 100_000).decode(errors="replace")
    os.close(master)
    assert "reading" in bar
    assert done.stdout.decode() == f"{three}: 3\n" * 30


@pytest.fixture
def rows(write: Callable[..., Image.Image], tmp_path: Path) -> Path:
    """A picture file of two rows of digits."""
    path = tmp_path / "rows.png"
    write("2708", "345").save(path)
    return path


@pytest.mark.parametrize("layout", ["page", "auto"])
def test_a_page_prints_a_line_for_each_of_its_lines(layout: str, command: Command, rows: Path) -> None:
    assert command("read", "--layout", layout, rows) == Outcome(0, "2708\n345\n", "")


def test_a_line_prints_its_digits(command: Command, write: Callable[..., Image.Image], tmp_path: Path) -> None:
    write("270").save(tmp_path / "line.png")
    assert command("read", "--layout", "line", tmp_path / "line.png") == Outcome(0, "270\n", "")


def test_among_several_files_the_lines_of_a_page_are_joined_by_a_space(command: Command, rows: Path) -> None:
    assert command("read", rows, rows).out == f"{rows}: 2708 345\n" * 2


def test_csv_joins_the_lines_of_a_page_by_a_space(command: Command, rows: Path) -> None:
    assert command("read", "--csv", rows).out.splitlines()[1].startswith(f"{rows},2708 345,")


def test_json_parts_the_lines_of_a_page_and_has_the_box_of_every_digit(command: Command, rows: Path) -> None:
    page = json.loads(command("read", "--json", rows).out)
    assert page["text"] == "2708\n345"
    assert ["".join(digit["label"] for digit in line) for line in page["lines"]] == ["2708", "345"]
    for row, line in enumerate(page["lines"]):
        for column, digit in enumerate(line):
            left, top, right, bottom = digit["box"]
            assert 30 + 60 * column <= (left + right) / 2 <= 90 + 60 * column
            assert 20 + 90 * row <= top < bottom <= 90 + 90 * row


@pytest.mark.parametrize("layout", ["line", "page", "auto"])
def test_a_picture_without_digits_has_an_empty_text_and_it_is_said(
    layout: str, command: Command, write: Callable[..., Image.Image], tmp_path: Path
) -> None:
    path = tmp_path / "blank.png"
    write().save(path)
    assert command("read", "--layout", layout, path) == Outcome(0, "\n", f"lenet5: {path}: no digits found\n")


def test_annotate_draws_a_page(command: Command, rows: Path) -> None:
    drawn = rows.with_name("drawn.png")
    assert command("read", "--annotate", drawn, rows).out == "2708\n345\n"
    annotated_size(drawn)


def test_debug_keeps_the_digits_of_a_page_by_line_and_index(command: Command, rows: Path) -> None:
    kept = rows.parent / "debug"
    command("read", "--debug", kept, rows)
    names = sorted(path.name for path in (kept / "rows").glob("0*.png"))
    assert names == [
        f"{name}.png" for name in ("01-01-2", "01-02-7", "01-03-0", "01-04-8", "02-01-3", "02-02-4", "02-03-5")
    ]
    assert len(list((kept / "rows").glob("pieces-*.png"))) == 2


@pytest.mark.parametrize(
    "arguments",
    [(), ("--layout", "word", "x.png"), ("--min-confidence", "2", "x.png"), ("--threads", "0", "x.png"), ("--none",)],
)
def test_wrong_usage_ends_with_status_2(arguments: tuple[str, ...], command: Command) -> None:
    outcome = command("read", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert "Error: " in outcome.err


def test_a_name_that_is_no_text_is_told_in_one_line(shell: Command, tmp_path: Path) -> None:
    outcome = shell("-m", "lenet5", "read", str(tmp_path) + "/\udcff\udcfe.png")
    assert outcome.complaint.startswith("lenet5: no such file")


def test_reading_imports_neither_torch_nor_matplotlib(shell: Command, three: Path) -> None:
    program = (
        "import sys; from lenet5.cli import main; sys.argv = ['lenet5', 'read', sys.argv[1]]; main();"
        "print(sorted({'torch', 'matplotlib', 'onnx', 'requests'} & set(sys.modules)))"
    )
    outcome = shell("-c", program, three)
    assert outcome == Outcome(0, "3\n[]\n", "")


def test_a_reader_of_the_output_that_goes_away_leaves_no_traceback(shell: Command, three: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'lenet5', 'read', *sys.argv[1:]]\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "child.stdout.close()\n"
        "sys.stderr.buffer.write(child.stderr.read())\n"
    )
    outcome = shell("-c", program, *[three] * 30)
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/full")
def test_a_full_disk_under_standard_output_is_told_in_one_line(shell: Command, three: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "with open('/dev/full', 'w') as full:\n"
        "    command = [sys.executable, '-m', 'lenet5', 'read', sys.argv[1]]\n"
        "    sys.exit(subprocess.run(command, stdout=full).returncode)\n"
    )
    assert shell("-c", program, three).complaint
