import pytest

from posediff.datasets.folder import FolderSettings
from posediff.datasets.samples import InputSettings
from posediff.engine.experiment import (
    DataSettings,
    ExemplarSettings,
    Experiment,
    LoggingSettings,
    OptimizerSettings,
    ScheduleSettings,
    SourceChoice,
    TrainingSettings,
)
from posediff.errors import BadSetting
from posediff.models.settings import HPMCoReSettings

SOURCE = SourceChoice("folder", FolderSettings(csv="scores.csv"))


def test_only_the_data_has_to_be_named():
    found = Experiment(data=DataSettings(SOURCE))
    assert found.model.settings == HPMCoReSettings()
    assert (found.optimizer.type, found.optimizer.lr) == ("Adam", 5e-4)
    assert (found.schedule.type, found.schedule.period) == ("cyclic_cosine", 20)
    assert (found.data.exemplars.count, found.data.exemplars.by) == (10, "action")


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        (DataSettings, "validation", 1.0),
        (DataSettings, "validation", 0.0),
        (DataSettings, "seed", -1),
        (ExemplarSettings, "count", 0),
        (ExemplarSettings, "best", 0),
        (OptimizerSettings, "lr", 0.0),
        (OptimizerSettings, "lr", 1e38),
        (OptimizerSettings, "backbone_lr", 0.0),
        (OptimizerSettings, "betas", (0.9, 1.0)),
        (OptimizerSettings, "clip", 0.0),
        (OptimizerSettings, "momentum", 1.0),
        (OptimizerSettings, "weight_decay", -0.1),
        (ScheduleSettings, "period", 0),
        (ScheduleSettings, "warmup", -1),
        (ScheduleSettings, "lowest", -1.0),
        (TrainingSettings, "epochs", 0),
        (TrainingSettings, "batch_size", 0),
        (TrainingSettings, "workers", -1),
        (TrainingSettings, "patience", 0),
        (TrainingSettings, "threads", 0),
        (TrainingSettings, "evaluate_every", 0),
        (LoggingSettings, "every", 0),
    ],
)
def test_a_setting_outside_of_its_range_is_named_with_its_value(kind, setting, value):
    others = {"source": SOURCE} if kind is DataSettings else {}
    with pytest.raises(BadSetting, match=rf"{setting}=") as caught:
        kind(**others, **{setting: value})
    assert repr(value) in str(caught.value)


def test_a_warmup_has_to_end_before_the_training():
    with pytest.raises(BadSetting, match="warmup is 5 of 5 epochs") as caught:
        Experiment(data=DataSettings(SOURCE), schedule=ScheduleSettings(warmup=5), training=TrainingSettings(epochs=5))
    assert "schedule.warmup=0" in caught.value.hint


def test_the_lowest_learning_rate_is_below_the_highest():
    with pytest.raises(BadSetting, match=r"schedule\.lowest is 0\.1"):
        Experiment(data=DataSettings(SOURCE), schedule=ScheduleSettings(lowest=0.1))
    with pytest.raises(BadSetting, match=r"schedule\.lowest is 0\.01, above the learning rate of 0\.001"):
        Experiment(
            data=DataSettings(SOURCE),
            optimizer=OptimizerSettings(lr=0.1, backbone_lr=0.001),
            schedule=ScheduleSettings(lowest=0.01),
        )


@pytest.mark.parametrize("inputs", [{"images": 64}, {"features": ("static",), "features_root": "x"}])
def test_pictures_have_no_average(inputs):
    with pytest.raises(BadSetting, match="there is no average of pictures") as caught:
        DataSettings(SOURCE, InputSettings(**inputs), exemplars=ExemplarSettings(choice="barycentre"))
    assert "exemplars.choice=best" in caught.value.hint
    DataSettings(SOURCE, InputSettings(**inputs), exemplars=ExemplarSettings(choice="best"))
