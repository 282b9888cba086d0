"""CoRe on one task of JIGSAWS, as in the paper: 160 frames in ten snippets side by side, four-fold cross-validation.

posediff train configs/core_jigsaws.py --cfg-options data.source.tasks="('Knot_Tying',)" data.source.fold=2
"""

model = dict(
    type="core",
    width=256,
    skeletal=None,
    dynamic=dict(snippets=10, length=16, frames=160, weights="data/weights/i3d_kinetics_rgb.pth"),
    head="gart",
    depth=5,
    hidden=256,
)
data = dict(
    source=dict(
        type="jigsaws",
        root="data/JIGSAWS",
        tasks=("Suturing",),
        protocol="four_fold",
        fold="1",
        splits="data/JIGSAWS/splits.pkl",
        manipulators="none",
        images="data/JIGSAWS/frames",
    ),
    inputs=dict(frames=160, poses=False, images=224),
    augment=dict(flip=0.0, view=1.0),
    exemplars=dict(by="action", count=10),
)
optimizer = dict(type="Adam", lr=1e-3, backbone_lr=1e-4)
schedule = dict(type="constant")
training = dict(epochs=200, batch_size=4)
