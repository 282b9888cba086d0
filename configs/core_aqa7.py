"""CoRe on one class of AQA-7, as in the paper: 103 frames in ten snippets, exemplars of the same class.

posediff train configs/core_aqa7.py --cfg-options data.source.classes="('gym_vault',)"
"""

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
    source=dict(type="aqa7", root="data/AQA-7", images="data/AQA-7", classes=("diving",)),
    inputs=dict(frames=103, poses=False, images=224),
    augment=dict(flip=0.5, view=1.0),
    exemplars=dict(by="action", count=10),
)
optimizer = dict(type="Adam", lr=1e-3, backbone_lr=1e-4)
schedule = dict(type="constant")
training = dict(epochs=200, batch_size=4)
