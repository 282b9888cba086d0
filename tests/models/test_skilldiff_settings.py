import pytest

from posediff.engine.config import from_resolved
from posediff.engine.models import boundaries
from posediff.errors import BadSetting
from posediff.models.skilldiff_settings import AlignmentSettings, LossSettings, SkillDiffSettings


def test_the_defaults_are_the_papers():
    made = SkillDiffSettings()
    assert (made.heads, made.segments, made.total) == (4, 8, "weighted")
    assert (made.loss.score, made.loss.ranking, made.loss.alignment) == ("mse", 0.5, 0.1)
    assert made.alignment.skip is None
    assert not made.signed


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AlignmentSettings(gamma=0.0), "gamma=0.0"),
        (lambda: AlignmentSettings(skip=-1.0), "skip=-1.0"),
        (lambda: AlignmentSettings(band=-1), "band=-1"),
        (lambda: LossSettings(ranking=-0.5), "ranking=-0.5"),
        (lambda: LossSettings(margin=-1.0), "margin=-1.0"),
        (lambda: LossSettings(apart=0.0), "apart=0.0"),
        (lambda: SkillDiffSettings(skeletal=None), "skeletal=None"),
        (lambda: SkillDiffSettings(segments=0), "segments=0"),
        (lambda: SkillDiffSettings(width=30), "width=30, heads=4"),
        (lambda: SkillDiffSettings(heads=0), "heads=0"),
        (lambda: SkillDiffSettings(total="deductions", loss=LossSettings(score="bce")), "total='deductions'"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(make, said):
    with pytest.raises(BadSetting, match=said) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_segments_begin_at_no_labelled_transition():
    assert boundaries(SkillDiffSettings(), 2) == ()


def test_a_configuration_can_name_all_of_it():
    model = {"type": "skilldiff", "alignment": {"skip": 0.5}, "loss": {"contrast": 0.0}, "total": "deductions"}
    made = from_resolved({"name": "one", "model": model, "data": {"source": {"type": "synthetic_dives"}}})
    settings = made.model.settings
    assert (settings.alignment.skip, settings.loss.contrast, settings.total) == (0.5, 0.0, "deductions")
    model["alignment"] = None
    made = from_resolved({"name": "one", "model": model, "data": {"source": {"type": "synthetic_dives"}}})
    assert made.model.settings.alignment is None
