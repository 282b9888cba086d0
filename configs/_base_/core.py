"""CoRe with its regression tree on pictures, as in the paper: I3D on ten snippets of 16 frames."""

model = dict(
    type="core",
    width=256,
    skeletal=None,
    dynamic=dict(snippets=10, length=16, weights="data/weights/i3d_kinetics_rgb.pth"),
    head="gart",
    depth=5,
    hidden=256,
)
data = dict(
    inputs=dict(poses=False, images=224),
    augment=dict(flip=0.5, view=1.0),
    exemplars=dict(by="action", count=10),
)
optimizer = dict(type="Adam", lr=1e-3, backbone_lr=1e-4)
schedule = dict(type="constant")
training = dict(epochs=200, batch_size=4)
