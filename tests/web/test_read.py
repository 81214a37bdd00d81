"""POST /v1/read: the objects of read --json, its parameters, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from lenet5 import Reader
from lenet5.result import file_json
from tests.conftest import Outcome
from tests.web.conftest import Running, line_of

Draw = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def test_a_raw_body_gives_the_object_of_read_json(
    service: Running, write: Draw, encoded: Encode, shell: Callable[..., Outcome]
) -> None:
    picture = encoded(write("2708", "345"))
    printed = shell("-m", "lenet5", "read", "--json", "-", stdin=picture).out
    answer = service.read(picture)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"results": [json.loads(printed)]}
    assert answer.json()["results"][0]["text"] == "2708\n345"


@pytest.mark.parametrize("kind", ["image/png", "image/x-anything", "application/octet-stream", "IMAGE/PNG; a=b"])
def test_the_content_decides_what_a_picture_is_whatever_its_type_says(
    kind: str, service: Running, write: Draw, encoded: Encode
) -> None:
    assert service.read(encoded(write("27"), kind="JPEG"), kind).json()["results"][0]["text"] == "27"


def test_the_files_of_a_form_are_read_in_order_by_their_names(
    service: Running, write: Draw, encoded: Encode, reader: Reader
) -> None:
    pictures = {f"{text} é.png": encoded(write(text)) for text in ("27", "345", "8")}
    files = [("picture", (name, content)) for name, content in pictures.items()]
    answer = service.client.post("/v1/read", files=files)
    assert answer.json() == {
        "results": [file_json(name, reader.read(content)) for name, content in pictures.items()],
    }


def test_every_page_gives_a_result_and_page_picks_one(service: Running, write: Draw, encoded: Encode) -> None:
    pages = [write(text) for text in ("27", "345", "8")]
    for kind, scale in (("TIFF", 1), ("PDF", 1)):
        content = encoded(*pages, kind=kind)
        results = service.read(content).json()["results"]
        assert [(result["page"], result["text"]) for result in results] == [(1, "27"), (2, "345"), (3, "8")], scale
        (result,) = service.read(content, page=2).json()["results"]
        assert (result["page"], result["text"]) == (2, "345")
        assert line_of(service.read(content, page=4), 422).startswith("page must be 1 to 3, not 4")


def test_a_file_of_too_many_pages_is_refused_but_one_of_them_is_read(
    service: Running, write: Draw, encoded: Encode
) -> None:
    content = encoded(*[write("27")] * 5, kind="TIFF")
    assert "5 pages, over the 4" in line_of(service.read(content), 413)
    assert service.read(content, page=5).json()["results"][0]["page"] == 5


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ({"layout": "line"}, {"layout": "line"}),
        ({"layout": "digit"}, {"layout": "digit"}),
        ({"pattern": r"\d{3}"}, {"pattern": r"\d{3}"}),
        ({"choices": ["346", "27 08"]}, {"choices": ["346", "27 08"]}),
        ({"check": "luhn", "layout": "line"}, {"check": "luhn", "layout": "line"}),
        ({"region": "0,0,1,0.45"}, {"region": (0, 0, 1, 0.45)}),
        ({"rotate": "auto"}, {"rotate": "auto"}),
        ({"min_confidence": "1"}, {"min_confidence": 1}),
    ],
)
def test_each_parameter_reaches_the_reader(
    query: dict[str, Any],
    arguments: dict[str, Any],
    service: Running,
    write: Draw,
    encoded: Encode,
    reader: Reader,
) -> None:
    picture = encoded(write("2708", "345").rotate(90 if "rotate" in query else 0, expand=True))
    expected = file_json("-", reader.read(picture, **arguments))
    assert service.read(picture, **query).json() == {"results": [expected]}
    assert expected["lines"] != reader.read(picture).to_json()["lines"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("layout=pages", "layout must be one of auto, digit, line, page, not 'pages'"),
        ("layout=line&layout=page", "layout is given 2 times"),
        ("colour=red", "there is no parameter 'colour': use layout"),
        ("rotate=90", "rotate must be auto, not '90'"),
        ("check=luhm", "check must be one of luhn"),
        ("min_confidence=2", "min_confidence must be a probability"),
        ("min_confidence=nan", "min_confidence must be a probability"),
        ("region=0,0,1", "region must be left,top,right,bottom"),
        ("region=0.5,0,0.2,1", "region must be left,top,right,bottom"),
        ("region=0,0,nan,1", "region must be left,top,right,bottom"),
        ("region=0,0,100,100", "region must be left,top,right,bottom"),
        ("page=0", "page must be a number from 1"),
        ("page=-1", "page must be a number from 1"),
        ("page=²", "page must be a number from 1"),
        ("page=99999999999999999999", "page must be a number from 1"),
        ("pattern=", "the pattern is empty"),
        ("pattern=a", "character 1"),
        ("choices=27&choices=2x", "choice '2x': character 2"),
        ("choices=", "choice 1 is empty"),
        ("check=iban", "iban"),
        ("url=http://localhost/", "there is no parameter 'url'"),
    ],
)
def test_a_wrong_parameter_is_named(query: str, named: str, service: Running, write: Draw, encoded: Encode) -> None:
    answer = service.client.post(f"/v1/read?{query}", content=encoded(write("27")))
    assert named in line_of(answer, 422)


@pytest.mark.parametrize("pattern", [r"\d(", r"[3-0]", r"\d\d x", r"(?=\d)", "\\d{9999}"])
def test_a_pattern_that_is_wrong_is_told_as_the_command_tells_it(
    pattern: str, service: Running, write: Draw, encoded: Encode, command: Callable[..., Outcome]
) -> None:
    told = command("read", "--pattern", pattern, "any.png").complaint
    assert "lenet5: " + line_of(service.read(encoded(write("27")), pattern=pattern), 422) == told


def test_a_broken_file_among_others_is_a_result_and_the_others_are_read(
    service: Running, write: Draw, encoded: Encode
) -> None:
    files = [("f", ("broken.png", b"no picture")), ("f", ("good.png", encoded(write("27"))))]
    broken, good = service.client.post("/v1/read", files=files).json()["results"]
    assert broken["file"] == "broken.png"
    assert broken["error"].startswith("not a picture: ")
    assert list(broken) == ["file", "error"]
    assert (good["file"], good["text"]) == ("good.png", "27")


def test_a_page_that_one_of_several_files_lacks_is_a_result(service: Running, write: Draw, encoded: Encode) -> None:
    contents = encoded(write("27")), encoded(write("27"), write("8"), kind="TIFF")
    files = [("f", (f"{k}.tif", content)) for k, content in enumerate(contents)]
    lacking, good = service.client.post("/v1/read?page=2", files=files).json()["results"]
    assert lacking["error"].startswith("page must be 1 to 1, not 2")
    assert good["text"] == "8"


def test_a_wrong_pattern_refuses_all_files_at_once(service: Running, write: Draw, encoded: Encode) -> None:
    files = [("f", (f"{k}.png", encoded(write("27")))) for k in range(2)]
    assert "character 3" in line_of(service.client.post(r"/v1/read?pattern=\d(", files=files), 422)


def test_a_damaged_page_is_a_result_after_those_that_were_read(service: Running, write: Draw, encoded: Encode) -> None:
    content = encoded(write("27"), write("345"), kind="TIFF")[:-1000]
    first, second = service.read(content).json()["results"]
    assert (first["page"], first["text"]) == (1, "27")
    assert second == {"file": "-", "error": "not a picture: page 2 of the picture is cut short"}


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_a_request_without_any_picture_is_415(content: bytes, service: Running) -> None:
    assert line_of(service.read(content), 415).startswith("not a picture: ")
    answer = service.client.post("/v1/read", files={"file": ("x.png", content)})
    assert line_of(answer, 415).startswith("not a picture: ")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", "text/uri-list"]
)
def test_a_body_of_another_type_is_415_and_says_what_to_send(kind: str, service: Running) -> None:
    message = line_of(service.read(b"http://localhost/picture.png", kind), 415)
    assert kind in message
    assert "image/png" in message


def test_a_form_of_fields_is_422_and_says_where_parameters_stand(service: Running) -> None:
    answer = service.client.post("/v1/read", files={"layout": (None, b"line")})
    assert "part 'layout' is no file" in line_of(answer, 422)


def test_a_form_without_parts_is_422(service: Running) -> None:
    answer = service.read(b"--x--\r\n", "multipart/form-data; boundary=x")
    assert line_of(answer, 422) == "the form holds no file"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nab'),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 100 + b"\r\nabc\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: " + b"a" * 100_000 + b"\r\n\r\nabc\r\n--x--"),
        ("multipart/form-data; boundary=" + "x" * 500, b"--x--"),
    ],
)
def test_a_damaged_form_is_400_or_422(kind: str, content: bytes, service: Running) -> None:
    answer = service.read(content, kind)
    line_of(answer, answer.status_code)
    assert answer.status_code in (400, 415, 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/read", 405),
        ("DELETE", "/v1/classify", 405),
        ("POST", "/", 405),
        ("POST", "/v1/read/", 404),
        ("GET", "/v1", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/docs", 404),
    ],
)
def test_other_paths_and_methods_are_one_line(method: str, path: str, status: int, service: Running) -> None:
    line_of(service.client.request(method, path), status)
