import pytest

from posediff.compare import Settings
from posediff.errors import BadSetting


def test_the_defaults_are_valid_and_make_eight_segments():
    assert Settings().segments == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("segments", 0),
        ("gamma", -0.1),
        ("gamma", float("nan")),
        ("gamma", float("inf")),
        ("band", float("inf")),
        ("slack", float("inf")),
        ("angle_tolerance", 0.0),
        ("angle_tolerance", float("nan")),
        ("segments", 3.5),
        ("most", "ten"),
        ("slack", 1.5),
        ("mirror", "yes"),
        ("view", "side"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(name, value):
    with pytest.raises(BadSetting, match=rf"{name} is '?{value}"):
        Settings(**{name: value})


def test_all_faults_are_told_at_once():
    with pytest.raises(BadSetting, match=r"segments is 0.*gamma is -1"):
        Settings(segments=0, gamma=-1)


@pytest.mark.parametrize("name", ["gamma", "band", "smoothing", "slack", "max_gap"])
def test_zero_is_allowed_where_it_means_none(name):
    assert getattr(Settings(**{name: 0.0}), name) == 0.0
