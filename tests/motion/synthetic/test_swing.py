import numpy as np
import pytest

from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Swing, generate
from posediff.sequence import PoseSequence

ADDRESS, TOP, IMPACT, END = 0, 37, 47, 74  # frames; the top lies half way between two


def moved(joint: str, frame: int, **parameters: float) -> np.ndarray:
    """How far a parameter moves a joint at a frame, in metres: forwards, up, to the right."""
    return generate(Swing(**parameters)).joint(joint)[frame] - generate("swing").joint(joint)[frame]


def hips_turned(sequence: PoseSequence) -> np.ndarray:
    across = sequence.joint("right_hip") - sequence.joint("left_hip")
    return np.degrees(np.arctan2(across[:, 0], across[:, 2]))


def test_the_chest_turns_away_from_the_target_as_asked_and_then_past_it():
    sequence = generate(Swing(coil=90, lean=0))
    across = sequence.joint("right_shoulder") - sequence.joint("left_shoulder")
    turned = np.degrees(np.unwrap(np.arctan2(across[:, 0], across[:, 2])))
    assert turned.min() == pytest.approx(-90, abs=1)
    assert turned[-1] == pytest.approx(100, abs=1)


def test_both_hands_hold_the_club_throughout_a_swing():
    sequence = generate("swing")
    apart = np.linalg.norm(sequence.joint("left_wrist") - sequence.joint("right_wrist"), axis=1)
    assert apart.max() < 0.03


def test_a_swing_goes_from_the_right_of_the_body_to_its_left():
    sequence = generate("swing")
    hands = sequence.joint("left_wrist")[:, 2] - sequence.joint("pelvis")[:, 2]
    top, impact, _ = (sequence.stages[index].end for index in (1, 2, 3))
    assert hands[top - 1] > 0.2
    assert hands[-1] < 0
    assert sequence.joint("left_wrist")[top, 1] > sequence.joint("left_wrist")[impact, 1] + 0.4


def test_both_hands_hold_the_club_too_where_the_lead_arm_is_bent_or_straight():
    for lead_arm in (-25.0, 9.0):
        sequence = generate(Swing(lead_arm=lead_arm))
        apart = np.linalg.norm(sequence.joint("left_wrist") - sequence.joint("right_wrist"), axis=1)
        assert apart.max() < 0.03


def test_the_lead_arm_straightens_at_the_top_as_asked():
    bends = []
    for movement in (Swing(lead_arm=-12.0), Swing()):
        names, values = joint_angles(generate(movement))
        bends.append(values[:, names.index("left_elbow_angle")])
    assert (bends[1] - bends[0])[TOP] == pytest.approx(12, abs=0.3)
    np.testing.assert_allclose((bends[1] - bends[0])[[ADDRESS, END]], 0, atol=1e-4)


@pytest.mark.parametrize(
    ("parameter", "frame", "turned"), [("hip_turn", TOP, -1), ("open_hips", IMPACT, 1), ("hip_turn", END, 0)]
)
def test_the_hips_turn_as_asked(parameter, frame, turned):
    change = hips_turned(generate(Swing(lean=0.0, **{parameter: 10.0}))) - hips_turned(generate(Swing(lean=0.0)))
    assert change[frame] == pytest.approx(10 * turned, abs=1)


@pytest.mark.parametrize(
    ("parameter", "amount", "joint", "frame", "change"),
    [
        ("hip_sway", 0.02, "pelvis", TOP, [0, 0, 0.035]),
        ("finish_shift", 0.02, "pelvis", END, [0, 0, -0.035]),
        ("crouch", 0.02, "pelvis", ADDRESS, [0, -0.0172, 0]),
        ("dip", 0.02, "pelvis", IMPACT, [0, -0.0172, 0]),
    ],
)
def test_the_pelvis_moves_as_asked(parameter, amount, joint, frame, change):
    np.testing.assert_allclose(moved(joint, frame, **{parameter: amount}), change, atol=0.003)


def test_a_tilt_takes_the_head_away_from_the_target_at_the_top_only():
    assert moved("head_top", TOP, tilt=6.0)[2] > 0.05
    assert abs(moved("head_top", IMPACT, tilt=6.0)[2]) < 0.01


@pytest.mark.parametrize(("parameter", "frame"), [("hands", TOP), ("finish_hands", END)])
def test_the_hands_go_up_as_asked(parameter, frame):
    assert moved("left_wrist", frame, **{parameter: 10.0})[1] > 0.03
    np.testing.assert_allclose(moved("left_wrist", ADDRESS, **{parameter: 10.0}), 0, atol=1e-5)
