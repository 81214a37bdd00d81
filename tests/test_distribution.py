"""The sdist and the wheel hold what they need and no more."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
setuptools = pytest.importorskip("setuptools", minversion="77")


@pytest.fixture(scope="module")
def sources() -> set[str]:
    """The files under version control."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the sdist, from its folder on."""
    folder = tmp_path_factory.mktemp("sdist")
    build = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, folder], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def test_the_sdist_holds_the_repository_and_nothing_else(sources: set[str], sdist: set[str]) -> None:
    made = {"PKG-INFO", "setup.cfg", *(name for name in sdist if ".egg-info/" in name)}
    internal = {name for name in sources if name.startswith(".")}
    assert sources - sdist - internal == set()
    assert sdist - sources - made == set()


def test_the_wheel_holds_the_package_without_the_engines_sources(sources: set[str], tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    built = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    package = {name.removeprefix("src/") for name in sources if name.startswith("src/lenet5/")}
    compiled = {name for name in package if name.startswith("lenet5/engine/") and name.endswith((".c", ".h"))}
    assert built == package - compiled
    assert {"lenet5/export/c/lenet5.h", "lenet5/export/card.md", "lenet5/export/measured.json"} <= built
    assert "lenet5/bundled/lenet5.safetensors" in built


READS_A_PICTURE = """
import sys
from importlib.resources import files
import lenet5
from lenet5 import Reader, engine
assert lenet5.__file__.startswith(sys.argv[1]), lenet5.__file__
assert engine.AVAILABLE
picture = files("lenet5") / "bundled" / "pictures" / "7-small-on-a-large-page.jpg"
print(Reader().read(picture.read_bytes()).text)
"""


@pytest.mark.slow
def test_the_wheel_alone_reads_a_picture_with_the_network_off(sources: set[str], tmp_path: Path) -> None:
    for name in sources:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "tree" / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, tmp_path / "tree"], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert sys.version_info < (3, 11) or "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = {name.removeprefix("src/") for name in sources if name.startswith("src/lenet5/")}
    compiled = {name for name in package if name.startswith("lenet5/engine/") and name.endswith((".c", ".h"))}
    (extension,) = held - package
    assert extension.startswith("lenet5/engine/_engine.")
    assert package - compiled - held == set()
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "site", wheel], check=True)
    without_network = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*without_network, "true"], capture_output=True, check=False).returncode:
        without_network = []  # not allowed here: nothing is asked of the network either way
    command = [*without_network, sys.executable, "-c", READS_A_PICTURE, str(tmp_path / "site")]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr[-2000:]
