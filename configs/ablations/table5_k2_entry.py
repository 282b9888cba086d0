"""Table V, K = 2*: the entry apart."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(boundaries=(1,)))
