"""Your own performances: a table with the columns file, score, [action], [difficulty], [stages], and skeleton files.

posediff train configs/folder.py --cfg-options data.source.csv=scores.csv
"""

_base_ = "_base_/hp_mcore.py"

model = dict(
    width=64,
    skeletal=dict(streams=("joint", "angle", "body"), channels=(32, 32, 64), strides=(1, 1, 1)),
    dynamic=None,
    static=None,
    segmentation=dict(boundaries=()),
    decoder=dict(layers=2),
)
data = dict(
    source=dict(type="folder", csv="scores.csv"),
    inputs=dict(frames=64),
    augment=dict(flip=0.0, rotate=10.0, scale=0.1, noise=0.01),
    exemplars=dict(by="action", count=10),
)
training = dict(epochs=60, patience=15, choose_by="relative_l2")
