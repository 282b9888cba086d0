"""SkillDiff on UI-PRMD: correct against incorrect exercises of people never seen, one cross-subject fold for testing.

posediff train configs/ui_prmd.py --cfg-options data.source.root=DATA data.source.fold=2

Few people are learnt from: benchmarks/ui_prmd_cross_subject.py tells what is measured of them beside one another apart.
"""

_base_ = "skilldiff_folder.py"

model = dict(
    skeletal=dict(streams=("angle", "body"), channels=(32, 32, 64), kernel=5, strides=(2, 1, 1), dropout=0.3),
    alignment=dict(skip=1.0),
    total="weighted",
    loss=dict(score="bce"),
)
data = dict(
    source=dict(_delete_=True, type="ui_prmd", root="$POSEDIFF_DATA/ui_prmd"),
    inputs=dict(skeleton="kinect22", frames=64, dimensions=3),
    augment=dict(flip=0.5, rotate=20.0, scale=0.1, noise=0.02),
    exemplars=dict(by="action", choice="best", best=10, count=10),
    validation=0.2,
)
optimizer = dict(type="AdamW", lr=1e-3, weight_decay=5e-2, clip=5.0)
schedule = dict(type="cosine", warmup=1)
training = dict(epochs=15, batch_size=16, patience=None, choose_by="auc")
