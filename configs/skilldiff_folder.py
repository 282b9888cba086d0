"""SkillDiff on your own performances: how good every eighth of one is beside the best ones of its action.

posediff train configs/skilldiff_folder.py --cfg-options data.source.csv=scores.csv
"""

_base_ = "folder.py"

model = dict(
    _delete_=True,
    type="skilldiff",
    width=64,
    skeletal=dict(
        streams=("joint", "angle", "body"), channels=(32, 32, 64), kernel=5, strides=(1, 1, 1), edge_conv=False
    ),
    total="deductions",
)
data = dict(exemplars=dict(choice="best", best=5, count=5), dimensions=True)
