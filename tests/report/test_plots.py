import sys

import numpy as np
import pytest

from posediff.compare.comparison import Residuals, Segment
from posediff.errors import MissingDependency
from posediff.report import plots, poses
from posediff.report.curves import measure_track, measures, top_measures
from posediff.report.plots import PLOTS
from posediff.report.style import COLOURS, drawable, new_figure, png
from posediff.sequence import PoseSequence
from posediff.skeletons import COCO17, H36M17, Skeleton
from tests.fixtures.comparisons import DIMENSION_SCORES, comparison, difference, squat, three_segments


def gappy(sequence, joint="left_knee"):
    """The sequence with one joint always and all joints once missing."""
    keypoints = sequence.keypoints.copy()
    keypoints[:, sequence.skeleton.index(joint)] = np.nan
    keypoints[len(keypoints) // 2] = np.nan
    return sequence.replace(keypoints=keypoints, scores=None, status=None)


def renamed(joint, name):
    """H36M17 with a joint of another name."""
    names = {one: name if one == joint else one for one in H36M17.joints}
    return Skeleton("renamed", tuple(names.values()), tuple((names[a], names[b]) for a, b in H36M17.bones))


def one_frame(dimensions=3):
    still = squat(1, dimensions=dimensions)
    segments = (Segment("all", (0, 1), (0, 1), 100.0, dict.fromkeys(DIMENSION_SCORES, 100.0), 0.0),)
    return comparison(
        reference=still,
        query=still,
        segments=segments,
        differences=(difference(reference_frames=(0, 1), query_frames=(0, 1), peak=(0, 0)),),
    )


def nothing_known():
    made = comparison()
    names, count = made.residuals.measures, len(made.reference)
    empty = np.full((count, len(names)), np.nan)
    joints = np.full((count, len(H36M17.joints)), np.nan)
    return comparison(
        differences=(), score=float("nan"), residuals=Residuals(names, made.residuals.units, empty, empty, joints)
    )


def many_segments():
    cuts = [(at, at + 1) for at in range(40)] * 2
    rows = (Segment(f"segment {n}", cut, cut, 80.0, DIMENSION_SCORES, 0.0) for n, cut in enumerate(cuts, 1))
    return comparison(segments=tuple(rows))


DEGENERATE = {
    "2d": comparison(dimensions=2),
    "no differences": comparison(differences=()),
    "no segments": comparison(segments=(), differences=()),
    "one segment": comparison(segments=three_segments()[:1]),
    "many segments": many_segments(),
    "one frame": one_frame(),
    "one frame 2d": one_frame(2),
    "missing joints": comparison(reference=gappy(squat(40)), query=gappy(squat(50), "pelvis")),
    "missing joints 2d": comparison(reference=gappy(squat(40, dimensions=2)), query=squat(50, dimensions=2)),
    "nothing known": nothing_known(),
    "a formula in the names": comparison(
        reference=squat().replace(skeleton=renamed("left_knee", "$\\joint{$")),
        query=squat(50).replace(skeleton=renamed("left_knee", "$\\joint{$")),
        segments=tuple(Segment("$\\frac{", *list(vars(one).values())[1:]) for one in three_segments()),
        differences=(difference(segment="$x^2$ \n\t$", measure="$\\nonsense{$_angle"),),
    ),
}


@pytest.mark.parametrize("made", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
@pytest.mark.filterwarnings("error")
def test_every_plot_of_every_comparison_can_be_drawn(plot, made):
    assert png(plot.draw(made)).startswith(b"\x89PNG")


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_a_picture_is_at_most_1600_pixels_wide(plot):
    width = int.from_bytes(png(plot.draw(comparison()))[16:20], "big")
    assert 1000 <= width <= 1600


def test_pictures_leave_no_figure_in_pyplot():
    import matplotlib.pyplot as plt

    plots.pictures(comparison(differences=()))
    assert plt.get_fignums() == []


def test_the_alignment_shows_the_path_at_the_times_of_the_frames():
    made = comparison(query=squat(50, frames=np.arange(100, 150), fps=50.0))
    axes = plots.alignment(made).axes[0]
    path = next(line for line in axes.lines if line.get_label() == "best path")
    np.testing.assert_allclose(path.get_xdata(), made.alignment.path[:, 0] / 25)
    np.testing.assert_allclose(path.get_ydata(), (made.alignment.path[:, 1] + 100) / 50)
    assert axes.get_ylim() == pytest.approx((99.5 / 50, 149.5 / 50))


def test_the_alignment_shows_the_costs_and_the_soft_alignment():
    made = comparison()
    costs, soft = plots.alignment(made).axes[0].images
    np.testing.assert_allclose(costs.get_array(), made.alignment.costs.T)
    np.testing.assert_array_equal(soft.get_array()[..., 3].argmax(axis=0), made.alignment.expected.argmax(axis=1))


def test_the_segments_show_every_score():
    values = plots.segments(comparison()).axes[0].images[0].get_array()
    expected = [[78.4, *DIMENSION_SCORES.values()], *([one.score, *one.scores.values()] for one in three_segments())]
    np.testing.assert_allclose(values, np.transpose(expected))


def test_the_joints_are_drawn_from_head_to_foot_with_their_largest_distance():
    made = comparison()
    axes = plots.joints(made).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:3] == ["head top", "upper neck", "left shoulder"]
    assert names[-3:] == ["right hip", "right knee", "right ankle"]
    row, index = names.index("left ankle"), H36M17.index("left_ankle")
    np.testing.assert_allclose(axes.images[0].get_array()[row], made.residuals.joints[:, index])
    largest = f"{made.residuals.joints[:, index].max():.2f}"
    assert largest in [text.get_text() for text in axes.texts]


def test_a_long_sequence_keeps_its_peaks_in_the_picture_of_the_joints():
    long = squat(5000)
    apart = np.zeros((5000, len(H36M17.joints)))
    apart[3777, H36M17.index("right_wrist")] = 0.9
    values = Residuals((), (), np.empty((5000, 0)), np.empty((5000, 0)), apart)
    made = comparison(reference=long, query=long, residuals=values, differences=(), segments=())
    image = plots.joints(made).axes[0].images[0].get_array()
    assert image.shape[1] <= plots.RESOLUTION
    assert image.max() == pytest.approx(0.9)


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


def test_a_row_of_poses_is_drawn_for_each_of_the_first_differences():
    figure = poses.poses(comparison(differences=(difference(),) * 7))
    assert len(figure.subfigs) == poses.MOST
    assert [len(row.axes) for row in figure.subfigs] == [3] * poses.MOST


def test_the_bodies_are_those_at_the_peak_and_marked_bones_are_thick():
    made = comparison(dimensions=2)
    reference, query, both = poses.pose_pair(made, made.differences[0]).axes
    thigh = next(line for line in reference.lines if line.get_label() == "left_hip left_knee")
    expected = made.reference.keypoints[20, [H36M17.index("left_hip"), H36M17.index("left_knee")]]
    np.testing.assert_allclose(thigh.get_xydata(), expected * [1, -1])
    thick = {line.get_label() for line in query.lines if line.get_linewidth() > 3}
    assert thick == {"left_hip left_knee", "left_knee left_ankle"}
    assert {line.get_color() for line in both.lines} == set(COLOURS.values())


def test_bones_along_the_way_between_marked_joints_are_marked():
    assert poses.marked_bones(H36M17, ("thorax", "pelvis")) == {("pelvis", "spine"), ("spine", "thorax")}
    assert poses.marked_bones(H36M17, ("left_ankle",)) == {("left_knee", "left_ankle")}
    assert poses.marked_bones(H36M17, ("not_a_joint",)) == set()
    assert ("left_shoulder", "left_hip") in poses.marked_bones(COCO17, ("thorax", "pelvis"))


def moved(joint, shift):
    """A standing body and one in which a joint is moved, in half torso lengths to its left, up and forward."""
    still = squat(3, depth=0)
    keypoints = still.keypoints.copy()
    keypoints[:, H36M17.index(joint)] += 0.5 * np.array(shift)
    return comparison(reference=still, query=still.replace(keypoints=keypoints), segments=())


@pytest.mark.parametrize(
    ("shift", "name"),
    [
        ([1, 0, 0], "from the front"),
        ([0, 0, 1], "from the side"),
        ([1, 0, -1], "from the front left"),
        ([1, 0, 1], "from the front right"),
    ],
)
def test_a_body_is_seen_from_where_the_difference_shows(shift, name):
    moment = poses.Moment(1, 1, ("left_wrist",), "")
    assert poses.best_view(moved("left_wrist", shift), moment).name == name


def test_seen_from_the_front_the_left_hand_is_on_the_right():
    view = poses.best_view(moved("left_wrist", [1, 0, 0]), poses.Moment(1, 1, ("left_wrist",), ""))
    right, up = (view.axes @ direction for direction in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    np.testing.assert_allclose((right, up), ([1.0, 0.0], [0.0, 1.0]), atol=1e-6)


def test_seen_from_the_side_the_body_looks_to_the_right():
    view = poses.best_view(moved("left_wrist", [0, 0, 1]), poses.Moment(1, 1, ("left_wrist",), ""))
    np.testing.assert_allclose(view.axes @ [0, 0, 1], [1, 0], atol=1e-6)


def test_without_differences_the_moment_where_the_bodies_are_least_alike_is_shown():
    made = comparison(differences=())
    (moment,) = poses.moments(made)
    assert moment.reference == int(made.residuals.joints.sum(axis=1).argmax())


@pytest.mark.filterwarnings("error")
def test_a_skeleton_without_hips_or_shoulders_is_drawn():
    pair = Skeleton("pair", ("a", "b"), (("a", "b"),))
    body = PoseSequence(np.random.default_rng(0).normal(size=(4, 2, 3)), pair)
    nothing = Residuals((), (), np.empty((4, 0)), np.empty((4, 0)), np.zeros((4, 2)))
    made = comparison(reference=body, query=body, segments=(), differences=(), residuals=nothing)
    assert all(png(plot.draw(made)) for plot in PLOTS)


def test_a_dollar_in_a_name_starts_no_formula_and_long_names_are_cut():
    assert drawable("$x$\n") == "\\$x\\$ "
    assert drawable("a" * 50, 10) == "a" * 9 + "…"


def test_without_matplotlib_the_fault_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependency, match="matplotlib") as error:
        new_figure(1, 1)
    assert "pip install" in error.value.hint
