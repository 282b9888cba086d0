"""HP-MCoRe on MTL-AQA: 103 frames in ten snippets, exemplars of the same difficulty, no stage labels."""

_base_ = "_base_/hp_mcore.py"

model = dict(
    dynamic=dict(snippets=10, frames=103, weights="data/weights/i3d_kinetics_rgb.pth"),
    static=dict(weights="data/weights/resnet50.pth"),
    segmentation=dict(boundaries=()),
)
data = dict(
    source=dict(
        type="mtl_aqa",
        annotations="data/MTL-AQA",
        images="data/MTL-AQA/frames",
        poses="data/MTL-AQA/Pose",
    ),
    inputs=dict(skeleton="mpii16", frames=103, images=224),
    augment=dict(flip=0.5, view=1.0),
    exemplars=dict(by="difficulty", count=10),
)
