"""Table VII, T = 3 steps a stage."""

_base_ = "../finediving.py"

model = dict(decoder=dict(steps=3))
