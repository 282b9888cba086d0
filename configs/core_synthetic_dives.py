"""CoRe with its regression tree on the generated dives: skeletons alone, no data needed."""

model = dict(
    type="core",
    width=64,
    skeletal=dict(streams=("angle", "body"), channels=(32, 32, 64), kernel=5, strides=(1, 1, 1)),
    hidden=256,
    depth=5,
)
data = dict(
    source=dict(type="synthetic_dives", clips=400, seed=0),
    inputs=dict(frames=48),
    augment=dict(flip=0.0, noise=0.01),
    exemplars=dict(by="action", count=10),
)
optimizer = dict(type="AdamW", lr=2e-3, weight_decay=1e-2, clip=5.0)
schedule = dict(type="cosine", warmup=2)
training = dict(epochs=40, batch_size=8, seed=0)
