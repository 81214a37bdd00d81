"""How large and where characters stand: Gaussians that agree with NumPy's and survive being text."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5 import WeightsError
from lenet5.reading.geometry import Geometry

CLASSES = "0123456789-"


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 12, 6000)
    values = generator.normal(0, 0.1, (6000, 2)) + np.where(labels == 10, -1.0, 0.0)[:, None]
    return Geometry.fitted(CLASSES, values, labels)


def test_what_is_small_is_likelier_a_dash_than_a_digit(geometry: Geometry) -> None:
    small, usual = geometry.log_densities(np.array([[-1.0, -1.0], [0.0, 0.0]]))
    assert small.argmax() == 10
    assert usual[:10].min() > usual[10] + 5


def test_densities_integrate_to_one(geometry: Geometry) -> None:
    axis = np.linspace(-7, 6, 400)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    cell = (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(np.exp(geometry.log_densities(grid)).sum(axis=0) * cell, 1, atol=0.01)


def test_a_geometry_survives_being_text(geometry: Geometry) -> None:
    again = Geometry.from_json(geometry.to_json())
    np.testing.assert_allclose(again.means, geometry.means, atol=1e-4)
    np.testing.assert_allclose(again.covariances, geometry.covariances, atol=1e-4)
    assert again.classes == CLASSES


def test_fewer_classes_keep_theirs_and_rubbish(geometry: Geometry) -> None:
    ten = geometry.of(CLASSES[:10])
    values = np.array([[0.1, 0.0], [-0.9, -1.1]])
    assert ten.means.shape == (11, 2)
    np.testing.assert_array_equal(ten.means[10], geometry.means[11])
    assert ten.log_densities(values).shape == (2, 11)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"classes":"0","means":[[0,0]],"covariances":[[[1,0],[0,1]]]}'])
def test_what_is_no_geometry_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WeightsError, match="no sound geometry"):
        Geometry.from_json(text)
