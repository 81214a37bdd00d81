"""MNIST is found or fetched, and nothing that is not MNIST is ever kept."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest

from lenet5 import DataError
from lenet5.learning import mnist
from lenet5.learning.data import ImageSet, load
from tests.learning.test_idx import idx

LABELS = "t10k-labels-idx1-ubyte"
IMAGES = "t10k-images-idx3-ubyte"
CLOSED = "http://127.0.0.1:9/"  # the discard port: nothing answers

HTML = b"<!DOCTYPE html><html><body>Sign in to the wireless network</body></html>"


class Site:
    """A mirror on this machine: ``files`` by path, and every path that was ``asked`` for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.promised_extra = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                content = site.files.get(self.path)
                self.send_response(404 if content is None else 200)
                body = content if content is not None else b"not here"
                self.send_header("Content-Length", str(len(body) + site.promised_extra))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def genuine(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small stand-in for MNIST's test files, gzipped, whose digests are taken for the published ones."""
    generator = np.random.default_rng(0)
    contents = {
        IMAGES: idx(generator.integers(0, 256, (20, 28, 28), np.uint8)),
        LABELS: idx(generator.integers(0, 10, 20).astype(np.uint8)),
    }
    digests = {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(mnist, "_MD5", {**mnist._MD5, **digests})
    return {name: gzip.compress(content) for name, content in contents.items()}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, with LENET5_DATA unset."""
    monkeypatch.delenv("LENET5_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "lenet5" / "mnist"


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_is_fetched_from_the_first_mirror_into_the_cache(
    site: Site, genuine: dict[str, bytes], cache: Path
) -> None:
    site.files = {f"/a/{name}.gz": content for name, content in genuine.items()}
    images, labels = mnist.load_mnist("t10k", [f"{site.address}/a/", CLOSED])
    assert images.shape == (20, 28, 28)
    assert labels.shape == (20,)
    assert files_in(cache) == [f"{IMAGES}.gz", f"{LABELS}.gz"]
    assert len(site.asked) == 2


def test_a_file_in_the_cache_is_not_fetched_again(site: Site, genuine: dict[str, bytes], cache: Path) -> None:
    site.files = {f"/a/{name}.gz": content for name, content in genuine.items()}
    first = mnist.load_mnist("t10k", [f"{site.address}/a/"])
    site.asked.clear()
    second = mnist.load_mnist("t10k", [f"{site.address}/a/"])
    assert site.asked == []
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_the_second_mirror_serves_where_the_first_has_nothing(
    site: Site, genuine: dict[str, bytes], tmp_path: Path
) -> None:
    site.files = {f"/b/{LABELS}.gz": genuine[LABELS]}
    path = mnist.fetch(LABELS, tmp_path, [f"{site.address}/a/", f"{site.address}/b/"])
    assert path.read_bytes() == genuine[LABELS]
    assert site.asked == [f"/a/{LABELS}.gz"] * 2 + [f"/b/{LABELS}.gz"]
    assert files_in(tmp_path) == [f"{LABELS}.gz"]


@pytest.mark.parametrize("wrong", ["HTML", "gzipped HTML", "cut short", "another file", "empty"])
def test_a_wrong_answer_with_status_200_is_passed_over_and_not_kept(
    wrong: str, site: Site, genuine: dict[str, bytes], tmp_path: Path
) -> None:
    body = {
        "HTML": HTML,
        "gzipped HTML": gzip.compress(HTML),
        "cut short": genuine[LABELS][:-9],
        "another file": gzip.compress(idx(np.zeros(20, np.uint8))),
        "empty": b"",
    }[wrong]
    site.files = {f"/a/{LABELS}.gz": body, f"/b/{LABELS}.gz": genuine[LABELS]}
    message = refusal(lambda: mnist.fetch(LABELS, tmp_path, [f"{site.address}/a/"]))
    assert "--data digits" in message
    assert files_in(tmp_path) == []
    path = mnist.fetch(LABELS, tmp_path, [f"{site.address}/a/", f"{site.address}/b/"])
    assert path.read_bytes() == genuine[LABELS]
    assert files_in(tmp_path) == [f"{LABELS}.gz"]


def test_a_connection_that_breaks_off_leaves_nothing(site: Site, genuine: dict[str, bytes], tmp_path: Path) -> None:
    site.files = {f"/a/{LABELS}.gz": genuine[LABELS][:20]}
    site.promised_extra = 100
    refusal(lambda: mnist.fetch(LABELS, tmp_path, [f"{site.address}/a/"]))
    assert files_in(tmp_path) == []


def test_without_a_network_the_message_names_the_ways_to_do_without(cache: Path) -> None:
    message = refusal(lambda: mnist.load_mnist("t10k", [CLOSED, CLOSED]))
    assert "--data digits" in message
    assert "LENET5_DATA" in message
    assert files_in(cache) == []


def test_a_cache_that_cannot_be_written_is_told_in_one_line(
    site: Site, genuine: dict[str, bytes], cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    site.files = {f"/a/{name}.gz": content for name, content in genuine.items()}
    assert "--data digits" in refusal(lambda: mnist.load_mnist("t10k", [f"{site.address}/a/"]))


def test_a_damaged_file_in_the_cache_is_named_with_what_to_do(cache: Path, genuine: dict[str, bytes]) -> None:
    cache.mkdir(parents=True)
    (cache / f"{IMAGES}.gz").write_bytes(genuine[IMAGES][:-5])
    message = refusal(lambda: mnist.load_mnist("t10k", [CLOSED]))
    assert str(cache / f"{IMAGES}.gz") in message
    assert "delete it and fetch it again" in message


# --- LENET5_DATA ---


@pytest.fixture
def given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder mnist/ in the folder that LENET5_DATA names."""
    monkeypatch.setenv("LENET5_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    return tmp_path / "mnist"


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
def test_the_files_in_lenet5_data_are_read(packed: bool, given_folder: Path, genuine: dict[str, bytes]) -> None:
    for name, content in genuine.items():
        path = given_folder / (f"{name}.gz" if packed else name)
        path.write_bytes(content if packed else gzip.decompress(content))
    images, labels = mnist.load_mnist("t10k", [CLOSED])
    assert images.shape == (20, 28, 28)
    assert labels.shape == (20,)


def test_lenet5_data_without_mnist_says_what_is_missing(given_folder: Path) -> None:
    message = refusal(lambda: mnist.load_mnist("train", [CLOSED]))
    assert str(given_folder / "train-images-idx3-ubyte.gz") in message
    assert "--data digits" in message
    assert "LENET5_DATA" in message


def test_images_that_are_not_mnists_are_refused_by_their_digest(given_folder: Path) -> None:
    (given_folder / f"{IMAGES}.gz").write_bytes(gzip.compress(idx(np.zeros((20, 28, 28), np.uint8))))
    assert "is not MNIST's t10k-images-idx3-ubyte" in refusal(lambda: mnist.load_mnist("t10k", [CLOSED]))


# --- the real MNIST ---


def test_the_digests_are_the_published_ones_of_the_real_files(real_data: Path) -> None:
    for name, digest in mnist._MD5.items():
        content = gzip.decompress((real_data / "mnist" / f"{name}.gz").read_bytes())
        assert hashlib.md5(content).hexdigest() == digest, name


def test_the_real_files_are_fetched_and_checked(real_data: Path, site: Site, cache: Path) -> None:
    for name in (IMAGES, LABELS):
        site.files[f"/{name}.gz"] = (real_data / "mnist" / f"{name}.gz").read_bytes()
    images, labels = mnist.load_mnist("t10k", [f"{site.address}/"])
    assert images.shape == (10_000, 28, 28)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_mnist_has_its_published_sizes_and_classes(real_data: Path) -> None:
    train, test = load("mnist", "train"), load("mnist", "test")
    assert isinstance(train, ImageSet)
    assert isinstance(test, ImageSet)
    assert (len(train.images), len(test.images)) == (60_000, 10_000)
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.name == train.name == "mnist"
