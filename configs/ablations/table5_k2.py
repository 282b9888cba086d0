"""Table V, K = 2: the take-off apart."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(boundaries=(0,)))
