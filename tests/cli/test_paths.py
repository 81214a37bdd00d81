"""Paths and streams of every kind: one line that says what is wrong, never a traceback, never a wait without end."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from lenet5 import weights
from lenet5.errors import DataError, WeightsError
from lenet5.files import OutputError, beside, open_regular, require_writable, write_beside
from lenet5.learning.data import load
from tests.conftest import Outcome

Command = Callable[..., Outcome]

PICTURE = Path(weights.__file__).parent / "bundled" / "pictures" / "7-small-on-a-large-page.jpg"
LONG = "a" * 5000

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links, FIFOs and signals are POSIX's")


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """A symbolic link to itself."""
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path / "loop"


@pytest.fixture(params=["loop", "long"])
def bad(request: pytest.FixtureRequest, loop: Path) -> str:
    return str(loop) if request.param == "loop" else LONG


@pytest.mark.parametrize(
    "arguments",
    [
        ("read", "{}"),
        ("read", PICTURE, "--choices", "{}"),
        ("read", PICTURE, "--weights", "{}"),
        ("read", PICTURE, "--debug", "{}"),
        ("read", PICTURE, "--annotate", "{}.png"),
        ("train", "--data", "{}"),
        ("train", "--data", "{}.npz"),
        ("train", "--data", "digits", "--passes", "1", "--output", "{}"),
        ("train", "--data", "digits", "--passes", "1", "--checkpoint", "{}"),
        ("evaluate", "--data", "{}"),
        ("evaluate", "--data", "{}.npz"),
        ("export", "--format", "c", "--output", "{}"),
        ("export", "--format", "html", "--output", "{}"),
    ],
    ids=lambda a: " ".join(str(part) for part in a if not isinstance(part, Path)),
)
def test_a_loop_of_links_and_a_name_too_long_are_one_line(
    arguments: tuple[object, ...], bad: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if bad != LONG and str(arguments[-1]).endswith(".png"):
        Path(f"{bad}.png").symlink_to(f"{bad}.png")
    outcome = command(*(str(part).format(bad) for part in arguments))
    assert outcome.complaint


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="dropping rights needs root")
@pytest.mark.parametrize(
    "arguments",
    [("read", "{}/a.png"), ("read", "{}"), ("evaluate", "--data", "{}"), ("evaluate", "--weights", "{}/w.safetensors")],
    ids=" ".join,
)
def test_what_may_not_be_read_is_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "3").mkdir(parents=True)
    (closed / "a.png").write_bytes(PICTURE.read_bytes())
    closed.chmod(0)
    program = f"""
import difflib, os, pypdfium2
from lenet5 import Reader
from lenet5.cli import evaluate, main, read
from lenet5.evaluation import evaluate as _, report
from lenet5.learning.data import load
from lenet5.processes import limit_threads
from lenet5.scale import jobs, listing, pages
limit_threads(1)
load("digits"), Reader().read({str(PICTURE)!r})  # all modules are loaded while they may be
os.setuid(65534)
main()
"""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, *(part.format(closed) for part in arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "LENET5_DATA": str(closed)},
    )  # fmt: skip
    closed.chmod(0o755)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "ermission denied" in done.stderr or "no pictures" in done.stderr


def test_a_data_folder_that_cannot_be_read_is_one_line(
    command: Command, loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (loop, LONG):
        monkeypatch.setenv("LENET5_DATA", str(folder))
        assert command("evaluate", "--data", "mnist").complaint


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_is_no_traceback(stream: str) -> None:
    shell = f"'{sys.executable}' -m lenet5 read - {stream}"
    done = subprocess.run(["sh", "-c", shell], input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"defect" not in done.stderr
    assert len(done.stderr.splitlines()) == (0 if stream == "2>&-" else 1)


# --- FIFOs: nobody writes to these ---


@pytest.fixture
def fifo(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        return path

    return make


@pytest.fixture(autouse=True)
def _no_waiting() -> object:
    """A test that waits for a writer fails instead."""

    def give_up(*_: object) -> None:
        raise AssertionError("waits for a FIFO")

    former = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


def test_a_fifo_is_no_data(fifo: Callable[[str], Path]) -> None:
    for name, data in (
        ("a.npz", "a.npz"),
        ("idx/t10k-images-idx3-ubyte", "idx"),
        ("csv/labels.csv", "csv"),
    ):
        path = fifo(name)
        if data == "idx":
            fifo("idx/t10k-labels-idx1-ubyte")
        folder = path.parent if data != "a.npz" else path
        with pytest.raises(DataError, match="it is no regular file"):
            load(str(folder))


def test_a_fifo_is_no_weights(fifo: Callable[[str], Path]) -> None:
    with pytest.raises(WeightsError, match="it is no regular file"):
        weights.load(fifo("w.safetensors"))


def test_only_regular_files_are_opened(fifo: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"whole")
    with open_regular(tmp_path / "a") as file:
        assert file.read() == b"whole"
    for path in (tmp_path, fifo("b"), Path("/dev/null")):
        with pytest.raises(OSError, match="it is"):
            open_regular(path)


def test_nothing_is_written_through_a_loop_or_to_an_empty_name(loop: Path) -> None:
    for path in (loop, "", LONG):
        for write in (require_writable, lambda p: write_beside(p, b"x")):
            with pytest.raises(OutputError):
                write(path)
    assert loop.is_symlink()


# --- words ---


def test_an_empty_name_is_called_one(command: Command, tmp_path: Path) -> None:
    assert "the name of a picture is empty" in command("read", "").complaint
    assert "empty name" in command("read", PICTURE, "--weights", "").complaint
    outcome = command("read", PICTURE, "--debug", "")
    assert outcome.status == 2
    assert "--debug" in outcome.err


def test_an_npz_of_arrays_is_not_called_a_pickle(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros(3))
    with pytest.raises(WeightsError, match=r"is an \.npz file of arrays") as error:
        weights.load(tmp_path / "a.npz")
    assert "pickle" not in str(error.value)


def test_a_line_break_in_a_files_name_does_not_break_its_line(command: Command, tmp_path: Path) -> None:
    for name in ("two\nlines.jpg", "other.jpg"):
        (tmp_path / name).write_bytes(PICTURE.read_bytes())
    outcome = command("read", tmp_path)
    assert outcome.status == 0
    assert len(outcome.out.splitlines()) == 2
    assert "two\\nlines.jpg: 7" in outcome.out


def test_every_oserror_of_a_path_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error", "/some/path")

    monkeypatch.setattr("lenet5.learning.data._digits", failing)
    assert "/some/path: Input/output error" in command("evaluate", "--data", "digits").complaint


# --- Ctrl-C in the first instant ---


@pytest.mark.parametrize("module", ["lenet5.cli", "click", "lenet5.errors"])
def test_ctrl_c_while_the_program_is_loaded_ends_it_quietly(module: str) -> None:
    program = f"""
import builtins, os, signal, sys
whole = builtins.__import__
def slow(name, *arguments, **named):
    if name == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)
    return whole(name, *arguments, **named)
from lenet5.__main__ import main
builtins.__import__ = slow
sys.modules.pop({module!r}, None)
sys.argv = ["lenet5", "describe"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr in ("", "lenet5: stopped\n")
    assert done.returncode in (-signal.SIGINT, 130)


def test_the_package_itself_loads_nothing_large() -> None:
    program = "import sys, lenet5; print([m for m in ('numpy', 'cv2', 'torch', 'click', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert io.StringIO(done.stderr).read() == ""


def test_a_file_has_its_new_name_only_once_its_content_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, synced = tmp_path / "digits.txt", []

    def fsync(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, target.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_beside(target, b"41973")
    assert synced == [(target.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


def test_a_file_has_the_rights_that_the_mask_leaves(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_beside(tmp_path / "digits.txt", b"41973")
    finally:
        os.umask(mask)
    assert (tmp_path / "digits.txt").stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_the_system_allows_is_written_in_any_script(tmp_path: Path) -> None:
    for name in ("七" * 85, "7" * 255):
        write_beside(tmp_path / name, b"41973")
        assert (tmp_path / name).read_bytes() == b"41973"


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with beside(tmp_path / "digits.txt") as place:
            place.write_text("419")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EIO])
def test_a_file_system_that_cannot_be_asked_to_write_is_no_error_but_a_broken_disk_is(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError) if code == errno.EIO else nullcontext():
        write_beside(tmp_path / "digits.txt", b"41973")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if code == errno.EIO else [b"41973"])
