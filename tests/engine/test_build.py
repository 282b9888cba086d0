from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.engine.build import build, inner, members, plain, words
from posediff.errors import BadSetting


@dataclass(frozen=True)
class Wheel:
    size: float = 26.0
    spokes: tuple[int, ...] = (32, 36)
    kind: Literal["road", "city"] = "road"


@dataclass(frozen=True)
class Bell:
    loud: bool = True


@dataclass(frozen=True)
class Motor:
    power: int

    def __post_init__(self) -> None:
        if self.power <= 0:
            raise BadSetting(f"power is {self.power}", "give more")


@dataclass(frozen=True)
class Drive:
    usual: ClassVar[str] = ""
    name: str
    settings: Any

    @classmethod
    def settings_of(cls, name: str) -> type:
        if name not in ("bell", "motor"):
            raise BadSetting(f"no drive {name!r}")
        return Bell if name == "bell" else Motor


@dataclass(frozen=True)
class Bicycle:
    drive: Drive
    front: Wheel = field(default_factory=Wheel)
    rear: Wheel | None = None
    colour: str = "red"
    gears: int | Literal["none"] = 3
    lights: tuple[float, str] = (6.0, "V")
    prices: Mapping[str, float] = field(default_factory=dict)


MOTOR = {"type": "motor", "power": 250}


def test_defaults_are_filled_in_and_nested_settings_are_built():
    found = build(Bicycle, {"drive": MOTOR, "front": {"size": 28}, "rear": {}})
    assert found == Bicycle(Drive("motor", Motor(250)), front=Wheel(size=28.0), rear=Wheel())
    assert type(found.front.size) is float


def test_lists_stand_for_tuples_and_none_only_for_what_is_optional():
    found = build(Bicycle, {"drive": MOTOR, "front": {"spokes": [1, 2, 3]}, "rear": None, "lights": [12, "V"]})
    assert (found.front.spokes, found.rear, found.lights) == ((1, 2, 3), None, (12.0, "V"))
    with pytest.raises(BadSetting, match="front is None, expected a dict of settings"):
        build(Bicycle, {"drive": MOTOR, "front": None})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"front": {"sise": 3}}, r"front\.sise: there is no such setting"),
        ({"colur": "blue"}, "colur: there is no such setting"),
        ({"front": {"size": "big"}}, r"front\.size is 'big', expected a number"),
        ({"front": {"size": True}}, r"front\.size is True, expected a number"),
        ({"front": {"size": float("nan")}}, r"front\.size is nan, expected a number"),
        ({"front": {"spokes": [1, 2.5]}}, r"front\.spokes\[1\] is 2\.5, expected a whole number"),
        ({"front": {"spokes": 3}}, r"front\.spokes is 3, expected a list, each a whole number"),
        ({"front": {"kind": "sea"}}, "front.kind is 'sea', expected 'road' or 'city'"),
        ({"front": 3}, "front is 3, expected a dict of settings"),
        ({"colour": 3}, "colour is 3, expected text"),
        ({"gears": 2.5}, "gears is 2.5, expected a whole number or 'none'"),
        ({"gears": True}, "gears is True"),
        ({"lights": [1.0]}, r"lights is \[1.0\], expected \(a number, text\)"),
        ({"prices": {"new": "much"}}, "prices.new is 'much', expected a number"),
        ({"drive": {"type": "sail"}}, "no drive 'sail'"),
        ({"drive": {"power": 3}}, r"drive\.type is '', expected a name"),
        ({"drive": {"type": "bell", "power": 3}}, r"drive\.power: there is no such setting"),
        ({"drive": {"type": "motor"}}, r"drive\.power is missing"),
        ({"drive": {"type": "motor", "power": -1}}, "drive: power is -1"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(settings, message):
    with pytest.raises(BadSetting, match=message):
        build(Bicycle, {"drive": MOTOR, **settings})


def test_an_unknown_setting_is_answered_with_the_one_that_looks_like_it():
    with pytest.raises(BadSetting) as caught:
        build(Bicycle, {"drive": MOTOR, "colur": "blue"})
    assert caught.value.hint == "did you mean colour?"


@given(
    st.builds(
        Bicycle,
        drive=st.sampled_from([Drive("motor", Motor(5)), Drive("bell", Bell(False))]),
        front=st.builds(Wheel, size=st.floats(0, 9), spokes=st.lists(st.integers()).map(tuple)),
        rear=st.none() | st.builds(Wheel, kind=st.sampled_from(["road", "city"])),
        colour=st.text(),
        gears=st.integers() | st.just("none"),
        lights=st.tuples(st.floats(0, 9), st.text()),
        prices=st.dictionaries(st.text(), st.floats(0, 9)),
    )
)
def test_plain_settings_build_the_same_again(bicycle):
    assert build(Bicycle, plain(bicycle)) == bicycle


def test_plain_settings_are_json():
    found = plain(build(Bicycle, {"drive": MOTOR}))
    assert found["drive"] == {"type": "motor", "power": 250}
    assert found["front"] == {"size": 26.0, "spokes": [32, 36], "kind": "road"}
    assert found["rear"] is None


def test_members_of_a_choice_are_those_of_what_is_chosen():
    assert list(members(Drive, {"type": "motor"})) == ["type", "power"]
    assert list(members(Drive, {})) == ["type"]
    assert members(Bicycle, {})["rear"].default is None
    assert inner(members(Bicycle, {})["rear"].kind) is Wheel
    assert inner(int) is None


def test_what_is_usually_chosen_need_not_be_said(monkeypatch):
    monkeypatch.setattr(Drive, "usual", "motor")
    assert build(Bicycle, {"drive": {"power": 3}}).drive == Drive("motor", Motor(3))
    assert list(members(Drive, {})) == ["type", "power"]


def test_types_are_said_in_words():
    assert words(tuple[int, ...] | None) == "a list, each a whole number or None"
    assert words(Wheel) == "a dict of settings"
