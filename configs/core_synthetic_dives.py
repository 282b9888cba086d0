"""CoRe with its regression tree on the generated dives: skeletons alone, no data needed."""

_base_ = "synthetic_dives.py"

model = dict(
    _delete_=True,
    type="core",
    width=64,
    skeletal=dict(streams=("angle", "body"), channels=(32, 32, 64), kernel=5, strides=(1, 1, 1)),
    hidden=256,
    depth=5,
)
training = dict(epochs=40)
