"""POST /v1/classify: images in MNIST's form."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader
from tests.web.conftest import Running, line_of

BLANK = [0] * 784


def classified(service: Running, images: Any) -> httpx.Response:
    return service.client.post("/v1/classify", json={"images": images})


def test_answers_are_those_of_the_reader(service: Running, mnist_form: NDArray[np.uint8], reader: Reader) -> None:
    labels, confidences = reader.classify(mnist_form)
    answer = classified(service, mnist_form.reshape(-1, 784).tolist())
    assert answer.status_code == 200
    assert answer.json()["labels"] == labels.tolist()
    assert answer.json()["confidences"] == pytest.approx(confidences.tolist(), abs=6e-5)
    assert labels.min() >= 0


def test_a_blank_image_is_refused_and_whole_floats_are_levels(service: Running) -> None:
    assert classified(service, [BLANK, [0.0] * 784]).json() == {"labels": [-1, -1], "confidences": [1.0, 1.0]}


def test_no_images_give_no_labels(service: Running) -> None:
    assert classified(service, []).json() == {"labels": [], "confidences": []}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "not JSON: Expecting value at character 1"),
        (b'{"images": [', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "one list, images"),
        (b'{"images": 5}', "one list, images"),
        (b'{"images": [], "more": 1}', "one list, images"),
        (b'{"images": [5]}', "image 1 is no list"),
        (b'{"images": [[1, 2]]}', "image 1 is 2 numbers, not 784"),
    ],
)
def test_what_is_no_list_of_images_is_named(body: bytes, named: str, service: Running) -> None:
    answer = service.client.post("/v1/classify", content=body, headers={"Content-Type": "application/json"})
    assert named in line_of(answer, 422)


@pytest.mark.parametrize(
    "pixel", ["-1", "256", "0.5", "NaN", "Infinity", "1e300", "true", "null", '"7"', "[1]", "{}", "9" * 400]
)
def test_a_pixel_that_is_no_level_is_named(pixel: str, service: Running) -> None:
    row = f"[{', '.join([pixel] + ['0'] * 783)}]"
    body = f'{{"images": [{json.dumps(BLANK)}, {row}]}}'
    answer = service.client.post("/v1/classify", content=body, headers={"Content-Type": "application/json"})
    assert "image 2 holds " in line_of(answer, 422)


def test_another_type_is_415_and_a_parameter_422(service: Running) -> None:
    assert "application/json" in line_of(service.client.post("/v1/classify", content=b"[]"), 415)
    line_of(service.client.post("/v1/classify?layout=line", json={"images": []}), 422)


def test_json_over_its_limit_is_413(service: Running) -> None:
    assert "0.3 MB" in line_of(classified(service, [BLANK] * 200), 413)
