"""SkillDiff on the skeletons of 400 generated dives, whose deductions are known stage by stage."""

_base_ = "synthetic_dives.py"

model = dict(
    _delete_=True,
    type="skilldiff",
    width=64,  # paper: 512
    # EdgeConv sees means over the whole time: every segment would know of a fault anywhere.
    skeletal=dict(streams=("angle", "body"), channels=(32, 32, 64), kernel=5, strides=(1, 1, 1), edge_conv=False),
    total="deductions",  # paper: weighted
)
data = dict(exemplars=dict(choice="best", best=5, count=5))
training = dict(epochs=30, evaluate_every=2)
