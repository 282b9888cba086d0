"""Table VII, T = 10 steps a stage, as in the released code."""

_base_ = "../finediving.py"

model = dict(decoder=dict(steps=10))
