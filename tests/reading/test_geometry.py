"""How large and where characters stand: Gaussians that agree with NumPy's and survive being text."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5 import WeightsError
from lenet5.reading.geometry import Geometry, features
from lenet5.reading.pieces import whole_marks

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


def test_of_characters_3_percent_stand_elsewhere_a_quarter_of_them_beyond_five_standard_deviations() -> None:
    one_class = Geometry("", np.zeros((1, 2)), np.eye(2)[None])
    axis = np.linspace(-20, 20, 201)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(one_class.log_densities(grid))[:, 0]
    far = np.hypot(*grid.T) > 5
    assert density[far].sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(0.03 * 0.25, rel=0.05)


@pytest.mark.parametrize(("count", "own"), [(29, False), (30, True)])
def test_a_class_stands_as_all_do_unless_it_has_thirty_examples(count: int, own: bool) -> None:
    values = np.random.default_rng(0).normal(0, 1, (100, 2))
    values[:count] += 5
    labels = np.repeat([0, 1], [count, 100 - count])
    fitted = Geometry.fitted("0", values, labels)
    assert np.allclose(fitted.means[0], values[:count].mean(axis=0) if own else values.mean(axis=0))
    assert (fitted.covariances[0, 0, 0] < 2) == own


def test_characters_that_all_stand_at_one_place_are_taken_to_vary_by_a_fiftieth_of_the_height() -> None:
    fitted = Geometry.fitted("0", np.full((40, 2), 0.3), np.zeros(40, np.int64))
    np.testing.assert_allclose(fitted.covariances[0], np.eye(2) / 50**2, atol=1e-9)


def test_one_example_does_not_tell_how_characters_vary() -> None:
    assert Geometry.fitted("0", np.ones((1, 2)), np.zeros(1, np.int64)).covariances.tolist() == [np.eye(2).tolist()] * 2


@pytest.mark.parametrize(("tall", "tells"), [(28, False), (29, True)])
def test_marks_of_three_fifths_of_the_usual_height_tell_where_the_digits_stand(tall: int, tells: bool) -> None:
    level = np.zeros((48, 40), np.float32)
    level[10 : 10 + tall, 5:9] = 1
    (size, place) = features(whole_marks(level, slanted=False), np.array([[5, 10, 9, 10 + tall // 2]]))[0]
    height = tall if tells else 48  # where none tells, digits of the standard height have their middle there
    assert size == pytest.approx(np.log(tall // 2 / height))
    assert place == pytest.approx((tall // 2 / 2 - tall / 2) / height)


def test_numbers_are_stored_with_five_decimals() -> None:
    stored = Geometry("", np.array([[0.1234567, 1.0]]), np.eye(2)[None])
    assert Geometry.from_json(stored.to_json()).means[0, 0] == 0.12346


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"classes":"0","means":[[0,0]],"covariances":[[[1,0],[0,1]]]}',
     '{"classes":"","means":[[0,0]],"covariances":[[[1,0],[0,0]]]}'],
)  # fmt: skip
def test_what_is_no_geometry_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(WeightsError, match="no sound geometry"):
        Geometry.from_json(text)
