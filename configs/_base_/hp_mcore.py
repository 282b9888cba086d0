"""HP-MCoRe with all three encoders, as in the paper; a note says where the released code differs."""

model = dict(
    type="hp_mcore",
    width=128,
    skeletal=dict(channels=(64, 64, 64, 64, 128), edge_conv=True, neighbours=5),
    dynamic=dict(snippets=9, length=16),
    static=dict(backbone="resnet50"),  # released code: regnety_002 with gate-shift modules
    segmentation=dict(kind="bigru", boundaries=(0, 1), class_weights=(1.0, 2.0)),
    fusion=dict(kind="weighted", heads=2),
    contrast=dict(kind="stagewise", temperature=0.5),  # released code: temperature 0.1, weight 10
    decoder=dict(layers=4, heads=4, steps=5),  # released code: 10 steps
)
optimizer = dict(type="Adam", lr=5e-4)  # paper: 1e-3
schedule = dict(type="cyclic_cosine", period=20)
training = dict(epochs=200, batch_size=8)
