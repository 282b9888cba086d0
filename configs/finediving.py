"""HP-MCoRe on FineDiving with dive numbers: frames and skeletons, 96 frames, three stages, ten exemplars."""

_base_ = "_base_/hp_mcore.py"

model = dict(
    dynamic=dict(weights="data/weights/i3d_kinetics_rgb.pth"),
    static=dict(weights="data/weights/resnet50.pth"),
)
data = dict(
    source=dict(
        type="finediving",
        annotations="data/FineDiving/Annotations",
        images="data/FineDiving/FINADiving_MTL_256s",
        poses="data/FineDiving/Pose",
    ),
    inputs=dict(skeleton="mpii16", frames=96, images=224),
    augment=dict(flip=0.5, view=1.0),
    exemplars=dict(by="action", count=10),
)
