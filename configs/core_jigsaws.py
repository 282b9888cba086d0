"""CoRe on one task of JIGSAWS, as in the paper: 160 frames in ten snippets side by side, four-fold cross-validation.

posediff train configs/core_jigsaws.py --cfg-options data.source.tasks="('Knot_Tying',)" data.source.fold=2
"""

_base_ = "_base_/core.py"

model = dict(dynamic=dict(frames=160))
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
    inputs=dict(frames=160),
    augment=dict(flip=0.0),
)
