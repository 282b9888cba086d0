from posediff.cli.figures import coverage_in_words, exemplars_in_words, table


def test_figures_stand_in_columns_and_those_that_no_row_has_are_left_out():
    model = {"srcc": 0.91234, "relative_l2": 0.25, "aiou_50_flight": None, "aiou_50_all": 98.76}
    shown = table({"hp_mcore": model, "labels alone": {"srcc": 0.5879, "relative_l2": 1.3352}})
    assert shown.splitlines() == [
        "                SRCC  R-l2 x100  AIoU@0.5 all stages",
        "hp_mcore      0.9123     0.2500                98.76",
        "labels alone  0.5879     1.3352                    -",
    ]


def test_coverage_is_told_or_what_it_would_take():
    found = {"level": 0.8, "half_width": 2.0, "coverage": 0.75, "calibrated_on": 20, "needed": 4}
    assert coverage_in_words(found, 8) == "intervals for 80 % hold 75 % of 8 scores; they come from 20 validation clips"
    few = {"level": 0.99, "half_width": None, "coverage": None, "calibrated_on": 20, "needed": 99}
    assert coverage_in_words(few, 8) == "no intervals for 99 %: they take 99 validation clips, 20 are there"


def test_what_performances_are_compared_with_is_told():
    settings = {"by": "action", "count": 10, "best": 5, "choice": "random"}
    assert exemplars_in_words(settings) == "up to 10 exemplars by action"
    assert exemplars_in_words({**settings, "choice": "best"}) == "up to 5 of the best exemplars by action"
    average = exemplars_in_words({**settings, "choice": "barycentre"})
    assert average == "the barycentre of up to 5 exemplars by action"
