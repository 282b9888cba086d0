import numpy as np
import pytest

from posediff.compare.comparison import Residuals, Segment
from posediff.report import plots
from posediff.report.plots import PLOTS
from posediff.report.style import png
from posediff.sequence import PoseSequence
from posediff.skeletons import H36M17, Skeleton
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


def test_the_alignment_shows_the_matching_moments_at_the_times_of_the_frames():
    made = comparison(query=squat(50, frames=np.arange(100, 150), fps=50.0))
    axes = plots.alignment(made).axes[0]
    line = next(line for line in axes.lines if line.get_label() == "matching moments")
    np.testing.assert_allclose(line.get_xdata(), made.reference.times)
    np.testing.assert_allclose(line.get_ydata(), (made.alignment.correspondence + 100) / 50)
    assert axes.get_ylim() == pytest.approx((99.5 / 50, 149.5 / 50))


def test_the_alignment_shows_two_standard_deviations_around_the_matching_moments():
    made = comparison()
    (band,) = plots.alignment(made).axes[0].collections
    low, high = band.get_datalim(plots.alignment(made).axes[0].transData).get_points()[:, 1]
    assert (low, high) == pytest.approx((-2 * 0.05, 49 / 25 + 2 * 0.05))


def test_the_alignment_shows_the_costs():
    made = comparison()
    (costs,) = plots.alignment(made).axes[0].images
    np.testing.assert_allclose(costs.get_array(), made.alignment.costs.T)


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


@pytest.mark.filterwarnings("error")
def test_a_skeleton_without_hips_or_shoulders_is_drawn():
    pair = Skeleton("pair", ("a", "b"), (("a", "b"),))
    body = PoseSequence(np.random.default_rng(0).normal(size=(4, 2, 3)), pair)
    nothing = Residuals((), (), np.empty((4, 0)), np.empty((4, 0)), np.zeros((4, 2)))
    made = comparison(reference=body, query=body, segments=(), differences=(), residuals=nothing)
    assert all(png(plot.draw(made)) for plot in PLOTS)


def test_a_card_is_drawn_for_each_of_the_first_things_told():
    assert len(plots.cards(comparison(differences=(difference(),) * 9))) == plots.CARDS
