"""Table VI: stages found by a temporal convolutional network."""

_base_ = "../finediving.py"

model = dict(segmentation=dict(kind="tcn", layers=6))
