import numpy as np
import pytest

from posediff.compare.comparison import Residuals
from posediff.report.curves import measure_track, measures, top_measures
from posediff.skeletons import H36M17
from tests.fixtures.comparisons import comparison, difference, squat


def test_the_curves_are_the_reference_and_the_query_at_matching_moments():
    made = comparison()
    figure = measures(made)
    assert len(figure.axes) == 3
    reference, query = figure.axes[0].lines[:2]
    truth = measure_track(made.reference, "left_knee_angle")
    np.testing.assert_allclose(reference.get_ydata(), truth)
    np.testing.assert_allclose(query.get_ydata(), truth + made.residuals.values[:, 0])
    np.testing.assert_allclose(query.get_xdata(), made.reference.times)


def test_the_interval_of_a_difference_is_shaded():
    made = comparison(differences=(difference(reference_frames=(14, 26)),))
    span = measures(made).axes[0].patches[0]
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((13.5 / 25, 25.5 / 25))


def test_a_measure_that_cannot_be_made_again_is_drawn_as_a_difference():
    found = comparison().residuals
    made = comparison(
        differences=(difference(measure="mystery"),),
        residuals=Residuals(("mystery",), ("deg",), found.values[:, :1], found.noise[:, :1], found.joints),
    )
    axes = measures(made).axes[0]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), found.values[:, 0])
    assert axes.get_ylabel() == "difference (degrees)"


def test_without_differences_the_measures_furthest_beyond_their_noise_are_drawn():
    assert top_measures(comparison(differences=())) == [1, 0, 2]


@pytest.mark.parametrize(("dimensions", "axis"), [(3, (1, 1.0)), (2, (1, -1.0))])
def test_height_is_up_in_space_and_in_images(dimensions, axis):
    body = squat(20, dimensions=dimensions)
    index, sign = axis
    expected = sign * body.keypoints[:, H36M17.index("left_wrist"), index]
    np.testing.assert_allclose(measure_track(body, "left_wrist_height"), expected)


def test_there_is_no_forward_in_an_image():
    assert np.isnan(measure_track(squat(dimensions=2), "left_wrist_forward")).all()


def test_an_unknown_measure_has_no_curve_of_its_own():
    assert np.isnan(measure_track(squat(), "mystery")).all()


def test_a_measure_with_several_differences_is_drawn_once():
    assert top_measures(comparison(differences=(difference(),) * 3)) == [0]


def test_each_curve_says_which_way_is_what():
    axes = measures(comparison(differences=(difference(),))).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert "↑ left knee straighter" in texts
    assert "↓ left knee more bent" in texts
