import runpy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "draw_gart.py"))


def test_shares_of_a_square_crowd_at_one_end_of_a_uniform_partition_alone():
    values = torch.arange(101.0).square()  # as many below x as the root of x
    found = {name: TOOL["shares"](values, bounds) for name, bounds in TOOL["partitions"](values, 4).items()}
    assert found["uniform partition"].tolist() == pytest.approx([100 * n / 101 for n in (51, 20, 16, 14)])
    assert found["equation 5"].tolist() == pytest.approx([100 * n / 101 for n in (26, 25, 25, 25)])


def test_the_picture_has_a_bar_for_each_group_of_either_kind():
    figure = TOOL["picture"](torch.linspace(-1, 1, 99) ** 3)
    assert [len(axes.patches) for axes in figure.axes] == [TOOL["GROUPS"]] * 2
