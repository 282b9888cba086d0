"""The words that a question in free words may have, and the measure that each combination of them means.

All of it is tables: :mod:`posediff.differencing.statements.queries` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def _table(**rows: str) -> dict[str, str]:
    """The key of every word in the rows."""
    return {word: key for key, words in rows.items() for word in words.split()}


#: Words that do not change what is asked.
FILLERS = frozenset(
    "a an the this that their his her its of is are was were be been being gets get stays stay becomes become has have "
    "remains held kept both much far very slightly clearly somewhat noticeably it he she they who whose with "
    "performer athlete person player video".split()
)
#: Words that make a sentence mean something that is not measured.
NEGATIONS = frozenset("not no never neither nor without isnt arent doesnt dont cannot cant hardly barely".split())
JOINING = frozenset("and or but whereas".split())

#: Several words that count as one, and words that count as another.
PHRASES = {
    "farther": "further",
    "nearer": "closer",
    "upper body": "trunk",
    "range of motion": "range",
    "feet stand": "feet",
    "foot stands": "foot",
    "left and right": "both",
    "further away from": "farfrom",
    "further from": "farfrom",
    "closer to": "closeto",
    "to the left": "leftward",
    "to the right": "rightward",
    "further apart": "wider",
    "wider apart": "wider",
    "more apart": "wider",
    "less apart": "narrower",
    "closer together": "narrower",
    "take longer": "longer",
    "takes longer": "longer",
    "takes more time": "longer",
    "takes less time": "shorter",
    "in front": "forward",
    "cave in": "inward",
    "caves in": "inward",
    "caving in": "inward",
    "way down": "descent",
    "way up": "ascent",
    "on average": "throughout",
}

#: The part of the body that a word names; ``movement`` is the whole performance.
PARTS = _table(
    shoulder="shoulder shoulders",
    elbow="elbow elbows",
    wrist="wrist wrists hand hands",
    hip="hip hips pelvis",
    knee="knee knees",
    ankle="ankle ankles foot feet",
    toes="toe toes",
    heel="heel heels",
    neck="neck",
    head="head",
    thorax="chest",
    trunk="trunk torso back spine",
    body="body",
    arm="arm arms",
    leg="leg legs",
    shin="shin shins shank shanks",
    stance="stance stand stands",
    grip="grip grips",
    step="step steps stride strides",
)
MOVEMENT = frozenset(
    "movement motion performance exercise repetition rep squat squats lunge lunges swing swings dive dives throw "
    "throws shot serve serves jump jumps".split()
)

#: Words that compare by themselves, and which way.
DEGREES = {
    **dict.fromkeys("more further greater larger bigger".split(), 1),
    **dict.fromkeys("less smaller".split(), -1),
}
#: What a word says of a part; it needs one of the words above beside it.
PROPERTIES = _table(
    bend="bend bends bent bending flex flexes flexed flexing",
    straight="straight",
    extend="extend extends extended extending straighten straightens straightened open opens opened",
    high="high raise raises raised lift lifts lifted rise rises",
    low="low lowered",
    deep="deep deeply",
    shallow="shallow",
    forward="forward forwards",
    backward="backward backwards behind",
    leftward="leftward leftwards",
    rightward="rightward rightwards",
    lean="lean leans leaning leaned tilt tilts tilted",
    upright="upright vertical",
    rotate="rotate rotates rotated rotating turn turns turned turning twist twists twisted",
    wide="wide apart",
    narrow="narrow together",
    outward="out outward outwards flare flares",
    inward="inward inwards cave caves caving",
    fall="fall falls collapse collapses",
    fast="fast quick quickly",
    slow="slow slowly",
    long="long",
    short="short",
    smooth="smooth smoothly",
    shaky="shaky shake shakes jerky unsteady tremble trembles",
    symmetric="symmetric symmetrical symmetrically even evenly",
    asymmetric="asymmetric asymmetrical uneven unevenly",
    level="level",
    range="range",
    still="still steady",
    move="move moves moved moving travel travels go goes come comes swing swings",
    point="point points pointed pointing",
    jump="jump jumps",
    speed="speed",
    angle="angle",
)
#: The same, compared already.
COMPARATIVES = _table(
    straight="straighter",
    high="higher",
    low="lower",
    deep="deeper",
    shallow="shallower",
    wide="wider",
    narrow="narrower",
    fast="faster quicker",
    slow="slower",
    long="longer",
    short="shorter",
    smooth="smoother",
    shaky="shakier jerkier",
    still="stiller steadier",
)
#: What says when a key point is.
TIMES = {"later": 1, "earlier": -1, "sooner": -1}
ARRIVALS = frozenset("reach reaches reached come comes happen happens arrives".split())

#: Words before a place: any, one that is called so, a span only, and those that look on from it or back.
PLACED = frozenset(("at", "on", "when"))
NAMED = frozenset(("in",))
LASTING = frozenset(("during", "through", "while"))
OPEN = frozenset(("before", "after"))
PREPOSITIONS = PLACED | NAMED | LASTING | OPEN
#: Words that name an end of the performance, or may stand beside a key point's own.
ENDS = {**dict.fromkeys("first start beginning".split(), "first"), **dict.fromkeys("last end finish".split(), "last")}
PLACE_FILLERS = frozenset("position point moment frame phase stage part".split())
PLACE_WORDS = {"top": "highest", "bottom": "lowest"}
PHASES = frozenset(("descent", "ascent"))

_LIMBS = ("shoulder", "elbow", "wrist", "knee", "ankle", "toes", "heel")
_FLEXION = {
    **{part: f"{{side}}{part}_angle" for part in ("elbow", "hip", "knee", "ankle")},
    "neck": "neck_angle",
    "arm": "{side}elbow_angle",
    "leg": "{side}knee_angle",
}
_ANGLES = {**_FLEXION, "shoulder": "{side}shoulder_angle"}
_HEIGHT = {
    **{part: f"height({{side}}{part})" for part in _LIMBS},
    **{part: f"height({part})" for part in ("head", "thorax")},
    **dict.fromkeys(("hip", "body"), "height(pelvis, ankle)"),
    "arm": "{side}shoulder_angle",
    "leg": "height({side}ankle)",
}
_DEPTH = dict.fromkeys(("hip", "body", "movement"), "height(pelvis, ankle)")
_FORWARD = {
    **{part: f"forward({{side}}{part})" for part in _LIMBS},
    "elbow": "forward({side}elbow, {side}shoulder)",
    "knee": "forward({side}knee, {side}ankle)",
    "hip": "forward(pelvis, ankle)",
    "head": "forward(head, thorax)",
    "thorax": "forward(thorax)",
    "arm": "forward({side}wrist, {side}shoulder)",
    "leg": "forward({side}ankle)",
}
_LEFTWARD = {
    **{part: f"leftward({{side}}{part}, pelvis)" for part in _LIMBS},
    "hip": "leftward(pelvis, ankle)",
    "head": "leftward(head, thorax)",
}
_OUTWARD = {
    "elbow": "outward({side}elbow, {side}shoulder)",
    "wrist": "outward({side}wrist, {side}shoulder)",
    "knee": "outward({side}knee, {side}ankle)",
    "ankle": "outward({side}ankle, {side}hip)",
}
_LEAN = {
    **dict.fromkeys(("trunk", "body", "movement"), "lean(pelvis, thorax)"),
    "head": "lean(thorax, head)",
    "shin": "lean({side}ankle, {side}knee)",
}
_FORWARD_LEAN = {
    **{part: track.replace("lean", "forward_lean") for part, track in _LEAN.items()},
    **dict.fromkeys(("trunk", "body", "movement"), "trunk_lean"),
}
_SIDE_LEAN = {part: track.replace("lean", "side_lean") for part, track in _LEAN.items()}
_ROTATION = {
    "trunk": "trunk_rotation",
    "shoulder": "rotation(right_shoulder, left_shoulder)",
    **dict.fromkeys(("hip", "body"), "rotation(right_hip, left_hip)"),
}
_WIDTH = {
    **dict.fromkeys(("stance", "ankle", "leg"), "distance(left_ankle, right_ankle)"),
    **dict.fromkeys(("grip", "wrist"), "distance(left_wrist, right_wrist)"),
    **{part: f"distance(left_{part}, right_{part})" for part in ("elbow", "knee")},
}
_STEP = {"step": "distance(left_ankle, right_ankle)"}
_POINTS = {
    **{part: f"{{side}}{part}" for part in _LIMBS},
    "hip": "pelvis, ankle",
    "head": "head",
    **dict.fromkeys(("thorax", "trunk"), "thorax"),
    "arm": "{side}wrist",
    "leg": "{side}ankle",
}
_SPEED = {part: f"speed({point})" for part, point in _POINTS.items()}
_ASYMMETRY = {
    **{part: track for part, track in _ANGLES.items() if part != "neck"},
    "arm": "{side}shoulder_angle",
    "wrist": "height({side}wrist)",
}
_LEVEL = {part: f"height({{side}}{part})" for part in (*_LIMBS, "hip")}
_MOVEMENT = {"movement": ""}


def _uneven(tracks: Mapping[str, str]) -> dict[str, str]:
    return {part: f"abs(asymmetry({track.format(side='')}))" for part, track in tracks.items()}


@dataclass(frozen=True)
class Meaning:
    """What is measured where some properties are said of a part.

    Attributes:
        says: the properties, in the order of the alphabet.
        sign: +1 where the sentence is truer of more, -1 of less.
        statistic: of the track, over the place: ``min``, ``max``, ``mean``, ``range``, or ``path`` and ``jerk`` of a
            joint, or ``duration``, which has no track.
        tracks: by part, with ``{side}`` where a side may stand; several parted by `` + `` are averaged.
    """

    says: str
    sign: int
    statistic: str
    tracks: Mapping[str, str]


#: The first that has the properties and the part counts.
MEANINGS = (
    Meaning("bend", -1, "min", _FLEXION),
    Meaning("bend deep", -1, "min", _FLEXION),
    Meaning("straight", +1, "min", _FLEXION),
    Meaning("extend", +1, "max", _ANGLES),
    Meaning("angle", +1, "mean", _ANGLES),
    Meaning("high", +1, "max", _HEIGHT),
    Meaning("low", -1, "min", _HEIGHT),
    Meaning("deep", -1, "min", _DEPTH),
    Meaning("shallow", +1, "min", _DEPTH),
    Meaning("forward", +1, "max", _FORWARD),
    Meaning("backward", -1, "min", _FORWARD),
    Meaning("leftward", +1, "max", _LEFTWARD),
    Meaning("rightward", -1, "min", _LEFTWARD),
    Meaning("outward", +1, "max", _OUTWARD),
    Meaning("inward", -1, "min", _OUTWARD),
    Meaning("fall inward", -1, "min", _OUTWARD),
    Meaning("lean", +1, "max", _LEAN),
    Meaning("upright", -1, "max", _LEAN),
    Meaning("forward lean", +1, "max", _FORWARD_LEAN),
    Meaning("bend forward", +1, "max", {part: _FORWARD_LEAN[part] for part in ("trunk", "body", "head")}),
    Meaning("backward lean", -1, "min", _FORWARD_LEAN),
    Meaning("lean leftward", +1, "max", _SIDE_LEAN),
    Meaning("lean rightward", -1, "min", _SIDE_LEAN),
    Meaning("rotate", +1, "range", _ROTATION),
    Meaning("leftward rotate", +1, "max", _ROTATION),
    Meaning("rightward rotate", -1, "min", _ROTATION),
    Meaning("wide", +1, "mean", _WIDTH),
    Meaning("narrow", -1, "mean", _WIDTH),
    Meaning("long", +1, "max", _STEP),
    Meaning("short", -1, "max", _STEP),
    Meaning("long", +1, "duration", _MOVEMENT),
    Meaning("short", -1, "duration", _MOVEMENT),
    Meaning("fast", +1, "max", _SPEED),
    Meaning("slow", -1, "max", _SPEED),
    Meaning("fast", -1, "duration", _MOVEMENT),
    Meaning("slow", +1, "duration", _MOVEMENT),
    Meaning("speed", +1, "max", _SPEED),
    Meaning("high speed", +1, "max", _SPEED),
    Meaning("low speed", -1, "max", _SPEED),
    Meaning("range", +1, "range", _ANGLES),
    Meaning("move", +1, "range", {"arm": "{side}shoulder_angle", "leg": "{side}hip_angle"}),
    Meaning("move", +1, "path", _POINTS),
    Meaning("still", -1, "path", _POINTS),
    Meaning("smooth", -1, "jerk", {**_POINTS, "movement": "wrist + ankle"}),
    Meaning("shaky", +1, "jerk", {**_POINTS, "movement": "wrist + ankle"}),
    Meaning("symmetric", -1, "mean", _uneven(_ASYMMETRY)),
    Meaning("asymmetric", +1, "mean", _uneven(_ASYMMETRY)),
    Meaning("level", -1, "mean", _uneven(_LEVEL)),
    Meaning("point", +1, "max", dict.fromkeys(("ankle", "toes"), "{side}ankle_angle")),
    Meaning("high jump", +1, "max", {"movement": "lift(pelvis)"}),
)
#: Of the distance between two parts, what counts.
DISTANCES = {"closeto": ("min", -1), "farfrom": ("max", +1)}
DISTANT = {
    **{part: f"{{side}}{part}" for part in (*_LIMBS, "hip")},
    **{part: part for part in ("head", "thorax")},
    **dict.fromkeys(("body", "trunk"), "spine"),
}

#: Sentences that are understood, for hints.
EXAMPLES = (
    "the left elbow bends more; the knees are straighter; the squat is deeper; the hips go lower; "
    "the hands are higher; the arms are raised higher; the trunk leans further forward; "
    "the trunk is more upright; the knees are further forward; the knees cave in more; the stance is wider; "
    "the grip is narrower; the step is longer; the hands are closer to the head; the trunk rotates more; "
    "the right wrist moves faster; the movement is slower; the movement is smoother; the head moves less; "
    "the knees are more symmetric; the shoulders are more level; the toes are more pointed"
).split("; ")
