"""CoRe on your own performances: a table with the columns file, score, [action], [difficulty], and skeleton files.

posediff train configs/core_folder.py --cfg-options data.source.csv=scores.csv
"""

model = dict(
    type="core",
    width=64,
    skeletal=dict(streams=("joint", "angle", "body"), channels=(32, 32, 64), strides=(1, 1, 1)),
    depth=4,
)
data = dict(
    source=dict(type="folder", csv="scores.csv"),
    inputs=dict(frames=64),
    augment=dict(flip=0.0, rotate=10.0, scale=0.1, noise=0.01),
    exemplars=dict(by="action", count=10),
)
optimizer = dict(type="AdamW", lr=2e-3, weight_decay=1e-2, clip=5.0)
schedule = dict(type="cosine", warmup=2)
training = dict(epochs=60, batch_size=8, choose_by="relative_l2")
