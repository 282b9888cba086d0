"""Table V, K = 1: one stage."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(boundaries=()))
