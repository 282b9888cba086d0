"""Table VII, T = 8 steps a stage."""

_base_ = "../finediving.py"

model = dict(decoder=dict(steps=8))
