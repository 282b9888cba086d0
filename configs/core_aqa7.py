"""CoRe on one class of AQA-7, as in the paper: 103 frames in ten snippets, exemplars of the same class.

posediff train configs/core_aqa7.py --cfg-options data.source.classes="('gym_vault',)"
"""

_base_ = "_base_/core.py"

model = dict(dynamic=dict(frames=103))
data = dict(
    source=dict(type="aqa7", root="data/AQA-7", images="data/AQA-7", classes=("diving",)),
    inputs=dict(frames=103),
)
