"""FineDiving from skeletons alone: what the paper's table III calls HSE."""

_base_ = "finediving.py"

model = dict(dynamic=None, static=None)
data = dict(
    source=dict(images=""),
    inputs=dict(images=0),
    augment=dict(flip=0.5, view=0.0, rotate=15.0, scale=0.1, noise=0.01),
)
