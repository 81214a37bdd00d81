"""The OpenAPI 3.1 description of the service."""

from __future__ import annotations

from typing import Any, Final

from lenet5 import __version__, paper
from lenet5.reading.check_digits import CHECKS
from lenet5.reading.reader import LAYOUTS
from lenet5.web.settings import Settings

__all__ = ["description"]

Json = dict[str, Any]

_PIXELS: Final = paper.SIDE * paper.SIDE

_PICTURE: Final = """P1
36 20
000000000000000000000000000000000000
000000000000000000000000000000000000
000000000000000000000000000000000000
000000001111111000000011111111111100
000000011111111100000011111111111100
000000011000000111000000000000011000
000000111000000010000000000000011000
000000010000000110000000000000110000
000000000000001100000000000000110000
000000000000011100000000000001100000
000000000000111000000000000001100000
000000000001110000000000000001100000
000000000011100000000000000011000000
000000000111000000000000000011000000
000000001110000000000000000110000000
000000011100000000000000000110000000
000000011111111111000000001100000000
000000011111111111000000001100000000
000000000000000000000000000000000000
000000000000000000000000000000000000
"""
"""A bitmap as text, which shows 27: the picture of the examples."""


def description(settings: Settings) -> Json:
    """All paths, parameters, responses and errors, with the limits of these settings and examples that work.

    >>> from lenet5.weights import load
    >>> sorted(description(Settings(load("lenet5"), workers=1))["paths"])
    ['/', '/health/live', '/health/ready', '/metrics', '/openapi.json', '/v1/classify', '/v1/read']
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "lenet5",
            "version": __version__,
            "summary": "Reads handwritten digits in pictures.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/v1/read": {"post": _read(settings)},
            "/v1/classify": {"post": _classify(settings)},
            "/health/live": {"get": _get("live", "Whether the service runs.", "application/json", _ref("Health"))},
            "/health/ready": {
                "get": _get("ready", "Whether the workers have loaded.", "application/json", _ref("Health"), 503)
            },
            "/metrics": {"get": _get("metrics", "Counters for Prometheus.", "text/plain", {"type": "string"})},
            "/openapi.json": {"get": _get("openapi", "This description.", "application/json", {"type": "object"})},
            "/": {"get": _get("page", "The page.", "text/html", {"type": "string"})},
        },
        "components": {"schemas": _schemas(), "responses": _errors()},
    }


def _read(settings: Settings) -> Json:
    megabytes = f"{settings.most_bytes / 1_000_000:g} MB"
    formats = "PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PGM, PPM, PBM, PDF, and HEIC where the extra heic is installed"
    binary: Json = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    form: Json = {
        "schema": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
        },
        "examples": {"two pictures": {"value": {"first": _PICTURE, "second": _PICTURE}}},
    }
    digits: list[Json] = [
        {"label": "2", "confidence": 1.0, "box": [5, 2, 19, 18], "alternatives": []},
        {"label": "7", "confidence": 1.0, "box": [21, 2, 35, 18], "alternatives": []},
    ]
    result = {"file": "-", "page": 1, "text": "27", "confidence": 0.9216, "lines": [digits]}
    return {
        "operationId": "read",
        "summary": "Read the digits in pictures.",
        "description": (
            "One result for each page of each file, in order: the objects of `lenet5 read --json`. The only file of a "
            "request that cannot be read gives an error; among several files it gives a result with its error, and the "
            f"others are read. Formats: {formats}. At most {megabytes} and {settings.most_files:,} files in a request, "
            f"{settings.most_pages:,} pages in a file, and {settings.seconds:g} seconds for a file."
        ),
        "parameters": _parameters(),
        "requestBody": {
            "required": True,
            "description": "One picture as it is, or files in a form, whatever their fields are called.",
            "content": {
                "image/*": binary | {"examples": {"a bitmap": {"value": _PICTURE}}},
                "application/pdf": binary,
                "application/octet-stream": binary,
                "multipart/form-data": form,
            },
        },
        "responses": {
            "200": {
                "description": "What stands in the pictures.",
                "content": {
                    "application/json": {
                        "schema": _ref("Results"),
                        "examples": {"a bitmap": {"value": {"results": [result]}}},
                    }
                },
            },
            **_error_refs("400", "403", "408", "413", "415", "421", "422", "500", "503", "504"),
        },
    }


def _parameters() -> list[Json]:
    """The query of /v1/read."""

    def query(name: str, meaning: str, schema: Json, example: object, **options: object) -> Json:
        return {"name": name, "in": "query", "description": meaning, "schema": schema, "example": example, **options}

    text = {"type": "string"}
    return [
        query(
            "layout",
            "What the picture shows: exactly one digit, one line, a page of lines, or what is there.",
            {"type": "string", "enum": list(LAYOUTS), "default": "auto"},
            "line",
        ),
        query(
            "pattern",
            "What the text looks like: a regular expression of digits, separators and space.",
            text,
            r"[0-3]\d",
        ),
        query(
            "choices",
            "A text, one of which stands here; repeated.",
            {"type": "array", "items": text, "minItems": 1},
            ["27", "41"],
            style="form",
            explode=True,
        ),
        query("check", "The check digit that the text ends in.", {"type": "string", "enum": list(CHECKS)}, "mod11"),
        query(
            "region",
            "Read only this part: left,top,right,bottom as fractions of the picture.",
            {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 4, "maxItems": 4},
            [0, 0, 0.5, 1],
            style="form",
            explode=False,
        ),
        query("rotate", "Try four ways up and take the likeliest.", {"type": "string", "enum": ["auto"]}, "auto"),
        query(
            "min_confidence",
            "A digit below this probability is refused: its label is ?.",
            {"type": "number", "minimum": 0, "maximum": 1},
            0.5,
        ),
        query("page", "Read only this page of each file, counted from 1.", {"type": "integer", "minimum": 1}, 1),
    ]


def _classify(settings: Settings) -> Json:
    blank = [0] * _PIXELS
    return {
        "operationId": "classify",
        "summary": "Classify images in MNIST's form.",
        "description": (
            f"Each image is {paper.SIDE} rows of {paper.SIDE} pixels, 0 for paper to 255 for ink, centred as MNIST's "
            f"are. Label -1: no digit. At most {settings.most_json_bytes / 1_000_000:g} MB."
        ),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _ref("Images"),
                    "examples": {"a blank image": {"value": {"images": [blank]}}},
                }
            },
        },
        "responses": {
            "200": {
                "description": "A label and a confidence for each image.",
                "content": {
                    "application/json": {
                        "schema": _ref("Classes"),
                        "examples": {"a blank image": {"value": {"labels": [-1], "confidences": [1.0]}}},
                    }
                },
            },
            **_error_refs("400", "403", "408", "413", "415", "421", "422", "500", "503", "504"),
        },
    }


def _get(name: str, summary: str, kind: str, schema: Json, *errors: int) -> Json:
    """A path without parameters."""
    answer = {"200": {"description": summary, "content": {kind: {"schema": schema}}}}
    return {"operationId": name, "summary": summary, "responses": {**answer, **_error_refs("421", *map(str, errors))}}


def _schemas() -> Json:
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    box = {
        "type": "array",
        "description": "left, top, right, bottom in pixels of the picture as shown; right and bottom are exclusive.",
        "items": {"type": "integer", "minimum": 0},
        "minItems": 4,
        "maxItems": 4,
    }
    label = {"type": "string", "enum": [*"0123456789", "?"]}
    alternative = {"type": "array", "prefixItems": [label, probability], "minItems": 2, "maxItems": 2}
    digit = {
        "label": label,
        "confidence": probability,
        "box": box,
        "alternatives": {"type": "array", "items": alternative},
    }
    separator = {"separator": {"type": "string", "minLength": 1, "maxLength": 1}, "confidence": probability, "box": box}
    line = {"type": "array", "items": {"anyOf": [_ref("Digit"), _ref("Separator")]}}
    reading = {
        "file": {"type": "string", "description": 'The name that the form gives; "-" for a raw body.'},
        "page": {"type": "integer", "minimum": 1},
        "text": {"type": "string", "description": "A line of text for each line of digits; ? for a refused digit."},
        "confidence": {**probability, "description": "The probability that the whole text is right."},
        "lines": {"type": "array", "items": line},
    }
    allowed = {"allowed": {**probability, "description": "With a constraint: that any allowed text stands here."}}
    level = {"type": "integer", "minimum": 0, "maximum": 255}
    image = {"type": "array", "items": level, "minItems": _PIXELS, "maxItems": _PIXELS}
    result = {"anyOf": [_ref("Reading"), _ref("Failed")]}
    return {
        "Results": _object({"results": {"type": "array", "items": result}}),
        "Reading": _object(reading, allowed),
        "Failed": _object({"file": {"type": "string"}, "error": {"type": "string"}}),
        "Digit": _object(digit),
        "Separator": _object(separator),
        "Images": _object({"images": {"type": "array", "items": image}}),
        "Classes": _object(
            {
                "labels": {"type": "array", "items": {"type": "integer", "minimum": -1, "maximum": 9}},
                "confidences": {"type": "array", "items": probability},
            }
        ),
        "Health": _object({"status": {"type": "string", "enum": ["live", "ready"]}}),
        "Error": _object({"error": {"type": "string", "description": "One line."}}),
    }


def _object(required: Json, optional: Json | None = None) -> Json:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _errors() -> Json:
    """The responses of errors, by status."""
    meanings = {
        "400": "The request or its form is damaged.",
        "403": "The request comes from a page of another site.",
        "408": "The body came too slowly.",
        "413": "Too large: bytes, pixels, parts or pages.",
        "415": "No picture, or a body of another type.",
        "421": "The service is not called by this name.",
        "422": "A wrong parameter, which the error names.",
        "500": "A defect, or the process that read this request died.",
        "503": "Too many requests wait, or the service is loading or stopping; Retry-After says when to try again.",
        "504": "Reading took too long.",
    }
    content = {"application/json": {"schema": _ref("Error")}}
    retry = {"headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}}
    return {
        f"Error{status}": {"description": meaning, "content": content, **(retry if status == "503" else {})}
        for status, meaning in meanings.items()
    }


def _error_refs(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/Error{status}"} for status in statuses}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
