"""/openapi.json: valid, complete, and each of its examples sent and answered as it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from lenet5.web.openapi import description
from lenet5.web.parameters import NAMES
from tests.web.conftest import SETTINGS, Running, line_of

DOCUMENT = description(SETTINGS)


def check(content: object, schema: dict[str, Any]) -> None:
    """Raise ValidationError where content does not have a schema of the document."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(content)


def examples() -> Iterator[object]:
    """Each example request: path, content type, body."""
    for path, methods in DOCUMENT["paths"].items():
        for kind, content in methods.get("post", {}).get("requestBody", {}).get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                yield pytest.param(path, kind, name, example["value"], id=f"{path} {kind}")


def sent(service: Running, path: str, kind: str, body: Any, **query: Any) -> httpx.Response:
    if kind == "application/json":
        return service.client.post(path, json=body, params=query)
    if kind == "multipart/form-data":
        files = {name: (f"{name}.pbm", content) for name, content in body.items()}
        return service.client.post(path, files=files, params=query)
    headers = {"Content-Type": kind.replace("*", "x-portable-bitmap")}
    return service.client.post(path, content=body, headers=headers, params=query)


def test_the_service_tells_it_and_it_is_valid_openapi(service: Running) -> None:
    told = service.client.get("/openapi.json").json()
    assert told == DOCUMENT
    assert told["openapi"].startswith("3.1.")
    validate(told)


def test_every_route_and_every_parameter_is_described(service: Running) -> None:
    assert set(DOCUMENT["paths"]) == {route.path for route in service.server.service.app.routes}  # type: ignore[attr-defined]
    assert [parameter["name"] for parameter in DOCUMENT["paths"]["/v1/read"]["post"]["parameters"]] == list(NAMES)


@pytest.mark.parametrize(("path", "kind", "name", "body"), list(examples()))
def test_each_example_request_is_answered_as_described(
    path: str, kind: str, name: str, body: Any, service: Running
) -> None:
    operation = DOCUMENT["paths"][path]["post"]
    answer = sent(service, path, kind, body)
    assert answer.status_code == 200, answer.text
    described = operation["responses"]["200"]["content"]["application/json"]
    check(answer.json(), described["schema"])
    if name in described["examples"]:
        assert answer.json() == described["examples"][name]["value"]
    request = operation["requestBody"]["content"][kind]["schema"]
    check(body, request)


@pytest.mark.parametrize("parameter", DOCUMENT["paths"]["/v1/read"]["post"]["parameters"], ids=lambda p: p["name"])
def test_each_example_of_a_parameter_is_taken(parameter: dict[str, Any], service: Running) -> None:
    check(parameter["example"], parameter["schema"])
    value = parameter["example"]
    if parameter.get("explode") is False:
        value = ",".join(map(str, value))
    body = DOCUMENT["paths"]["/v1/read"]["post"]["requestBody"]["content"]["image/*"]
    picture = body["examples"]["a bitmap"]["value"]
    answer = sent(service, "/v1/read", "image/*", picture, **{parameter["name"]: value})
    assert answer.status_code == 200, answer.text
    check(answer.json(), {"$ref": "#/components/schemas/Results"})


@pytest.mark.parametrize("path", [path for path, methods in DOCUMENT["paths"].items() if "get" in methods])
def test_each_get_is_answered_with_its_type(path: str, service: Running) -> None:
    answer = service.client.get(path)
    ((kind, content),) = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"].items()
    assert answer.headers["content-type"].startswith(kind)
    check(answer.json() if kind == "application/json" else answer.text, content["schema"])


def test_errors_have_the_schema_that_is_described_for_their_status(service: Running) -> None:
    operation = DOCUMENT["paths"]["/v1/read"]["post"]
    for answer in (
        service.read(b"no picture"),
        service.read(b"", layout="none"),
        service.read(bytes(4_000_000)),
        service.read(b"--", "multipart/form-data"),
        service.client.post("/v1/read", headers={"Origin": "http://evil.example"}),
        service.client.post("/v1/read", headers={"Host": "evil.example"}),
    ):
        status = str(answer.status_code)
        name = operation["responses"][status]["$ref"].rpartition("/")[2]
        check(answer.json(), DOCUMENT["components"]["responses"][name]["content"]["application/json"]["schema"])
        line_of(answer, answer.status_code)
