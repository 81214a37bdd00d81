"""The review over HTTP: what the page asks for, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lenet5.errors import OutputError
from lenet5.forms.decisions import decision_of
from lenet5.web.app import Service
from tests.conftest import Outcome
from tests.forms.folder import item, write_folder
from tests.web.conftest import SETTINGS, Running, line_of, running

SHEETS = [("1234", "7"), ("5678", "12"), ("1284", "99")]


@pytest.fixture(scope="module")
def reviewing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    folder = tmp_path_factory.mktemp("review")
    with running(replace(SETTINGS, workers=1, review=folder)) as service:
        yield service, folder


@pytest.fixture
def review(reviewing: tuple[Running, Path]) -> tuple[Running, Path]:
    """A service of a folder that is as a run left it."""
    for path in reviewing[1].glob("*.*"):
        path.unlink()
    write_folder(reviewing[1], SHEETS)
    return reviewing


def say(service: Running, name: str, text: str, revision: int = 0, **more: Any) -> httpx.Response:
    return service.client.post(f"/review/items/{name}", json={"text": text, "revision": revision, **more})


def test_a_decision_is_on_disk_when_it_is_answered(review: tuple[Running, Path]) -> None:
    service, folder = review
    answer = say(service, item(3, "student"), " 9012 ")
    assert answer.status_code == 200
    assert answer.json()["decision"] == {"text": "9012", "revision": 1, "accepted": False}
    assert decision_of(folder, item(3, "student")).text == "9012"
    assert service.client.get("/review/state").json()["decided"] == 1


def test_what_somebody_else_decided_is_told_and_not_overwritten(review: tuple[Running, Path]) -> None:
    service, folder = review
    name = item(1, "points")
    assert say(service, name, "1").status_code == 200
    told = say(service, name, "7")
    assert told.status_code == 409
    assert told.json()["decision"]["text"] == "1"
    assert decision_of(folder, name).text == "1"
    assert say(service, name, "7", told.json()["decision"]["revision"]).status_code == 200
    assert decision_of(folder, name).text == "7"


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [("points", "1234", "pattern"), ("student", "9999", "choices"), ("student", "", "required"),
     ("student", "5678", "unique")],
)  # fmt: skip
def test_a_text_that_breaks_a_rule_is_kept_only_when_that_is_said(
    field: str, text: str, rule: str, review: tuple[Running, Path]
) -> None:
    service, folder = review
    told = say(service, item(1, field), text)
    assert told.status_code == 422
    assert rule in [broken["rule"] for broken in told.json()["broken"]]
    assert decision_of(folder, item(1, field)) is None
    assert say(service, item(1, field), text, despite=True).status_code == 200
    assert decision_of(folder, item(1, field)).text == text


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"text": 1, "revision": 0}', b'{"text": "1", "revision": "0"}',
     b'{"text": "1", "revision": -1}', b'{"text": "1", "revision": true}', b'{"text": "\\ud800", "revision": 0}',
     b'{"text": "1\\u0000", "revision": 0}', json.dumps({"text": "1" * 201, "revision": 0}).encode(), b"[" * 9000],
)  # fmt: skip
def test_a_body_that_is_no_decision_is_refused_in_one_line(body: bytes, review: tuple[Running, Path]) -> None:
    service, folder = review
    headers = {"Content-Type": "application/json"}
    line_of(service.client.post(f"/review/items/{item(1, 'points')}", content=body, headers=headers), 422)
    assert decision_of(folder, item(1, "points")) is None


def test_bodies_are_limited_and_of_one_type(review: tuple[Running, Path]) -> None:
    service, _ = review
    path = f"/review/items/{item(1, 'points')}"
    line_of(service.client.post(path, content=b" " * 20_000, headers={"Content-Type": "application/json"}), 413)
    line_of(service.client.post(path, content=b"{}", headers={"Content-Type": "text/plain"}), 415)


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_pages_of_other_sites_may_not_decide(headers: dict[str, str], review: tuple[Running, Path]) -> None:
    service, folder = review
    body = {"text": "1", "revision": 0}
    line_of(service.client.post(f"/review/items/{item(1, 'points')}", json=body, headers=headers), 403)
    assert decision_of(folder, item(1, "points")) is None


def test_another_name_reaches_nothing(review: tuple[Running, Path]) -> None:
    for path in ("/review", "/review/state", f"/review/items/{item(1, 'points')}/crop"):
        line_of(review[0].client.get(path, headers={"Host": "evil.example"}), 421)


@pytest.mark.parametrize(
    "path",
    ["items/nothing", "items/..%2F..%2Fetc%2Fpasswd", "items/{item}/json", "items/{item}/..%2Frows.jsonl", "other"],
)
def test_what_is_not_there_is_404(path: str, review: tuple[Running, Path]) -> None:
    line_of(review[0].client.get(f"/review/{path.format(item=item(1, 'points'))}"), 404)


def test_pictures_and_the_table_are_given(review: tuple[Running, Path]) -> None:
    service, folder = review
    name = item(2, "student")
    crop = service.client.get(f"/review/items/{name}/crop")
    assert crop.headers["content-type"] == "image/png"
    assert crop.content == (folder / f"{name}.png").read_bytes()
    assert service.client.get(f"/review/items/{name}/sheet").content[:2] == b"\xff\xd8"
    say(service, name, "9012")
    table = service.client.get("/review/table.csv")
    assert "attachment" in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert [(row["student"], row["student_read"]) for row in rows] == [
        ("1234", "1234"), ("9012", "5678"), ("1284", "1284"),
    ]  # fmt: skip


def test_a_broken_item_does_not_stop_the_rest(review: tuple[Running, Path]) -> None:
    service, folder = review
    (folder / f"{item(1, 'student')}.json").write_text('{"format": 1}')
    found = service.client.get("/review/next").json()
    assert found["item"]["name"] == item(2, "student")
    assert found["state"]["unreadable"] == 1


def test_a_folder_that_vanishes_is_one_line(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "review", SHEETS)
    with running(replace(SETTINGS, workers=1, review=folder)) as service:
        folder.rename(tmp_path / "elsewhere")
        assert "cannot read" in line_of(service.client.get("/review/state"), 500)


def test_a_missing_folder_is_told_before_the_service_starts(tmp_path: Path, command: Callable[..., Outcome]) -> None:
    with pytest.raises(OutputError):
        Service(replace(SETTINGS, review=tmp_path / "nothing"))
    complaint = command("serve", "--port", "0", "--review", tmp_path / "nothing").complaint
    assert complaint == f"lenet5: cannot read {tmp_path / 'nothing'}: No such file or directory"


def test_without_a_folder_there_is_no_review(service: Running) -> None:
    assert service.client.get("/review").status_code == 404
