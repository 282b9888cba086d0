from posediff.cli.figures import table


def test_figures_stand_in_columns_and_those_that_no_row_has_are_left_out():
    model = {"srcc": 0.91234, "relative_l2": 0.25, "aiou_50_flight": None, "aiou_50_all": 98.76}
    shown = table({"hp_mcore": model, "labels alone": {"srcc": 0.5879, "relative_l2": 1.3352}})
    assert shown.splitlines() == [
        "                SRCC  R-l2 x100  AIoU@0.5 all stages",
        "hp_mcore      0.9123     0.2500                98.76",
        "labels alone  0.5879     1.3352                    -",
    ]
