"""CoRe with its regression tree on MTL-AQA: I3D on 103 frames in ten snippets, exemplars of the same difficulty."""

model = dict(
    type="core",
    width=256,
    skeletal=None,
    dynamic=dict(snippets=10, length=16, frames=103, weights="data/weights/i3d_kinetics_rgb.pth"),
    head="gart",
    depth=5,
    hidden=256,
)
data = dict(
    source=dict(type="mtl_aqa", annotations="data/MTL-AQA", images="data/MTL-AQA/frames"),
    inputs=dict(frames=103, poses=False, images=224),
    augment=dict(flip=0.5, view=1.0),
    exemplars=dict(by="difficulty", count=10),  # all clips are of one category, diving
)
optimizer = dict(type="Adam", lr=1e-3, backbone_lr=1e-4)
schedule = dict(type="constant")
training = dict(epochs=100, batch_size=8)
