"""CoRe with its regression tree on MTL-AQA: I3D on 103 frames in ten snippets, exemplars of the same difficulty."""

_base_ = "_base_/core.py"

model = dict(dynamic=dict(frames=103))
data = dict(
    source=dict(type="mtl_aqa", annotations="data/MTL-AQA", images="data/MTL-AQA/frames"),
    inputs=dict(frames=103),
    exemplars=dict(by="difficulty"),  # all clips are of one category, diving
)
training = dict(epochs=100, batch_size=8)
