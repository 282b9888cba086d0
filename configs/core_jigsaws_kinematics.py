"""CoRe on JIGSAWS without pictures: what the instruments do, one surgeon tested on. It needs no weights.

posediff train configs/core_jigsaws_kinematics.py --cfg-options data.source.fold=E
"""

_base_ = "core_jigsaws.py"

model = dict(
    width=64,
    skeletal=dict(_delete_=True, streams=("joint", "motion"), channels=(32, 32, 64), strides=(2, 2, 1)),
    dynamic=None,
)
data = dict(
    source=dict(protocol="user_out", fold="B", splits="", manipulators="slave", images=""),
    inputs=dict(poses=True, skeleton="instruments10", frames=160, images=0, centre="start", scale="none"),
    augment=dict(view=0.0, noise=0.02),
)
optimizer = dict(backbone_lr=None)
training = dict(epochs=60, batch_size=8)
